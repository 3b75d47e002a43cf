//! Tool calls that come in pieces, joined. Providers cut them anywhere, and several come at once.

use agents::model::ToolCall;
use serde_json::{Map, Value};

use super::fault::{Fault, Kind};

/// The most calls of one answer.
const MAX_CALLS: usize = 64;

/// The longest arguments of one call, in bytes.
const MAX_ARGUMENT_BYTES: usize = 256 * 1024;

/// The longest name or id, in bytes.
const MAX_WORD_BYTES: usize = 256;

/// Calls under way, in the order of their beginnings.
#[derive(Default)]
pub(super) struct Calls(Vec<Part>);

#[derive(Default)]
pub(super) struct Part {
    /// What the provider tells the parts apart by.
    key: u64,
    id: String,
    name: String,
    arguments: String,
    signature: Option<String>,
}

impl Calls {
    /// The call of this key; a new one where there is none, or where `id` says that another one begins.
    pub(super) fn part(&mut self, key: u64, id: Option<&str>) -> Result<&mut Part, Fault> {
        let id = id.unwrap_or_default();
        let is_same = |part: &Part| part.key == key && (id.is_empty() || part.id.is_empty() || part.id == id);
        let place = match self.0.iter().rposition(is_same) {
            Some(place) => place,
            None if self.0.len() >= MAX_CALLS => {
                return Err(Fault::new(Kind::Endless, format!("more than {MAX_CALLS} tool calls")));
            }
            None => {
                self.0.push(Part { key, ..Part::default() });
                self.0.len() - 1
            }
        };
        let part = &mut self.0[place];
        if part.id.is_empty() {
            part.id = word(id)?;
        }
        Ok(part)
    }

    /// All of them. One without an id gets one that is unique in the turn, of which this is answer number `round`.
    pub(super) fn finish(&mut self, round: usize) -> Vec<ToolCall> {
        let parts = std::mem::take(&mut self.0);
        parts.into_iter().enumerate().map(|(place, part)| part.finish(round, place)).collect()
    }
}

impl Part {
    /// The name comes whole, or in parts from some servers.
    pub(super) fn name(&mut self, name: &str) -> Result<(), Fault> {
        if self.name != name {
            self.name = word(&format!("{}{name}", self.name))?;
        }
        Ok(())
    }

    pub(super) fn arguments(&mut self, piece: &str) -> Result<(), Fault> {
        if self.arguments.len() + piece.len() > MAX_ARGUMENT_BYTES {
            return Err(Fault::new(Kind::Endless, format!("arguments of more than {MAX_ARGUMENT_BYTES} bytes")));
        }
        self.arguments.push_str(piece);
        Ok(())
    }

    pub(super) fn signature(&mut self, signature: Option<&str>) {
        self.signature = signature.map(str::to_owned);
    }

    fn finish(self, round: usize, place: usize) -> ToolCall {
        let (arguments, unreadable) = match read(&self.arguments) {
            Ok(arguments) => (arguments, None),
            Err(problem) => (Map::new(), Some(problem)),
        };
        let id = if self.id.is_empty() { format!("call_{round}_{place}") } else { self.id };
        ToolCall { id, name: self.name, arguments, unreadable, signature: self.signature }
    }
}

fn read(arguments: &str) -> Result<Map<String, Value>, String> {
    if arguments.trim().is_empty() {
        return Ok(Map::new());
    }
    match serde_json::from_str(arguments) {
        Ok(Value::Object(arguments)) => Ok(arguments),
        Ok(Value::Null) => Ok(Map::new()),
        Ok(_) => Err("The arguments are no JSON object.".to_owned()),
        Err(error) => Err(format!("The arguments are no JSON ({error}).")),
    }
}

fn word(text: &str) -> Result<String, Fault> {
    if text.len() > MAX_WORD_BYTES {
        return Err(Fault::new(Kind::Garbage, "the name or the id of a tool call is too long"));
    }
    Ok(text.to_owned())
}
