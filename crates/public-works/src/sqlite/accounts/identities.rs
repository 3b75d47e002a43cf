//! Identities of others' providers in SQLite.

use async_trait::async_trait;
use contract::{SessionId, UserId};
use rusqlite::Connection;
use security_guard::{
    Role,
    accounts::{SignedInAs, StoreError},
    identities::{Identities, IdentitySignIn, IdentityStanding, NewIdentity},
    providers::IdentityKey,
};

use super::{
    Answer, SqliteAccounts,
    rows::{execute, find, word},
    sessions, sign_ins, users,
};

#[async_trait]
impl Identities for SqliteAccounts {
    async fn enter_identity(&self, new: NewIdentity) -> Result<IdentityStanding, StoreError> {
        self.write(move |transaction| enter(transaction, &new)).await
    }

    async fn sign_in_identity(&self, request: IdentitySignIn) -> Result<Option<SignedInAs>, StoreError> {
        let move_space = self.move_space;
        self.write(move |transaction| {
            let standing = enter(transaction, &request.identity)?.standing;
            if standing.user.disabled_at.is_some() {
                return Ok(None);
            }
            let (user_id, tenant_id) = (&standing.user.user_id, &standing.tenant.tenant_id);
            sign_ins::insert(transaction, user_id, tenant_id, &request.sign_in, move_space).map(Some)
        })
        .await
    }

    async fn standing_by_identity(&self, key: &IdentityKey) -> Result<Option<IdentityStanding>, StoreError> {
        let key = key.clone();
        self.read(move |connection| standing(connection, &key)).await
    }
}

fn enter(connection: &Connection, new: &NewIdentity) -> Answer<IdentityStanding> {
    let found = match standing(connection, &new.key)? {
        Some(found) => Some(found),
        None => {
            bind(connection, new)?;
            standing(connection, &new.key)?
        }
    };
    // What was written in this very transaction is there.
    let found = found.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    renew_session(connection, new, found)
}

/// A user without a password, their tenant, and the bond. Nobody can type an id as an address, so that the user's key collides with
/// nobody's.
fn bind(connection: &Connection, new: &NewIdentity) -> Answer<()> {
    let NewIdentity { key, user, tenant, fresh_session, now } = new;
    execute(
        connection,
        "INSERT INTO users (id, email, email_key, name, password_hash, created_at) VALUES (?1, ?2, ?1, ?3, '', ?4)",
        &[&user.user_id.as_str(), &user.email, &user.name, &user.created_at.as_millis()],
    )?;
    execute(
        connection,
        "INSERT INTO tenants (id, name, created_at) VALUES (?1, ?2, ?3)",
        &[&tenant.tenant_id.as_str(), &tenant.name, &tenant.created_at.as_millis()],
    )?;
    execute(
        connection,
        "INSERT INTO memberships (user_id, tenant_id, role) VALUES (?1, ?2, ?3)",
        &[&user.user_id.as_str(), &tenant.tenant_id.as_str(), &Role::Owner.as_str()],
    )?;
    execute(
        connection,
        "INSERT INTO identities (issuer, subject, user_id, session_id, created_at) VALUES (?1, ?2, ?3, ?4, ?5)",
        &[&key.issuer, &key.subject, &user.user_id.as_str(), &fresh_session.session_id.as_str(), &now.as_millis()],
    )?;
    Ok(())
}

fn standing(connection: &Connection, key: &IdentityKey) -> Answer<Option<IdentityStanding>> {
    let sql = "SELECT user_id, session_id FROM identities WHERE issuer = ?1 AND subject = ?2";
    let found = find(connection, sql, &[&key.issuer, &key.subject], |row| {
        Ok((word::<UserId>(row, "user_id")?, word::<SessionId>(row, "session_id")?))
    })?;
    let Some((user_id, session_id)) = found else { return Ok(None) };
    let standing = users::standing_of(connection, &user_id)?;
    Ok(standing.map(|standing| IdentityStanding { standing, session_id }))
}

/// A session to go on with: the identity's own, unless it has ended or is another tenant's.
fn renew_session(connection: &Connection, new: &NewIdentity, found: IdentityStanding) -> Answer<IdentityStanding> {
    let (tenant_id, user_id) = (&found.standing.tenant.tenant_id, &found.standing.user.user_id);
    let session = sessions::find(connection, &found.session_id, new.now)?;
    if session.is_some_and(|session| session.tenant_id.as_ref() == Some(tenant_id)) {
        return Ok(found);
    }
    let session = sessions::insert_owned(connection, &new.fresh_session, tenant_id, user_id, new.now)?;
    execute(
        connection,
        "UPDATE identities SET session_id = ?3 WHERE issuer = ?1 AND subject = ?2",
        &[&new.key.issuer, &new.key.subject, &session.session_id.as_str()],
    )?;
    Ok(IdentityStanding { session_id: session.session_id, ..found })
}
