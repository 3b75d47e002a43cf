//! Sign-ins and failed ones in SQLite.

use std::time::Duration;

use contract::{SignInId, TenantId, Timestamp, UserId, session::Session};
use rusqlite::{Connection, Transaction};
use security_guard::accounts::{
    Claim, ClaimRequest, NewSignIn, SignIn, SignInOutcome, SignInRequest, SignedInAs, Standing, TokenHash,
};
use serde_json::Map;

use super::{
    Answer, MoveSpace,
    rows::{self, count as row_count, execute, find, instant, list, word},
    sessions, tokens, users,
};

pub(super) fn sign_in(
    transaction: &Transaction<'_>,
    request: &SignInRequest,
    move_space: MoveSpace,
) -> Answer<SignInOutcome> {
    let Some(found) = users::credentials_of(transaction, &request.user_id)? else { return Ok(SignInOutcome::Changed) };
    if found.disabled_at.is_some() {
        return Ok(SignInOutcome::Disabled);
    }
    let tenant_id = users::tenant_of(transaction, &request.user_id)?;
    let Some(tenant_id) = tenant_id.filter(|_| found.password_hash == request.verified_hash) else {
        return Ok(SignInOutcome::Changed);
    };
    if let Some(new_hash) = &request.new_hash {
        users::replace_hash(transaction, &request.user_id, new_hash)?;
    }
    execute(transaction, "DELETE FROM sign_in_failures WHERE account_key = ?1", &[&request.account_key.0])?;
    let found = insert(transaction, &request.user_id, &tenant_id, &request.sign_in, move_space)?;
    Ok(SignInOutcome::Done(Box::new(found)))
}

/// Writes a sign-in with the first token of its family, and finds or makes its session.
pub(super) fn insert(
    transaction: &Transaction<'_>,
    user_id: &UserId,
    tenant_id: &TenantId,
    new: &NewSignIn,
    move_space: MoveSpace,
) -> Answer<SignedInAs> {
    let session = session_for(transaction, user_id, tenant_id, new, move_space)?;
    execute(
        transaction,
        "INSERT INTO sign_ins (id, user_id, tenant_id, session_id, created_at, used_at, expires_at, address, agent)
         VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6, ?7, ?8)",
        &[
            &new.sign_in_id.as_str(),
            &user_id.as_str(),
            &tenant_id.as_str(),
            &session.session_id.as_str(),
            &new.now.as_millis(),
            &new.expires_at.as_millis(),
            &new.device.address.map(|address| address.to_string()),
            &new.device.agent,
        ],
    )?;
    tokens::insert(transaction, new.refresh_token, &new.sign_in_id, new.expires_at)?;
    let sign_in = SignIn {
        sign_in_id: new.sign_in_id.clone(),
        session_id: session.session_id.clone(),
        device: new.device.clone(),
        created_at: new.now,
        used_at: new.now,
        expires_at: new.expires_at,
    };
    let standing = users::standing(transaction, user_id, tenant_id, Some(sign_in))?;
    // The membership was found in this very transaction.
    let standing = standing.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    Ok(SignedInAs { standing, session })
}

fn session_for(
    transaction: &Transaction<'_>,
    user_id: &UserId,
    tenant_id: &TenantId,
    new: &NewSignIn,
    move_space: MoveSpace,
) -> Answer<Session> {
    if let Some(session_id) = &new.session_id {
        let request = ClaimRequest {
            session_id: session_id.clone(),
            tenant_id: tenant_id.clone(),
            user_id: user_id.clone(),
            metadata: Map::new(),
            now: new.now,
            expires_at: new.fresh_session.expires_at,
        };
        match sessions::claim(transaction, &request, move_space)? {
            Claim::Claimed(session) | Claim::AlreadyYours(session) => return Ok(session),
            Claim::NotFound => {}
        }
    }
    sessions::insert_owned(transaction, &new.fresh_session, tenant_id, user_id, new.now)
}

pub(super) fn standing(connection: &Connection, sign_in_id: &SignInId, now: Timestamp) -> Answer<Option<Standing>> {
    let sql = "SELECT * FROM sign_ins WHERE id = ?1 AND revoked_at IS NULL AND expires_at > ?2";
    let found = find(connection, sql, &[&sign_in_id.as_str(), &now.as_millis()], |row| {
        Ok((word::<UserId>(row, "user_id")?, word::<TenantId>(row, "tenant_id")?, rows::sign_in(row)?))
    })?;
    match found {
        None => Ok(None),
        Some((user_id, tenant_id, sign_in)) => users::standing(connection, &user_id, &tenant_id, Some(sign_in)),
    }
}

/// A user's sign-ins that have not ended, newest first.
pub(super) fn open(connection: &Connection, user_id: &UserId, now: Timestamp, limit: usize) -> Answer<Vec<SignIn>> {
    let sql = "SELECT * FROM sign_ins WHERE user_id = ?1 AND revoked_at IS NULL AND expires_at > ?2
               ORDER BY id DESC LIMIT ?3";
    list(connection, sql, &[&user_id.as_str(), &now.as_millis(), &row_count(limit)], rows::sign_in)
}

pub(super) fn revoke_others(
    connection: &Connection,
    user_id: &UserId,
    keep: &SignInId,
    now: Timestamp,
) -> Answer<Vec<SignInId>> {
    let sql = "UPDATE sign_ins SET revoked_at = ?3 WHERE user_id = ?1 AND id <> ?2 AND revoked_at IS NULL RETURNING id";
    list(connection, sql, &[&user_id.as_str(), &keep.as_str(), &now.as_millis()], |row| word(row, "id"))
}

pub(super) fn revoke(connection: &Connection, sign_in_id: &SignInId, now: Timestamp) -> Answer<bool> {
    let sql = "UPDATE sign_ins SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL";
    Ok(execute(connection, sql, &[&sign_in_id.as_str(), &now.as_millis()])? > 0)
}

pub(super) fn revoke_user(connection: &Connection, user_id: &UserId, now: Timestamp) -> Answer<u64> {
    let sql = "UPDATE sign_ins SET revoked_at = ?2 WHERE user_id = ?1 AND revoked_at IS NULL";
    let ended = execute(connection, sql, &[&user_id.as_str(), &now.as_millis()])?;
    Ok(u64::try_from(ended).unwrap_or(u64::MAX))
}

pub(super) fn failures(
    connection: &Connection,
    account_key: TokenHash,
    now: Timestamp,
    window: Duration,
) -> Answer<u32> {
    let sql = "SELECT count, since FROM sign_in_failures WHERE account_key = ?1";
    let found = find(connection, sql, &[&account_key.0], |row| Ok((row.get("count")?, instant(row, "since")?)))?;
    Ok(found.filter(|(_, since)| now < since.after(window)).map_or(0, |(count, _)| count))
}

pub(super) fn record_failure(
    connection: &Connection,
    account_key: TokenHash,
    now: Timestamp,
    window: Duration,
) -> Answer<()> {
    let count = failures(connection, account_key, now, window)?.saturating_add(1);
    // The first failure of a window begins it; later ones leave its beginning where it is.
    let sql = "INSERT INTO sign_in_failures (account_key, count, since, forgotten_at) VALUES (?1, ?2, ?3, ?4)
               ON CONFLICT (account_key) DO UPDATE SET
                   count = excluded.count,
                   since = CASE excluded.count WHEN 1 THEN excluded.since ELSE since END,
                   forgotten_at = excluded.forgotten_at";
    execute(connection, sql, &[&account_key.0, &count, &now.as_millis(), &now.after(window).as_millis()])?;
    Ok(())
}

pub(super) fn forget_failures(connection: &Connection, now: Timestamp, limit: usize) -> Answer<()> {
    let sql = "DELETE FROM sign_in_failures WHERE account_key IN
                   (SELECT account_key FROM sign_in_failures WHERE forgotten_at <= ?1 ORDER BY forgotten_at LIMIT ?2)";
    execute(connection, sql, &[&now.as_millis(), &row_count(limit)])?;
    Ok(())
}
