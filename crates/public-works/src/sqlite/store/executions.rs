//! Executions: how they come in, how they move on behind their fence, and how they are read. Whose they are is told by their
//! row, not by the state that was stored when they began.

use contract::{ExecutionId, IntentId, Owner};
use runtime::{
    machine::State,
    port::store::{Change, Committed, Fence, Idempotency, MAX_PAGE, StoreError, StreamId, Submission, SubmitOutcome},
    torture::{Bug, has_bug},
};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::{
    approvals, artifacts, conversations,
    journal::{self, Appended, Stream},
    rows::{id, json, seq, stored_seq, timestamp, to_json},
    spaces, steps,
};
use crate::sqlite::DatabaseError;

/// A submission with what can be made ready before the writer's turn.
pub(super) struct PreparedSubmission {
    submission: Submission,
    state: String,
}

impl PreparedSubmission {
    pub(super) fn new(submission: Submission) -> Self {
        Self { state: to_json(&submission.state), submission }
    }
}

/// A change with what can be made ready before the writer's turn.
pub(super) struct PreparedChange {
    change: Change,
    next: Option<String>,
    artifacts: Vec<artifacts::PreparedArtifact>,
}

impl PreparedChange {
    pub(super) fn new(mut change: Change) -> Self {
        let artifacts = std::mem::take(&mut change.artifacts);
        Self {
            next: change.next.as_ref().map(to_json),
            artifacts: artifacts.into_iter().map(artifacts::PreparedArtifact::new).collect(),
            change,
        }
    }
}

/// Where an execution stands in the database.
struct Place {
    space: i64,
    stream: i64,
}

pub(super) fn submit(
    transaction: &Transaction<'_>,
    prepared: &PreparedSubmission,
) -> Result<SubmitOutcome, StoreError> {
    let submission = &prepared.submission;
    let header = &submission.state.header;
    let parent = header.parent.as_ref().map(|parent| place(transaction, parent)).transpose()?.flatten();
    let space = match &parent {
        // The session may have been claimed since the parent began.
        Some(parent) => parent.space,
        None => spaces::space_for(transaction, &header.owner)?,
    };
    if let Some(idempotency) = &submission.idempotency
        && !has_bug(Bug::DeduplicatedOutside)
        && let Some(known) = known(transaction, space, idempotency)?
    {
        return Ok(known);
    }
    if let Some(quota) = submission.quota
        && count(transaction, space, quota)? >= quota
    {
        return Ok(SubmitOutcome::QuotaReached);
    }
    let events = &submission.events;
    let (stream, appended) = match &header.conversation_id {
        Some(conversation_id) => {
            let parents = parent.map(|parent| parent.stream);
            let stream = conversations::stream_for(transaction, space, parents, conversation_id, header.created_at)?;
            let appended = Appended::after(stream.head, events);
            journal::advance(transaction, stream.number, &appended)?;
            (stream.number, appended)
        }
        None => {
            let appended = Appended::after(0, events);
            (journal::begin(transaction, &appended)?, appended)
        }
    };
    let execution = insert(transaction, &Place { space, stream }, prepared, appended.first_seq)?;
    journal::write(transaction, stream, execution, &appended)?;
    if let Some(idempotency) = &submission.idempotency {
        remember(transaction, space, idempotency, &submission.state)?;
    }
    if let Some(approval) = &submission.approval {
        approvals::put(transaction, space, execution, approval)?;
    }
    if let Some(message) = &submission.message {
        conversations::say(transaction, stream, &header.execution_id, appended.first_seq, message)?;
    }
    Ok(SubmitOutcome::Accepted(Committed { stream: StreamId(stream), events: appended.events }))
}

fn insert(
    transaction: &Transaction<'_>,
    place: &Place,
    prepared: &PreparedSubmission,
    first_seq: u64,
) -> Result<i64, DatabaseError> {
    let state = &prepared.submission.state;
    let header = &state.header;
    transaction
        .prepare_cached(
            "INSERT INTO executions
                 (id, space, stream, parent, status, ended, attempt, revision, first_seq, state,
                  intent_type, session_id, conversation)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, iif(?13, ?3, NULL))",
        )?
        .execute(params![
            header.execution_id.as_str(),
            place.space,
            place.stream,
            header.parent.as_ref().map(ExecutionId::as_str),
            state.status().as_str(),
            state.has_ended(),
            state.attempt(),
            stored_seq(state.revision),
            stored_seq(first_seq),
            prepared.state,
            header.intent_type,
            header.session_id.as_str(),
            header.conversation_id.is_some(),
        ])?;
    Ok(transaction.last_insert_rowid())
}

fn place(transaction: &Transaction<'_>, id: &ExecutionId) -> Result<Option<Place>, DatabaseError> {
    let found = transaction
        .prepare_cached("SELECT space, stream FROM executions WHERE id = ?1")?
        .query_row([id.as_str()], |row| Ok(Place { space: row.get(0)?, stream: row.get(1)? }))
        .optional()?;
    Ok(found)
}

/// How many executions a space has, counted no further than `enough`.
fn count(transaction: &Transaction<'_>, space: i64, enough: u32) -> Result<u32, DatabaseError> {
    let count = transaction
        .prepare_cached("SELECT count(*) FROM (SELECT 1 FROM executions WHERE space = ?1 LIMIT ?2)")?
        .query_row(params![space, enough], |row| row.get(0))?;
    Ok(count)
}

/// The answer to a known key from outside of the transaction that uses it. Only a planted mistake asks so.
pub(super) fn known_outside(
    connection: &Connection,
    submission: &PreparedSubmission,
) -> Result<Option<SubmitOutcome>, DatabaseError> {
    let submission = &submission.submission;
    match (&submission.idempotency, spaces::space_of(connection, &submission.state.header.owner)?) {
        (Some(idempotency), Some(space)) => known(connection, space, idempotency),
        (Some(_) | None, _) => Ok(None),
    }
}

fn known(
    connection: &Connection,
    space: i64,
    idempotency: &Idempotency,
) -> Result<Option<SubmitOutcome>, DatabaseError> {
    let found = connection
        .prepare_cached(
            "SELECT execution_id, intent_id, created_at, fingerprint FROM idempotency WHERE space = ?1 AND key = ?2",
        )?
        .query_row(params![space, idempotency.key], |row| {
            Ok(SubmitOutcome::Known {
                execution_id: id::<ExecutionId>(row, 0)?,
                intent_id: id::<IntentId>(row, 1)?,
                created_at: timestamp(row, 2)?,
                same_request: row.get_ref(3)?.as_blob()? == idempotency.fingerprint,
            })
        })
        .optional()?;
    Ok(found)
}

fn remember(
    transaction: &Transaction<'_>,
    space: i64,
    idempotency: &Idempotency,
    state: &State,
) -> Result<(), DatabaseError> {
    if has_bug(Bug::DeduplicatedOutside) {
        let forget = "DELETE FROM idempotency WHERE space = ?1 AND key = ?2";
        transaction.prepare_cached(forget)?.execute(params![space, idempotency.key])?;
    }
    transaction
        .prepare_cached(
            "INSERT INTO idempotency (space, key, fingerprint, execution_id, intent_id, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            space,
            idempotency.key,
            idempotency.fingerprint,
            state.header.execution_id.as_str(),
            state.header.intent_id.as_str(),
            state.header.created_at.as_millis(),
        ])?;
    Ok(())
}

/// What a change has to know of the stored execution.
struct Stored {
    number: i64,
    space: i64,
    stream: Stream,
    revision: u64,
    running_attempt: Option<u32>,
    ended: bool,
}

pub(super) fn commit(transaction: &Transaction<'_>, prepared: &PreparedChange) -> Result<Committed, StoreError> {
    let change = &prepared.change;
    let stored = stored(transaction, &change.execution_id)?.ok_or(StoreError::Conflict)?;
    let holds = match change.fence {
        Fence::Revision(revision) => stored.revision == revision,
        Fence::Attempt(attempt) => stored.running_attempt == Some(attempt),
    };
    if !holds && !has_bug(Bug::FenceIgnored) {
        return Err(StoreError::Conflict);
    }
    let Stored { space, stream: Stream { number: stream, head }, .. } = stored;
    let appended = match &change.message {
        Some(message) if has_bug(Bug::MessageWithoutEvent) => {
            let mut events = change.events.clone();
            events.remove(message.at_event);
            Appended::after(head, &events)
        }
        Some(_) | None => Appended::after(head, &change.events),
    };
    if !appended.events.is_empty() {
        journal::advance(transaction, stream, &appended)?;
        journal::write(transaction, stream, stored.number, &appended)?;
    }
    match (&change.next, &prepared.next) {
        (Some(next), Some(json)) => move_on(transaction, stored.number, next, json, &appended)?,
        // An ended execution tells something more.
        (None, _) | (_, None) if stored.ended => extend(transaction, stored.number, &appended)?,
        (None, _) | (_, None) => {}
    }
    for step in &change.steps {
        steps::record(transaction, stored.number, step)?;
    }
    for artifact in &prepared.artifacts {
        if !artifacts::put(transaction, space, artifact)? {
            return Err(StoreError::Conflict);
        }
    }
    if let Some(approval) = &change.approval {
        approvals::put(transaction, space, stored.number, approval)?;
    }
    if let Some(message) = &change.message {
        conversations::say(transaction, stream, &change.execution_id, appended.first_seq, message)?;
    }
    Ok(Committed { stream: StreamId(stream), events: appended.events })
}

fn stored(transaction: &Transaction<'_>, id: &ExecutionId) -> Result<Option<Stored>, DatabaseError> {
    let found = transaction
        .prepare_cached(
            "SELECT executions.number, executions.space, stream, head, revision, iif(status = 'running', attempt, NULL), ended
             FROM executions JOIN streams ON streams.number = executions.stream WHERE executions.id = ?1",
        )?
        .query_row([id.as_str()], |row| {
            Ok(Stored {
                number: row.get(0)?,
                space: row.get(1)?,
                stream: Stream { number: row.get(2)?, head: seq(row, 3)? },
                revision: seq(row, 4)?,
                running_attempt: row.get(5)?,
                ended: row.get(6)?,
            })
        })
        .optional()?;
    Ok(found)
}

fn move_on(
    transaction: &Transaction<'_>,
    number: i64,
    next: &State,
    json: &str,
    appended: &Appended,
) -> Result<(), DatabaseError> {
    let last_seq = next.has_ended().then(|| stored_seq(appended.head));
    transaction
        .prepare_cached(
            "UPDATE executions SET status = ?2, ended = ?3, attempt = ?4, revision = ?5, last_seq = ?6, state = ?7
             WHERE number = ?1",
        )?
        .execute(params![
            number,
            next.status().as_str(),
            next.has_ended(),
            next.attempt(),
            stored_seq(next.revision),
            last_seq,
            json,
        ])?;
    Ok(())
}

fn extend(transaction: &Transaction<'_>, number: i64, appended: &Appended) -> Result<(), DatabaseError> {
    transaction
        .prepare_cached("UPDATE executions SET last_seq = ?2 WHERE number = ?1")?
        .execute(params![number, stored_seq(appended.head)])?;
    Ok(())
}

/// The columns that `state` reads; a condition is to be added.
macro_rules! select_state {
    ($condition:literal) => {
        concat!(
            "SELECT executions.state, spaces.owner, streams.conversation_id FROM executions
             JOIN spaces ON spaces.number = executions.space
             JOIN streams ON streams.number = executions.stream WHERE ",
            $condition
        )
    };
}

/// The stored state with the owner and the conversation of now.
pub(super) fn state(row: &Row<'_>) -> rusqlite::Result<State> {
    let mut state: State = json(row, 0)?;
    state.header.owner = json(row, 1)?;
    if state.header.conversation_id.is_some() {
        state.header.conversation_id = super::rows::optional_id(row, 2)?;
    }
    Ok(state)
}

pub(super) fn get(connection: &Connection, id: &ExecutionId) -> Result<Option<State>, DatabaseError> {
    let mut statement = connection.prepare_cached(select_state!("executions.id = ?1"))?;
    Ok(statement.query_row([id.as_str()], state).optional()?)
}

pub(super) fn unfinished(
    connection: &Connection,
    after: Option<&ExecutionId>,
    limit: u32,
) -> Result<Vec<State>, DatabaseError> {
    let mut statement = connection
        .prepare_cached(select_state!("executions.ended = 0 AND executions.id > ?1 ORDER BY executions.id LIMIT ?2"))?;
    let after = after.map_or("", ExecutionId::as_str);
    let states = statement.query_map(params![after, limit.min(MAX_PAGE)], state)?;
    Ok(states.collect::<Result<_, _>>()?)
}

pub(super) fn unfinished_children(
    connection: &Connection,
    parent: &ExecutionId,
) -> Result<Vec<ExecutionId>, DatabaseError> {
    let mut statement =
        connection.prepare_cached("SELECT id FROM executions WHERE parent = ?1 AND ended = 0 ORDER BY number")?;
    let ids = statement.query_map([parent.as_str()], |row| id(row, 0))?;
    Ok(ids.collect::<Result<_, _>>()?)
}

pub(super) fn owner(connection: &Connection, id: &ExecutionId) -> Result<Option<Owner>, DatabaseError> {
    let mut statement = connection.prepare_cached(
        "SELECT spaces.owner FROM executions JOIN spaces ON spaces.number = executions.space WHERE executions.id = ?1",
    )?;
    Ok(statement.query_row([id.as_str()], |row| json(row, 0)).optional()?)
}
