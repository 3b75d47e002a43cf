//! Taking away what nobody can reach any more: the spaces of anonymous sessions that were deleted or have expired without being
//! claimed. The id of such a session was the only way to what it kept.

use contract::{ExecutionId, ObjectId, Owner};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::rows;
use crate::sqlite::DatabaseError;

/// How many executions one piece takes away: the writer does nothing else meanwhile.
const MAX_EXECUTIONS: i64 = 32;

/// How many unfinished executions are named at once; what is left is named the next time.
const MAX_NAMED: i64 = 500;

/// A space that nobody can reach.
#[derive(Clone, Debug)]
pub struct Abandoned {
    pub(super) space: i64,
    pub owner: Owner,
    /// What has to be ended before anything can be taken away.
    pub unfinished: Vec<ExecutionId>,
}

/// The space after `after` that is the next to be abandoned, in the order of their numbers. The keys of anonymous spaces begin with
/// `anonymous/`, and a slash is followed by a zero.
const FIND: &str = "\
SELECT number, owner FROM spaces
WHERE space > 'anonymous/' AND space < 'anonymous0' AND moved_to IS NULL AND number > ?1
    AND NOT EXISTS (SELECT 1 FROM sessions WHERE sessions.id = substr(spaces.space, 11))
ORDER BY number LIMIT 1";

pub(super) fn find(connection: &Connection, after: i64) -> Result<Option<Abandoned>, DatabaseError> {
    let found = connection
        .prepare_cached(FIND)?
        .query_row([after], |row| Ok((row.get::<_, i64>(0)?, rows::json::<Owner>(row, 1)?)))
        .optional()?;
    let Some((space, owner)) = found else { return Ok(None) };
    let mut statement =
        connection.prepare_cached("SELECT id FROM executions WHERE space = ?1 AND ended = 0 LIMIT ?2")?;
    let unfinished = statement.query_map([space, MAX_NAMED], |row| rows::id(row, 0))?.collect::<Result<Vec<_>, _>>()?;
    Ok(Some(Abandoned { space, owner, unfinished }))
}

/// The files of the executions that [`forget_piece`] takes away next: of what they made, and what came with them. They go first, so that
/// none is left that nothing names.
pub(super) fn objects(connection: &Connection, abandoned: &Abandoned) -> Result<Vec<ObjectId>, DatabaseError> {
    let mut statement = connection.prepare_cached(
        "SELECT content ->> '$.object_id' FROM artifacts WHERE space = ?1 AND content IS NOT NULL
             AND (execution_id IN (SELECT id FROM executions WHERE space = ?1 ORDER BY number LIMIT ?2)
                  OR execution_id NOT IN (SELECT id FROM executions WHERE space = ?1))
         UNION
         SELECT attachment.value ->> '$.object_id'
         FROM (SELECT state FROM executions WHERE space = ?1 ORDER BY number LIMIT ?2),
             json_each(state, '$.header.attachments') AS attachment",
    )?;
    let found = statement.query_map([abandoned.space, MAX_EXECUTIONS], |row| rows::id(row, 0))?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// Takes the oldest executions of the space away with all that they made, and in the end the space. Answers whether there is more.
/// Nothing goes while something is at work: what was on its way when the session ended has to be ended first.
pub(super) fn forget_piece(transaction: &Transaction<'_>, abandoned: &Abandoned) -> Result<bool, DatabaseError> {
    let space = abandoned.space;
    let at_work = "SELECT 1 FROM executions WHERE space = ?1 AND ended = 0";
    if transaction.prepare_cached(at_work)?.exists([space])? {
        return Ok(false);
    }
    let run = |sql: &str, values: &[&dyn rusqlite::ToSql]| -> Result<usize, DatabaseError> {
        Ok(transaction.prepare_cached(sql)?.execute(values)?)
    };
    let mut statement = transaction
        .prepare_cached("SELECT number, id, stream FROM executions WHERE space = ?1 ORDER BY number LIMIT ?2")?;
    let executions = statement
        .query_map(params![space, MAX_EXECUTIONS], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, i64>(2)?))
        })?
        .collect::<Result<Vec<_>, _>>()?;
    for (number, id, stream) in &executions {
        forget_artifacts(transaction, "execution_id", id)?;
        run("DELETE FROM steps WHERE execution = ?1", &[number])?;
        run("DELETE FROM approvals WHERE execution = ?1", &[number])?;
        run("DELETE FROM messages WHERE stream = ?1", &[stream])?;
        run("DELETE FROM journal WHERE stream = ?1", &[stream])?;
        run("DELETE FROM executions WHERE number = ?1", &[number])?;
        run("DELETE FROM streams WHERE number = ?1", &[stream])?;
    }
    if i64::try_from(executions.len()) == Ok(MAX_EXECUTIONS) {
        return Ok(true);
    }
    forget_artifacts(transaction, "space", &space)?;
    for table in ["streams", "pending_intents", "schedules", "idempotency"] {
        run(&format!("DELETE FROM {table} WHERE space = ?1"), &[&space])?;
    }
    run("DELETE FROM spaces WHERE number = ?1", &[&space])?;
    // Rows that are gone may have been the newest: their numbers are given again.
    run("UPDATE folding SET folded_to = min(folded_to, (SELECT coalesce(max(number), 0) FROM journal))", &[])?;
    Ok(false)
}

fn forget_artifacts(
    transaction: &Transaction<'_>,
    column: &str,
    value: &dyn rusqlite::ToSql,
) -> Result<(), DatabaseError> {
    for sql in [
        "DELETE FROM artifact_search WHERE rowid IN (SELECT number FROM artifacts WHERE {column} = ?1)",
        "DELETE FROM artifact_parents WHERE artifact IN (SELECT number FROM artifacts WHERE {column} = ?1)",
        "DELETE FROM artifacts WHERE {column} = ?1",
    ] {
        transaction.prepare_cached(&sql.replace("{column}", column))?.execute([value])?;
    }
    Ok(())
}
