//! `get_conversation_history` and `get_pillar_conversation_history`: what was said, all of it or with one realm's liaison.

use std::sync::Arc;

use async_trait::async_trait;
use contract::{
    Code, ConversationId,
    conversation::{Message, Role},
    intent::IntentDescriptor,
};
use runtime::{ExecutionContext, Failure, Handler, port::store::Object};
use serde_json::{Value, json};

use super::{descriptor, liaison, pillar_property};
use crate::directory::Directory;

const DEFAULT_LIMIT: u32 = 50;
const MOST: u32 = 500;

pub(super) struct GetConversationHistory {
    descriptor: IntentDescriptor,
    /// Where only what was said with one liaison is wanted.
    liaisons: Option<Arc<Directory>>,
}

impl GetConversationHistory {
    pub(super) fn whole() -> Self {
        let description = "Gives what was said in a conversation, the newest messages, oldest first.";
        Self { descriptor: descriptor("get_conversation_history", description, properties(), &[]), liaisons: None }
    }

    pub(super) fn of_pillar(directory: Arc<Directory>) -> Self {
        let mut properties = properties();
        properties["pillar"] = pillar_property();
        let description = "Gives what was said in a conversation with one realm's liaison.";
        let descriptor = descriptor("get_pillar_conversation_history", description, properties, &["pillar"]);
        Self { descriptor, liaisons: Some(directory) }
    }
}

fn properties() -> Value {
    json!({
        "conversation_id": { "type": ["string", "null"], "maxLength": 128, "description": "The conversation; the one that this is asked in where it is missing." },
        "limit": { "type": ["integer", "null"], "minimum": 1, "maximum": MOST, "description": "How many messages; 50 where it is missing." },
        "before": { "type": ["integer", "null"], "minimum": 1, "description": "Only messages before this `seq`." },
    })
}

#[async_trait]
impl Handler for GetConversationHistory {
    fn descriptor(&self) -> &IntentDescriptor {
        &self.descriptor
    }

    async fn execute(&self, context: &ExecutionContext, parameters: Object) -> Result<Value, Failure> {
        let number = |key: &str| parameters.get(key).and_then(Value::as_u64);
        let id = conversation_id(context, &parameters)?;
        let nothing = || Failure::new(Code::NotFound, "There is no conversation of this id.");
        let conversation = context.conversation(&id).await?.ok_or_else(nothing)?;
        let limit = number("limit").and_then(|limit| u32::try_from(limit).ok()).unwrap_or(DEFAULT_LIMIT).min(MOST);
        let mut messages = context.messages(&id, number("before"), limit).await?;
        let has_more = messages.len() == limit as usize;
        let oldest = messages.first().map(|message| message.seq);
        let mut agent_id = conversation.agent_id;
        if let Some(directory) = &self.liaisons {
            let liaison = liaison(directory, &parameters)?;
            messages = with(messages, |message| message.agent_id.as_ref() == Some(&liaison));
            agent_id = Some(liaison);
        }
        let summary = match messages.len() {
            0 => "Nothing was said there.".to_owned(),
            1 => "One message was said there.".to_owned(),
            number => format!("{number} messages were said there."),
        };
        Ok(json!({
            "summary": summary,
            "conversation_id": id,
            "agent_id": agent_id,
            "title": conversation.title,
            "cursor": conversation.cursor,
            "messages": messages,
            "before": oldest.filter(|_| has_more),
        }))
    }
}

fn conversation_id(context: &ExecutionContext, parameters: &Object) -> Result<ConversationId, Failure> {
    match parameters.get("conversation_id").and_then(Value::as_str) {
        Some(named) => named.parse().map_err(|_| Failure::new(Code::NotFound, "There is no conversation of this id.")),
        None => context.conversation_id().cloned().ok_or_else(|| {
            Failure::new(
                Code::ValidationFailed,
                "Name the conversation by its `conversation_id`: this is asked in none.",
            )
        }),
    }
}

/// The answers that fit, each with the message that it answers.
fn with(messages: Vec<Message>, fits: impl Fn(&Message) -> bool) -> Vec<Message> {
    let mut kept = Vec::new();
    let mut question = None;
    for message in messages {
        match message.role {
            Role::User => question = Some(message),
            Role::Assistant if fits(&message) => {
                kept.extend(question.take());
                kept.push(message);
            }
            Role::Assistant => question = None,
        }
    }
    kept
}
