//! The recorded steps of executions.

use contract::ExecutionId;
use runtime::port::store::StepRecord;
use rusqlite::{Connection, Transaction, params};

use super::rows::{json, timestamp, to_json};
use crate::sqlite::DatabaseError;

/// Keeps the result of a step. The first one stands: a step never runs twice.
pub(super) fn record(transaction: &Transaction<'_>, execution: i64, step: &StepRecord) -> Result<(), DatabaseError> {
    transaction
        .prepare_cached(
            "INSERT INTO steps (execution, name, result, recorded_at) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (execution, name) DO NOTHING",
        )?
        .execute(params![execution, step.name, to_json(&step.result), step.recorded_at.as_millis()])?;
    Ok(())
}

/// The steps of an execution, in the order in which they were recorded.
pub(super) fn of(connection: &Connection, id: &ExecutionId) -> Result<Vec<StepRecord>, DatabaseError> {
    let mut statement = connection.prepare_cached(
        "SELECT name, result, recorded_at FROM steps
         WHERE execution = (SELECT number FROM executions WHERE id = ?1) ORDER BY number",
    )?;
    let steps = statement.query_map([id.as_str()], |row| {
        Ok(StepRecord { name: row.get(0)?, result: json(row, 1)?, recorded_at: timestamp(row, 2)? })
    })?;
    Ok(steps.collect::<Result<_, _>>()?)
}
