//! API keys in SQLite.

use async_trait::async_trait;
use contract::{ApiKeyId, SessionId, TenantId, Timestamp, UserId, key::ApiKey};
use rusqlite::{Connection, Row};
use security_guard::{
    accounts::StoreError,
    keys::{ApiKeys, KeyCreated, KeyLookup, KeyStanding, MAX_KEYS, NewApiKey},
};

use super::{
    Answer, SqliteAccounts,
    rows::{count, execute, find, instant, list, optional_instant, optional_json, word},
    sessions, users,
};

#[async_trait]
impl ApiKeys for SqliteAccounts {
    async fn create_key(&self, new: NewApiKey) -> Result<KeyCreated, StoreError> {
        self.write(move |transaction| create(transaction, &new)).await
    }

    async fn keys(&self, tenant_id: &TenantId, user_id: &UserId, now: Timestamp) -> Result<Vec<ApiKey>, StoreError> {
        let (tenant_id, user_id) = (tenant_id.clone(), user_id.clone());
        self.read(move |connection| working(connection, &tenant_id, &user_id, now)).await
    }

    async fn revoke_key(
        &self,
        tenant_id: &TenantId,
        user_id: &UserId,
        key_id: &ApiKeyId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (tenant_id, user_id, key_id) = (tenant_id.clone(), user_id.clone(), key_id.clone());
        self.write(move |transaction| {
            let sql = "UPDATE api_keys SET revoked_at = ?4
                       WHERE id = ?1 AND tenant_id = ?2 AND user_id = ?3 AND revoked_at IS NULL AND expires_at > ?4";
            let values: [&dyn rusqlite::ToSql; 4] =
                [&key_id.as_str(), &tenant_id.as_str(), &user_id.as_str(), &now.as_millis()];
            Ok(execute(transaction, sql, &values)? > 0)
        })
        .await
    }

    async fn standing_by_key(&self, key: &KeyLookup, now: Timestamp) -> Result<Option<KeyStanding>, StoreError> {
        let key = key.clone();
        self.read(move |connection| standing(connection, &key, now)).await
    }

    async fn key_used(&self, key_id: &ApiKeyId, now: Timestamp) -> Result<(), StoreError> {
        let key_id = key_id.clone();
        self.write(move |transaction| {
            let sql = "UPDATE api_keys SET last_used_at = ?2 WHERE id = ?1";
            execute(transaction, sql, &[&key_id.as_str(), &now.as_millis()])?;
            Ok(())
        })
        .await
    }
}

fn create(connection: &Connection, new: &NewApiKey) -> Answer<KeyCreated> {
    let NewApiKey { api_key, hash, session, for_service_account } = new;
    let sql = "SELECT is_service_account FROM users WHERE id = ?1";
    let is_service_account = find(connection, sql, &[&api_key.user_id.as_str()], |row| row.get("is_service_account"))?;
    let is_member = users::standing(connection, &api_key.user_id, &api_key.tenant_id, None)?.is_some();
    if !is_member || is_service_account != Some(*for_service_account) {
        return Ok(KeyCreated::NoSuchUser);
    }
    if working(connection, &api_key.tenant_id, &api_key.user_id, api_key.created_at)?.len() >= MAX_KEYS {
        return Ok(KeyCreated::TooMany);
    }
    sessions::insert(connection, session)?;
    let as_json = |words: &Option<Vec<String>>| words.as_ref().map(|words| serde_json::json!(words).to_string());
    execute(
        connection,
        "INSERT INTO api_keys
             (id, hash, tenant_id, user_id, session_id, name, hint, scopes, intents, created_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        &[
            &api_key.key_id.as_str(),
            &hash.0,
            &api_key.tenant_id.as_str(),
            &api_key.user_id.as_str(),
            &session.session_id.as_str(),
            &api_key.name,
            &api_key.hint,
            &as_json(&api_key.scopes),
            &as_json(&api_key.intents),
            &api_key.created_at.as_millis(),
            &api_key.expires_at.as_millis(),
        ],
    )?;
    Ok(KeyCreated::Done)
}

fn working(connection: &Connection, tenant_id: &TenantId, user_id: &UserId, now: Timestamp) -> Answer<Vec<ApiKey>> {
    let sql = "SELECT * FROM api_keys
               WHERE user_id = ?1 AND tenant_id = ?2 AND revoked_at IS NULL AND expires_at > ?3
               ORDER BY id DESC LIMIT ?4";
    list(connection, sql, &[&user_id.as_str(), &tenant_id.as_str(), &now.as_millis(), &count(MAX_KEYS)], key)
}

fn standing(connection: &Connection, lookup: &KeyLookup, now: Timestamp) -> Answer<Option<KeyStanding>> {
    let read = |row: &Row<'_>| Ok((key(row)?, word::<SessionId>(row, "session_id")?));
    let now = now.as_millis();
    let found = match lookup {
        KeyLookup::Hash(hash) => {
            let sql = "SELECT * FROM api_keys WHERE hash = ?1 AND revoked_at IS NULL AND expires_at > ?2";
            find(connection, sql, &[&hash.0, &now], read)?
        }
        KeyLookup::Id(key_id) => {
            let sql = "SELECT * FROM api_keys WHERE id = ?1 AND revoked_at IS NULL AND expires_at > ?2";
            find(connection, sql, &[&key_id.as_str(), &now], read)?
        }
    };
    let Some((api_key, session_id)) = found else { return Ok(None) };
    let standing = users::standing(connection, &api_key.user_id, &api_key.tenant_id, None)?;
    Ok(standing.map(|standing| KeyStanding { standing, api_key, session_id }))
}

fn key(row: &Row<'_>) -> rusqlite::Result<ApiKey> {
    Ok(ApiKey {
        key_id: word(row, "id")?,
        name: row.get("name")?,
        hint: row.get("hint")?,
        user_id: word(row, "user_id")?,
        tenant_id: word(row, "tenant_id")?,
        scopes: optional_json(row, "scopes")?,
        intents: optional_json(row, "intents")?,
        created_at: instant(row, "created_at")?,
        expires_at: instant(row, "expires_at")?,
        last_used_at: optional_instant(row, "last_used_at")?,
    })
}

/// Ends the keys of a user who leaves a tenant.
pub(super) fn revoke_all(
    connection: &Connection,
    tenant_id: &TenantId,
    user_id: &UserId,
    now: Timestamp,
) -> Answer<()> {
    let sql = "UPDATE api_keys SET revoked_at = ?3 WHERE user_id = ?1 AND tenant_id = ?2 AND revoked_at IS NULL";
    execute(connection, sql, &[&user_id.as_str(), &tenant_id.as_str(), &now.as_millis()])?;
    Ok(())
}

/// Forgets keys whose time is over; revoked ones are kept until then.
pub(super) fn forget_expired(connection: &Connection, now: Timestamp, limit: usize) -> Answer<()> {
    let sql = "DELETE FROM api_keys WHERE id IN (SELECT id FROM api_keys WHERE expires_at <= ?1 LIMIT ?2)";
    execute(connection, sql, &[&now.as_millis(), &count(limit)])?;
    Ok(())
}
