//! Identities of others' providers in memory.

use async_trait::async_trait;
use contract::{SessionId, UserId};

use super::{MemoryAccounts, State, UserRow, owned_session};
use crate::{
    Role,
    accounts::{PasswordHash, SignedInAs, StoreError},
    identities::{Identities, IdentitySignIn, IdentityStanding, NewIdentity},
    providers::IdentityKey,
};

/// What an identity is bound to.
pub(super) struct IdentityRow {
    user_id: UserId,
    session_id: SessionId,
}

impl State {
    fn identity_standing(&self, key: &IdentityKey) -> Option<IdentityStanding> {
        let row = self.identities.get(key)?;
        let (tenant_id, _) = self.users.get(&row.user_id)?.memberships.first()?;
        let standing = self.standing(&row.user_id, tenant_id, None)?;
        Some(IdentityStanding { standing, session_id: row.session_id.clone() })
    }

    /// A session to go on with: the identity's own, unless it has ended or is another tenant's.
    fn renew_session(&mut self, new: &NewIdentity) {
        let Some(found) = self.identity_standing(&new.key) else { return };
        let tenant_id = &found.standing.tenant.tenant_id;
        let session = self.sessions.get(&found.session_id);
        if session.is_some_and(|kept| new.now < kept.expires_at && kept.tenant_id.as_ref() == Some(tenant_id)) {
            return;
        }
        let fresh = new.fresh_session.clone();
        let user_id = &found.standing.user.user_id;
        let session = owned_session(fresh.session_id, tenant_id, user_id, new.now, fresh.expires_at);
        if let Some(row) = self.identities.get_mut(&new.key) {
            row.session_id = session.session_id.clone();
        }
        self.sessions.insert(session.session_id.clone(), session);
    }
}

#[async_trait]
impl Identities for MemoryAccounts {
    async fn enter_identity(&self, new: NewIdentity) -> Result<IdentityStanding, StoreError> {
        self.lock().enter(new)
    }

    async fn sign_in_identity(&self, request: IdentitySignIn) -> Result<Option<SignedInAs>, StoreError> {
        let mut state = self.lock();
        let user = state.enter(request.identity)?.standing.user;
        if user.disabled_at.is_some() {
            return Ok(None);
        }
        Ok(state.write_sign_in(&user.user_id, request.sign_in))
    }

    async fn standing_by_identity(&self, key: &IdentityKey) -> Result<Option<IdentityStanding>, StoreError> {
        Ok(self.lock().identity_standing(key))
    }
}

impl State {
    fn enter(&mut self, new: NewIdentity) -> Result<IdentityStanding, StoreError> {
        let state = self;
        if !state.identities.contains_key(&new.key) {
            let NewIdentity { key, user, tenant, fresh_session, .. } = new.clone();
            let row = IdentityRow { user_id: user.user_id.clone(), session_id: fresh_session.session_id };
            let memberships = vec![(tenant.tenant_id.clone(), Role::Owner)];
            let password_hash = PasswordHash(String::new());
            state
                .users
                .insert(user.user_id.clone(), UserRow { user, password_hash, memberships, is_service_account: false });
            state.tenants.insert(tenant.tenant_id.clone(), tenant);
            state.identities.insert(key, row);
        }
        state.renew_session(&new);
        let found = state.identity_standing(&new.key);
        found.ok_or_else(|| StoreError::Broken("an identity has no user".into()))
    }
}
