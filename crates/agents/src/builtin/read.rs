//! What a person wants, out of a message and what was said before it. It executes nothing and says nothing.

mod earlier;
mod several;

use std::sync::Arc;

use contract::{
    agent::{AgentKind, Surface},
    conversation::{Message, Role},
    intent::IntentDescriptor,
};
use serde_json::{Map, Value};

use super::{
    fill,
    index::{Index, Nearness},
    lexicon::LEXICON,
    message::{Said, Token},
    question,
    question::Question,
};
use crate::model::ModelRequest;

/// Below this nothing was understood.
const UNDERSTOOD: f64 = 0.42;
/// From here on it is done without asking.
const SURE: f64 = 0.52;
/// Two readings whose scores are no further apart than this share of the better one are both possible.
const CLOSE_SHARE: f64 = 0.12;
/// A piece between two joints is a wish of its own from here on.
const PART_SURE: f64 = 0.62;
/// What belongs to the realm of the agent or of the screen counts this much more.
const HOME_BONUS: f64 = 1.12;
/// The most options in a question back.
const MAX_OPTIONS: usize = 3;
/// How many messages of the person are looked back at for what `it` and `again` mean.
const MAX_LOOK_BACK: usize = 6;
/// What a reading is worth that rests on an earlier message.
const CONTINUED: f64 = 0.7;
/// What a reading is worth that the person has chosen.
const CHOSEN: f64 = 0.95;
/// How many sentences and characters make what follows the first sentence a pasted text.
const MIN_PASTED_SENTENCES: usize = 3;
const MIN_PASTED_CHARS: usize = 90;

/// What a message means.
#[derive(Clone, Debug, PartialEq)]
pub enum Reading {
    Greeting,
    Thanks,
    Help,
    /// The person wants to know whom they talk to.
    Identity,
    /// No to what was asked back, or `never mind`.
    Declined,
    /// Something is wanted not to be done.
    Negated,
    /// What is to be done, in order.
    Wishes(Vec<Wish>),
    /// Readings that are equally likely, best first; one alone is to be confirmed.
    Choice(Vec<Candidate>),
    /// It is clear what is wanted, but not on what.
    Missing {
        wish: Wish,
        property: String,
    },
    /// Nothing was understood.
    Nothing,
}

/// One thing that is to be done.
#[derive(Clone, Debug, PartialEq)]
pub struct Wish {
    pub intent_type: String,
    pub parameters: Map<String, Value>,
    /// From 0 to 1.
    pub confidence: f64,
    /// Other readings, best first.
    pub alternatives: Vec<Candidate>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    pub intent_type: String,
    pub confidence: f64,
}

/// Reads the message of a request.
pub(super) fn read(request: &ModelRequest, index: &Index) -> Reading {
    let reader = Reader { index, home: home(request), files: &request.files };
    reader.read(&request.history, &request.message, true)
}

/// The realm that the conversation is at home in.
fn home(request: &ModelRequest) -> Option<String> {
    let of_screen = || match request.surface {
        Surface::Content => Some("content"),
        Surface::Insights => Some("insights"),
        Surface::Journey => Some("journey"),
        Surface::Outcomes => Some("outcomes"),
        Surface::General => None,
    };
    match request.agent.kind {
        AgentKind::Guide => of_screen().map(str::to_owned),
        AgentKind::Liaison | AgentKind::Specialist => request.agent.realm.clone(),
    }
}

struct Reader<'a> {
    index: &'a Index,
    home: Option<String>,
    files: &'a [String],
}

/// What the nearest subjects say.
enum Verdict {
    Clear(Nearness, Vec<Candidate>),
    Close(Vec<Candidate>),
    Unclear,
}

impl Reader<'_> {
    /// `deep` is whether earlier messages may be read for what this one leaves out.
    fn read(&self, history: &[Message], text: &str, deep: bool) -> Reading {
        let asked = history.last().filter(|message| message.role == Role::Assistant);
        if let Some(question) = asked.and_then(|message| question::find(&message.content)) {
            let before = history.iter().rfind(|message| message.role == Role::User);
            if let Some(reading) = self.answer(&question, before, text, history) {
                return reading;
            }
        }
        self.fresh(history, text, deep)
    }

    /// The message as an answer to our own question; `None` where it is none.
    fn answer(
        &self,
        question: &Question,
        before: Option<&Message>,
        text: &str,
        history: &[Message],
    ) -> Option<Reading> {
        let said = Said::read(text, self.files);
        match question {
            Question::Choice(options) => {
                if question::is_no(&said) {
                    return Some(Reading::Declined);
                }
                let chosen = question::chosen(options, &said).or_else(|| self.named_option(options, &said))?;
                let original = Said::read(before.map_or(text, |message| &message.content), self.files);
                let original = if original.files.is_empty() && !said.files.is_empty() { said } else { original };
                let wishes: Vec<Wish> =
                    chosen.iter().filter_map(|name| self.wish(name, &original, CHOSEN, None)).collect();
                Some(self.complete(wishes, history))
            }
            Question::Missing { intent_type, property } => {
                if question::is_no(&said) {
                    return Some(Reading::Declined);
                }
                // Something else that is clearly wanted comes before the answer.
                let other = !is_only_file(&said)
                    && matches!(self.judge(&said), Verdict::Clear(nearness, _)
                    if nearness.score >= PART_SURE && nearness.subject != *intent_type && said.body.is_none());
                if other && fill::answer_to(property, &said).is_none_or(|_| self.is_request(&said)) {
                    return None;
                }
                let before = before.map(|message| Said::read(&message.content, self.files)).unwrap_or_default();
                let mut wish = self.wish(intent_type, &before, CHOSEN, None)?;
                let descriptor = self.index.descriptor(intent_type)?;
                wish.parameters.extend(fill::parameters(descriptor, &said, None));
                if fill::missing(descriptor, &wish.parameters, false).is_some() {
                    wish.parameters.insert(property.clone(), fill::answer_to(property, &said)?);
                }
                Some(self.complete(vec![wish], history))
            }
        }
    }

    /// Whether the message is itself about doing something, rather than being the thing that was asked for.
    fn is_request(&self, said: &Said) -> bool {
        said.text.split_whitespace().count() <= 8
    }

    fn named_option(&self, options: &[String], said: &Said) -> Option<Vec<String>> {
        let nearest = self.index.nearest(said);
        let best = nearest.iter().find(|nearness| options.contains(&nearness.subject))?;
        // Of the options the best, unless something that was not offered is clearly nearer.
        let top = nearest.first()?;
        (best.score >= UNDERSTOOD && best.score >= top.score * (1.0 - CLOSE_SHARE)).then(|| vec![best.subject.clone()])
    }

    fn fresh(&self, history: &[Message], text: &str, deep: bool) -> Reading {
        if question::is_never_mind(text) {
            return Reading::Declined;
        }
        if question::is_negated(text) {
            return Reading::Negated;
        }
        if let Some(wishes) = self.parts(history, text, deep) {
            return self.complete(wishes, history);
        }
        let said = self.said(text);
        if said.tokens == [Token::Body] {
            return self.pasted(history, &said, deep);
        }
        if deep && is_elliptic(&said) {
            return self.continued(history, &said).unwrap_or(Reading::Nothing);
        }
        if is_only_file(&said) {
            return self.choice_for_file();
        }
        if let Some(candidates) = self.either_or(text) {
            return Reading::Choice(candidates);
        }
        match self.judge(&said) {
            Verdict::Clear(nearness, alternatives) => self.clear(history, &said, &nearness, alternatives, deep),
            Verdict::Close(candidates) => Reading::Choice(candidates),
            Verdict::Unclear => Reading::Nothing,
        }
    }

    /// The whole message, with a text pasted behind the first sentence where that asks for one.
    fn said(&self, text: &str) -> Said {
        let said = Said::read(text, self.files);
        if said.body.is_some() || said.sql.is_some() || text.len() < MIN_PASTED_CHARS {
            return said;
        }
        let Some((head, rest)) = text.split_once(". ") else {
            return said;
        };
        if rest.matches(['.', '!']).count() + 1 < MIN_PASTED_SENTENCES {
            return said;
        }
        let first = Said::with_body(head, rest, self.files);
        match self.judge(&first) {
            Verdict::Clear(nearness, _) if self.wants_text(&nearness.subject) => first,
            Verdict::Clear(..) | Verdict::Close(_) | Verdict::Unclear => said,
        }
    }

    fn wants_text(&self, intent_type: &str) -> bool {
        let descriptor = self.index.descriptor(intent_type);
        descriptor.is_some_and(|descriptor| {
            let properties = &descriptor.parameters["properties"];
            let has = |name| properties.get(name).is_some();
            (has("text") || has("procedure")) && !has("query")
        })
    }

    fn judge(&self, said: &Said) -> Verdict {
        if said.tokens.is_empty() {
            return Verdict::Unclear;
        }
        let nearest = self.at_home(self.index.nearest(said));
        let Some(best) = nearest.first().filter(|best| best.score >= UNDERSTOOD) else {
            return Verdict::Unclear;
        };
        let intents = nearest.iter().filter(|other| !other.subject.starts_with('(') && other.subject != best.subject);
        let others: Vec<Candidate> =
            intents.filter(|other| other.score >= UNDERSTOOD).take(MAX_OPTIONS).map(candidate).collect();
        let is_intent = !best.subject.starts_with('(');
        let close: Vec<Candidate> = others
            .iter()
            .filter(|other| is_intent && other.confidence >= best.score.min(1.0) * (1.0 - CLOSE_SHARE))
            .cloned()
            .collect();
        if !close.is_empty() {
            let options = std::iter::once(candidate(best)).chain(close).take(MAX_OPTIONS);
            return Verdict::Close(options.collect());
        }
        if best.score < SURE {
            return if is_intent { Verdict::Close(vec![candidate(best)]) } else { Verdict::Unclear };
        }
        Verdict::Clear(best.clone(), others)
    }

    /// The same with what is at home here counting more.
    fn at_home(&self, mut nearest: Vec<Nearness>) -> Vec<Nearness> {
        let Some(home) = &self.home else {
            return nearest;
        };
        for nearness in &mut nearest {
            if self.index.descriptor(&nearness.subject).is_some_and(|descriptor| descriptor.realm == *home) {
                nearness.score *= HOME_BONUS;
            }
        }
        nearest.sort_by(|one, other| other.score.total_cmp(&one.score));
        nearest
    }

    fn clear(
        &self,
        history: &[Message],
        said: &Said,
        nearness: &Nearness,
        alternatives: Vec<Candidate>,
        deep: bool,
    ) -> Reading {
        match nearness.subject.as_str() {
            "(help)" => Reading::Help,
            "(greeting)" => Reading::Greeting,
            "(thanks)" => Reading::Thanks,
            "(identity)" => Reading::Identity,
            intent_type => {
                let referent = self.referent(history, said, deep);
                let wish = self.wish(intent_type, said, nearness.score.min(1.0), referent.as_deref());
                let wishes = wish.map(|wish| Wish { alternatives, ..wish });
                self.complete(wishes.into_iter().collect(), history)
            }
        }
    }

    /// `Archive or delete it`: both were said, so both are asked about.
    fn either_or(&self, text: &str) -> Option<Vec<Candidate>> {
        let (one, other) = text.split_once(" or ")?;
        let read = |part: &str| match self.judge(&Said::read(part, self.files)) {
            Verdict::Clear(nearness, _) if !nearness.subject.starts_with('(') => Some(candidate(&nearness)),
            Verdict::Clear(..) | Verdict::Close(_) | Verdict::Unclear => None,
        };
        let (one, other) = (read(one)?, read(other)?);
        (one.intent_type != other.intent_type).then(|| vec![one, other])
    }

    /// What a piece clearly asks for by itself.
    fn own_wish(&self, said: &Said) -> Option<String> {
        if is_only_file(said) {
            return None;
        }
        match self.judge(said) {
            Verdict::Clear(nearness, _) if nearness.score >= PART_SURE => Some(nearness.subject),
            Verdict::Clear(..) | Verdict::Close(_) | Verdict::Unclear => None,
        }
    }

    fn wish(&self, intent_type: &str, said: &Said, confidence: f64, referent: Option<&str>) -> Option<Wish> {
        let descriptor: &Arc<IntentDescriptor> = self.index.descriptor(intent_type)?;
        Some(Wish {
            intent_type: intent_type.to_owned(),
            parameters: fill::parameters(descriptor, said, referent),
            confidence,
            alternatives: Vec::new(),
        })
    }

    /// The wishes, or what is missing for the first of them that misses something.
    fn complete(&self, mut wishes: Vec<Wish>, history: &[Message]) -> Reading {
        let from_nothing = self.files.is_empty() && history.is_empty();
        for wish in &mut wishes {
            let Some(descriptor) = self.index.descriptor(&wish.intent_type) else {
                continue;
            };
            if let Some(property) = fill::missing(descriptor, &wish.parameters, from_nothing) {
                match fill::only_file(&property, self.files) {
                    Some(file) => drop(wish.parameters.insert(property, file)),
                    None => {
                        return Reading::Missing { wish: wish.clone(), property };
                    }
                }
            }
        }
        if wishes.is_empty() { Reading::Nothing } else { Reading::Wishes(wishes) }
    }

    /// A text and not a word about it: for what was wanted last, or for what is at home here, or else one has to ask.
    fn pasted(&self, history: &[Message], said: &Said, deep: bool) -> Reading {
        let last = if deep { self.last_wish(history) } else { None };
        if let Some(last) = last.filter(|last| self.wants_text(&last.intent_type))
            && let Some(wish) = self.wish(&last.intent_type, said, CONTINUED, None)
        {
            return self.complete(vec![wish], history);
        }
        let likely: Vec<&str> =
            ["create_workflow", "generate_sop"].into_iter().filter(|name| self.wants_text(name)).collect();
        let at_home = likely.first().filter(|name| {
            self.index.descriptor(name).is_some_and(|descriptor| Some(&descriptor.realm) == self.home.as_ref())
        });
        if let Some(wish) = at_home.and_then(|name| self.wish(name, said, CONTINUED, None)) {
            return self.complete(vec![wish], history);
        }
        offer(&likely)
    }

    /// A file's name and nothing else: what one does most with files.
    fn choice_for_file(&self) -> Reading {
        let likely = ["parse_content", "get_parsed_file", "assess_data_quality"];
        offer(&likely.into_iter().filter(|name| self.index.descriptor(name).is_some()).collect::<Vec<_>>())
    }
}

fn offer(intents: &[&str]) -> Reading {
    if intents.is_empty() {
        return Reading::Nothing;
    }
    let candidate = |name: &&str| Candidate { intent_type: (*name).to_owned(), confidence: UNDERSTOOD };
    Reading::Choice(intents.iter().map(candidate).collect())
}

fn candidate(nearness: &Nearness) -> Candidate {
    Candidate { intent_type: nearness.subject.clone(), confidence: nearness.score.min(1.0) }
}

/// Whether a message leaves out what is to be done: `and returns.csv?`, `again, please`. Without a file it has to say so itself.
fn is_elliptic(said: &Said) -> bool {
    let again = said.has_word(&["again", "same", "repeat", "redo", "likewise"]);
    let about = said.has_word(&["what", "how"]) && said.has_word(&["about"]);
    let more = about || said.has_word(&["too", "also", "and", "now", "next"]);
    let says_nothing = |word: &str| LEXICON.is_small(word) || matches!(word, "repeat" | "redo" | "likewise");
    (again || (more && !said.files.is_empty())) && said.words().all(says_nothing)
}

fn is_only_file(said: &Said) -> bool {
    said.tokens.contains(&Token::File)
        && said
            .words()
            .all(|word| matches!(word, "the" | "file" | "my" | "please" | "and" | "also" | "then" | "for" | "with"))
}
