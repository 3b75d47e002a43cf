//! The built-in model's sentences. It is told what was understood and what came of it, and puts that into words; it decides nothing
//! and adds nothing.

use contract::agent::AgentKind;
use serde_json::Value;

use super::{
    index::first_sentence,
    lexicon::LEXICON,
    question::{CHOICE, CONFIRM, STILL_NEEDED},
    read::{Candidate, Wish},
};
use crate::model::{ModelRequest, ToolOutcome};

/// The most files that are named in an answer.
const MAX_NAMED_FILES: usize = 5;

pub(super) fn greeting(request: &ModelRequest) -> String {
    let example = example(request).map(|example| format!(" For example: “{example}”")).unwrap_or_default();
    format!(
        "Hello! {} Tell me what you want to have done, or ask “what can I do here?”.{example}",
        request.agent.description
    )
}

pub(super) fn thanks() -> String {
    "You are welcome.".to_owned()
}

pub(super) fn declined() -> String {
    "All right, I leave it. Nothing was done.".to_owned()
}

pub(super) fn negated() -> String {
    "All right, I do not do that. Nothing was changed.".to_owned()
}

pub(super) fn identity(request: &ModelRequest) -> String {
    format!(
        "I am `{}`, served by the built-in model of Symphainy: a program that recognises what is asked by its words and has it done. I am \
         neither a person nor a language model. Ask “what can I do here?” to see what I understand.",
        request.agent.agent_id
    )
}

/// What can be done, from the agents and intents that there really are.
pub(super) fn help(request: &ModelRequest) -> String {
    let mut lines = Vec::new();
    if request.agent.kind != AgentKind::Guide {
        lines.push(format!("{} I can do this for you:", request.agent.description));
        lines.extend(
            request.tools.intents.iter().map(|intent| line(&intent.intent_type, &intent.description, &intent.examples)),
        );
        lines.push(String::new());
        lines.push("Everything else goes to the guide; just say it:".to_owned());
    } else {
        lines.push("This is what can be done here. Just say it in your own words.".to_owned());
    }
    let others = request.tools.colleagues.iter().filter(|other| other.agent.kind == AgentKind::Liaison);
    for other in others.filter(|other| !other.intents.is_empty()) {
        let realm = other.agent.realm.as_deref().unwrap_or(other.agent.agent_id.as_str());
        if request.agent.kind == AgentKind::Guide {
            lines.push(format!("\n**{}** – {}", capitalised(realm), other.agent.description));
            lines.extend(
                other.intents.iter().map(|intent| line(&intent.intent_type, &intent.description, &intent.examples)),
            );
        } else {
            lines.push(format!("- **{}**: {}", capitalised(realm), other.agent.description));
        }
    }
    lines.push(format!("\n{}", files(request)));
    lines.join("\n")
}

fn line(intent_type: &str, description: &str, examples: &[String]) -> String {
    let example = examples.first().map(|example| format!(" – “{example}”")).unwrap_or_default();
    format!("- {}: {}{example}", words(intent_type), first_sentence(description))
}

fn files(request: &ModelRequest) -> String {
    match request.files.len() {
        0 => "You have no files yet: upload one to begin.".to_owned(),
        count => {
            let named: Vec<String> =
                request.files.iter().take(MAX_NAMED_FILES).map(|file| format!("`{file}`")).collect();
            let more = if count > MAX_NAMED_FILES { " and more" } else { "" };
            format!("Your files: {}{more}.", named.join(", "))
        }
    }
}

pub(super) fn nothing(request: &ModelRequest) -> String {
    let own: Vec<String> = request
        .tools
        .intents
        .iter()
        .chain(request.tools.colleagues.iter().flat_map(|colleague| &colleague.intents))
        .take(4)
        .map(|intent| words(&intent.intent_type))
        .collect();
    let example = example(request).map(|example| format!(" Try “{example}”")).unwrap_or_default();
    format!(
        "I did not find anything in that which I can do. I can {}, among others; ask “what can I do here?” for all of it.{example}",
        own.join(", ")
    )
}

fn example(request: &ModelRequest) -> Option<String> {
    let intents = request.tools.intents.iter().chain(request.tools.colleagues.iter().flat_map(|other| &other.intents));
    intents.flat_map(|intent| intent.examples.first()).next().cloned()
}

pub(super) fn choice(request: &ModelRequest, options: &[Candidate]) -> String {
    match options {
        [only] => {
            format!("I think you want to {}. {CONFIRM} Say “yes”, or put it in other words.", option(request, only))
        }
        several => {
            let lines: Vec<String> = several
                .iter()
                .enumerate()
                .map(|(at, candidate)| format!("{}. {}", at + 1, option(request, candidate)))
                .collect();
            let count = if several.len() == 2 { "two" } else { "several" };
            format!(
                "That could mean {count} things. {CHOICE}\n\n{}\n\nSay “the first” or “the second”, or put it in other words.",
                lines.join("\n")
            )
        }
    }
}

fn option(request: &ModelRequest, candidate: &Candidate) -> String {
    let intents = request.tools.intents.iter().chain(request.tools.colleagues.iter().flat_map(|other| &other.intents));
    let described = intents
        .clone()
        .find(|intent| intent.intent_type == candidate.intent_type)
        .map(|intent| format!(": {}", first_sentence(&intent.description)))
        .unwrap_or_default();
    format!("**{}** (`{}`){described}", words(&candidate.intent_type), candidate.intent_type)
}

pub(super) fn missing(request: &ModelRequest, wish: &Wish, property: &str) -> String {
    let asked = LEXICON.ask.get(property).map_or_else(|| format!("the {}", words(property)), Clone::clone);
    let known = if property.contains("file") && !request.files.is_empty() {
        format!(" {}", files(request))
    } else {
        String::new()
    };
    let intent_type = &wish.intent_type;
    format!("To {} (`{intent_type}`) {STILL_NEEDED} {asked} (`{property}`).{known}", words(intent_type))
}

/// What came of a tool, in the words of its own result.
pub(super) fn outcome(intent_type: &str, outcome: &ToolOutcome) -> String {
    match outcome {
        ToolOutcome::Completed { result, .. } => summary(intent_type, result),
        ToolOutcome::Failed { message, .. } => {
            format!("I could not {}: {}", words(intent_type), sentence(message))
        }
        ToolOutcome::Refused { message } => {
            format!("I did not {}: {} Nothing of it was done.", words(intent_type), sentence(message))
        }
        ToolOutcome::HandedOff { .. } => String::new(),
    }
}

fn summary(intent_type: &str, result: &Value) -> String {
    let said = ["summary", "message", "response"].iter().find_map(|key| result.get(key)?.as_str());
    said.map_or_else(|| format!("Done: {}.", words(intent_type)), str::to_owned)
}

pub(super) fn given_up(rest: &[Wish]) -> String {
    let names: Vec<String> = rest.iter().map(|wish| words(&wish.intent_type)).collect();
    format!("I did not go on with the rest: {}.", names.join(", "))
}

pub(super) fn next_step(request: &ModelRequest, wish: &Wish, file: Option<&str>) -> Option<String> {
    let next = LEXICON.next.get(&wish.intent_type)?;
    let mut intents =
        request.tools.intents.iter().chain(request.tools.colleagues.iter().flat_map(|other| &other.intents));
    if !intents.any(|intent| intent.intent_type == next.intent) {
        return None;
    }
    let file = file.or(request.files.first().map(String::as_str));
    let say = match file {
        Some(file) => next.say.replace("{file}", file),
        None if next.say.contains("{file}") => return None,
        None => next.say.clone(),
    };
    Some(format!("*Next, you could say:* “{say}”"))
}

pub(super) fn hand_over_reason(request: &ModelRequest, wish: &Wish, to_guide: bool) -> String {
    let wanted = words(&wish.intent_type);
    if to_guide {
        let realm = request.agent.realm.as_deref().unwrap_or("present");
        format!("To {wanted} does not belong to the {realm} realm.")
    } else {
        format!("To {wanted} is the work of this realm.")
    }
}

pub(super) fn nobody(wish: &Wish) -> String {
    format!("To {} is something that no agent here may do.", words(&wish.intent_type))
}

/// `assess_data_quality` as one says it.
fn words(name: &str) -> String {
    name.replace('_', " ").replace("sop", "SOP")
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Ends with a full stop.
fn sentence(text: &str) -> String {
    let text = text.trim();
    if text.ends_with(['.', '!', '?']) { text.to_owned() } else { format!("{text}.") }
}
