//! Lists of executions. Whatever is asked for, an index has it in the order of the list, so that a page costs what it shows.

use contract::{ConversationId, ExecutionId, Owner, SessionId};
use runtime::{
    machine::State,
    port::store::{ExecutionFilter, Listing},
};
use rusqlite::{Connection, OptionalExtension, ToSql, params};

use super::{
    executions::readable_state,
    paging::{Window, listing},
    spaces,
};
use crate::sqlite::DatabaseError;

pub(super) fn list(
    connection: &Connection,
    owner: &Owner,
    filter: &ExecutionFilter,
    window: &Window,
) -> Result<Listing<State>, DatabaseError> {
    let nothing = Listing { items: Vec::new(), next_cursor: None };
    let Some(space) = spaces::space_of(connection, owner)? else { return Ok(nothing) };
    let Some(wanted) = Wanted::new(connection, space, filter)? else { return Ok(nothing) };
    let sql = format!(
        "SELECT executions.state, spaces.owner, streams.conversation_id, executions.number, executions.id
         FROM executions INDEXED BY {}
         JOIN spaces ON spaces.number = executions.space
         JOIN streams ON streams.number = executions.stream
         WHERE executions.space = ?{} AND executions.number < ?
         ORDER BY executions.number DESC LIMIT ? OFFSET ?",
        wanted.index, wanted.sql
    );
    let mut values: Vec<&dyn ToSql> = wanted.values.iter().map(AsRef::as_ref).collect();
    values.extend([&window.below as &dyn ToSql, &window.limit, &window.offset]);
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(values.as_slice(), |row| Ok((row.get(3)?, readable_state(row, 4)?)))?;
    let page = listing(window.page(rows.collect::<Result<_, _>>()?, 0));
    Ok(Listing { items: page.items.into_iter().flatten().collect(), next_cursor: page.next_cursor })
}

/// A filter as SQL, and the index whose rows are looked through for it: the one of the condition that fewest executions meet.
struct Wanted {
    index: &'static str,
    sql: String,
    values: Vec<Box<dyn ToSql>>,
}

impl Wanted {
    /// `None` where nothing can pass.
    fn new(connection: &Connection, space: i64, filter: &ExecutionFilter) -> Result<Option<Self>, DatabaseError> {
        let mut wanted = Self { index: "executions_by_space", sql: String::new(), values: vec![Box::new(space)] };
        if let Some(intent_type) = &filter.intent_type {
            wanted.and("executions_by_intent", "intent_type = ?", intent_type.clone());
        }
        if let Some(status) = filter.status {
            // The words stand in the text, so that the planner sees that the partial indexes apply.
            let index = if status.has_ended() { "executions_ended" } else { "executions_unfinished_by_space" };
            wanted.also(index, if status.has_ended() { "ended = 1" } else { "ended = 0" });
            wanted.and(index, "status = ?", status.as_str().to_owned());
        }
        if let Some(session_id) = filter.session_id.as_ref().map(SessionId::as_str) {
            wanted.and("executions_by_session", "session_id = ?", session_id.to_owned());
        }
        if filter.dead_letters {
            wanted.also("executions_dead", "status = 'failed' AND parent IS NULL");
        }
        if let Some(conversation_id) = &filter.conversation_id {
            let Some(stream) = stream_of(connection, space, conversation_id)? else { return Ok(None) };
            wanted.and("executions_by_conversation", "conversation = ?", stream);
        }
        if let Some(parent) = filter.parent.as_ref().map(ExecutionId::as_str) {
            wanted.and("executions_by_parent", "parent = ?", parent.to_owned());
        }
        Ok(Some(wanted))
    }

    fn and(&mut self, index: &'static str, condition: &str, value: impl ToSql + 'static) {
        self.also(index, condition);
        self.values.push(Box::new(value));
    }

    fn also(&mut self, index: &'static str, condition: &str) {
        self.index = index;
        self.sql.push_str(" AND executions.");
        self.sql.push_str(&condition.replace(" AND ", " AND executions."));
    }
}

fn stream_of(
    connection: &Connection,
    space: i64,
    conversation_id: &ConversationId,
) -> Result<Option<i64>, DatabaseError> {
    let mut statement =
        connection.prepare_cached("SELECT number FROM streams WHERE space = ?1 AND conversation_id = ?2")?;
    Ok(statement.query_row(params![space, conversation_id.as_str()], |row| row.get(0)).optional()?)
}
