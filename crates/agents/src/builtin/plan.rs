//! What the built-in model does next in a turn: the same request gives the same plan, so a turn that starts again goes the same way.

use contract::agent::AgentKind;
use serde_json::{Map, Value, json};

use super::{
    fill,
    read::{Reading, Wish},
    say,
};
use crate::{
    analysis::{Alternative, IntentAnalysis},
    model::{HAND_OFF, ModelRequest, ToolCall, ToolOutcome, ToolResult},
};

/// What to say, and then perhaps a tool to use.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Plan {
    pub(super) text: String,
    pub(super) call: Option<ToolCall>,
}

pub(super) fn plan(request: &ModelRequest, reading: &Reading) -> Plan {
    match reading {
        Reading::Greeting => saying(say::greeting(request)),
        Reading::Thanks => saying(say::thanks()),
        Reading::Help => saying(say::help(request)),
        Reading::Identity => saying(say::identity(request)),
        Reading::Declined => saying(say::declined()),
        Reading::Negated => saying(say::negated()),
        Reading::Nothing => saying(say::nothing(request)),
        Reading::Choice(options) => saying(say::choice(request, options)),
        Reading::Missing { wish, property } => saying(say::missing(request, wish, property)),
        Reading::Wishes(wishes) => work_off(request, wishes),
    }
}

fn saying(text: String) -> Plan {
    Plan { text, call: None }
}

/// The wishes one after the other. How many are done is read off the turn's rounds.
fn work_off(request: &ModelRequest, wishes: &[Wish]) -> Plan {
    let results = || request.rounds.iter().flat_map(|round| &round.results);
    let done = results().filter(|result| result.call.name != HAND_OFF).count();
    let latest: &[ToolResult] = request.rounds.last().map_or(&[], |round| &round.results);
    let mut told: Vec<String> = latest
        .iter()
        .filter(|result| result.call.name != HAND_OFF)
        .map(|result| say::outcome(&result.call.name, &result.outcome))
        .collect();
    let (before, rest) = wishes.split_at(done.min(wishes.len()));
    if latest.iter().any(|result| !has_worked(&result.outcome)) {
        told.extend(refused_hand_over(latest));
        told.extend((!rest.is_empty()).then(|| say::given_up(rest)));
        return saying(told.join("\n\n"));
    }
    let Some(wish) = rest.first() else {
        let file = before.iter().rev().find_map(|wish| fill::file_of(&wish.parameters));
        told.extend(before.last().and_then(|last| say::next_step(request, last, file)));
        return saying(told.join("\n\n"));
    };
    let call_id = format!("call_{}", results().count() + 1);
    match next_call(request, wish, call_id) {
        Some(call) => Plan { text: told.join("\n\n"), call: Some(call) },
        None => {
            told.push(say::nobody(wish));
            saying(told.join("\n\n"))
        }
    }
}

fn has_worked(outcome: &ToolOutcome) -> bool {
    matches!(outcome, ToolOutcome::Completed { .. } | ToolOutcome::HandedOff { .. })
}

fn refused_hand_over(latest: &[ToolResult]) -> Option<String> {
    let refused = latest.iter().find(|result| result.call.name == HAND_OFF)?;
    match &refused.outcome {
        ToolOutcome::Failed { message, .. } | ToolOutcome::Refused { message } => {
            Some(format!("I could not hand this over: {message}"))
        }
        ToolOutcome::Completed { .. } | ToolOutcome::HandedOff { .. } => None,
    }
}

/// The intent itself where the agent may use it, else the hand-over to who may.
fn next_call(request: &ModelRequest, wish: &Wish, id: String) -> Option<ToolCall> {
    let tools = &request.tools;
    if tools.intents.iter().any(|intent| intent.intent_type == wish.intent_type) {
        return Some(ToolCall {
            id,
            name: wish.intent_type.clone(),
            arguments: wish.parameters.clone(),
            ..ToolCall::default()
        });
    }
    let owner = owner(request, &wish.intent_type);
    let may = |agent_id: &&contract::AgentId| tools.hand_off_to.contains(agent_id);
    let to_guide = request.agent.kind != AgentKind::Guide;
    let target = owner.filter(may).or_else(|| tools.hand_off_to.first().filter(|_| to_guide))?;
    let reason = say::hand_over_reason(request, wish, to_guide);
    let arguments: Map<String, Value> = match json!({ "agent_id": target, "reason": reason }) {
        Value::Object(arguments) => arguments,
        _ => unreachable!("it is written as an object"),
    };
    Some(ToolCall { id, name: HAND_OFF.to_owned(), arguments, ..ToolCall::default() })
}

/// Whose work an intent is: the liaison of its realm before any other that may use it.
fn owner<'a>(request: &'a ModelRequest, intent_type: &str) -> Option<&'a contract::AgentId> {
    let can = request.tools.colleagues.iter().filter_map(|colleague| {
        let intent = colleague.intents.iter().find(|intent| intent.intent_type == intent_type)?;
        let speaks_for_it = colleague.agent.realm.as_ref() == Some(&intent.realm);
        (colleague.agent.kind == AgentKind::Liaison).then_some((speaks_for_it, &colleague.agent.agent_id))
    });
    can.max_by_key(|(speaks_for_it, _)| *speaks_for_it).map(|(_, agent_id)| agent_id)
}

/// The reading in the contract's shape. Of several wishes it tells the first.
pub(super) fn analysis(request: &ModelRequest, reading: &Reading) -> IntentAnalysis {
    let present = &request.agent.agent_id;
    let who = |intent_type: &str| {
        let own = request.tools.intents.iter().any(|intent| intent.intent_type == intent_type);
        let other = owner(request, intent_type);
        // The guide may list files too; but it is the liaison's work.
        if own && request.agent.kind != AgentKind::Guide { present.clone() } else { other.unwrap_or(present).clone() }
    };
    let alternatives = |candidates: &[super::read::Candidate]| -> Vec<Alternative> {
        let alternative = |candidate: &super::read::Candidate| Alternative {
            agent_id: who(&candidate.intent_type),
            intent_type: candidate.intent_type.clone(),
            confidence: rounded(candidate.confidence),
        };
        candidates.iter().map(alternative).collect()
    };
    let of_wish = |wish: &Wish, needs_clarification| IntentAnalysis {
        agent_id: who(&wish.intent_type),
        intent_type: Some(wish.intent_type.clone()),
        parameters: wish.parameters.clone(),
        confidence: rounded(wish.confidence),
        needs_clarification,
        alternatives: alternatives(&wish.alternatives),
    };
    let none = |confidence, needs_clarification, alternatives| IntentAnalysis {
        agent_id: present.clone(),
        intent_type: None,
        parameters: Map::new(),
        confidence,
        needs_clarification,
        alternatives,
    };
    match reading {
        Reading::Wishes(wishes) => match wishes.first() {
            Some(first) => of_wish(first, false),
            None => none(0.0, false, Vec::new()),
        },
        Reading::Missing { wish, .. } => of_wish(wish, true),
        Reading::Choice(options) => {
            let best = options.first().map_or(0.0, |option| rounded(option.confidence));
            none(best, true, alternatives(options))
        }
        Reading::Greeting
        | Reading::Thanks
        | Reading::Help
        | Reading::Identity
        | Reading::Declined
        | Reading::Negated => none(1.0, false, Vec::new()),
        Reading::Nothing => none(0.0, false, Vec::new()),
    }
}

/// Three digits are more than the number means.
fn rounded(confidence: f64) -> f64 {
    (confidence * 1_000.0).round() / 1_000.0
}
