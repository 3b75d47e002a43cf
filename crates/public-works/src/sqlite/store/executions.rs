//! Executions: how they come in, how they move on behind their fence, and how they are read. Whose they are is told by their
//! row, not by the state that was stored when they began.

use contract::{ExecutionId, Owner};
use runtime::{
    machine::State,
    port::store::{Change, Committed, Fence, Gate, MAX_PAGE, StoreError, StreamId, Submission, SubmitOutcome},
    torture::{Bug, has_bug},
};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::{
    approvals, artifacts, conversations, idempotency,
    journal::{self, Appended, Stream},
    pending,
    rows::{id, json, seq, stored_seq},
    spaces, steps,
    versioned::{read_state, state_json},
};
use crate::sqlite::DatabaseError;

/// A submission with what can be made ready before the writer's turn.
pub(super) struct PreparedSubmission {
    submission: Submission,
    state: String,
}

impl PreparedSubmission {
    pub(super) fn new(submission: Submission) -> Self {
        Self { state: state_json(&submission.state), submission }
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
            next: change.next.as_ref().map(state_json),
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
    let known_keys = if has_bug(Bug::DeduplicatedOutside) { &[] } else { submission.idempotency.as_slice() };
    for idempotency in known_keys {
        let Some(known) = idempotency::known(transaction, space, &idempotency.key, header.created_at)? else {
            continue;
        };
        return Ok(SubmitOutcome::Known {
            execution_id: known.execution_id,
            intent_id: known.intent_id,
            created_at: known.created_at,
            same_request: known.fingerprint == idempotency.fingerprint,
        });
    }
    if let Some(quota) = submission.quota
        && count(transaction, space, quota)? >= quota
    {
        return Ok(SubmitOutcome::QuotaReached);
    }
    if !is_open(transaction, submission.gate, header.concurrency_key.as_deref())? {
        return Ok(SubmitOutcome::Held);
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
    if let Some(intent_id) = &submission.carries_out {
        pending::carry_out(transaction, space, intent_id, &header.execution_id, header.created_at)?;
    }
    for idempotency in &submission.idempotency {
        idempotency::remember(transaction, space, idempotency, &submission.state.header)?;
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
                  intent_type, session_id, conversation, concurrency_key)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, iif(?13, ?3, NULL), ?14)",
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
            header.concurrency_key,
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

/// How many executions a space has that nothing else called, counted no further than `enough`.
fn count(transaction: &Transaction<'_>, space: i64, enough: u32) -> Result<u32, DatabaseError> {
    let count = transaction
        .prepare_cached("SELECT count(*) FROM (SELECT 1 FROM executions WHERE space = ?1 AND parent IS NULL LIMIT ?2)")?
        .query_row(params![space, enough], |row| row.get(0))?;
    Ok(count)
}

/// Whether the others of a concurrency key that have not ended are as the gate wants them.
fn is_open(transaction: &Transaction<'_>, gate: Option<Gate>, key: Option<&str>) -> Result<bool, DatabaseError> {
    let (Some(gate), Some(key)) = (gate, key) else { return Ok(true) };
    let is_open = match gate {
        Gate::AtMost(most) => transaction
            .prepare_cached(
                "SELECT count(*) <= ?2 FROM
                     (SELECT 1 FROM executions WHERE concurrency_key = ?1 AND ended = 0 LIMIT ?2 + 1)",
            )?
            .query_row(params![key, most], |row| row.get(0))?,
        Gate::NoneWaiting => !transaction
            .prepare_cached(
                "SELECT 1 FROM executions
                 WHERE concurrency_key = ?1 AND ended = 0 AND status = 'pending' AND attempt = 0",
            )?
            .exists([key])?,
    };
    Ok(is_open)
}

/// The answer to a known key from outside of the transaction that uses it. Only a planted mistake asks so.
pub(super) fn known_outside(
    connection: &Connection,
    submission: &PreparedSubmission,
) -> Result<Option<SubmitOutcome>, DatabaseError> {
    let Submission { idempotency, state, .. } = &submission.submission;
    for idempotency in idempotency {
        let now = state.header.created_at;
        if let Some(known) = idempotency::recall(connection, &state.header.owner, &idempotency.key, now)? {
            return Ok(Some(SubmitOutcome::Known {
                execution_id: known.execution_id,
                intent_id: known.intent_id,
                created_at: known.created_at,
                same_request: known.fingerprint == idempotency.fingerprint,
            }));
        }
    }
    Ok(None)
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
    if let (Some(idempotency), Some(next)) = (&change.idempotency, &change.next)
        && !idempotency::remember_new(transaction, space, idempotency, &next.header)?
    {
        return Err(StoreError::Conflict);
    }
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
            "SELECT executions.state, spaces.owner, streams.conversation_id, executions.id FROM executions
             JOIN spaces ON spaces.number = executions.space
             JOIN streams ON streams.number = executions.stream WHERE ",
            $condition
        )
    };
}

/// The stored state with the owner and the conversation of now.
pub(super) fn state(row: &Row<'_>) -> rusqlite::Result<State> {
    let mut state = read_state(row, 0)?;
    state.header.owner = json(row, 1)?;
    if state.header.conversation_id.is_some() {
        state.header.conversation_id = super::rows::optional_id(row, 2)?;
    }
    Ok(state)
}

/// The same for lists: what another version wrote in a form that this one cannot read is left out, and left as it is for that version.
/// `id` is the column that names it.
pub(super) fn readable_state(row: &Row<'_>, id: usize) -> rusqlite::Result<Option<State>> {
    match state(row) {
        Ok(state) => Ok(Some(state)),
        Err(error @ rusqlite::Error::FromSqlConversionFailure(..)) => {
            let execution_id = row.get_ref(id)?.as_str()?;
            tracing::error!(%error, execution_id, "this version cannot read an execution, and leaves it alone");
            Ok(None)
        }
        Err(error) => Err(error),
    }
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
        .prepare_cached(select_state!("executions.ended = 0 AND executions.id > ?1 ORDER BY executions.id"))?;
    let mut rows = statement.query([after.map_or("", ExecutionId::as_str)])?;
    let mut states = Vec::new();
    while states.len() < limit.min(MAX_PAGE) as usize
        && let Some(row) = rows.next()?
    {
        states.extend(readable_state(row, 3)?);
    }
    Ok(states)
}

pub(super) fn unfinished_of_key(
    connection: &Connection,
    concurrency_key: &str,
    limit: u32,
) -> Result<Vec<State>, DatabaseError> {
    let mut statement = connection.prepare_cached(select_state!(
        "executions.concurrency_key = ?1 AND executions.ended = 0 ORDER BY executions.number LIMIT ?2"
    ))?;
    let states = statement.query_map(params![concurrency_key, limit.min(MAX_PAGE)], state)?;
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
