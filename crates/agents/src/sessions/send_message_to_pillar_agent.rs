//! `send_message_to_pillar_agent`: has a realm's liaison answer a message, as a turn of its own.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use contract::{Code, execution::ExecutionStatus, intent::IntentDescriptor};
use runtime::{ExecutionContext, Failure, Handler, port::store::Object};
use serde_json::{Value, json};

use super::{descriptor, liaison, pillar_property};
use crate::{
    directory::Directory,
    turn::{MAX_TEXT_CHARS, TIME_LIMIT},
};

pub(super) struct SendMessageToPillarAgent {
    descriptor: IntentDescriptor,
    directory: Arc<Directory>,
}

impl SendMessageToPillarAgent {
    pub(super) fn new(directory: Arc<Directory>) -> Self {
        let properties = json!({
            "pillar": pillar_property(),
            "message": { "type": "string", "minLength": 1, "maxLength": MAX_TEXT_CHARS, "description": "What the person says." },
        });
        let description = "Has the liaison of one realm answer a message.";
        let descriptor = descriptor("send_message_to_pillar_agent", description, properties, &["pillar", "message"]);
        Self { descriptor, directory }
    }
}

#[async_trait]
impl Handler for SendMessageToPillarAgent {
    fn descriptor(&self) -> &IntentDescriptor {
        &self.descriptor
    }

    /// As long as a turn may take, which it waits for.
    fn time_limit(&self) -> Duration {
        TIME_LIMIT
    }

    async fn execute(&self, context: &ExecutionContext, parameters: Object) -> Result<Value, Failure> {
        let liaison = liaison(&self.directory, &parameters)?;
        let message = parameters.get("message").cloned().unwrap_or_default();
        let routing = json!({ "rule": "named", "reason": "The message was sent to this realm." });
        let invocation = [("agent_id", json!(liaison)), ("text", message), ("routing", routing)];
        let invocation = invocation.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        let outcome = context.call("agent_invoke", invocation).await?;
        if outcome.status != ExecutionStatus::Completed {
            let message =
                outcome.problem.map_or_else(|| "The liaison did not answer.".to_owned(), |problem| problem.message);
            return Err(Failure::new(Code::ExecutionFailed, message));
        }
        let mut result = outcome.result;
        result["summary"] = result["response"].clone();
        result["execution_id"] = json!(outcome.execution_id);
        Ok(result)
    }
}
