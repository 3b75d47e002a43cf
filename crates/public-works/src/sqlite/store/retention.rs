//! Taking away what is older than it is kept: executions that have ended long ago, with their events, steps, approvals and messages.
//! A conversation loses its beginning and never its middle, so that its numbers stay what they were; an event at the end of what is
//! gone says so to whoever comes with an older cursor. What is taken away can be written into an archive first.

use std::collections::BTreeMap;

use contract::{EventType, ExecutionId, Owner, TenantId, Timestamp};
use runtime::port::store::NewEvent;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use serde_json::{Value, json};

use super::{
    journal::{EventsOfRow, NOBODY},
    rows::json as column_json,
};
use crate::sqlite::DatabaseError;

/// How many executions of a space one piece looks at.
const MAX_LOOKED_AT: i64 = 64;

/// About how many rows of the journal one piece takes away: the writer does nothing else meanwhile.
const MAX_ROWS: usize = 1_000;

/// From when on what has ended is kept. What ended before goes; where there is no instant, everything stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeptFrom {
    pub default: Option<Timestamp>,
    /// For tenants with a rule of their own.
    pub tenants: BTreeMap<TenantId, Option<Timestamp>>,
}

impl Expired {
    /// How many executions it has.
    pub fn executions(&self) -> u64 {
        self.executions.len() as u64
    }
}

impl KeptFrom {
    fn of(&self, owner: &Owner) -> Option<Timestamp> {
        owner.tenant_id().and_then(|tenant| self.tenants.get(tenant)).copied().unwrap_or(self.default)
    }
}

/// How far a pass over everything has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pass {
    space: i64,
    execution: i64,
    is_over: bool,
}

impl Pass {
    pub fn is_over(self) -> bool {
        self.is_over
    }
}

/// The beginning of a stream that is taken away, all of it or nothing.
#[derive(Clone, Debug)]
pub struct Expired {
    stream: i64,
    space: i64,
    /// Whether the stream goes on: a conversation does.
    is_conversation: bool,
    last_seq: i64,
    executions: Vec<(i64, ExecutionId)>,
}

/// What the next piece of a pass found.
pub struct Found {
    pub expired: Vec<Expired>,
    pub pass: Pass,
}

/// Looks at the next executions of the pass, the oldest of each owner first.
pub(super) fn find(connection: &Connection, kept: &KeptFrom, pass: Pass) -> Result<Found, DatabaseError> {
    let next = connection
        .prepare_cached(
            "SELECT number, owner FROM spaces WHERE number >= ?1 AND moved_to IS NULL ORDER BY number LIMIT 1",
        )?
        .query_row([pass.space], |row| Ok((row.get::<_, i64>(0)?, column_json::<Owner>(row, 1)?)))
        .optional()?;
    let Some((space, owner)) = next else {
        return Ok(Found { expired: Vec::new(), pass: Pass { is_over: true, ..pass } });
    };
    let after = if space == pass.space { pass.execution } else { 0 };
    let done = Pass { space: space + 1, execution: 0, is_over: false };
    let Some(from) = kept.of(&owner) else { return Ok(Found { expired: Vec::new(), pass: done }) };
    let mut statement = connection.prepare_cached(
        "SELECT executions.number, executions.stream, streams.conversation_id IS NOT NULL,
                state ->> '$.header.created_at' < ?3
         FROM executions JOIN streams ON streams.number = executions.stream
         WHERE executions.space = ?1 AND executions.number > ?2 ORDER BY executions.number LIMIT ?4",
    )?;
    let looked_at = statement
        .query_map(params![space, after, from.to_string(), MAX_LOOKED_AT], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, bool>(2)?, row.get::<_, bool>(3)?))
        })?
        .collect::<Result<Vec<_>, _>>()?;
    let mut expired: Vec<Expired> = Vec::new();
    let mut reached = after;
    for (number, stream, is_conversation, is_old) in &looked_at {
        if !is_old {
            return Ok(Found { expired, pass: done });
        }
        reached = *number;
        if expired.iter().all(|one| one.stream != *stream) {
            expired.extend(beginning(connection, space, *stream, *is_conversation, from)?);
        }
    }
    let is_last = i64::try_from(looked_at.len()) != Ok(MAX_LOOKED_AT);
    let pass = if is_last { done } else { Pass { space, execution: reached, is_over: false } };
    Ok(Found { expired, pass })
}

/// The longest beginning of a stream in which everything has ended before `from`, within the bound of a piece.
fn beginning(
    connection: &Connection,
    space: i64,
    stream: i64,
    is_conversation: bool,
    from: Timestamp,
) -> Result<Option<Expired>, DatabaseError> {
    let mut statement =
        connection.prepare_cached("SELECT last_seq, execution FROM journal WHERE stream = ?1 ORDER BY last_seq")?;
    let mut rows = statement.query([stream])?;
    let (mut seen, mut reach, mut taken) = (BTreeMap::new(), 0, 0);
    let mut boundary = None;
    while let Some(row) = rows.next()? {
        let (last_seq, execution): (i64, i64) = (row.get(0)?, row.get(1)?);
        if execution != NOBODY && !seen.contains_key(&execution) {
            let Some((id, ends_at)) = ended_before(connection, execution, from)? else { break };
            reach = reach.max(ends_at);
            seen.insert(execution, id);
        }
        taken += 1;
        // Everything that has begun so far ends here: the next event is another one's.
        if last_seq >= reach && !seen.is_empty() {
            boundary = Some((last_seq, seen.clone()));
            if taken >= MAX_ROWS {
                break;
            }
        }
    }
    Ok(boundary.map(|(last_seq, executions)| Expired {
        stream,
        space,
        is_conversation,
        last_seq,
        executions: executions.into_iter().collect(),
    }))
}

/// The id of an execution that ended before `from`, and the number of its last event. One that another execution called stays as long
/// as the other one has not ended: it would be called again.
fn ended_before(
    connection: &Connection,
    number: i64,
    from: Timestamp,
) -> Result<Option<(ExecutionId, i64)>, DatabaseError> {
    let mut statement = connection.prepare_cached(
        "SELECT id, last_seq FROM executions WHERE number = ?1 AND ended = 1 AND last_seq IS NOT NULL
             AND state ->> '$.phase.completed_at' < ?2
             AND NOT EXISTS (SELECT 1 FROM executions AS caller WHERE caller.id = executions.parent AND caller.ended = 0)",
    )?;
    let found = statement
        .query_row(params![number, from.to_string()], |row| Ok((super::rows::id(row, 0)?, row.get(1)?)))
        .optional()?;
    Ok(found)
}

/// All that goes, as one line of an archive.
pub(super) fn line(connection: &Connection, expired: &Expired) -> Result<String, DatabaseError> {
    let Expired { stream, last_seq, executions, space, .. } = expired;
    let list = |sql: &str, values: &[&dyn rusqlite::ToSql]| -> Result<Vec<Value>, DatabaseError> {
        let mut statement = connection.prepare_cached(sql)?;
        Ok(statement.query_map(values, |row| column_json(row, 0))?.collect::<Result<_, _>>()?)
    };
    let about = connection
        .prepare_cached(
            "SELECT json_object('owner', json(spaces.owner), 'conversation_id', streams.conversation_id)
                         FROM streams, spaces WHERE streams.number = ?1 AND spaces.number = ?2",
        )?
        .query_row([stream, space], |row| column_json::<Value>(row, 0))?;
    let mut told = Vec::new();
    let mut statement =
        connection.prepare_cached("SELECT body FROM journal WHERE stream = ?1 AND last_seq <= ?2 ORDER BY last_seq")?;
    let mut rows = statement.query([stream, last_seq])?;
    while let Some(row) = rows.next()? {
        let body: String = row.get(0)?;
        for event in EventsOfRow::new(&body) {
            let event = event.and_then(|event| serde_json::from_str::<Value>(&event.json));
            told.push(event.map_err(|error| {
                rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(error))
            })?);
        }
    }
    let mut kept = Vec::new();
    for (number, _) in executions {
        let steps = list(
            "SELECT json_object('name', name, 'result', json(result), 'recorded_at', recorded_at) FROM steps
             WHERE execution = ?1 ORDER BY number",
            &[number],
        )?;
        let approvals = list("SELECT body FROM approvals WHERE execution = ?1 ORDER BY number", &[number])?;
        let state = list("SELECT state FROM executions WHERE number = ?1", &[number])?;
        kept.push(json!({ "state": state.first(), "steps": steps, "approvals": approvals }));
    }
    let messages = list(
        "SELECT json_object('id', id, 'role', role, 'content', content, 'agent_id', agent_id, 'seq', seq,
                            'execution_id', execution_id, 'created_at', created_at)
         FROM messages WHERE stream = ?1 AND seq <= ?2 ORDER BY seq",
        &[stream, last_seq],
    )?;
    let line = json!({
        "archive": 1,
        "owner": about["owner"],
        "conversation_id": about["conversation_id"],
        "last_seq": last_seq,
        "events": told,
        "messages": messages,
        "executions": kept,
    });
    Ok(line.to_string())
}

/// Takes it away. False where something of it has begun again meanwhile; then all of it stays.
pub(super) fn remove(transaction: &Transaction<'_>, expired: &Expired, now: Timestamp) -> Result<bool, DatabaseError> {
    let Expired { stream, space, is_conversation, last_seq, executions } = expired;
    for (number, _) in executions {
        let still = "SELECT 1 FROM executions WHERE number = ?1 AND ended = 1 AND stream = ?2 AND last_seq <= ?3";
        if !transaction.prepare_cached(still)?.exists([number, stream, last_seq])? {
            return Ok(false);
        }
    }
    let run = |sql: &str, values: &[&dyn rusqlite::ToSql]| -> Result<usize, DatabaseError> {
        Ok(transaction.prepare_cached(sql)?.execute(values)?)
    };
    run("DELETE FROM journal WHERE stream = ?1 AND last_seq <= ?2", &[stream, last_seq])?;
    run("DELETE FROM messages WHERE stream = ?1 AND seq <= ?2", &[stream, last_seq])?;
    for (number, id) in executions {
        run("DELETE FROM steps WHERE execution = ?1", &[number])?;
        run("DELETE FROM approvals WHERE execution = ?1", &[number])?;
        // The keys of what it called begin with its id, and count as long as it does. A colon is followed by a semicolon.
        let (first, end) = (format!("child:{id}:"), format!("child:{id};"));
        run("DELETE FROM idempotency WHERE space = ?1 AND key >= ?2 AND key < ?3", &[space, &first, &end])?;
        run("DELETE FROM executions WHERE number = ?1", &[number])?;
    }
    if *is_conversation {
        tell(transaction, expired, now)?;
    } else {
        run("DELETE FROM streams WHERE number = ?1", &[stream])?;
    }
    // Rows that are gone may have been the newest: their numbers are given again.
    run("UPDATE folding SET folded_to = min(folded_to, (SELECT coalesce(max(number), 0) FROM journal))", &[])?;
    Ok(true)
}

/// The event that stands for all that are gone, with the number of the last of them.
fn tell(transaction: &Transaction<'_>, expired: &Expired, now: Timestamp) -> Result<(), DatabaseError> {
    let Some((_, execution)) = expired.executions.last() else { return Ok(()) };
    let data = json!({ "first_seq": 1, "last_seq": expired.last_seq });
    let seq = u64::try_from(expired.last_seq).unwrap_or_default();
    let event = NewEvent::new(EventType::HistoryRemoved, execution, now, &data).numbered(seq);
    transaction
        .prepare_cached("INSERT INTO journal (stream, last_seq, execution, body) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![expired.stream, expired.last_seq, NOBODY, &*event.json])?;
    Ok(())
}
