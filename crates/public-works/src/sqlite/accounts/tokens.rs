//! Refresh tokens in SQLite: hashes, each with its successor. What a token that comes in means is the guard's rule.

use contract::{SignInId, TenantId, Timestamp, UserId, session::Session};
use rusqlite::{Connection, Row};
use security_guard::accounts::{
    RotateRequest, Rotated, RotatedToken, SignIn, SignedInAs, TokenHash, TokenRuling, TokenState, rule_on_token,
};

use super::{
    Answer,
    rows::{count, execute, find, instant, optional_instant, word},
    sessions, sign_ins, users,
};

/// A token with the sign-in that it belongs to.
struct Found {
    state: TokenState,
    user_id: UserId,
    tenant_id: TenantId,
    sign_in: SignIn,
}

pub(super) fn insert(connection: &Connection, hash: TokenHash, sign_in_id: &SignInId, end: Timestamp) -> Answer<()> {
    let sql = "INSERT INTO refresh_tokens (hash, sign_in_id, expires_at) VALUES (?1, ?2, ?3)";
    execute(connection, sql, &[&hash.0, &sign_in_id.as_str(), &end.as_millis()])?;
    Ok(())
}

pub(super) fn rotate(connection: &Connection, request: &RotateRequest) -> Answer<Rotated> {
    let Some(found) = look_up(connection, request.presented)? else { return Ok(Rotated::Unknown) };
    match rule_on_token(found.state, request.now, request.reuse_window) {
        TokenRuling::Unknown => Ok(Rotated::Unknown),
        TokenRuling::Expired => Ok(Rotated::Expired),
        TokenRuling::Reused => {
            let Found { user_id, tenant_id, sign_in: SignIn { sign_in_id, .. }, .. } = found;
            sign_ins::revoke(connection, &sign_in_id, request.now)?;
            Ok(Rotated::Reused { sign_in_id, user_id, tenant_id })
        }
        TokenRuling::Advance => {
            let found = advance(connection, request, found)?;
            go_on(connection, request, found)
        }
        TokenRuling::Repeat => go_on(connection, request, found),
    }
}

fn look_up(connection: &Connection, hash: TokenHash) -> Answer<Option<Found>> {
    // A successor that is no longer there was used before it was forgotten.
    let sql = "SELECT token.expires_at AS token_expires_at, token.rotated_at,
                   successor.hash IS NULL OR successor.rotated_at IS NOT NULL AS successor_used,
                   sign_ins.*
               FROM refresh_tokens AS token
               JOIN sign_ins ON sign_ins.id = token.sign_in_id
               LEFT JOIN refresh_tokens AS successor ON successor.hash = token.successor
               WHERE token.hash = ?1";
    find(connection, sql, &[&hash.0], found_row)
}

fn found_row(row: &Row<'_>) -> rusqlite::Result<Found> {
    let successor_used = row.get("successor_used")?;
    let rotated = optional_instant(row, "rotated_at")?.map(|at| RotatedToken { at, successor_used });
    Ok(Found {
        state: TokenState {
            expires_at: instant(row, "token_expires_at")?,
            family_revoked: optional_instant(row, "revoked_at")?.is_some(),
            rotated,
        },
        user_id: word(row, "user_id")?,
        tenant_id: word(row, "tenant_id")?,
        sign_in: super::rows::sign_in(row)?,
    })
}

fn advance(connection: &Connection, request: &RotateRequest, mut found: Found) -> Answer<Found> {
    let end = request.successor_expires_at;
    insert(connection, request.successor, &found.sign_in.sign_in_id, end)?;
    execute(
        connection,
        "UPDATE refresh_tokens SET rotated_at = ?2, successor = ?3 WHERE hash = ?1",
        &[&request.presented.0, &request.now.as_millis(), &request.successor.0],
    )?;
    execute(
        connection,
        "UPDATE sign_ins SET expires_at = ?2, used_at = ?3, address = ?4, agent = ?5 WHERE id = ?1",
        &[
            &found.sign_in.sign_in_id.as_str(),
            &end.as_millis(),
            &request.now.as_millis(),
            &request.device.address.map(|address| address.to_string()),
            &request.device.agent,
        ],
    )?;
    found.sign_in.expires_at = end;
    found.sign_in.used_at = request.now;
    found.sign_in.device = request.device.clone();
    Ok(found)
}

/// The sign-in as it stands, with a session to go on with.
fn go_on(connection: &Connection, request: &RotateRequest, mut found: Found) -> Answer<Rotated> {
    let session = session_for(connection, request, &found)?;
    found.sign_in.session_id = session.session_id.clone();
    let standing = users::standing(connection, &found.user_id, &found.tenant_id, Some(found.sign_in))?;
    Ok(match standing {
        None => Rotated::Unknown,
        Some(standing) if standing.user.disabled_at.is_some() => Rotated::Disabled,
        Some(standing) => Rotated::Done(Box::new(SignedInAs { standing, session })),
    })
}

fn session_for(connection: &Connection, request: &RotateRequest, found: &Found) -> Answer<Session> {
    // A session of another tenant is not gone on with: the sign-in has been taken over to this one.
    if let Some(session) = sessions::find(connection, &found.sign_in.session_id, request.now)?
        && session.tenant_id.as_ref() == Some(&found.tenant_id)
    {
        return Ok(session);
    }
    let fresh = &request.fresh_session;
    let session = sessions::insert_owned(connection, fresh, &found.tenant_id, &found.user_id, request.now)?;
    execute(
        connection,
        "UPDATE sign_ins SET session_id = ?2 WHERE id = ?1",
        &[&found.sign_in.sign_in_id.as_str(), &session.session_id.as_str()],
    )?;
    Ok(session)
}

/// Forgets sign-ins with all of their tokens, and ended tokens of sign-ins that go on.
pub(super) fn forget_expired(connection: &Connection, now: Timestamp, limit: usize) -> Answer<()> {
    for sql in [
        "DELETE FROM sign_ins WHERE id IN
             (SELECT id FROM sign_ins WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)",
        "DELETE FROM refresh_tokens WHERE hash IN
             (SELECT hash FROM refresh_tokens WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)",
    ] {
        execute(connection, sql, &[&now.as_millis(), &count(limit)])?;
    }
    Ok(())
}
