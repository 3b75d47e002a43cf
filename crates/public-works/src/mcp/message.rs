//! The messages of JSON-RPC 2.0 as this protocol uses them: what is asked, what comes back, and what a server says unasked.

use serde_json::{Value, json};

use super::fault::{Fault, quoted};

/// The versions of the protocol that are understood, the wanted one first. Of what is used here, they differ in nothing.
pub(super) const VERSIONS: [&str; 3] = ["2025-06-18", "2025-03-26", "2024-11-05"];

/// The longest message, in bytes.
pub(super) const MAX_MESSAGE_BYTES: usize = 1024 * 1024;

/// All that a server may say until it has answered, in bytes.
pub(super) const MAX_TRAFFIC_BYTES: usize = 4 * MAX_MESSAGE_BYTES;

/// How many messages that are no answer it may send until it has answered.
const MAX_OTHER_MESSAGES: usize = 1_000;

/// JSON-RPC: there is no such method.
const METHOD_NOT_FOUND: i64 = -32601;

pub(super) fn request(id: u64, method: &str, params: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
}

/// What a client says first.
pub(super) fn initialize(id: u64) -> Value {
    let params = json!({
        "protocolVersion": VERSIONS[0],
        "capabilities": {},
        "clientInfo": { "name": "symphainy", "version": env!("CARGO_PKG_VERSION") },
    });
    request(id, "initialize", &params)
}

/// What it says when it was answered.
pub(super) fn initialized() -> Value {
    json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })
}

/// The version on which the server settled.
pub(super) fn agreed_version(result: &Value) -> Result<&'static str, Fault> {
    let said = result.get("protocolVersion").and_then(Value::as_str);
    let said = said.ok_or_else(|| Fault::Garbage("it does not say its version".to_owned()))?;
    let known = VERSIONS.into_iter().find(|version| *version == said);
    known.ok_or_else(|| Fault::Version(quoted(said)))
}

/// Waits for one answer among all that a server says.
pub(super) struct Expected {
    id: u64,
    others: usize,
    bytes: usize,
}

/// What a message means to whoever waits.
pub(super) enum Heard {
    /// What was waited for.
    Answer(Value),
    /// It wants this to be sent back.
    Reply(Value),
    Nothing,
}

impl Expected {
    pub(super) fn new(id: u64) -> Self {
        Self { id, others: 0, bytes: 0 }
    }

    /// Reads one message, or several in a list, as one version of the protocol allows.
    pub(super) fn hear(&mut self, text: &[u8]) -> Result<Heard, Fault> {
        self.bytes += text.len();
        if text.len() > MAX_MESSAGE_BYTES {
            return Err(Fault::TooLarge(MAX_MESSAGE_BYTES));
        }
        if self.bytes > MAX_TRAFFIC_BYTES {
            return Err(Fault::Flood("4 MiB"));
        }
        match serde_json::from_slice(text) {
            Ok(Value::Array(messages)) => {
                let mut heard = Heard::Nothing;
                for message in messages {
                    match self.read(message)? {
                        answer @ Heard::Answer(_) => return Ok(answer),
                        reply @ Heard::Reply(_) => heard = reply,
                        Heard::Nothing => {}
                    }
                }
                Ok(heard)
            }
            Ok(message) => self.read(message),
            // Programs that print where they should be silent are common, and do no harm.
            Err(_) => self.other(),
        }
    }

    fn read(&mut self, mut message: Value) -> Result<Heard, Fault> {
        if let Some(method) = message.get("method").and_then(Value::as_str) {
            let reply = message.get("id").map(|id| reply(id, method));
            self.other()?;
            return Ok(reply.map_or(Heard::Nothing, Heard::Reply));
        }
        if message.get("id").and_then(Value::as_u64) != Some(self.id) {
            return self.other();
        }
        if let Some(error) = message.get("error") {
            let said = error.get("message").and_then(Value::as_str).unwrap_or("no reason given");
            return Err(Fault::Refused(quoted(said)));
        }
        match message.get_mut("result").map(Value::take) {
            Some(result @ Value::Object(_)) => Ok(Heard::Answer(result)),
            Some(_) | None => Err(Fault::Garbage("its answer has no result".to_owned())),
        }
    }

    fn other(&mut self) -> Result<Heard, Fault> {
        self.others += 1;
        if self.others > MAX_OTHER_MESSAGES {
            return Err(Fault::Flood("1,000 other messages"));
        }
        Ok(Heard::Nothing)
    }
}

/// What a server hears that wants something of us: that we are here, and that it gets nothing else.
fn reply(id: &Value, method: &str) -> Value {
    // An id is a text or a number; anything longer is none.
    let id = match id {
        Value::String(text) if text.len() <= 256 => id.clone(),
        Value::Number(_) => id.clone(),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => Value::Null,
    };
    if method == "ping" {
        return json!({ "jsonrpc": "2.0", "id": id, "result": {} });
    }
    json!({ "jsonrpc": "2.0", "id": id, "error": { "code": METHOD_NOT_FOUND, "message": "This client does not offer it." } })
}
