//! Pending intents: what somebody means to do with an artifact later. Nothing is executed before it is submitted.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::{ArtifactId, ExecutionId, IntentId, SessionId, TenantId, Timestamp, execution::ExecutionStatus};

/// The body of `POST /api/intent/pending/create`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreatePendingIntent {
    /// A client's own id; a new one where it is absent. Submitting an intent with the same `intent_id` carries it out.
    #[serde(default)]
    pub intent_id: Option<IntentId>,
    pub intent_type: String,
    #[serde(alias = "artifact_id")]
    pub target_artifact_id: ArtifactId,
    /// What will be wanted then; at most 16 KiB of JSON. It is kept as it is.
    #[serde(default)]
    pub context: Map<String, Value>,
    #[serde(default)]
    pub session_id: Option<SessionId>,
    /// Must be the caller's own where it is given.
    #[serde(default, deserialize_with = "crate::id::blank_is_none")]
    pub tenant_id: Option<TenantId>,
    /// The old client sends it; the user is the credential's.
    #[serde(default)]
    pub user_id: Option<String>,
}

/// The body of `POST /api/intent/pending/list`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListPendingIntents {
    #[serde(default, alias = "artifact_id")]
    pub target_artifact_id: Option<ArtifactId>,
    #[serde(default)]
    pub intent_type: Option<String>,
    /// Also those that were submitted meanwhile.
    #[serde(default)]
    pub include_submitted: bool,
    #[serde(default)]
    pub session_id: Option<SessionId>,
    #[serde(default, deserialize_with = "crate::id::blank_is_none")]
    pub tenant_id: Option<TenantId>,
    /// 1 to 200; 50 when not given.
    #[serde(default)]
    pub limit: Option<u32>,
    #[serde(default)]
    pub cursor: Option<String>,
}

/// An intent that waits to be submitted, or what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PendingIntent {
    pub intent_id: IntentId,
    pub intent_type: String,
    /// `pending` until it is submitted, and then how its execution stands.
    pub status: ExecutionStatus,
    pub target_artifact_id: ArtifactId,
    pub context: Map<String, Value>,
    /// The execution that carries it out.
    pub execution_id: Option<ExecutionId>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// The answer of `POST /api/intent/pending/list`, newest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PendingIntentList {
    pub intents: Vec<PendingIntent>,
    pub total: u64,
    pub next_cursor: Option<String>,
}
