//! The frames of the agent socket as text: what a client says is parsed here once, and what is ours alone (errors, pongs, the
//! end of a token) is written here. Events of the journal are sent as they are stored, with a type in front.

use axum::extract::ws::Message;
use contract::{
    Code, ConversationId, MessageId, Timestamp,
    frame::{ClientFrame, ServerFrame},
};
use runtime::port::store::JournalEvent;
use serde_json::{Value, json};

use crate::http::json::plain_words;

/// In which words a client talks, and is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    Platform,
    /// The dialect of today's front end.
    Legacy,
}

/// A frame that cannot be understood, and as much of it as could be.
#[derive(Debug, PartialEq)]
pub(super) struct BadFrame {
    pub(super) dialect: Dialect,
    /// One sentence for whoever writes the client.
    pub(super) sentence: String,
    pub(super) reply_to: Option<MessageId>,
    pub(super) conversation_id: Option<ConversationId>,
}

/// The types of frames that a client can send.
const CLIENT_TYPES: [&str; 8] = [
    "agent.message",
    "agent.cancel",
    "agent.resume",
    "approval.respond",
    "auth.refresh",
    "ping",
    "intent",
    "safety_response",
];

/// What the client says.
pub(super) fn parse(text: &str) -> Result<ClientFrame, BadFrame> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let parsed = serde_path_to_error::deserialize(&mut deserializer);
    match parsed {
        Ok(frame) if deserializer.end().is_ok() => Ok(frame),
        Ok(_) => Err(not_json()),
        Err(error) => Err(explain(text, &error)),
    }
}

fn not_json() -> BadFrame {
    let sentence = "The frame is not JSON. Send one JSON object in each text frame.".to_owned();
    BadFrame { dialect: Dialect::Platform, sentence, reply_to: None, conversation_id: None }
}

fn explain(text: &str, error: &serde_path_to_error::Error<serde_json::Error>) -> BadFrame {
    let Ok(frame) = serde_json::from_str::<Value>(text) else { return not_json() };
    let frame_type = frame["type"].as_str();
    let sentence = match frame_type {
        None => format!("The frame has no type. Give it one of {}.", CLIENT_TYPES.join(", ")),
        Some(other) if !CLIENT_TYPES.contains(&other) => {
            format!("There is no such type of frame. Send one of {}.", CLIENT_TYPES.join(", "))
        }
        Some(known) => {
            let wrong = match plain_words(error) {
                (field, message) if field.is_empty() => format!("a field {message}"),
                (field, message) => format!("`{field}` {message}"),
            };
            format!("A frame of the type {known} does not look like this: {wrong}.")
        }
    };
    let dialect = match frame_type {
        Some("intent" | "safety_response") => Dialect::Legacy,
        Some(_) | None => Dialect::Platform,
    };
    let conversation_id = frame.pointer("/metadata/conversation_id").or_else(|| frame.get("session_id"));
    BadFrame {
        dialect,
        sentence,
        reply_to: frame["id"].as_str().and_then(|id| id.parse().ok()),
        conversation_id: conversation_id.and_then(Value::as_str).and_then(|id| id.parse().ok()),
    }
}

/// An event of the journal in the platform's dialect: its stored JSON with the type spliced in front.
pub(super) fn runtime_event(event: &JournalEvent) -> Message {
    const HEAD: &str = r#"{"type":"runtime_event","#;
    let rest = &event.json[1..];
    let mut text = String::with_capacity(HEAD.len() + rest.len());
    text.push_str(HEAD);
    text.push_str(rest);
    Message::text(text)
}

/// An event that is no part of any journal: it concerns this socket alone.
pub(super) fn own_event(event_type: &str, now: Timestamp, data: &Value) -> String {
    json!({ "type": "runtime_event", "event_type": event_type, "timestamp": now, "data": data }).to_string()
}

/// `error`: something went wrong, and the socket stays open.
pub(super) fn error(code: Code, sentence: &str, reply_to: Option<MessageId>, now: Timestamp) -> String {
    text(&ServerFrame::Error { error: sentence.to_owned(), code: code.as_str().to_owned(), timestamp: now, reply_to })
}

pub(super) fn pong() -> String {
    text(&ServerFrame::Pong)
}

fn text(frame: &ServerFrame) -> String {
    serde_json::to_string(frame).expect("a frame of ours is JSON")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_frames_say_what_to_do() {
        for (text, dialect, said) in [
            ("", Dialect::Platform, "not JSON"),
            ("[]", Dialect::Platform, "no type"),
            ("{\"type\":7}", Dialect::Platform, "no type"),
            ("{\"type\":\"agent.shout\"}", Dialect::Platform, "no such type"),
            ("{\"type\":\"agent.message\"}", Dialect::Platform, "`payload` is required"),
            ("{\"type\":\"agent.resume\",\"conversation_id\":\"a b\"}", Dialect::Platform, "1 to 128 characters"),
            ("{\"type\":\"intent\"}", Dialect::Legacy, "`intent` is required"),
            ("{\"type\":\"safety_response\",\"hook_id\":\"h\"}", Dialect::Legacy, "`approved` is required"),
        ] {
            let bad = parse(text).unwrap_err();
            assert_eq!(bad.dialect, dialect, "{text}");
            assert!(bad.sentence.contains(said), "{text}: {}", bad.sentence);
        }
        let bad = parse("{\"type\":\"agent.message\",\"payload\":\"hunter2\"}").unwrap_err();
        assert!(bad.sentence.ends_with("a field has to be an object."), "{}", bad.sentence);
        let bad = parse("{\"type\":\"agent.message\",\"id\":\"m1\"}").unwrap_err();
        assert_eq!(bad.reply_to.unwrap().as_str(), "m1");
        let bad = parse("{\"type\":\"intent\",\"session_id\":\"c1\"}").unwrap_err();
        assert_eq!(bad.conversation_id.unwrap().as_str(), "c1");
    }

    #[test]
    fn an_event_is_sent_as_it_is_stored() {
        let event = JournalEvent {
            seq: 7,
            event_type: contract::EventType::AgentToken,
            execution_id: "exec_1".parse().unwrap(),
            json: "{\"seq\":7}".into(),
        };
        assert_eq!(runtime_event(&event), Message::text("{\"type\":\"runtime_event\",\"seq\":7}"));
    }
}
