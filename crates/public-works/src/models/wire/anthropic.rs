//! Anthropic's messages. What stays the same from call to call is marked, so that the provider keeps it.

use agents::{
    model::{Piece, Usage},
    prompt::{Prompt, PromptTurn},
};
use serde_json::{Map, Value, json};

use super::{CUT_SHORT, Progress, WireRequest, count, cut, parse, text_of};
use crate::models::{
    calls::Calls,
    config::ModelConfig,
    fault::{Fault, Kind},
};

pub(super) fn request(prompt: &Prompt, config: &ModelConfig, max_tokens: u64) -> WireRequest {
    let mut body = Map::new();
    body.insert("model".to_owned(), json!(config.model_name()));
    body.insert("max_tokens".to_owned(), json!(max_tokens));
    body.insert("stream".to_owned(), json!(true));
    // The tools go before the system in what is kept, so one mark covers both.
    let system = json!([{ "type": "text", "text": prompt.system, "cache_control": { "type": "ephemeral" } }]);
    body.insert("system".to_owned(), system);
    body.insert("messages".to_owned(), prompt.turns.iter().map(message_of).collect());
    if let Some(heat) = config.temperature {
        body.insert("temperature".to_owned(), json!(heat.min(1.0)));
    }
    if !prompt.tools.is_empty() {
        let tools = prompt
            .tools
            .iter()
            .map(|tool| json!({ "name": tool.name, "description": tool.description, "input_schema": tool.parameters }));
        body.insert("tools".to_owned(), tools.collect());
    }
    WireRequest {
        path: "/v1/messages".to_owned(),
        key_header: ("x-api-key", ""),
        more_headers: &[("anthropic-version", "2023-06-01")],
        body: Value::Object(body),
    }
}

fn message_of(turn: &PromptTurn) -> Value {
    match turn {
        PromptTurn::Person(text) => json!({ "role": "user", "content": text }),
        PromptTurn::Agent { text, calls } => {
            // A block of text without any is refused.
            let text = (!text.trim().is_empty()).then(|| json!({ "type": "text", "text": text }));
            let calls = calls
                .iter()
                .map(|call| json!({ "type": "tool_use", "id": call.id, "name": call.name, "input": call.arguments }));
            json!({ "role": "assistant", "content": text.into_iter().chain(calls).collect::<Vec<_>>() })
        }
        PromptTurn::Tools(answers) => {
            let results = answers.iter().map(|answer| {
                json!({
                    "type": "tool_result",
                    "tool_use_id": answer.call_id,
                    "content": answer.content.to_string(),
                    "is_error": answer.is_error,
                })
            });
            json!({ "role": "user", "content": results.collect::<Vec<_>>() })
        }
    }
}

pub(in crate::models) struct Reader {
    round: usize,
    calls: Calls,
    input_tokens: u64,
    is_finished: bool,
}

impl Reader {
    pub(super) fn new(round: usize) -> Self {
        Self { round, calls: Calls::default(), input_tokens: 0, is_finished: false }
    }

    pub(super) fn read(&mut self, data: &str) -> Result<Progress, Fault> {
        let event = parse(data)?;
        let mut pieces = Vec::new();
        match text_of(&event, "/type").unwrap_or_default() {
            "message_start" => {
                let usage = event.pointer("/message/usage").unwrap_or(&Value::Null);
                let kinds = ["input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"];
                self.input_tokens = kinds.iter().map(|kind| count(usage, kind)).sum();
            }
            "content_block_start" => self.block(&event, &mut pieces)?,
            "content_block_delta" => self.delta(&event, &mut pieces)?,
            "message_delta" => self.message(&event, &mut pieces)?,
            "message_stop" => return Ok(Progress { pieces: self.end()?, is_over: true }),
            "error" => return Err(Fault::of_error(&event)),
            // Blocks that end, pings, and whatever comes to be: clients are told to pass over what they do not know.
            _ => {}
        }
        Ok(Progress { pieces, is_over: false })
    }

    fn block(&mut self, event: &Value, pieces: &mut Vec<Piece>) -> Result<(), Fault> {
        match text_of(event, "/content_block/type") {
            Some("tool_use") => {
                let part = self.calls.part(count(event, "index"), text_of(event, "/content_block/id"))?;
                part.name(text_of(event, "/content_block/name").unwrap_or_default())
            }
            Some("text") => {
                pieces.extend(text_of(event, "/content_block/text").map(|text| Piece::Text(text.to_owned())));
                Ok(())
            }
            Some(_) | None => Ok(()),
        }
    }

    fn delta(&mut self, event: &Value, pieces: &mut Vec<Piece>) -> Result<(), Fault> {
        match text_of(event, "/delta/type") {
            Some("text_delta") => {
                pieces.extend(text_of(event, "/delta/text").map(|text| Piece::Text(text.to_owned())));
                Ok(())
            }
            Some("input_json_delta") => {
                let part = self.calls.part(count(event, "index"), None)?;
                part.arguments(text_of(event, "/delta/partial_json").unwrap_or_default())
            }
            Some(_) | None => Ok(()),
        }
    }

    fn message(&mut self, event: &Value, pieces: &mut Vec<Piece>) -> Result<(), Fault> {
        match text_of(event, "/delta/stop_reason") {
            None => return Ok(()),
            Some("refusal") => return Err(Fault::new(Kind::Declined, "refusal")),
            Some("max_tokens" | "model_context_window_exceeded") => pieces.push(Piece::Text(CUT_SHORT.to_owned())),
            Some(_) => {}
        }
        self.is_finished = true;
        let output_tokens = event.get("usage").map_or(0, |usage| count(usage, "output_tokens"));
        pieces.push(Piece::Usage(Usage { input_tokens: self.input_tokens, output_tokens }));
        Ok(())
    }

    pub(super) fn end(&mut self) -> Result<Vec<Piece>, Fault> {
        if !self.is_finished {
            return Err(cut());
        }
        Ok(self.calls.finish(self.round).into_iter().map(Piece::ToolCall).collect())
    }
}
