//! API keys in memory.

use async_trait::async_trait;
use contract::{ApiKeyId, SessionId, TenantId, Timestamp, UserId, key::ApiKey};

use super::{MemoryAccounts, State};
use crate::{
    accounts::{StoreError, TokenHash},
    keys::{ApiKeys, KeyCreated, KeyLookup, KeyStanding, MAX_KEYS, NewApiKey},
};

pub(super) struct KeyRow {
    api_key: ApiKey,
    hash: TokenHash,
    session_id: SessionId,
    revoked: bool,
}

impl KeyRow {
    fn works(&self, now: Timestamp) -> bool {
        !self.revoked && self.ends_after(now)
    }

    pub(super) fn ends_after(&self, now: Timestamp) -> bool {
        now < self.api_key.expires_at
    }

    fn is_of(&self, tenant_id: &TenantId, user_id: &UserId) -> bool {
        self.api_key.tenant_id == *tenant_id && self.api_key.user_id == *user_id
    }
}

impl State {
    /// Ends the keys of a user who leaves a tenant.
    pub(super) fn end_keys(&mut self, tenant_id: &TenantId, user_id: &UserId) {
        self.keys.values_mut().filter(|row| row.is_of(tenant_id, user_id)).for_each(|row| row.revoked = true);
    }

    fn key(&self, lookup: &KeyLookup) -> Option<&KeyRow> {
        match lookup {
            KeyLookup::Hash(hash) => self.keys.values().find(|row| row.hash == *hash),
            KeyLookup::Id(key_id) => self.keys.get(key_id),
        }
    }
}

#[async_trait]
impl ApiKeys for MemoryAccounts {
    async fn create_key(&self, new: NewApiKey) -> Result<KeyCreated, StoreError> {
        let mut state = self.lock();
        let (tenant_id, user_id, now) = (&new.api_key.tenant_id, &new.api_key.user_id, new.api_key.created_at);
        let is_service_account = state.users.get(user_id).is_some_and(|row| row.is_service_account);
        if state.standing(user_id, tenant_id, None).is_none() || new.for_service_account != is_service_account {
            return Ok(KeyCreated::NoSuchUser);
        }
        if state.keys.values().filter(|row| row.works(now) && row.is_of(tenant_id, user_id)).count() >= MAX_KEYS {
            return Ok(KeyCreated::TooMany);
        }
        let session_id = new.session.session_id.clone();
        state.sessions.insert(session_id.clone(), new.session);
        let row = KeyRow { hash: new.hash, session_id, revoked: false, api_key: new.api_key };
        state.keys.insert(row.api_key.key_id.clone(), row);
        Ok(KeyCreated::Done)
    }

    async fn keys(&self, tenant_id: &TenantId, user_id: &UserId, now: Timestamp) -> Result<Vec<ApiKey>, StoreError> {
        let state = self.lock();
        let rows = state.keys.values().rev().filter(|row| row.works(now) && row.is_of(tenant_id, user_id));
        Ok(rows.map(|row| row.api_key.clone()).collect())
    }

    async fn revoke_key(
        &self,
        tenant_id: &TenantId,
        user_id: &UserId,
        key_id: &ApiKeyId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut state = self.lock();
        let row = state.keys.get_mut(key_id).filter(|row| row.works(now) && row.is_of(tenant_id, user_id));
        Ok(row.map(|row| row.revoked = true).is_some())
    }

    async fn standing_by_key(&self, key: &KeyLookup, now: Timestamp) -> Result<Option<KeyStanding>, StoreError> {
        let state = self.lock();
        let Some(row) = state.key(key).filter(|row| row.works(now)) else { return Ok(None) };
        let standing = state.standing(&row.api_key.user_id, &row.api_key.tenant_id, None);
        Ok(standing.map(|standing| KeyStanding {
            standing,
            api_key: row.api_key.clone(),
            session_id: row.session_id.clone(),
        }))
    }

    async fn key_used(&self, key_id: &ApiKeyId, now: Timestamp) -> Result<(), StoreError> {
        if let Some(row) = self.lock().keys.get_mut(key_id) {
            row.api_key.last_used_at = Some(now);
        }
        Ok(())
    }
}
