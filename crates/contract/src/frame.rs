//! The frames of the agent socket, in both dialects. What a client sends is parsed once, here; what we send in the
//! platform's dialect is an event of the journal with `type` in front.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::{AgentId, ConversationId, ExecutionId, HookId, MessageId, agent::TurnPolicy, approval::Decision};

/// What a client can say on the socket. The dialect is chosen for each message by its `type`.
#[derive(Clone, Debug, PartialEq, Deserialize, ToSchema)]
#[serde(tag = "type")]
pub enum ClientFrame {
    #[serde(rename = "agent.message")]
    Message(AgentMessage),
    #[serde(rename = "agent.cancel")]
    Cancel { execution_id: ExecutionId },
    #[serde(rename = "agent.resume")]
    Resume {
        conversation_id: ConversationId,
        #[serde(default)]
        after: u64,
    },
    #[serde(rename = "approval.respond")]
    Approval {
        hook_id: HookId,
        #[serde(flatten)]
        decision: Decision,
    },
    #[serde(rename = "auth.refresh")]
    AuthRefresh { access_token: String },
    #[serde(rename = "ping")]
    Ping,
    /// The dialect of today's front end: what the user typed.
    #[serde(rename = "intent")]
    LegacyIntent(LegacyIntent),
    /// The dialect of today's front end: a decision.
    #[serde(rename = "safety_response")]
    LegacySafetyResponse {
        hook_id: HookId,
        #[serde(flatten)]
        decision: Decision,
    },
}

/// `agent.message`: a person's message to an agent.
#[derive(Clone, Debug, PartialEq, Deserialize, ToSchema)]
pub struct AgentMessage {
    /// The client's own message id: the same id twice is one turn.
    #[serde(default)]
    pub id: Option<MessageId>,
    pub payload: MessagePayload,
}

#[derive(Clone, Debug, PartialEq, Deserialize, ToSchema)]
pub struct MessagePayload {
    /// 1 to 32,000 characters.
    pub text: String,
    #[serde(default)]
    pub agent_id: Option<AgentId>,
    /// What becomes of it while an earlier turn has not ended: `queue`, `interrupt`, `merge` or `reject`; the agent's own policy where
    /// nothing is said.
    #[serde(default)]
    pub turn_policy: Option<TurnPolicy>,
    #[serde(default)]
    pub context: MessageContext,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize, ToSchema)]
pub struct MessageContext {
    #[serde(default)]
    pub surface: Option<String>,
    #[serde(default)]
    pub conversation_id: Option<ConversationId>,
    #[serde(default)]
    pub project_id: Option<String>,
}

/// `intent` of today's front end. Its `session_id` is a conversation's id.
#[derive(Clone, Debug, PartialEq, Deserialize, ToSchema)]
pub struct LegacyIntent {
    pub intent: String,
    #[serde(default, deserialize_with = "crate::id::blank_is_none")]
    pub session_id: Option<ConversationId>,
    #[serde(default)]
    pub agent_type: Option<String>,
    #[serde(default)]
    pub metadata: Map<String, Value>,
}

/// A frame of ours that is no event of the journal.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(tag = "type")]
pub enum ServerFrame {
    #[serde(rename = "pong")]
    Pong,
    #[serde(rename = "error")]
    Error {
        error: String,
        code: String,
        timestamp: crate::Timestamp,
        /// The `id` of the message that it answers, where it has one.
        #[serde(skip_serializing_if = "Option::is_none")]
        reply_to: Option<MessageId>,
    },
}
