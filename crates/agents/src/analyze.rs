//! The intent `analyze_user_intent`: what a message would be taken to mean, without doing any of it.

use std::sync::Arc;

use async_trait::async_trait;
use contract::{
    agent::Surface,
    intent::{ApprovalRule, IntentDescriptor},
};
use runtime::{ExecutionContext, Failure, Handler};
use serde_json::{Map, Value, json};

use crate::{
    REALM,
    directory::Directory,
    model::{Catalogue, ModelRequest, Models, Tools},
    turn::MAX_TEXT_CHARS,
};

/// Recognises by the built-in model, over all agents.
pub(crate) struct AnalyzeUserIntent {
    descriptor: IntentDescriptor,
    directory: Arc<Directory>,
    models: Models,
    catalogue: Arc<Catalogue>,
}

impl AnalyzeUserIntent {
    pub(crate) fn new(directory: Arc<Directory>, models: Models, catalogue: Arc<Catalogue>) -> Self {
        Self { descriptor: descriptor(), directory, models, catalogue }
    }
}

#[async_trait]
impl Handler for AnalyzeUserIntent {
    fn descriptor(&self) -> &IntentDescriptor {
        &self.descriptor
    }

    async fn execute(&self, context: &ExecutionContext, parameters: Map<String, Value>) -> Result<Value, Failure> {
        let word = |name: &str| parameters.get(name).and_then(Value::as_str);
        let guide = self.directory.guide();
        let request = ModelRequest {
            agent: Arc::clone(guide),
            history: Arc::default(),
            message: word("message").unwrap_or_default().to_owned(),
            rounds: Vec::new(),
            tools: Arc::new(Tools::of(guide, &self.directory, self.catalogue.of(context))),
            surface: word("surface").map_or(Surface::General, Surface::from_word),
            files: Arc::default(),
            max_tokens: 0,
            owner: context.owner().await?,
        };
        Ok(json!({ "intent_analysis": self.models.builtin().analyse(&request) }))
    }
}

fn descriptor() -> IntentDescriptor {
    IntentDescriptor {
        intent_type: "analyze_user_intent".to_owned(),
        realm: REALM.to_owned(),
        description: "Says which intent a message would be taken to mean, by whom and with which parameters, and executes nothing.".to_owned(),
        parameters: json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": {
                "message": { "type": "string", "minLength": 1, "maxLength": MAX_TEXT_CHARS, "description": "What the person says." },
                "surface": { "type": ["string", "null"], "description": "The screen that the message comes from." },
            },
            "required": ["message"],
            "additionalProperties": false,
        }),
        approval: ApprovalRule::None,
        examples: Vec::new(),
    }
}
