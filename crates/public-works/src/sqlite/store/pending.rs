//! Intents that wait to be submitted.

use contract::{ExecutionId, IntentId, Owner, Timestamp, execution::ExecutionStatus, pending::PendingIntent};
use runtime::port::store::{KeptPending, Page, PendingFilter};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::{
    paging::{self, Window},
    rows::{id, json, optional_id, seq, timestamp, to_json},
    spaces,
};
use crate::sqlite::DatabaseError;

const COLUMNS: &str =
    "pending_intents.intent_id, pending_intents.intent_type, executions.status, target_artifact_id, context,
     pending_intents.execution, created_at, updated_at, pending_intents.number
     FROM pending_intents LEFT JOIN executions ON executions.id = pending_intents.execution";

/// Keeps a pending intent, unless its id is known or there are `most` already.
pub(super) fn keep(
    transaction: &Transaction<'_>,
    owner: &Owner,
    pending: &PendingIntent,
    most: u32,
) -> Result<KeptPending, DatabaseError> {
    let space = spaces::space_for(transaction, owner)?;
    let known = transaction
        .prepare_cached(&format!("SELECT {COLUMNS} WHERE pending_intents.space = ?1 AND intent_id = ?2"))?
        .query_row(params![space, pending.intent_id.as_str()], intent)
        .optional()?;
    if let Some(known) = known {
        return Ok(KeptPending::Known(known));
    }
    let count: u32 = transaction
        .prepare_cached(
            "SELECT count(*) FROM (SELECT 1 FROM pending_intents WHERE space = ?1 AND execution IS NULL LIMIT ?2)",
        )?
        .query_row(params![space, most], |row| row.get(0))?;
    if count >= most {
        return Ok(KeptPending::TooMany);
    }
    transaction
        .prepare_cached(
            "INSERT INTO pending_intents (space, intent_id, intent_type, target_artifact_id, context, created_at, updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)",
        )?
        .execute(params![
            space,
            pending.intent_id.as_str(),
            pending.intent_type,
            pending.target_artifact_id.as_str(),
            to_json(&pending.context),
            pending.created_at.as_millis(),
        ])?;
    Ok(KeptPending::Kept)
}

/// An execution carries a pending intent out, where there is one of this id.
pub(super) fn carry_out(
    transaction: &Transaction<'_>,
    space: i64,
    intent_id: &IntentId,
    execution_id: &ExecutionId,
    now: Timestamp,
) -> Result<(), DatabaseError> {
    transaction
        .prepare_cached(
            "UPDATE pending_intents SET execution = ?3, updated_at = ?4 WHERE space = ?1 AND intent_id = ?2",
        )?
        .execute(params![space, intent_id.as_str(), execution_id.as_str(), now.as_millis()])?;
    Ok(())
}

pub(super) fn list(
    connection: &Connection,
    owner: &Owner,
    filter: &PendingFilter,
    window: &Window,
) -> Result<Page<PendingIntent>, DatabaseError> {
    const WANTED: &str = "pending_intents.space = ?1 AND (?2 IS NULL OR target_artifact_id = ?2)
         AND (?3 IS NULL OR pending_intents.intent_type = ?3) AND (?4 OR pending_intents.execution IS NULL)";
    let Some(space) = spaces::space_of(connection, owner)? else { return Ok(paging::nothing()) };
    let artifact = filter.target_artifact_id.as_ref().map(contract::ArtifactId::as_str);
    let total = connection
        .prepare_cached(&format!("SELECT count(*) FROM pending_intents WHERE {WANTED}"))?
        .query_row(params![space, artifact, filter.intent_type, filter.include_submitted], |row| seq(row, 0))?;
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} WHERE {WANTED} AND pending_intents.number < ?5
         ORDER BY pending_intents.number DESC LIMIT ?6 OFFSET ?7"
    ))?;
    let values = params![
        space,
        artifact,
        filter.intent_type,
        filter.include_submitted,
        window.below,
        window.limit,
        window.offset
    ];
    let rows = statement.query_map(values, |row| Ok((row.get(8)?, intent(row)?)))?;
    Ok(window.page(rows.collect::<Result<_, _>>()?, total))
}

fn intent(row: &Row<'_>) -> rusqlite::Result<PendingIntent> {
    let status: Option<String> = row.get(2)?;
    Ok(PendingIntent {
        intent_id: id(row, 0)?,
        intent_type: row.get(1)?,
        status: status.and_then(|word| ExecutionStatus::from_word(&word)).unwrap_or(ExecutionStatus::Pending),
        target_artifact_id: id(row, 3)?,
        context: json(row, 4)?,
        execution_id: optional_id(row, 5)?,
        created_at: timestamp(row, 6)?,
        updated_at: timestamp(row, 7)?,
    })
}
