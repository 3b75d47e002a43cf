//! Sessions of work in SQLite. A claim moves what others keep for the session in the same transaction.

use contract::{Owner, SessionId, TenantId, Timestamp, UserId, session::Session};
use rusqlite::{Connection, Transaction};
use security_guard::accounts::{Claim, ClaimRequest, FreshSession};
use serde_json::Map;

use super::{
    Answer, MoveSpace,
    rows::{self, count, execute, find as find_row, list, word},
};

pub(super) fn insert(connection: &Connection, session: &Session) -> Answer<()> {
    let metadata = serde_json::Value::Object(session.metadata.clone()).to_string();
    let sql = "INSERT INTO sessions (id, tenant_id, user_id, created_at, updated_at, expires_at, metadata)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    execute(
        connection,
        sql,
        &[
            &session.session_id.as_str(),
            &session.tenant_id.as_ref().map(TenantId::as_str),
            &session.user_id.as_ref().map(UserId::as_str),
            &session.created_at.as_millis(),
            &session.updated_at.as_millis(),
            &session.expires_at.as_millis(),
            &metadata,
        ],
    )?;
    Ok(())
}

/// Writes a new session of a user's.
pub(super) fn insert_owned(
    connection: &Connection,
    fresh: &FreshSession,
    tenant_id: &TenantId,
    user_id: &UserId,
    now: Timestamp,
) -> Answer<Session> {
    let session = Session {
        session_id: fresh.session_id.clone(),
        tenant_id: Some(tenant_id.clone()),
        user_id: Some(user_id.clone()),
        is_anonymous: false,
        created_at: now,
        updated_at: now,
        expires_at: fresh.expires_at,
        metadata: Map::new(),
        state: Map::new(),
    };
    insert(connection, &session)?;
    Ok(session)
}

pub(super) fn find(connection: &Connection, session_id: &SessionId, now: Timestamp) -> Answer<Option<Session>> {
    let sql = "SELECT * FROM sessions WHERE id = ?1 AND expires_at > ?2";
    find_row(connection, sql, &[&session_id.as_str(), &now.as_millis()], rows::session)
}

pub(super) fn claim(transaction: &Transaction<'_>, request: &ClaimRequest, move_space: MoveSpace) -> Answer<Claim> {
    let Some(session) = find(transaction, &request.session_id, request.now)? else { return Ok(Claim::NotFound) };
    if session.is_anonymous {
        let session = take_over(transaction, session, request)?;
        let from = Owner::Anonymous { session_id: request.session_id.clone() };
        let to = Owner::User { tenant_id: request.tenant_id.clone(), user_id: request.user_id.clone() };
        move_space(transaction, &from, &to)?;
        return Ok(Claim::Claimed(session));
    }
    let yours =
        session.user_id.as_ref() == Some(&request.user_id) && session.tenant_id.as_ref() == Some(&request.tenant_id);
    Ok(if yours { Claim::AlreadyYours(session) } else { Claim::NotFound })
}

fn take_over(connection: &Connection, mut session: Session, request: &ClaimRequest) -> Answer<Session> {
    session.is_anonymous = false;
    session.tenant_id = Some(request.tenant_id.clone());
    session.user_id = Some(request.user_id.clone());
    session.metadata.extend(request.metadata.clone());
    session.updated_at = request.now;
    session.expires_at = request.expires_at;
    let sql = "UPDATE sessions SET tenant_id = ?2, user_id = ?3, updated_at = ?4, expires_at = ?5, metadata = ?6
               WHERE id = ?1";
    let metadata = serde_json::Value::Object(session.metadata.clone()).to_string();
    execute(
        connection,
        sql,
        &[
            &session.session_id.as_str(),
            &request.tenant_id.as_str(),
            &request.user_id.as_str(),
            &request.now.as_millis(),
            &request.expires_at.as_millis(),
            &metadata,
        ],
    )?;
    Ok(session)
}

pub(super) fn delete(connection: &Connection, session_id: &SessionId, owner: &Owner, now: Timestamp) -> Answer<bool> {
    // An anonymous session's owner is the session itself and nothing else.
    if matches!(owner, Owner::Anonymous { session_id: named } if named != session_id) {
        return Ok(false);
    }
    let sql = "DELETE FROM sessions WHERE id = ?1 AND tenant_id IS ?2 AND user_id IS ?3 AND expires_at > ?4";
    let deleted = execute(
        connection,
        sql,
        &[
            &session_id.as_str(),
            &owner.tenant_id().map(TenantId::as_str),
            &owner.user_id().map(UserId::as_str),
            &now.as_millis(),
        ],
    )?;
    Ok(deleted > 0)
}

pub(super) fn forget_expired(connection: &Connection, now: Timestamp, limit: usize) -> Answer<Vec<SessionId>> {
    let sql = "DELETE FROM sessions WHERE id IN
                   (SELECT id FROM sessions WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)
               RETURNING id";
    list(connection, sql, &[&now.as_millis(), &count(limit)], |row| word(row, "id"))
}
