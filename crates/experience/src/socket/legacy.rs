//! The dialect of today's front end: how the events of a turn are told in its words. It is a translation and decides nothing.

use contract::{ConversationId, Event, EventType, ExecutionId, HookId, Timestamp, agent::AgentKind};
use serde_json::{Value, json};

/// A turn that is told in this dialect, and what is remembered of it until its answer is told.
#[derive(Debug, Default)]
pub(super) struct LegacyTurn {
    /// The client's own word for the screen, said back as it came.
    pillar: Option<String>,
    /// What `agent.started` said.
    started: Value,
    /// The last intent that the agent had executed.
    intent: Option<String>,
    /// Whether the client has been told already that the turn failed.
    failure_told: bool,
}

impl LegacyTurn {
    pub(super) fn new(pillar: Option<String>) -> Self {
        Self { pillar, ..Self::default() }
    }
}

/// One event of a turn, or of something that the turn called, in the client's words; `None` where it has none for it.
pub(super) fn tell(
    turn: &mut LegacyTurn,
    conversation_id: &ConversationId,
    event: &Event,
    is_turn: bool,
) -> Option<String> {
    let (word, data) = match event.event_type {
        EventType::ApprovalPending => approval(event),
        EventType::ApprovalDecided if event.data["approved"] == json!(false) => {
            halted(event, "The approval was refused.")
        }
        EventType::ApprovalExpired => halted(event, "Nobody decided about the approval in time."),
        EventType::ApprovalDecided => return None,
        _ if !is_turn => return None,
        EventType::ExecutionStarted => ("EXECUTION_STARTED", json!({ "attempt": event.data["attempt"] })),
        EventType::StepStarted => ("STEP_STARTED", step(&event.data["step"])),
        EventType::StepCompleted => ("STEP_COMPLETED", step(&event.data["step"])),
        EventType::AgentTool => tool(turn, event),
        EventType::AgentStarted => {
            turn.started = event.data.clone();
            return None;
        }
        EventType::AgentCompleted => ("AGENT_RESPONSE", response(turn, conversation_id, event)),
        EventType::AgentFailed => failed(turn, event)?,
        EventType::ExecutionFailed => failed(turn, event)?,
        EventType::ExecutionCancelled => failed(turn, event)?,
        EventType::ExecutionCompleted => ("EXECUTION_COMPLETED", json!({ "artifacts": event.data["artifacts"] })),
        EventType::ExecutionAccepted
        | EventType::ExecutionRetrying
        | EventType::ExecutionRedriven
        | EventType::ExecutionMerged
        | EventType::ExecutionAwaitingApproval
        | EventType::AgentToken
        | EventType::AgentCancelled
        | EventType::HistoryRemoved
        | EventType::ConversationForked
        | EventType::ConversationMessage
        | EventType::Unknown => return None,
    };
    Some(frame(word, event, conversation_id, data))
}

fn frame(word: &str, event: &Event, conversation_id: &ConversationId, mut data: Value) -> String {
    data["conversation_id"] = json!(conversation_id);
    data["execution_id"] = json!(event.execution_id);
    json!({
        "type": "runtime_event",
        "event_type": word,
        "seq": event.seq,
        "timestamp": event.timestamp,
        "data": data,
    })
    .to_string()
}

fn step(name: &Value) -> Value {
    json!({ "step": name, "step_name": name })
}

fn tool(turn: &mut LegacyTurn, event: &Event) -> (&'static str, Value) {
    turn.intent = event.data["intent"].as_str().map(str::to_owned);
    let mut data = step(&event.data["intent"]);
    data["state"] = event.data["state"].clone();
    let word = if event.data["state"] == "started" { "STEP_STARTED" } else { "STEP_COMPLETED" };
    (word, data)
}

fn approval(event: &Event) -> (&'static str, Value) {
    let mut data = event.data.clone();
    data["message"] = data["reason"].clone();
    let word = if data["kind"] == "review" { "SAFETY_REVIEW_PENDING" } else { "SAFETY_APPROVAL_PENDING" };
    (word, data)
}

fn halted(event: &Event, sentence: &str) -> (&'static str, Value) {
    let reason = event.data["rejection_reason"].as_str().unwrap_or(sentence);
    let data = json!({ "hook_id": event.data["hook_id"], "reason": reason, "message": reason, "approved": false });
    ("SAFETY_HALTED", data)
}

/// A failure is told once, by whichever event brings it first.
fn failed(turn: &mut LegacyTurn, event: &Event) -> Option<(&'static str, Value)> {
    if std::mem::replace(&mut turn.failure_told, true) {
        return None;
    }
    let said = event.data["error"].as_str().or_else(|| event.data["reason"].as_str());
    let said = said.unwrap_or("The agent could not answer. Try again.");
    Some(("EXECUTION_FAILED", json!({ "error": said, "message": said, "code": event.data["code"] })))
}

fn response(turn: &LegacyTurn, conversation_id: &ConversationId, event: &Event) -> Value {
    let data = &event.data;
    let said = data["response"].as_str().unwrap_or_default();
    let agent_id =
        [&data["agent_id"], &turn.started["agent_id"]].into_iter().find_map(Value::as_str).unwrap_or("guide");
    let (agent_type, realm) = kind_and_realm(agent_id);
    let understood = &data["intent_analysis"];
    let reasoning = turn.started.pointer("/routing/reason").and_then(Value::as_str).unwrap_or_default();
    json!({
        "message": said,
        "content": said,
        "response": said,
        "agent_type": data["agent_type"].as_str().unwrap_or(agent_type),
        "agent_id": agent_id,
        "pillar": turn.pillar,
        "conversation_id": conversation_id,
        "execution_id": event.execution_id,
        "data": { "artifacts": data["artifacts"], "usage": data["usage"] },
        "intent": {
            "primary_intent": understood["intent_type"].as_str().or(turn.intent.as_deref()).unwrap_or("conversation"),
            "target_domain": realm,
            "confidence": understood["confidence"].as_f64().unwrap_or(1.0),
        },
        "reasoning": reasoning,
    })
}

/// An agent's id names its kind and its realm.
fn kind_and_realm(agent_id: &str) -> (&'static str, Option<&str>) {
    let (kind, realm) = agent_id.split_once('.').map_or((agent_id, None), |(kind, realm)| (kind, Some(realm)));
    let kind = [AgentKind::Liaison, AgentKind::Specialist].into_iter().find(|known| known.as_str() == kind);
    (kind.unwrap_or(AgentKind::Guide).as_str(), realm)
}

/// What could not be done, where the journal has no event for it.
pub(super) struct Failed<'a> {
    pub(super) sentence: &'a str,
    pub(super) code: &'a str,
    pub(super) conversation_id: Option<&'a ConversationId>,
    pub(super) execution_id: Option<&'a ExecutionId>,
    pub(super) hook_id: Option<&'a HookId>,
}

/// `EXECUTION_FAILED` for whatever goes wrong outside of an execution: the client looks at nothing else.
pub(super) fn failure(failed: &Failed<'_>, now: Timestamp) -> String {
    let mut data = json!({ "error": failed.sentence, "message": failed.sentence, "code": failed.code });
    for (name, id) in [
        ("conversation_id", failed.conversation_id.map(ConversationId::as_str)),
        ("execution_id", failed.execution_id.map(ExecutionId::as_str)),
        ("hook_id", failed.hook_id.map(HookId::as_str)),
    ] {
        if let Some(id) = id {
            data[name] = json!(id);
        }
    }
    super::frames::own_event("EXECUTION_FAILED", now, &data)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_names_kind_and_realm() {
        for (id, kind, realm) in [
            ("guide", "guide", None),
            ("liaison.content", "liaison", Some("content")),
            ("specialist.tables.wide", "specialist", Some("tables.wide")),
            ("somebody", "guide", None),
        ] {
            assert_eq!(kind_and_realm(id), (kind, realm));
        }
    }
}
