//! Approvals: what waits for somebody's word.

use std::{cmp::Reverse, collections::BTreeMap};

use contract::{
    HookId, Owner,
    approval::{Approval, ApprovalStatus},
};
use runtime::port::store::{Decider, Listing};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::{
    paging::{Window, listing},
    rows::{json, optional_id, to_json},
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
            "INSERT INTO approvals (hook_id, space, execution, status, body, role, tenant) VALUES (?1, ?2, ?3, ?4, ?5, ?6,
                 iif(?6 IS NULL, NULL, (SELECT owner ->> '$.tenant_id' FROM spaces WHERE number = ?2)))
             ON CONFLICT (hook_id) DO UPDATE SET status = excluded.status, body = excluded.body",
        )?
        .execute(params![
            approval.hook_id.as_str(),
            space,
            execution,
            approval.status.as_str(),
            to_json(approval),
            approval.role,
        ])?;
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

/// The columns that `numbered` takes, of one page; a condition on what the fourth parameter names is to be added.
macro_rules! select_page {
    ($condition:literal) => {
        concat!(
            "SELECT approvals.body, streams.conversation_id, approvals.number FROM approvals
             JOIN executions ON executions.number = approvals.execution
             JOIN streams ON streams.number = executions.stream
             WHERE approvals.number < ?1 AND (?2 IS NULL OR approvals.status = ?2) AND ",
            $condition,
            " ORDER BY approvals.number DESC LIMIT ?3"
        )
    };
}

/// A page of each of the lists that together are somebody's, laid over each other: their own, and for each of their roles what waits for it
/// in their tenant.
pub(super) fn list(
    connection: &Connection,
    decider: &Decider,
    status: Option<ApprovalStatus>,
    window: &Window,
) -> Result<Listing<Approval>, DatabaseError> {
    let status = status.map(ApprovalStatus::as_str);
    let most = window.limit + window.offset;
    let mut found: BTreeMap<Reverse<i64>, Approval> = BTreeMap::new();
    if let Some(space) = spaces::space_of(connection, &decider.owner)? {
        let mut own = connection.prepare_cached(select_page!("approvals.space = ?4"))?;
        for row in own.query_map(params![window.below, status, most, space], numbered)? {
            let (number, approval) = row?;
            found.insert(Reverse(number), approval);
        }
    }
    if let Some(tenant) = decider.owner.tenant_id() {
        let mut by_role = connection.prepare_cached(select_page!("approvals.tenant = ?4 AND approvals.role = ?5"))?;
        for role in &decider.roles {
            for row in by_role.query_map(params![window.below, status, most, tenant.as_str(), role], numbered)? {
                let (number, approval) = row?;
                found.insert(Reverse(number), approval);
            }
        }
    }
    let offset = usize::try_from(window.offset).unwrap_or(usize::MAX);
    let rows = found.into_iter().map(|(Reverse(number), approval)| (number, approval)).skip(offset).collect();
    Ok(listing(window.page(rows, 0)))
}

fn numbered(row: &Row<'_>) -> rusqlite::Result<(i64, Approval)> {
    Ok((row.get(2)?, approval(row)?))
}

/// The stored approval with the conversation of now.
fn approval(row: &Row<'_>) -> rusqlite::Result<Approval> {
    let mut approval: Approval = json(row, 0)?;
    if approval.conversation_id.is_some() {
        approval.conversation_id = optional_id(row, 1)?;
    }
    Ok(approval)
}
