//! `get_session_details` and `get_session_state`: whose the session is, and what it has come to.

use async_trait::async_trait;
use contract::{Code, Owner, intent::IntentDescriptor};
use runtime::{ExecutionContext, Failure, Handler, port::store::Object};
use serde_json::{Value, json};

use super::{descriptor, state::SessionState};

pub(super) struct GetSessionDetails {
    descriptor: IntentDescriptor,
}

impl GetSessionDetails {
    pub(super) fn details() -> Self {
        Self::named("get_session_details", "Says whose this session is, and how much there is in it.")
    }

    pub(super) fn state() -> Self {
        Self::named("get_session_state", "Gives what this session has come to, its artifacts by realm.")
    }

    /// Both answer the same: clients read what they look for.
    fn named(intent_type: &str, description: &str) -> Self {
        let properties = json!({
            "session_id": { "type": ["string", "null"], "maxLength": 128, "description": "This session's id; no other session can be read." },
        });
        Self { descriptor: descriptor(intent_type, description, properties, &[]) }
    }
}

#[async_trait]
impl Handler for GetSessionDetails {
    fn descriptor(&self) -> &IntentDescriptor {
        &self.descriptor
    }

    async fn execute(&self, context: &ExecutionContext, parameters: Object) -> Result<Value, Failure> {
        let named = parameters.get("session_id").and_then(Value::as_str);
        if named.is_some_and(|named| named != context.session_id().as_str()) {
            return Err(Failure::new(Code::NotFound, "There is no such session; ask in the session that you mean."));
        }
        let state = SessionState::of(context).await?;
        let (user_id, tenant_id) = match context.owner().await? {
            Owner::Anonymous { .. } => (None, None),
            Owner::User { tenant_id, user_id } => (Some(user_id), Some(tenant_id)),
        };
        let counts = state.counts();
        let told: Vec<String> = counts.iter().map(|(kind, count)| format!("{count} of the type `{kind}`")).collect();
        let summary = if told.is_empty() {
            "There is nothing in this session yet.".to_owned()
        } else {
            format!("In this session there are {} artifacts: {}.", state.total, told.join(", "))
        };
        Ok(json!({
            "summary": summary,
            "session_id": context.session_id(),
            "is_anonymous": user_id.is_none(),
            "user_id": user_id,
            "tenant_id": tenant_id,
            "conversation_id": context.conversation_id(),
            "artifact_counts": counts,
            "total_artifacts": state.total,
            "realm_state": state.by_realm(context),
            "state": { "realm_state": state.by_realm(context) },
        }))
    }
}
