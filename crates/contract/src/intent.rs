//! Intents: what people and programs want to have done.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::{ConversationId, ExecutionId, IntentId, SessionId, TenantId, Timestamp};

/// What can be asked for, as `GET /api/intents` lists it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct IntentDescriptor {
    pub intent_type: String,
    pub realm: String,
    /// One or two sentences; a language model reads them as the tool's description.
    pub description: String,
    /// JSON Schema (2020-12) of the parameters; of the house's own intents, `additionalProperties` is false.
    pub parameters: Value,
    pub approval: ApprovalRule,
    /// What a person might say who wants this.
    pub examples: Vec<String>,
}

/// Whether somebody has to agree before the intent is executed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalRule {
    #[default]
    None,
    /// The session's owner has to agree.
    Owner,
    /// Somebody of the owner's tenant who has this role has to agree, such as `admin`; the owner only where they have it too.
    Role(String),
}

/// How urgent an execution is beside others that wait for the same places. Of seven places that become free, `high` gets four,
/// `normal` two and `low` one; what one of them does not need goes to the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    High,
    #[default]
    Normal,
    Low,
}

/// When an intent is to be executed, and how urgently.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timing {
    /// Not before this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_at: Option<Timestamp>,
    /// After this it fails with `timeout`, wherever it stands; the intents that it calls inherit it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Timestamp>,
    #[serde(default)]
    pub priority: Priority,
}

/// The answer of `GET /api/intents`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct IntentList {
    pub intents: Vec<IntentDescriptor>,
}

/// The body of `POST /api/intent/submit`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubmitIntent {
    pub intent_type: String,
    pub session_id: SessionId,
    #[serde(default)]
    pub parameters: Map<String, Value>,
    #[serde(default)]
    pub metadata: Map<String, Value>,
    #[serde(default)]
    pub solution_id: Option<String>,
    #[serde(default)]
    pub intent_id: Option<IntentId>,
    #[serde(default)]
    pub conversation_id: Option<ConversationId>,
    /// Must be the caller's own where it is given.
    #[serde(default, deserialize_with = "crate::id::blank_is_none")]
    pub tenant_id: Option<TenantId>,
    /// Not before this; at most 366 days ahead.
    #[serde(default)]
    pub run_at: Option<Timestamp>,
    /// After this the execution fails with `timeout`, wherever it stands; the intents that it calls inherit it.
    #[serde(default)]
    pub deadline: Option<Timestamp>,
    #[serde(default)]
    pub priority: Priority,
    /// 1 to 128 visible characters. Of the caller's executions with the same key one runs at a time, in the order of their acceptance.
    #[serde(default)]
    pub concurrency_key: Option<String>,
}

/// The answer of `POST /api/intent/submit`: the intent is durable.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Submitted {
    pub execution_id: ExecutionId,
    pub intent_id: IntentId,
    /// Always `accepted`.
    pub status: String,
    pub created_at: Timestamp,
}
