//! `generate_sop_from_chat`: writes what was told step by step down as a standard operating procedure.

use async_trait::async_trait;
use contract::{Code, intent::IntentDescriptor};
use runtime::{ExecutionContext, Failure, Handler, port::store::Object};
use serde_json::{Value, json};

use super::{
    REALM, SOP,
    draft::{Draft, MOST_STEPS, current},
    generate_sop::{nothing_to_do, payload},
    procedure::read_procedure,
    report::{Report, keep},
    sop::write_sop,
    source::parameter,
};
use crate::{descriptor, markdown::counted};

pub(super) struct GenerateSopFromChat {
    descriptor: IntentDescriptor,
}

impl GenerateSopFromChat {
    pub(super) fn new() -> Self {
        let messages = json!({
            "type": ["array", "null"],
            "maxItems": MOST_STEPS,
            "items": {"type": ["string", "object"]},
            "description": "What was said: texts, or objects with `role` and `content`, of which those of the role `user` count. The draft of this session where it is missing.",
        });
        let properties = json!({
            "title": {"type": ["string", "null"], "maxLength": 200, "description": "What the procedure is to be called."},
            "messages": messages,
            "chat_history": {"type": ["array", "null"], "maxItems": MOST_STEPS, "items": {"type": ["string", "object"]}, "description": "An older name for `messages`."},
        });
        let examples = ["write the SOP from our chat", "turn the draft into a standard operating procedure"];
        let description =
            "Writes the steps told in a chat, or the draft of this session, down as a standard operating procedure.";
        Self { descriptor: descriptor(REALM, "generate_sop_from_chat", description, properties, &examples) }
    }
}

#[async_trait]
impl Handler for GenerateSopFromChat {
    fn descriptor(&self) -> &IntentDescriptor {
        &self.descriptor
    }

    async fn execute(&self, context: &ExecutionContext, parameters: Object) -> Result<Value, Failure> {
        let said = ["messages", "chat_history"].iter().find_map(|name| parameters.get(*name)?.as_array());
        let draft = match said {
            Some(messages) => told(messages)?,
            None => current(context).await?,
        };
        if draft.steps.is_empty() {
            let message = "No step has been told yet. Tell them with sop_chat_message, or give them as `messages`.";
            return Err(Failure::new(Code::NotFound, message));
        }
        let title = parameter(&parameters, "title").unwrap_or("Procedure").to_owned();
        let text = draft.text();
        let sop = context
            .compute(move || {
                let workflow = read_procedure(&text, &title)
                    .map_err(|error| Failure::new(Code::UnreadableFile, error.to_string()))?;
                write_sop(&workflow).ok_or_else(nothing_to_do)
            })
            .await?;
        let summary =
            format!("Written from {}:\n\n{}", counted(draft.steps.len(), "told step", "told steps"), sop.markdown);
        let mut payload = payload(&sop);
        payload.insert("told_steps".to_owned(), json!(draft.steps));
        let report = Report {
            key: SOP,
            title: format!("SOP: {}", sop.title),
            payload,
            summary,
            drawings: Vec::new(),
            parents: draft.parent.into_iter().collect(),
        };
        Ok(keep(context, report))
    }
}

/// The steps among the messages: texts, and what a person said.
fn told(messages: &[Value]) -> Result<Draft, Failure> {
    let mut draft = Draft::default();
    for message in messages {
        let is_users = message.get("role").and_then(Value::as_str).is_none_or(|role| role == "user");
        let text = message.as_str().or_else(|| message.get("content")?.as_str()).filter(|_| is_users);
        draft.take(text.unwrap_or_default())?;
    }
    Ok(draft)
}
