//! A story: what the journal tells of a conversation or an execution, as a person would tell it. A pure function from events to
//! entries, in which tokens are folded into what was said and everything that ends says how long it took.

use std::collections::HashMap;

use contract::{Event, EventType, ExecutionId, Timestamp};
use serde::Serialize;
use serde_json::Value;

/// How much of a text is shown, in characters.
const SHOWN_CHARACTERS: usize = 100;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Entry {
    pub(super) at: Timestamp,
    /// The number of the event, or of the last one of those that are folded into this entry.
    pub(super) seq: u64,
    pub(super) execution_id: ExecutionId,
    /// How many executions stand above the one that it happened in.
    pub(super) depth: usize,
    pub(super) event_type: EventType,
    /// What happened, in words.
    pub(super) text: String,
    pub(super) tone: Tone,
    /// How long what ended here has taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) took_ms: Option<u64>,
    /// How many events are folded into it, where it is more than one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) events: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Tone {
    Plain,
    Good,
    Doubtful,
    Bad,
}

/// Tells the events, which stand in their order.
pub(super) fn tell(events: &[Event]) -> Vec<Entry> {
    let mut teller = Teller::default();
    for event in events {
        teller.hear(event);
    }
    teller.end_of_speech();
    teller.entries
}

#[derive(Default)]
struct Teller {
    entries: Vec<Entry>,
    parents: HashMap<ExecutionId, ExecutionId>,
    /// When what has not ended yet began: by the execution and a word.
    begun: HashMap<(ExecutionId, String), Timestamp>,
    speech: Option<Speech>,
}

/// Tokens that follow one another.
struct Speech {
    first: Event,
    last: Event,
    text: String,
    tokens: usize,
}

impl Teller {
    fn hear(&mut self, event: &Event) {
        if event.event_type == EventType::AgentToken {
            return self.hear_token(event);
        }
        // What another execution tells in between does not end what is being said.
        if self.speech.as_ref().is_some_and(|speech| speech.first.execution_id == event.execution_id) {
            self.end_of_speech();
        }
        if let Some(parent) = text(event, "parent_execution_id").parse().ok().filter(|_| is_accepted(event)) {
            self.parents.insert(event.execution_id.clone(), parent);
        }
        self.begin(event);
        let Some((words, tone)) = words(event) else { return };
        let took_ms = self.took(event);
        self.enter(event, words, tone, took_ms, None);
    }

    fn hear_token(&mut self, event: &Event) {
        let token = text(event, "token");
        match &mut self.speech {
            Some(speech) if speech.first.execution_id == event.execution_id => {
                speech.text.push_str(token);
                speech.last = event.clone();
                speech.tokens += 1;
            }
            Some(_) | None => {
                self.end_of_speech();
                let (first, last) = (event.clone(), event.clone());
                self.speech = Some(Speech { first, last, text: token.to_owned(), tokens: 1 });
            }
        }
    }

    fn end_of_speech(&mut self) {
        let Some(speech) = self.speech.take() else { return };
        let who = text(&speech.first, "agent_id");
        let words = format!("{who} says “{}”", shortened(speech.text.trim()));
        let took_ms = millis_between(speech.first.timestamp, speech.last.timestamp);
        let events = (speech.tokens > 1).then_some(speech.tokens);
        self.enter(&speech.last, words, Tone::Plain, Some(took_ms).filter(|_| events.is_some()), events);
    }

    fn enter(&mut self, event: &Event, text: String, tone: Tone, took_ms: Option<u64>, events: Option<usize>) {
        self.entries.push(Entry {
            at: event.timestamp,
            seq: event.seq,
            execution_id: event.execution_id.clone(),
            depth: self.depth(&event.execution_id),
            event_type: event.event_type,
            text,
            tone,
            took_ms,
            events,
        });
    }

    fn depth(&self, id: &ExecutionId) -> usize {
        let mut depth = 0;
        let mut next = self.parents.get(id);
        // A circle cannot be recorded; it is bounded all the same.
        while let Some(parent) = next
            && depth < self.parents.len()
        {
            depth += 1;
            next = self.parents.get(parent);
        }
        depth
    }

    fn begin(&mut self, event: &Event) {
        let what = match event.event_type {
            EventType::ExecutionAccepted => "execution".to_owned(),
            EventType::StepStarted => format!("step {}", text(event, "step")),
            EventType::AgentTool if text(event, "state") == "started" => format!("tool {}", text(event, "intent")),
            EventType::ApprovalPending => "approval".to_owned(),
            _ => return,
        };
        self.begun.insert((event.execution_id.clone(), what), event.timestamp);
    }

    fn took(&mut self, event: &Event) -> Option<u64> {
        let what = match event.event_type {
            EventType::ExecutionCompleted | EventType::ExecutionFailed | EventType::ExecutionCancelled => {
                "execution".to_owned()
            }
            EventType::StepCompleted => format!("step {}", text(event, "step")),
            EventType::AgentTool if text(event, "state") != "started" => format!("tool {}", text(event, "intent")),
            EventType::ApprovalDecided | EventType::ApprovalExpired => "approval".to_owned(),
            _ => return None,
        };
        let since = self.begun.remove(&(event.execution_id.clone(), what))?;
        Some(millis_between(since, event.timestamp))
    }
}

/// What an event says to a person; `None` where another one says it.
fn words(event: &Event) -> Option<(String, Tone)> {
    let said = |key: &str| shortened(text(event, key));
    Some(match event.event_type {
        EventType::ExecutionAccepted => match event.data["message"]["content"].as_str() {
            Some(message) => (format!("“{}”", shortened(message)), Tone::Plain),
            None => (format!("{} is accepted", said("intent_type")), Tone::Plain),
        },
        EventType::ExecutionStarted => match event.data["attempt"].as_u64() {
            None | Some(1) => return None,
            Some(attempt) => (format!("attempt {attempt} begins"), Tone::Doubtful),
        },
        // Its end says it.
        EventType::StepStarted | EventType::ExecutionAwaitingApproval => return None,
        EventType::StepCompleted => (format!("step {} is recorded", said("step")), Tone::Plain),
        EventType::ExecutionRetrying => (
            format!(
                "attempt {} failed: {}; the next one at {}",
                event.data["attempt"],
                said("error"),
                said("retry_at")
            ),
            Tone::Doubtful,
        ),
        EventType::ExecutionCompleted => ("completed".to_owned(), Tone::Good),
        EventType::ExecutionFailed => (format!("failed: {} ({})", said("error"), said("code")), Tone::Bad),
        EventType::ExecutionCancelled => (format!("cancelled: {}", said("reason")), Tone::Doubtful),
        EventType::AgentStarted => started(event),
        EventType::AgentToken => return None,
        EventType::AgentTool => match text(event, "state") {
            "started" => (format!("{} asks for {}", said("agent_id"), said("intent")), Tone::Plain),
            "completed" => (format!("{} is done", said("intent")), Tone::Good),
            _ => (format!("{} did not work: {}", said("intent"), said("error")), Tone::Bad),
        },
        EventType::AgentCompleted => (answered(event), Tone::Good),
        EventType::AgentFailed => (format!("{} could not answer: {}", said("agent_id"), said("error")), Tone::Bad),
        EventType::AgentCancelled => (format!("{} was stopped", said("agent_id")), Tone::Doubtful),
        EventType::ApprovalPending => {
            let proposed = event.data["proposed"]["intent_type"].as_str().unwrap_or_default();
            (format!("{} waits for an approval: {}", shortened(proposed), said("reason")), Tone::Doubtful)
        }
        EventType::ApprovalDecided if event.data["approved"] == true => ("approved".to_owned(), Tone::Good),
        EventType::ApprovalDecided => {
            (format!("not approved {}", said("rejection_reason")).trim_end().to_owned(), Tone::Bad)
        }
        EventType::ApprovalExpired => ("nobody decided in time".to_owned(), Tone::Bad),
        // What is newer than these words is told by its name.
        other => (other.as_str().to_owned(), Tone::Plain),
    })
}

fn started(event: &Event) -> (String, Tone) {
    let (agent, routing) = (text(event, "agent_id"), &event.data["routing"]);
    let reason = shortened(routing["reason"].as_str().unwrap_or_default());
    match (routing["rule"].as_str(), event.data["attempt"].as_u64()) {
        (Some(rule @ ("hand_off" | "hand_back")), _) => {
            let to = if rule == "hand_off" { "handed over" } else { "handed back" };
            (format!("{to} to {agent}: {reason}"), Tone::Plain)
        }
        (_, Some(attempt)) if attempt > 1 => (format!("{agent} begins again"), Tone::Doubtful),
        (rule, _) => (format!("{agent} answers, by the rule {}: {reason}", rule.unwrap_or("unknown")), Tone::Plain),
    }
}

fn answered(event: &Event) -> String {
    let characters = text(event, "response").chars().count();
    let usage = &event.data["usage"];
    let tokens = match (usage["input_tokens"].as_u64(), usage["output_tokens"].as_u64()) {
        (Some(input), Some(output)) if input + output > 0 => format!(", {input} tokens in and {output} out"),
        _ => String::new(),
    };
    format!("{} has answered: {characters} characters{tokens}", text(event, "agent_id"))
}

fn is_accepted(event: &Event) -> bool {
    event.event_type == EventType::ExecutionAccepted
}

fn text<'event>(event: &'event Event, key: &str) -> &'event str {
    event.data.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// The beginning of a text, on one line.
fn shortened(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= SHOWN_CHARACTERS {
        return line;
    }
    let beginning: String = line.chars().take(SHOWN_CHARACTERS).collect();
    format!("{}…", beginning.trim_end())
}

fn millis_between(earlier: Timestamp, later: Timestamp) -> u64 {
    u64::try_from(later.since(earlier).as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(seq: u64, at: i64, event_type: EventType, execution: &str, data: Value) -> Event {
        let timestamp = Timestamp::from_millis(1_800_000_000_000 + at);
        Event { seq, event_type, execution_id: execution.parse().unwrap(), timestamp, data }
    }

    #[test]
    fn a_turn_is_told() {
        use EventType::*;
        let events = [
            event(1, 0, ExecutionAccepted, "exec_1", json!({"message": {"content": "delete\norders.csv"}})),
            event(2, 1, ExecutionStarted, "exec_1", json!({"attempt": 1})),
            event(
                3,
                2,
                AgentStarted,
                "exec_1",
                json!({"agent_id": "guide", "routing": {"rule": "guide", "reason": "It is."}}),
            ),
            event(4, 3, StepStarted, "exec_1", json!({"step": "model:0"})),
            event(5, 43, StepCompleted, "exec_1", json!({"step": "model:0"})),
            event(
                6,
                44,
                AgentTool,
                "exec_1",
                json!({"agent_id": "guide", "intent": "delete_file", "state": "started"}),
            ),
            event(
                7,
                45,
                ExecutionAccepted,
                "exec_2",
                json!({"intent_type": "delete_file", "parent_execution_id": "exec_1"}),
            ),
            event(
                8,
                46,
                ApprovalPending,
                "exec_2",
                json!({"proposed": {"intent_type": "delete_file"}, "reason": "Why."}),
            ),
            event(9, 5046, ApprovalDecided, "exec_2", json!({"approved": false, "rejection_reason": null})),
            event(10, 5047, ExecutionCancelled, "exec_2", json!({"reason": "The approval was refused."})),
            event(11, 5048, AgentToken, "exec_1", json!({"agent_id": "guide", "token": "I did "})),
            event(12, 5148, AgentToken, "exec_1", json!({"agent_id": "guide", "token": "not."})),
            event(
                13,
                5149,
                AgentCompleted,
                "exec_1",
                json!({"agent_id": "guide", "response": "I did not.", "usage": {}}),
            ),
            event(14, 5149, ExecutionCompleted, "exec_1", json!({})),
        ];
        let told: Vec<String> = tell(&events)
            .iter()
            .map(|entry| format!("{}{} {} {:?}", "  ".repeat(entry.depth), entry.seq, entry.text, entry.took_ms))
            .collect();
        assert_eq!(
            told,
            [
                "1 “delete orders.csv” None",
                "3 guide answers, by the rule guide: It is. None",
                "5 step model:0 is recorded Some(40)",
                "6 guide asks for delete_file None",
                "  7 delete_file is accepted None",
                "  8 delete_file waits for an approval: Why. None",
                "  9 not approved Some(5000)",
                "  10 cancelled: The approval was refused. Some(5002)",
                "12 guide says “I did not.” Some(100)",
                "13 guide has answered: 10 characters None",
                "14 completed Some(5149)",
            ]
        );
    }

    #[test]
    fn a_second_attempt_and_a_stranger_are_told() {
        let events = [
            event(1, 0, EventType::ExecutionStarted, "exec_1", json!({"attempt": 2})),
            event(2, 1, EventType::Unknown, "exec_1", json!({})),
            event(3, 2, EventType::AgentToken, "exec_1", json!({"agent_id": "guide", "token": "x".repeat(500)})),
        ];
        let told = tell(&events);
        assert_eq!(told[0].text, "attempt 2 begins");
        assert_eq!(told[1].text, "unknown");
        assert!(told[2].text.chars().count() < 130 && told[2].text.ends_with("…”"), "{}", told[2].text);
    }
}
