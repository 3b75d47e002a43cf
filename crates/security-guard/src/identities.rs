//! The port for identities of others' providers: a part of the accounts. An identity is bound to one user by issuer and subject, once
//! and for ever; an address in a token binds nothing, because providers let people choose theirs.

use async_trait::async_trait;
use contract::{SessionId, Timestamp};

use crate::{
    accounts::{FreshSession, NewSignIn, SignedInAs, Standing, StoreError, Tenant, User},
    providers::IdentityKey,
};

/// Somebody comes with an identity. What is written where there is nobody yet comes along.
#[derive(Clone, Debug)]
pub struct NewIdentity {
    pub key: IdentityKey,
    /// Without a password; owns the tenant.
    pub user: User,
    pub tenant: Tenant,
    /// For the first time, and where the last session has ended.
    pub fresh_session: FreshSession,
    pub now: Timestamp,
}

/// Where the user of an identity stands, in the tenant that they joined first.
#[derive(Clone, Debug, PartialEq)]
pub struct IdentityStanding {
    pub standing: Standing,
    pub session_id: SessionId,
}

/// Somebody comes with an identity, to stay.
#[derive(Clone, Debug)]
pub struct IdentitySignIn {
    pub identity: NewIdentity,
    pub sign_in: NewSignIn,
}

/// Where identities are kept.
#[async_trait]
pub trait Identities: Send + Sync {
    /// The user of an identity; made, with tenant, membership and session, by the first of all who come at once.
    async fn enter_identity(&self, new: NewIdentity) -> Result<IdentityStanding, StoreError>;

    /// Writes a sign-in for the user of an identity, who is made where there is none; `None` where they are disabled.
    async fn sign_in_identity(&self, request: IdentitySignIn) -> Result<Option<SignedInAs>, StoreError>;

    /// The user of an identity, without writing anything; `None` where nobody has come with it.
    async fn standing_by_identity(&self, key: &IdentityKey) -> Result<Option<IdentityStanding>, StoreError>;
}
