//! The three forms of requests and answers. A form knows JSON and no network; its reader is handed the events of one answer.

mod anthropic;
mod gemini;
mod openai;

use agents::{model::Piece, prompt::Prompt};
use serde_json::Value;

use super::{
    config::{ApiKey, ModelConfig, Provider},
    fault::{Fault, Kind},
};

/// What a person is told where the provider stopped an answer at its length.
const CUT_SHORT: &str = "\n\n*(The answer ends here: it has reached the length that is set for this model.)*";

/// A form, by whom it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wire {
    /// `limit` is what the most tokens of an answer are called: the company renamed it, the servers that follow it did not.
    Openai {
        limit: &'static str,
    },
    Anthropic,
    Gemini,
}

/// A request, but for the address that it goes to.
pub(super) struct WireRequest {
    /// Behind the base URL.
    pub(super) path: String,
    /// The name of the header with the key, and what goes before the key in it.
    pub(super) key_header: (&'static str, &'static str),
    pub(super) more_headers: &'static [(&'static str, &'static str)],
    pub(super) body: Value,
}

/// What an event gave, and whether the answer is over.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Progress {
    pub(super) pieces: Vec<Piece>,
    pub(super) is_over: bool,
}

/// Reads one answer.
pub(super) enum Reader {
    Openai(openai::Reader),
    Anthropic(anthropic::Reader),
    Gemini(gemini::Reader),
}

impl Wire {
    pub(super) const fn of(provider: Provider) -> Self {
        match provider {
            Provider::Openai => Self::Openai { limit: "max_completion_tokens" },
            Provider::Ollama | Provider::OpenaiCompatible => Self::Openai { limit: "max_tokens" },
            Provider::Anthropic => Self::Anthropic,
            Provider::Gemini => Self::Gemini,
        }
    }

    pub(super) fn request(self, prompt: &Prompt, config: &ModelConfig, max_tokens: u64) -> WireRequest {
        match self {
            Self::Openai { limit } => openai::request(prompt, config, limit, max_tokens),
            Self::Anthropic => anthropic::request(prompt, config, max_tokens),
            Self::Gemini => gemini::request(prompt, config, max_tokens),
        }
    }

    /// For answer number `round` of a turn.
    pub(super) fn reader(self, round: usize) -> Reader {
        match self {
            Self::Openai { .. } => Reader::Openai(openai::Reader::new(round)),
            Self::Anthropic => Reader::Anthropic(anthropic::Reader::new(round)),
            Self::Gemini => Reader::Gemini(gemini::Reader::new(round)),
        }
    }
}

impl WireRequest {
    /// The header's value, with the key.
    pub(super) fn key_value(&self, key: &ApiKey) -> String {
        format!("{}{}", self.key_header.1, key.reveal())
    }
}

impl Reader {
    /// Takes the data of one event.
    pub(super) fn read(&mut self, data: &str) -> Result<Progress, Fault> {
        match self {
            Self::Openai(reader) => reader.read(data),
            Self::Anthropic(reader) => reader.read(data),
            Self::Gemini(reader) => reader.read(data),
        }
    }

    /// Says the rest, when nothing more comes.
    pub(super) fn end(&mut self) -> Result<Vec<Piece>, Fault> {
        match self {
            Self::Openai(reader) => reader.end(),
            Self::Anthropic(reader) => reader.end(),
            Self::Gemini(reader) => reader.end(),
        }
    }
}

fn parse(data: &str) -> Result<Value, Fault> {
    serde_json::from_str(data).map_err(|error| Fault::new(Kind::Garbage, format!("an event that is no JSON ({error})")))
}

fn cut() -> Fault {
    Fault::new(Kind::Cut, "the answer ended without saying so")
}

fn text_of<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty())
}

fn count(value: &Value, key: &str) -> u64 {
    value.get(key).and_then(Value::as_u64).unwrap_or_default()
}
