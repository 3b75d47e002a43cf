//! Gemini's `streamGenerateContent`. Its calls come whole and have no ids; some carry a signature that it wants to see again.

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
    let mut generation = Map::new();
    generation.insert("maxOutputTokens".to_owned(), json!(max_tokens));
    if let Some(heat) = config.temperature {
        generation.insert("temperature".to_owned(), json!(heat));
    }
    let mut body = Map::new();
    body.insert("systemInstruction".to_owned(), json!({ "parts": [{ "text": prompt.system }] }));
    body.insert("contents".to_owned(), prompt.turns.iter().map(content_of).collect());
    body.insert("generationConfig".to_owned(), Value::Object(generation));
    if !prompt.tools.is_empty() {
        let functions = prompt.tools.iter().map(|tool| {
            json!({ "name": tool.name, "description": tool.description, "parametersJsonSchema": tool.parameters })
        });
        body.insert("tools".to_owned(), json!([{ "functionDeclarations": functions.collect::<Vec<_>>() }]));
    }
    WireRequest {
        path: format!("/v1beta/models/{}:streamGenerateContent?alt=sse", config.model_name().unwrap_or_default()),
        key_header: ("x-goog-api-key", ""),
        more_headers: &[],
        body: Value::Object(body),
    }
}

fn content_of(turn: &PromptTurn) -> Value {
    match turn {
        PromptTurn::Person(text) => json!({ "role": "user", "parts": [{ "text": text }] }),
        PromptTurn::Agent { text, calls } => {
            let text = (!text.trim().is_empty()).then(|| json!({ "text": text }));
            let calls = calls.iter().map(|call| {
                let mut part = json!({ "functionCall": { "name": call.name, "args": call.arguments } });
                if let Some(signature) = &call.signature {
                    part["thoughtSignature"] = json!(signature);
                }
                part
            });
            json!({ "role": "model", "parts": text.into_iter().chain(calls).collect::<Vec<_>>() })
        }
        PromptTurn::Tools(answers) => {
            let parts = answers
                .iter()
                .map(|answer| json!({ "functionResponse": { "name": answer.name, "response": answer.content } }));
            json!({ "role": "user", "parts": parts.collect::<Vec<_>>() })
        }
    }
}

pub(in crate::models) struct Reader {
    round: usize,
    calls: Calls,
    begun: u64,
    /// Each event tells all that was used so far.
    usage: Usage,
    is_finished: bool,
}

impl Reader {
    pub(super) fn new(round: usize) -> Self {
        Self { round, calls: Calls::default(), begun: 0, usage: Usage::default(), is_finished: false }
    }

    pub(super) fn read(&mut self, data: &str) -> Result<Progress, Fault> {
        let event = parse(data)?;
        if event.get("error").is_some_and(|error| !error.is_null()) {
            return Err(Fault::of_error(&event));
        }
        if let Some(reason) = text_of(&event, "/promptFeedback/blockReason") {
            return Err(Fault::new(Kind::Declined, reason));
        }
        let mut pieces = Vec::new();
        let parts = event.pointer("/candidates/0/content/parts").and_then(Value::as_array);
        for part in parts.into_iter().flatten() {
            self.part(part, &mut pieces)?;
        }
        if let Some(usage) = event.get("usageMetadata").filter(|usage| usage.is_object()) {
            let output_tokens = count(usage, "candidatesTokenCount") + count(usage, "thoughtsTokenCount");
            self.usage = Usage { input_tokens: count(usage, "promptTokenCount"), output_tokens };
        }
        match text_of(&event, "/candidates/0/finishReason") {
            None => {}
            Some("STOP") => self.is_finished = true,
            Some("MAX_TOKENS") => {
                self.is_finished = true;
                pieces.push(Piece::Text(CUT_SHORT.to_owned()));
            }
            Some(reason @ ("MALFORMED_FUNCTION_CALL" | "UNEXPECTED_TOOL_CALL" | "OTHER")) => {
                return Err(Fault::new(Kind::Broken, reason));
            }
            Some(reason) => return Err(Fault::new(Kind::Declined, reason)),
        }
        Ok(Progress { pieces, is_over: false })
    }

    fn part(&mut self, part: &Value, pieces: &mut Vec<Piece>) -> Result<(), Fault> {
        if part.get("thought").and_then(Value::as_bool).unwrap_or_default() {
            return Ok(());
        }
        if let Some(text) = text_of(part, "/text") {
            pieces.push(Piece::Text(text.to_owned()));
        }
        if let Some(call) = part.get("functionCall") {
            let begun = self.calls.part(self.begun, None)?;
            self.begun += 1;
            begun.name(text_of(call, "/name").unwrap_or_default())?;
            begun.signature(text_of(part, "/thoughtSignature"));
            if let Some(arguments) = call.get("args") {
                begun.arguments(&arguments.to_string())?;
            }
        }
        Ok(())
    }

    pub(super) fn end(&mut self) -> Result<Vec<Piece>, Fault> {
        if !self.is_finished {
            return Err(cut());
        }
        let calls = self.calls.finish(self.round).into_iter().map(Piece::ToolCall);
        Ok(calls.chain([Piece::Usage(self.usage)]).collect())
    }
}
