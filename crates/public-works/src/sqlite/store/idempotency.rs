//! What makes a retry return the first answer: keys of an owner, and what they were used for. A key that has run out counts no more,
//! whether it has been taken away yet or not.

use contract::{ExecutionId, IntentId, Owner, Timestamp};
use runtime::{
    machine::Header,
    port::store::{Idempotency, Known},
};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::{
    rows::{id, timestamp},
    spaces,
};
use crate::sqlite::DatabaseError;

pub(super) fn recall(
    connection: &Connection,
    owner: &Owner,
    key: &str,
    now: Timestamp,
) -> Result<Option<Known>, DatabaseError> {
    match spaces::space_of(connection, owner)? {
        Some(space) => known(connection, space, key, now),
        None => Ok(None),
    }
}

pub(super) fn known(
    connection: &Connection,
    space: i64,
    key: &str,
    now: Timestamp,
) -> Result<Option<Known>, DatabaseError> {
    let mut statement = connection.prepare_cached(
        "SELECT execution_id, intent_id, created_at, fingerprint FROM idempotency
         WHERE space = ?1 AND key = ?2 AND (expires_at IS NULL OR expires_at > ?3)",
    )?;
    let found = statement.query_row(params![space, key, now.as_millis()], |row| {
        Ok(Known {
            execution_id: id::<ExecutionId>(row, 0)?,
            intent_id: id::<IntentId>(row, 1)?,
            created_at: timestamp(row, 2)?,
            fingerprint: row.get(3)?,
        })
    });
    Ok(found.optional()?)
}

/// Remembers a key that does not count, so that one which has run out is written over.
pub(super) fn remember(
    transaction: &Transaction<'_>,
    space: i64,
    idempotency: &Idempotency,
    header: &Header,
) -> Result<(), DatabaseError> {
    transaction
        .prepare_cached(
            "INSERT OR REPLACE INTO idempotency (space, key, fingerprint, execution_id, intent_id, created_at, expires_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            space,
            idempotency.key,
            idempotency.fingerprint,
            header.execution_id.as_str(),
            header.intent_id.as_str(),
            header.created_at.as_millis(),
            idempotency.expires_at.map(Timestamp::as_millis),
        ])?;
    Ok(())
}

/// The same where the key may count. False where it does.
pub(super) fn remember_new(
    transaction: &Transaction<'_>,
    space: i64,
    idempotency: &Idempotency,
    header: &Header,
) -> Result<bool, DatabaseError> {
    let is_known = transaction
        .prepare_cached("SELECT 1 FROM idempotency WHERE space = ?1 AND key = ?2")?
        .exists(params![space, idempotency.key])?;
    if !is_known {
        remember(transaction, space, idempotency, header)?;
    }
    Ok(!is_known)
}

/// Takes at most `limit` keys away that have run out.
pub(super) fn forget(transaction: &Transaction<'_>, now: Timestamp, limit: u32) -> Result<u64, DatabaseError> {
    let forgotten = transaction
        .prepare_cached(
            "DELETE FROM idempotency WHERE (space, key) IN
                 (SELECT space, key FROM idempotency WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)",
        )?
        .execute(params![now.as_millis(), limit])?;
    Ok(forgotten as u64)
}
