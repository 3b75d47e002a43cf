//! Sessions of work as clients read them.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::{SessionId, TenantId, Timestamp, UserId};

/// A session: anonymous, or a user's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Session {
    pub session_id: SessionId,
    pub tenant_id: Option<TenantId>,
    pub user_id: Option<UserId>,
    pub is_anonymous: bool,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub expires_at: Timestamp,
    pub metadata: Map<String, Value>,
    /// `{realm_state: {content, insights, journey, outcomes}}` in the answer of `GET /api/session/{id}`.
    pub state: Map<String, Value>,
}

/// The body of `POST /api/session/create-anonymous`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateAnonymousSession {
    #[serde(default)]
    pub metadata: Option<Map<String, Value>>,
}

/// The body of `POST /api/session/create`. `tenant_id` and `user_id` are what the old client sends: `""` means
/// anonymous, and anything else has to be the caller's own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateSession {
    #[serde(default)]
    pub metadata: Option<Map<String, Value>>,
    #[serde(default)]
    pub credentials: Option<SessionCredentials>,
    #[serde(default)]
    pub tenant_id: Option<String>,
    #[serde(default)]
    pub user_id: Option<String>,
    #[serde(default)]
    pub session_id: Option<String>,
    #[serde(default)]
    pub execution_contract: Option<Value>,
}

#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SessionCredentials {
    pub email: String,
    pub password: String,
}

impl std::fmt::Debug for SessionCredentials {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("SessionCredentials").finish_non_exhaustive()
    }
}

/// The body of `PATCH /api/session/{id}/upgrade`; the old client sends ids and metadata along.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpgradeSession {
    #[serde(default)]
    pub access_token: Option<String>,
    #[serde(default)]
    pub metadata: Option<Map<String, Value>>,
    #[serde(default)]
    pub user_id: Option<String>,
    #[serde(default)]
    pub tenant_id: Option<String>,
}

impl std::fmt::Debug for UpgradeSession {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("UpgradeSession").finish_non_exhaustive()
    }
}
