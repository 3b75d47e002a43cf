//! What a data directory has to tell, read as it lies there: nothing is executed, nothing is changed, and a server that works on it is
//! not disturbed.

use std::path::{Path, PathBuf};

use contract::{ConversationId, Event, ExecutionId, Owner};
use rusqlite::{Connection, OptionalExtension, params};

use super::{connect, database::DATABASE_FILE, error::OpenError, store::journal::EventsOfRow};

/// The longest story that is read, in events; it is held in memory.
const MAX_EVENTS: usize = 1_000_000;

/// How deep executions can call executions; the Runtime allows less.
const MAX_DEPTH: u32 = 32;

/// A data directory at one moment.
pub struct Past {
    path: PathBuf,
    connection: Connection,
}

/// A conversation, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    pub stream: i64,
    pub owner: Owner,
    pub conversation_id: ConversationId,
}

/// Why there is nothing to tell. Each message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum PastError {
    #[error("There is no data in {0}. Name the folder with --data-dir, or a server with --server.")]
    NoData(PathBuf),
    #[error("The story has more than {MAX_EVENTS} events, which is more than is read at once.")]
    TooLong,
    #[error("An event in {path} cannot be read by this version ({source}). Use the version that wrote it.")]
    Unreadable { path: PathBuf, source: serde_json::Error },
    #[error(transparent)]
    Open(#[from] OpenError),
}

impl Past {
    pub fn open(data_directory: &Path) -> Result<Self, PastError> {
        let path = data_directory.join(DATABASE_FILE);
        if !path.exists() {
            return Err(PastError::NoData(data_directory.to_owned()));
        }
        let open = || -> rusqlite::Result<Connection> {
            let connection = connect::reader(&path)?;
            connection.execute_batch("BEGIN")?;
            Ok(connection)
        };
        let connection = open().map_err(|source| OpenError::of(&path, source))?;
        Ok(Self { path, connection })
    }

    /// The conversations of everybody, or those of this name, in the order in which they were begun.
    pub fn conversations(&self, id: Option<&ConversationId>) -> Result<Vec<Held>, PastError> {
        let read = || -> rusqlite::Result<Vec<(i64, String, String)>> {
            let mut statement = self.connection.prepare(
                "SELECT streams.number, spaces.owner, streams.conversation_id FROM streams
                 JOIN spaces ON spaces.number = streams.space
                 WHERE conversation_id IS NOT NULL AND conversation_id = coalesce(?1, conversation_id)
                 ORDER BY streams.number",
            )?;
            let id = id.map(ConversationId::as_str);
            statement.query_map([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect()
        };
        let rows = read().map_err(|source| OpenError::of(&self.path, source))?;
        rows.into_iter()
            .map(|(stream, owner, id)| {
                let owner = serde_json::from_str(&owner).map_err(|source| self.unreadable(source))?;
                let id = serde_json::from_value(id.into()).map_err(|source| self.unreadable(source))?;
                Ok(Held { stream, owner, conversation_id: id })
            })
            .collect()
    }

    /// All events of a conversation.
    pub fn conversation(&self, held: &Held) -> Result<Vec<Event>, PastError> {
        let mut events = Vec::new();
        self.read("SELECT body FROM journal WHERE stream = ?1 ORDER BY last_seq", &[&held.stream], &mut events)?;
        Ok(events)
    }

    /// The events of an execution and of all that it called, in the order of their times. `None` where there is no such execution.
    pub fn execution(&self, id: &ExecutionId) -> Result<Option<Vec<Event>>, PastError> {
        let failed = |source| PastError::Open(OpenError::of(&self.path, source));
        let find = "SELECT number, stream FROM executions WHERE id = ?1";
        let place = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?));
        if self.connection.query_row(find, [id.as_str()], place).optional().map_err(failed)?.is_none() {
            return Ok(None);
        }
        let family = "WITH RECURSIVE family (id, number, stream, depth) AS (
                SELECT id, number, stream, 0 FROM executions WHERE id = ?1
                UNION ALL
                SELECT child.id, child.number, child.stream, depth + 1 FROM family
                JOIN executions AS child ON child.parent = family.id WHERE depth < ?2
            ) SELECT number, stream FROM family";
        let members = || -> rusqlite::Result<Vec<(i64, i64)>> {
            let mut statement = self.connection.prepare(family)?;
            statement.query_map(params![id.as_str(), MAX_DEPTH], place)?.collect()
        };
        let mut events = Vec::new();
        for (number, stream) in members().map_err(failed)? {
            let own = "SELECT body FROM journal WHERE stream = ?1 AND execution = ?2 ORDER BY last_seq";
            self.read(own, &[&stream, &number], &mut events)?;
        }
        events.sort_by_key(|event| (event.timestamp, event.seq));
        Ok(Some(events))
    }

    fn read(&self, sql: &str, values: &[&dyn rusqlite::ToSql], events: &mut Vec<Event>) -> Result<(), PastError> {
        let failed = |source| PastError::Open(OpenError::of(&self.path, source));
        let mut statement = self.connection.prepare(sql).map_err(failed)?;
        let mut rows = statement.query(values).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            let body: String = row.get(0).map_err(failed)?;
            for event in EventsOfRow::new(&body) {
                let event = event.and_then(|event| serde_json::from_str(&event.json));
                events.push(event.map_err(|source| self.unreadable(source))?);
            }
            if events.len() > MAX_EVENTS {
                return Err(PastError::TooLong);
            }
        }
        Ok(())
    }

    fn unreadable(&self, source: serde_json::Error) -> PastError {
        PastError::Unreadable { path: self.path.clone(), source }
    }
}
