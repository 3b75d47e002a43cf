//! API keys: credentials of programs, as a person sees and makes them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{ApiKeyId, TenantId, Timestamp, UserId, auth::Secret};

/// The body of `POST /api/auth/keys`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateApiKey {
    /// What it is for, 1 to 100 characters.
    pub name: String,
    /// The permissions that it may use, out of those of its user; absent: all of them.
    #[serde(default)]
    pub scopes: Option<Vec<String>>,
    /// The intents that it may submit; absent: every one that its user may.
    #[serde(default)]
    pub intents: Option<Vec<String>>,
    /// When it ends; 90 days from now where it is absent, and at most 366.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
    /// A service account of the tenant that the key is for, which needs `member:manage`; absent: the caller.
    #[serde(default)]
    pub user_id: Option<UserId>,
}

/// An API key, without the key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ApiKey {
    pub key_id: ApiKeyId,
    pub name: String,
    /// How the key begins, to find it again in a configuration.
    pub hint: String,
    pub user_id: UserId,
    pub tenant_id: TenantId,
    /// Absent: everything that its user may do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
    /// Absent: every intent that its user may submit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intents: Option<Vec<String>>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    /// To within ten minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Timestamp>,
}

/// The answer of `POST /api/auth/keys`: the only time that the key itself is shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CreatedApiKey {
    /// To be sent as `Authorization: Bearer …`. It is not kept and cannot be shown again.
    pub key: Secret,
    pub api_key: ApiKey,
}

/// The answer of `GET /api/auth/keys`: those that work, newest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ApiKeyList {
    pub keys: Vec<ApiKey>,
}
