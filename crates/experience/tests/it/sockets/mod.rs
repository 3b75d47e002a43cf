//! The agent socket and the streams of executions: a real server on a real port, and a client with both hands.

mod agent;
mod frames;
mod legacy;
mod limits;
mod platform;
mod refusals;
mod server;
mod standing;
mod streams;

use serde_json::{Value, json};

/// An `agent.message` of the conversation `c1` from the content pillar.
fn message(id: &str, text: &str) -> Value {
    json!({
        "type": "agent.message",
        "id": id,
        "payload": { "text": text, "context": { "surface": "content_pillar", "conversation_id": "c1" } },
    })
}
