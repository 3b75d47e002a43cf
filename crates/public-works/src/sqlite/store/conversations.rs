//! Conversations: their streams, what is said in them, and who answers.

use contract::{
    ConversationId, ExecutionId, Owner, Timestamp,
    conversation::{ConversationSummary, Message, Role},
};
use runtime::port::store::{MAX_PAGE, NewConversation, NewEvent, NewMessage, Page, StoreError};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params, types::Type};

use super::{
    journal::{self, Appended, NOBODY, Stream},
    paging::{self, Window},
    rows::{id, optional_id, seq, stored_seq, timestamp},
    spaces,
};
use crate::sqlite::DatabaseError;

/// How many characters of the first message are a conversation's title.
const TITLE_CHARACTERS: usize = 80;

/// The stream of a conversation; it is begun where there is none. A child speaks where its parent does, whatever the
/// conversation has come to be called since.
pub(super) fn stream_for(
    transaction: &Transaction<'_>,
    space: i64,
    parents: Option<i64>,
    conversation_id: &ConversationId,
    now: Timestamp,
) -> Result<Stream, DatabaseError> {
    let stream = |row: &Row<'_>| Ok(Stream { number: row.get(0)?, head: seq(row, 1)? });
    if let Some(number) = parents
        && let Some(stream) = transaction
            .prepare_cached("SELECT number, head FROM streams WHERE number = ?1 AND conversation_id IS NOT NULL")?
            .query_row([number], stream)
            .optional()?
    {
        return Ok(stream);
    }
    let found = transaction
        .prepare_cached("SELECT number, head FROM streams WHERE space = ?1 AND conversation_id = ?2")?
        .query_row(params![space, conversation_id.as_str()], stream)
        .optional()?;
    if let Some(stream) = found {
        return Ok(stream);
    }
    transaction
        .prepare_cached(
            "INSERT INTO streams (head, space, conversation_id, title, created_at, updated_at)
             VALUES (0, ?1, ?2, '', ?3, ?3)",
        )?
        .execute(params![space, conversation_id.as_str(), now.as_millis()])?;
    Ok(Stream { number: transaction.last_insert_rowid(), head: 0 })
}

/// Begins a conversation with events and messages of elsewhere. False where there is one of this name.
pub(super) fn begin(transaction: &Transaction<'_>, new: &NewConversation) -> Result<bool, DatabaseError> {
    let space = spaces::space_for(transaction, &new.owner)?;
    let events: Vec<NewEvent> = new.events.iter().map(|(_, event)| event.clone()).collect();
    let first = Appended::after(0, &events);
    let begun = transaction
        .prepare_cached(
            "INSERT INTO streams (head, space, conversation_id, title, created_at, updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?5) ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            stored_seq(first.head),
            space,
            new.conversation_id.as_str(),
            new.title,
            new.created_at.as_millis(),
        ])?;
    if begun == 0 {
        return Ok(false);
    }
    let stream = transaction.last_insert_rowid();
    journal::write(transaction, stream, NOBODY, &first)?;
    for (execution, message) in &new.messages {
        say(transaction, stream, execution, first.first_seq, message)?;
    }
    transaction.prepare_cached("UPDATE streams SET updated_at = created_at WHERE number = ?1")?.execute([stream])?;
    Ok(true)
}

/// Adds a message whose event is the one at `message.at_event`, counted from `first_seq`.
pub(super) fn say(
    transaction: &Transaction<'_>,
    stream: i64,
    execution: &ExecutionId,
    first_seq: u64,
    message: &NewMessage,
) -> Result<(), DatabaseError> {
    let now = message.created_at.as_millis();
    let agent = message.agent_id.as_ref().map(contract::AgentId::as_str);
    let conversations = match message.role {
        Role::User => transaction
            .prepare_cached(
                "UPDATE streams SET updated_at = ?2, title = iif(title = '', ?3, title)
                 WHERE number = ?1 AND conversation_id IS NOT NULL",
            )?
            .execute(params![stream, now, title(&message.content)])?,
        Role::Assistant => transaction
            .prepare_cached(
                "UPDATE streams SET updated_at = ?2, agent_id = ?3
                 WHERE number = ?1 AND conversation_id IS NOT NULL",
            )?
            .execute(params![stream, now, agent])?,
    };
    if conversations == 0 {
        return Ok(());
    }
    transaction
        .prepare_cached(
            "INSERT INTO messages (stream, seq, id, role, content, agent_id, execution_id, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            stream,
            stored_seq(first_seq + message.at_event as u64),
            message.id.as_str(),
            message.role.as_str(),
            message.content,
            agent,
            execution.as_str(),
            now,
        ])?;
    Ok(())
}

fn title(content: &str) -> String {
    content.chars().take(TITLE_CHARACTERS).collect()
}

/// Whether a text stands in the title or in a message. `LIKE` minds no case of ASCII letters.
const SAYS: &str = r"(?2 IS NULL OR title LIKE ?2 ESCAPE '\' OR EXISTS
    (SELECT 1 FROM messages WHERE stream = streams.number AND content LIKE ?2 ESCAPE '\'))";

pub(super) fn list(
    connection: &Connection,
    owner: &Owner,
    text: Option<&str>,
    window: &Window,
) -> Result<Page<ConversationSummary>, DatabaseError> {
    let Some(space) = spaces::space_of(connection, owner)? else { return Ok(paging::nothing()) };
    let pattern = text.map(containing);
    let total = connection
        .prepare_cached(&format!(
            "SELECT count(*) FROM streams WHERE space = ?1 AND conversation_id IS NOT NULL AND {SAYS}"
        ))?
        .query_row(params![space, pattern], |row| seq(row, 0))?;
    let mut statement = connection.prepare_cached(&format!(
        "SELECT conversation_id, agent_id, title, created_at, updated_at, head, number FROM streams
         WHERE space = ?1 AND conversation_id IS NOT NULL AND {SAYS} AND number < ?3
         ORDER BY number DESC LIMIT ?4 OFFSET ?5"
    ))?;
    let rows = statement.query_map(params![space, pattern, window.below, window.limit, window.offset], |row| {
        Ok((row.get(6)?, summary(row)?))
    })?;
    Ok(window.page(rows.collect::<Result<_, _>>()?, total))
}

/// The pattern of texts that contain this one.
fn containing(text: &str) -> String {
    let mut pattern = String::from("%");
    for character in text.chars() {
        if "%_\\".contains(character) {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

pub(super) fn rename(
    transaction: &Transaction<'_>,
    owner: &Owner,
    id: &ConversationId,
    title: &str,
) -> Result<Option<ConversationSummary>, DatabaseError> {
    let Some(space) = spaces::space_of(transaction, owner)? else { return Ok(None) };
    transaction
        .prepare_cached("UPDATE streams SET title = ?3 WHERE space = ?1 AND conversation_id = ?2")?
        .execute(params![space, id.as_str(), title])?;
    get(transaction, owner, id)
}

/// The stream stays with its events, for the executions that are in it; nothing finds it as a conversation any more.
pub(super) fn delete(transaction: &Transaction<'_>, owner: &Owner, id: &ConversationId) -> Result<bool, StoreError> {
    take_away(transaction, owner, id)?.ok_or(StoreError::Conflict)
}

/// `None` while something of it has not ended.
fn take_away(transaction: &Transaction<'_>, owner: &Owner, id: &ConversationId) -> Result<Option<bool>, DatabaseError> {
    let Some(space) = spaces::space_of(transaction, owner)? else { return Ok(Some(false)) };
    let stream: Option<i64> = transaction
        .prepare_cached("SELECT number FROM streams WHERE space = ?1 AND conversation_id = ?2")?
        .query_row(params![space, id.as_str()], |row| row.get(0))
        .optional()?;
    let Some(stream) = stream else { return Ok(Some(false)) };
    let under_way =
        transaction.prepare_cached("SELECT 1 FROM executions WHERE ended = 0 AND stream = ?1")?.exists([stream])?;
    if under_way {
        return Ok(None);
    }
    transaction
        .prepare_cached("UPDATE streams SET conversation_id = NULL, agent_id = NULL, title = NULL WHERE number = ?1")?
        .execute([stream])?;
    transaction.prepare_cached("DELETE FROM messages WHERE stream = ?1")?.execute([stream])?;
    Ok(Some(true))
}

pub(super) fn get(
    connection: &Connection,
    owner: &Owner,
    id: &ConversationId,
) -> Result<Option<ConversationSummary>, DatabaseError> {
    let Some(space) = spaces::space_of(connection, owner)? else { return Ok(None) };
    let mut statement = connection.prepare_cached(
        "SELECT conversation_id, agent_id, title, created_at, updated_at, head FROM streams
         WHERE space = ?1 AND conversation_id = ?2",
    )?;
    Ok(statement.query_row(params![space, id.as_str()], summary).optional()?)
}

fn summary(row: &Row<'_>) -> rusqlite::Result<ConversationSummary> {
    Ok(ConversationSummary {
        conversation_id: id(row, 0)?,
        agent_id: optional_id(row, 1)?,
        title: row.get(2)?,
        created_at: timestamp(row, 3)?,
        updated_at: timestamp(row, 4)?,
        cursor: seq(row, 5)?,
    })
}

pub(super) fn messages(
    connection: &Connection,
    owner: &Owner,
    id: &ConversationId,
    before: Option<u64>,
    limit: u32,
) -> Result<Vec<Message>, DatabaseError> {
    let Some(space) = spaces::space_of(connection, owner)? else { return Ok(Vec::new()) };
    let mut statement = connection.prepare_cached(
        "SELECT id, role, content, messages.agent_id, execution_id, seq, messages.created_at FROM messages
         WHERE stream = (SELECT number FROM streams WHERE space = ?1 AND conversation_id = ?2) AND seq < ?3
         ORDER BY seq DESC LIMIT ?4",
    )?;
    let before = stored_seq(before.unwrap_or(u64::MAX));
    let newest = statement.query_map(params![space, id.as_str(), before, limit.min(MAX_PAGE)], message)?;
    let mut messages = newest.collect::<Result<Vec<Message>, _>>()?;
    messages.reverse();
    Ok(messages)
}

fn message(row: &Row<'_>) -> rusqlite::Result<Message> {
    let role = match row.get_ref(1)?.as_str()? {
        "user" => Role::User,
        "assistant" => Role::Assistant,
        other => {
            let unknown = format!("unknown role {other:?}");
            return Err(rusqlite::Error::FromSqlConversionFailure(1, Type::Text, unknown.into()));
        }
    };
    Ok(Message {
        id: id(row, 0)?,
        role,
        content: row.get(2)?,
        agent_id: optional_id(row, 3)?,
        execution_id: Some(id(row, 4)?),
        seq: seq(row, 5)?,
        created_at: timestamp(row, 6)?,
    })
}
