//! From a token of somebody else's provider to a caller. The first one who comes with an identity becomes a user with a tenant of
//! their own; there is no password, no sign-in and no refresh token: the provider keeps those.

use contract::{TenantId, Timestamp, UserId};

use super::{SecurityGuard, authenticate::check_standing};
use crate::{
    Caller, GuardError,
    accounts::{Tenant, User},
    clock::random,
    identities::{IdentityStanding, NewIdentity},
    providers::{Identity, IdentityKey},
};

impl SecurityGuard {
    pub(super) async fn verify_identity(&self, token: &str, now: Timestamp) -> Result<Caller, GuardError> {
        let guard = &self.0;
        let identity = guard.providers.verify(token, now).await?;
        let (key, expires_at) = (identity.key.clone(), identity.expires_at);
        let found = guard.accounts.enter_identity(self.new_identity(identity, now)).await?;
        caller(found, key, expires_at)
    }

    /// What is written where nobody has come with an identity before.
    pub(super) fn new_identity(&self, identity: Identity, now: Timestamp) -> NewIdentity {
        let guard = &self.0;
        let Identity { key, email, name, expires_at: _ } = identity;
        NewIdentity {
            key,
            user: User {
                user_id: UserId::from_parts(now, random(&*guard.clock)),
                email,
                name: name.clone(),
                created_at: now,
                disabled_at: None,
            },
            tenant: Tenant { tenant_id: TenantId::from_parts(now, random(&*guard.clock)), name, created_at: now },
            fresh_session: guard.fresh_session(),
            now,
        }
    }

    pub(super) async fn look_again_at_identity(
        &self,
        key: &IdentityKey,
        expires_at: Timestamp,
    ) -> Result<Caller, GuardError> {
        let found = self.0.accounts.standing_by_identity(key).await?.ok_or(GuardError::TokenInvalid)?;
        caller(found, key.clone(), expires_at)
    }
}

fn caller(found: IdentityStanding, key: IdentityKey, expires_at: Timestamp) -> Result<Caller, GuardError> {
    let standing = check_standing(Some(found.standing))?;
    Ok(Caller::with_identity(standing, found.session_id, expires_at, key))
}
