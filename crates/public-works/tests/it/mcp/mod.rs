//! Servers of tools, the good and the hostile, against the client that has to live with them.

mod command;
mod http;

use contract::Code;
use public_works::mcp::{Server, Tool};
use runtime::{Failure, FailureKind};
use serde_json::{Map, Value, json};

/// What a server answers to `initialize`.
fn greeting() -> Value {
    json!({ "protocolVersion": "2025-06-18", "capabilities": { "tools": {} }, "serverInfo": { "name": "test", "version": "1" } })
}

/// A list with one tool that writes and one that reads.
fn tools() -> Value {
    let schema = json!({ "type": "object", "properties": { "way": { "type": "string" } } });
    json!({ "tools": [
        { "name": "write", "inputSchema": schema },
        { "name": "read", "inputSchema": schema, "annotations": { "readOnlyHint": true } },
    ] })
}

fn text(text: &str) -> Value {
    json!({ "content": [{ "type": "text", "text": text }] })
}

async fn tool(server: &Server, name: &str) -> Tool {
    let offer = server.offer().await.unwrap();
    offer.tools.into_iter().find(|tool| tool.name == name).unwrap()
}

async fn call(server: &Server, tool: &Tool, way: &str) -> Result<Value, Failure> {
    let arguments = Map::from_iter([("way".to_owned(), json!(way))]);
    server.call(tool, &arguments, "exec_1/call").await
}

/// That a call failed in this way, with these words, for a person.
fn assert_failed(answer: Result<Value, Failure>, code: Code, kind: FailureKind, part: &str) {
    let failure = answer.expect_err(part);
    assert_eq!((failure.code, failure.kind), (code, kind), "{part}: {}", failure.message);
    assert!(failure.message.contains(part) && failure.message.len() < 1_000, "{part}: {}", failure.message);
}
