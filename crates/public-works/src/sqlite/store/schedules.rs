//! Schedules, and which of them are due.

use contract::{Owner, ScheduleId, Timestamp};
use runtime::port::store::{Listing, MAX_PAGE, StoreError, StoredSchedule};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::{
    paging::{Window, listing},
    rows::{json, optional_json, seq, stored_seq, timestamp, to_json},
    spaces,
};
use crate::sqlite::DatabaseError;

/// Writes a new one, or over the one of `revision`.
pub(super) fn put(
    transaction: &Transaction<'_>,
    stored: &StoredSchedule,
    revision: Option<u64>,
) -> Result<(), StoreError> {
    match write(transaction, stored, revision)? {
        1 => Ok(()),
        _ => Err(StoreError::Conflict),
    }
}

/// How many rows were written.
fn write(
    transaction: &Transaction<'_>,
    stored: &StoredSchedule,
    revision: Option<u64>,
) -> Result<usize, DatabaseError> {
    let id = stored.schedule.schedule_id.as_str();
    let next_at = stored.schedule.next_at.map(Timestamp::as_millis);
    let (next, body) = (stored_seq(stored.revision), to_json(&stored.schedule));
    let authority = stored.authority.as_ref().map(to_json);
    let Some(revision) = revision else {
        let space = spaces::space_for(transaction, &stored.owner)?;
        let insert = "INSERT INTO schedules (id, space, revision, next_at, body, authority)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (id) DO NOTHING";
        return Ok(transaction.prepare_cached(insert)?.execute(params![id, space, next, next_at, body, authority])?);
    };
    let update = "UPDATE schedules SET revision = ?3, next_at = ?4, body = ?5, authority = ?6
         WHERE id = ?1 AND revision = ?2";
    Ok(transaction.prepare_cached(update)?.execute(params![
        id,
        stored_seq(revision),
        next,
        next_at,
        body,
        authority
    ])?)
}

/// The columns that `read` takes; a condition is to be added.
macro_rules! select {
    ($condition:literal) => {
        concat!(
            "SELECT schedules.body, schedules.revision, spaces.owner, schedules.number, schedules.authority FROM schedules
             JOIN spaces ON spaces.number = schedules.space WHERE ",
            $condition
        )
    };
}

fn read(row: &Row<'_>) -> rusqlite::Result<StoredSchedule> {
    Ok(StoredSchedule {
        schedule: json(row, 0)?,
        revision: seq(row, 1)?,
        owner: json(row, 2)?,
        authority: optional_json(row, 4)?,
    })
}

pub(super) fn get(
    connection: &Connection,
    owner: &Owner,
    id: &ScheduleId,
) -> Result<Option<StoredSchedule>, DatabaseError> {
    let Some(space) = spaces::space_of(connection, owner)? else { return Ok(None) };
    let mut statement = connection.prepare_cached(select!("schedules.id = ?1 AND schedules.space = ?2"))?;
    Ok(statement.query_row(params![id.as_str(), space], read).optional()?)
}

pub(super) fn list(
    connection: &Connection,
    owner: &Owner,
    window: &Window,
) -> Result<Listing<StoredSchedule>, DatabaseError> {
    let nothing = Listing { items: Vec::new(), next_cursor: None };
    let Some(space) = spaces::space_of(connection, owner)? else { return Ok(nothing) };
    let mut statement = connection.prepare_cached(select!(
        "schedules.space = ?1 AND schedules.number < ?2 ORDER BY schedules.number DESC LIMIT ?3 OFFSET ?4"
    ))?;
    let rows = statement
        .query_map(params![space, window.below, window.limit, window.offset], |row| Ok((row.get(3)?, read(row)?)))?;
    Ok(listing(window.page(rows.collect::<Result<_, _>>()?, 0)))
}

pub(super) fn due(connection: &Connection, now: Timestamp, limit: u32) -> Result<Vec<StoredSchedule>, DatabaseError> {
    let mut statement =
        connection.prepare_cached(select!("schedules.next_at <= ?1 ORDER BY schedules.next_at LIMIT ?2"))?;
    let due = statement.query_map(params![now.as_millis(), limit.min(MAX_PAGE)], read)?;
    Ok(due.collect::<Result<_, _>>()?)
}

pub(super) fn next(connection: &Connection) -> Result<Option<Timestamp>, DatabaseError> {
    let mut statement = connection
        .prepare_cached("SELECT next_at FROM schedules WHERE next_at IS NOT NULL ORDER BY next_at LIMIT 1")?;
    Ok(statement.query_row([], |row| timestamp(row, 0)).optional()?)
}

pub(super) fn delete(transaction: &Transaction<'_>, owner: &Owner, id: &ScheduleId) -> Result<bool, DatabaseError> {
    let Some(space) = spaces::space_of(transaction, owner)? else { return Ok(false) };
    let mut statement = transaction.prepare_cached("DELETE FROM schedules WHERE id = ?1 AND space = ?2")?;
    Ok(statement.execute(params![id.as_str(), space])? > 0)
}
