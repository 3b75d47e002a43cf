//! The port for API keys: what is kept of them, and who a key stands for. A part of the accounts, because a key's user, tenant and
//! roles are looked up in the same transaction.

use async_trait::async_trait;
use contract::{ApiKeyId, SessionId, TenantId, Timestamp, UserId, key::ApiKey, session::Session};

use crate::accounts::{Standing, StoreError, TokenHash};

/// Keys of one user that work at a time.
pub const MAX_KEYS: usize = 50;

/// A key to be written, with the session of work that it brings along.
#[derive(Clone, Debug)]
pub struct NewApiKey {
    pub api_key: ApiKey,
    pub hash: TokenHash,
    /// Ends with the key.
    pub session: Session,
    /// Whether the user has to be a service account: nobody makes keys for other people.
    pub for_service_account: bool,
}

/// The outcome of [`ApiKeys::create_key`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyCreated {
    Done,
    /// The user has [`MAX_KEYS`] already.
    TooMany,
    /// The user is not in the tenant, or not what they have to be.
    NoSuchUser,
}

/// Which key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyLookup {
    Hash(TokenHash),
    Id(ApiKeyId),
}

/// Where the user of a key stands, within the key's tenant.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyStanding {
    pub standing: Standing,
    pub api_key: ApiKey,
    pub session_id: SessionId,
}

/// Where API keys are kept.
#[async_trait]
pub trait ApiKeys: Send + Sync {
    /// Writes a key and its session, or nothing.
    async fn create_key(&self, new: NewApiKey) -> Result<KeyCreated, StoreError>;

    /// The keys of a user in a tenant that work, newest first.
    async fn keys(&self, tenant_id: &TenantId, user_id: &UserId, now: Timestamp) -> Result<Vec<ApiKey>, StoreError>;

    /// Ends a key of this user's in this tenant; `false` where there is none that works.
    async fn revoke_key(
        &self,
        tenant_id: &TenantId,
        user_id: &UserId,
        key_id: &ApiKeyId,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Who a key stands for now; `None` where it has ended, or its user has left the tenant.
    async fn standing_by_key(&self, key: &KeyLookup, now: Timestamp) -> Result<Option<KeyStanding>, StoreError>;

    /// Writes down that a key was used.
    async fn key_used(&self, key_id: &ApiKeyId, now: Timestamp) -> Result<(), StoreError>;
}
