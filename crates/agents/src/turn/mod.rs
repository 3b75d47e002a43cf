//! The intent `agent_invoke`: one turn of a conversation, executed by the Runtime like any other intent. It is told which agent
//! answers and why; it never chooses one itself.

mod answer;
mod ask;
mod run;
mod tool;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use contract::{
    AgentId, Code, MessageId,
    agent::{RoutingReason, RoutingRule, Surface},
    intent::{ApprovalRule, IntentDescriptor},
};
use runtime::{ExecutionContext, Failure, Handler};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    REALM,
    directory::Directory,
    model::{Catalogue, Models},
};
use run::Turn;

/// How long a turn may take. It is long because a turn waits for the approvals that its tools need, and these wait a day.
pub(crate) const TIME_LIMIT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// The longest message of a person, in characters.
pub(crate) const MAX_TEXT_CHARS: usize = 65_536;

/// Executes turns.
pub(crate) struct AgentInvoke {
    descriptor: IntentDescriptor,
    directory: Arc<Directory>,
    models: Models,
    catalogue: Arc<Catalogue>,
}

/// What a turn is asked with.
#[derive(Debug, Deserialize)]
struct Invocation {
    agent_id: AgentId,
    text: String,
    #[serde(default)]
    message_id: Option<MessageId>,
    #[serde(default)]
    context: Option<TurnContext>,
    #[serde(default)]
    routing: Option<RoutingReason>,
}

#[derive(Debug, Default, Deserialize)]
struct TurnContext {
    #[serde(default)]
    surface: Option<String>,
}

impl Invocation {
    fn read(parameters: Map<String, Value>) -> Result<Self, Failure> {
        serde_json::from_value(Value::Object(parameters))
            .map_err(|_| Failure::new(Code::ValidationFailed, "The parameters of agent_invoke do not fit."))
    }

    fn surface(&self) -> Surface {
        let word = self.context.as_ref().and_then(|context| context.surface.as_deref());
        word.map_or(Surface::General, Surface::from_word)
    }

    fn routing(&self) -> RoutingReason {
        self.routing.clone().unwrap_or_else(|| RoutingReason {
            rule: RoutingRule::Named,
            reason: "It was asked for by its name.".to_owned(),
        })
    }
}

impl AgentInvoke {
    pub(crate) fn new(directory: Arc<Directory>, models: Models, catalogue: Arc<Catalogue>) -> Self {
        Self { descriptor: descriptor(), directory, models, catalogue }
    }
}

#[async_trait]
impl Handler for AgentInvoke {
    fn descriptor(&self) -> &IntentDescriptor {
        &self.descriptor
    }

    /// Which agent answers is chosen by routing, with its reason: no client forges either.
    fn is_offered(&self) -> bool {
        false
    }

    fn time_limit(&self) -> Duration {
        TIME_LIMIT
    }

    async fn execute(&self, context: &ExecutionContext, parameters: Map<String, Value>) -> Result<Value, Failure> {
        let invocation = Invocation::read(parameters)?;
        let mut turn = Turn::begin(self, context, invocation).await?;
        let outcome = turn.run().await;
        turn.end(outcome).await
    }
}

fn descriptor() -> IntentDescriptor {
    IntentDescriptor {
        intent_type: "agent_invoke".to_owned(),
        realm: REALM.to_owned(),
        description: "Has an agent answer a message of a conversation, with the intents that it may use as its tools."
            .to_owned(),
        parameters: json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": {
                "agent_id": { "type": "string", "minLength": 1, "maxLength": 128, "description": "Who answers." },
                "text": { "type": "string", "minLength": 1, "maxLength": MAX_TEXT_CHARS, "description": "What the person says." },
                "message_id": { "type": ["string", "null"], "maxLength": 128, "description": "The client's id of the message." },
                "context": {
                    "type": ["object", "null"],
                    "properties": {
                        "surface": { "type": ["string", "null"], "description": "The screen that the message came from." },
                        "project_id": { "type": ["string", "null"] },
                    },
                },
                "routing": {
                    "type": ["object", "null"],
                    "properties": { "rule": { "type": "string" }, "reason": { "type": "string" } },
                    "required": ["rule", "reason"],
                    "additionalProperties": false,
                    "description": "Why this agent was chosen.",
                },
            },
            "required": ["agent_id", "text"],
            "additionalProperties": false,
        }),
        approval: ApprovalRule::None,
        examples: Vec::new(),
    }
}
