//! Streams and their events. What one commit tells is one row, however many events it has; the row is found by the number
//! of its last event. Later, rows may be folded into one, which changes no event.

use contract::ExecutionId;
use runtime::{
    port::store::{JournalEvent, MAX_PAGE, NewEvent, StreamId, StreamKey, StreamPosition},
    torture::{Bug, has_bug},
};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::{
    folded,
    rows::{seq, stored_seq},
};
use crate::sqlite::DatabaseError;

/// What stands between the events of a row. JSON has no bare newline.
pub(super) const SEPARATOR: char = '\n';

/// Who tells what no execution tells, such as what a conversation begins with: no execution has this number.
pub(super) const NOBODY: i64 = 0;

/// A stream to which something is added, and how far it has come.
#[derive(Clone, Copy)]
pub(super) struct Stream {
    pub(super) number: i64,
    pub(super) head: u64,
}

/// The events as they were numbered, and the number of the first.
pub(super) struct Appended {
    pub(super) first_seq: u64,
    pub(super) head: u64,
    pub(super) events: Vec<JournalEvent>,
}

impl Appended {
    /// Numbers the events that follow `head`.
    pub(super) fn after(head: u64, events: &[NewEvent]) -> Self {
        let first_seq = head + 1;
        let events: Vec<JournalEvent> = (first_seq..).zip(events).map(|(seq, event)| event.numbered(seq)).collect();
        Self { first_seq, head: head + events.len() as u64, events }
    }
}

/// Begins a stream for an execution that is in no conversation, with these events in it.
pub(super) fn begin(transaction: &Transaction<'_>, first: &Appended) -> Result<i64, DatabaseError> {
    transaction.prepare_cached("INSERT INTO streams (head) VALUES (?1)")?.execute([stored_seq(first.head)])?;
    Ok(transaction.last_insert_rowid())
}

/// Moves the head of a stream to the last of the events.
pub(super) fn advance(transaction: &Transaction<'_>, stream: i64, appended: &Appended) -> Result<(), DatabaseError> {
    // The head was read in this transaction. `RETURNING` would be one statement in the place of two, and cost more than both of them:
    // SQLite makes a table for its answers each time.
    transaction
        .prepare_cached("UPDATE streams SET head = ?2 WHERE number = ?1")?
        .execute([stream, stored_seq(appended.head)])?;
    Ok(())
}

/// Writes the events as one row of the stream.
pub(super) fn write(
    transaction: &Transaction<'_>,
    stream: i64,
    execution: i64,
    appended: &Appended,
) -> Result<(), DatabaseError> {
    if !appended.events.is_empty() {
        transaction
            .prepare_cached("INSERT INTO journal (stream, last_seq, execution, body) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![stream, stored_seq(appended.head), execution, body(&appended.events)])?;
    }
    Ok(())
}

fn body(events: &[JournalEvent]) -> String {
    let mut body = String::with_capacity(events.iter().map(|event| event.json.len() + 1).sum());
    for event in events {
        if !body.is_empty() {
            body.push(SEPARATOR);
        }
        body.push_str(&event.json);
    }
    body
}

pub(super) fn stream(connection: &Connection, key: &StreamKey) -> Result<Option<StreamPosition>, DatabaseError> {
    let position = |row: &Row<'_>| Ok(StreamPosition { stream: StreamId(row.get(0)?), head: seq(row, 1)? });
    let found = match key {
        StreamKey::Conversation(owner, id) => connection
            .prepare_cached(
                "SELECT streams.number, head FROM spaces JOIN streams ON streams.space = spaces.number
                 WHERE spaces.space = ?1 AND conversation_id = ?2",
            )?
            .query_row(params![owner.space(), id.as_str()], position),
        StreamKey::Execution(id) => connection
            .prepare_cached(
                "SELECT streams.number, head FROM executions JOIN streams ON streams.number = executions.stream
                 WHERE executions.id = ?1",
            )?
            .query_row([id.as_str()], position),
    };
    Ok(found.optional()?)
}

/// Where in its stream an execution's events are.
struct Bounds {
    execution: i64,
    first_seq: u64,
    /// `None` while it has not ended.
    last_seq: Option<u64>,
}

pub(super) fn events(
    connection: &Connection,
    stream: StreamId,
    after: u64,
    execution: Option<&ExecutionId>,
    limit: u32,
) -> Result<Vec<JournalEvent>, DatabaseError> {
    let limit = limit.clamp(1, MAX_PAGE) as usize;
    let Some(execution) = execution else {
        let rows = "SELECT body FROM journal WHERE stream = ?1 AND last_seq > ?2 ORDER BY last_seq";
        let mut statement = connection.prepare_cached(rows)?;
        return take(statement.query(params![stream.0, stored_seq(after)])?, after, limit);
    };
    let Some(bounds) = bounds(connection, stream, execution)? else { return Ok(Vec::new()) };
    let mut statement = connection.prepare_cached(
        "SELECT body FROM journal
         WHERE stream = ?1 AND last_seq > ?2 AND last_seq <= ?3 AND execution = ?4 ORDER BY last_seq",
    )?;
    let from = after.max(bounds.first_seq.saturating_sub(1));
    let to = stored_seq(bounds.last_seq.unwrap_or(u64::MAX));
    take(statement.query(params![stream.0, stored_seq(from), to, bounds.execution])?, from, limit)
}

/// The newest `limit` events of an execution, oldest first.
pub(super) fn newest(
    connection: &Connection,
    stream: StreamId,
    execution: &ExecutionId,
    limit: u32,
) -> Result<Vec<JournalEvent>, DatabaseError> {
    let limit = limit.clamp(1, MAX_PAGE) as usize;
    let Some(bounds) = bounds(connection, stream, execution)? else { return Ok(Vec::new()) };
    let mut statement = connection.prepare_cached(
        "SELECT body FROM journal
         WHERE stream = ?1 AND last_seq >= ?2 AND last_seq <= ?3 AND execution = ?4 ORDER BY last_seq DESC",
    )?;
    let to = stored_seq(bounds.last_seq.unwrap_or(u64::MAX));
    let mut rows = statement.query(params![stream.0, stored_seq(bounds.first_seq), to, bounds.execution])?;
    let mut events = Vec::new();
    while events.len() < limit
        && let Some(row) = rows.next()?
    {
        events.extend(events_of(row)?.into_iter().rev().take(limit - events.len()));
    }
    events.reverse();
    Ok(events)
}

fn bounds(connection: &Connection, stream: StreamId, execution: &ExecutionId) -> Result<Option<Bounds>, DatabaseError> {
    let found = connection
        .prepare_cached("SELECT number, first_seq, last_seq FROM executions WHERE id = ?1 AND stream = ?2")?
        .query_row(params![execution.as_str(), stream.0], |row| {
            let last_seq: Option<i64> = row.get(2)?;
            let last_seq = last_seq.map(|_| seq(row, 2)).transpose()?;
            Ok(Bounds { execution: row.get(0)?, first_seq: seq(row, 1)?, last_seq })
        })
        .optional()?;
    Ok(found)
}

/// The events of one row, as clients get them.
pub(crate) struct EventsOfRow<'row> {
    lines: std::str::Split<'row, char>,
    /// Those of the present line, where it is a folded one.
    unfolded: std::vec::IntoIter<JournalEvent>,
}

impl<'row> EventsOfRow<'row> {
    pub(crate) fn new(body: &'row str) -> Self {
        Self { lines: body.split(SEPARATOR), unfolded: Vec::new().into_iter() }
    }
}

impl Iterator for EventsOfRow<'_> {
    type Item = Result<JournalEvent, serde_json::Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(event) = self.unfolded.next() {
                return Some(Ok(event));
            }
            let line = self.lines.next()?;
            if !line.starts_with(folded::MARK) {
                return Some(JournalEvent::from_json(line));
            }
            match folded::unfold(line) {
                Ok(events) => self.unfolded = events.into_iter(),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

/// The first `limit` events after `after` out of the rows; a row may begin before it.
fn take(mut rows: rusqlite::Rows<'_>, after: u64, limit: usize) -> Result<Vec<JournalEvent>, DatabaseError> {
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        for event in events_of(row)? {
            if event.seq > after && !(event.seq == after + 1 && after > 0 && has_bug(Bug::ResumedOffByOne)) {
                events.push(event);
            }
            if events.len() == limit {
                return Ok(events);
            }
        }
    }
    Ok(events)
}

/// The events of the row in the first column.
fn events_of(row: &Row<'_>) -> rusqlite::Result<Vec<JournalEvent>> {
    EventsOfRow::new(row.get_ref(0)?.as_str()?)
        .collect::<Result<_, _>>()
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(error)))
}
