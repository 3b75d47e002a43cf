//! Approvals: what waits for somebody's word.

use contract::{
    HookId, Owner,
    approval::{Approval, ApprovalStatus},
};
use runtime::port::store::Page;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::{
    paging::{self, Window},
    rows::{json, optional_id, seq, to_json},
    spaces,
};
use crate::sqlite::DatabaseError;

/// Writes an approval, or what has become of it.
pub(super) fn put(
    transaction: &Transaction<'_>,
    space: i64,
    execution: i64,
    approval: &Approval,
) -> Result<(), DatabaseError> {
    transaction
        .prepare_cached(
            "INSERT INTO approvals (hook_id, space, execution, status, body) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (hook_id) DO UPDATE SET status = excluded.status, body = excluded.body",
        )?
        .execute(params![approval.hook_id.as_str(), space, execution, approval.status.as_str(), to_json(approval),])?;
    Ok(())
}

pub(super) fn get(connection: &Connection, hook_id: &HookId) -> Result<Option<(Owner, Approval)>, DatabaseError> {
    let mut statement = connection.prepare_cached(
        "SELECT approvals.body, streams.conversation_id, spaces.owner FROM approvals
         JOIN spaces ON spaces.number = approvals.space
         JOIN executions ON executions.number = approvals.execution
         JOIN streams ON streams.number = executions.stream
         WHERE hook_id = ?1",
    )?;
    Ok(statement.query_row([hook_id.as_str()], |row| Ok((json(row, 2)?, approval(row)?))).optional()?)
}

pub(super) fn list(
    connection: &Connection,
    owner: &Owner,
    status: Option<ApprovalStatus>,
    window: &Window,
) -> Result<Page<Approval>, DatabaseError> {
    let Some(space) = spaces::space_of(connection, owner)? else { return Ok(paging::nothing()) };
    let status = status.map(ApprovalStatus::as_str);
    let total = connection
        .prepare_cached("SELECT count(*) FROM approvals WHERE space = ?1 AND (?2 IS NULL OR status = ?2)")?
        .query_row(params![space, status], |row| seq(row, 0))?;
    let mut statement = connection.prepare_cached(
        "SELECT approvals.body, streams.conversation_id, approvals.number FROM approvals
         JOIN executions ON executions.number = approvals.execution
         JOIN streams ON streams.number = executions.stream
         WHERE approvals.space = ?1 AND (?2 IS NULL OR approvals.status = ?2) AND approvals.number < ?3
         ORDER BY approvals.number DESC LIMIT ?4 OFFSET ?5",
    )?;
    let rows = statement
        .query_map(params![space, status, window.below, window.limit, window.offset], |row| {
            Ok((row.get(2)?, approval(row)?))
        })?
        .collect::<Result<_, _>>()?;
    Ok(window.page(rows, total))
}

/// The stored approval with the conversation of now.
fn approval(row: &Row<'_>) -> rusqlite::Result<Approval> {
    let mut approval: Approval = json(row, 0)?;
    if approval.conversation_id.is_some() {
        approval.conversation_id = optional_id(row, 1)?;
    }
    Ok(approval)
}
