//! OpenAI's chat completions, which half of the world speaks too: Ollama, vLLM, llama.cpp, gateways. They differ in what they leave
//! out, so little is taken for granted here.

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

pub(super) fn request(prompt: &Prompt, config: &ModelConfig, limit: &str, max_tokens: u64) -> WireRequest {
    let mut messages = vec![json!({ "role": "system", "content": prompt.system })];
    messages.extend(prompt.turns.iter().flat_map(messages_of));
    let mut body = Map::new();
    body.insert("model".to_owned(), json!(config.model_name()));
    body.insert("messages".to_owned(), Value::Array(messages));
    body.insert("stream".to_owned(), json!(true));
    body.insert("stream_options".to_owned(), json!({ "include_usage": true }));
    body.insert(limit.to_owned(), json!(max_tokens));
    if let Some(heat) = config.temperature {
        body.insert("temperature".to_owned(), json!(heat));
    }
    if !prompt.tools.is_empty() {
        let tools = prompt.tools.iter().map(|tool| {
            let (name, description, parameters) = (&tool.name, &tool.description, &tool.parameters);
            json!({ "type": "function", "function": { "name": name, "description": description, "parameters": parameters } })
        });
        body.insert("tools".to_owned(), tools.collect());
    }
    WireRequest {
        path: "/chat/completions".to_owned(),
        key_header: ("authorization", "Bearer "),
        more_headers: &[],
        body: Value::Object(body),
    }
}

fn messages_of(turn: &PromptTurn) -> Vec<Value> {
    match turn {
        PromptTurn::Person(text) => vec![json!({ "role": "user", "content": text })],
        PromptTurn::Agent { text, calls } => {
            let mut message = json!({ "role": "assistant", "content": text });
            if !calls.is_empty() {
                let calls = calls.iter().map(|call| {
                    let arguments = Value::Object(call.arguments.clone()).to_string();
                    json!({ "id": call.id, "type": "function", "function": { "name": call.name, "arguments": arguments } })
                });
                message["tool_calls"] = calls.collect();
            }
            vec![message]
        }
        PromptTurn::Tools(answers) => answers
            .iter()
            .map(|answer| json!({ "role": "tool", "tool_call_id": answer.call_id, "content": answer.content.to_string() }))
            .collect(),
    }
}

pub(in crate::models) struct Reader {
    round: usize,
    calls: Calls,
    is_finished: bool,
}

impl Reader {
    pub(super) fn new(round: usize) -> Self {
        Self { round, calls: Calls::default(), is_finished: false }
    }

    pub(super) fn read(&mut self, data: &str) -> Result<Progress, Fault> {
        if data.trim() == "[DONE]" {
            // A server that ends so early has said nothing of how it ended.
            return Ok(Progress { pieces: self.end()?, is_over: true });
        }
        let event = parse(data)?;
        if event.get("error").is_some_and(|error| !error.is_null()) {
            return Err(Fault::of_error(&event));
        }
        let mut pieces = Vec::new();
        let choices = event.get("choices").and_then(Value::as_array);
        if let Some(choice) = choices.and_then(|choices| choices.first()) {
            self.choice(choice, &mut pieces)?;
        }
        if let Some(usage) = event.get("usage").filter(|usage| usage.is_object()) {
            let (input_tokens, output_tokens) = (count(usage, "prompt_tokens"), count(usage, "completion_tokens"));
            pieces.push(Piece::Usage(Usage { input_tokens, output_tokens }));
        }
        Ok(Progress { pieces, is_over: false })
    }

    fn choice(&mut self, choice: &Value, pieces: &mut Vec<Piece>) -> Result<(), Fault> {
        for pointer in ["/delta/content", "/delta/refusal"] {
            if let Some(text) = text_of(choice, pointer) {
                pieces.push(Piece::Text(text.to_owned()));
            }
        }
        let calls = choice.pointer("/delta/tool_calls").and_then(Value::as_array);
        for (place, call) in calls.into_iter().flatten().enumerate() {
            let key = call.get("index").and_then(Value::as_u64).unwrap_or(place as u64);
            let part = self.calls.part(key, text_of(call, "/id"))?;
            if let Some(name) = text_of(call, "/function/name") {
                part.name(name)?;
            }
            match call.pointer("/function/arguments") {
                Some(Value::String(piece)) => part.arguments(piece)?,
                // Some servers send the object itself.
                Some(whole @ Value::Object(_)) => part.arguments(&whole.to_string())?,
                Some(_) | None => {}
            }
        }
        match text_of(choice, "/finish_reason") {
            None => {}
            Some("content_filter") => return Err(Fault::new(Kind::Declined, "content_filter")),
            Some("length") => {
                self.is_finished = true;
                pieces.push(Piece::Text(CUT_SHORT.to_owned()));
            }
            Some(_) => self.is_finished = true,
        }
        Ok(())
    }

    pub(super) fn end(&mut self) -> Result<Vec<Piece>, Fault> {
        if !self.is_finished {
            return Err(cut());
        }
        Ok(self.calls.finish(self.round).into_iter().map(Piece::ToolCall).collect())
    }
}
