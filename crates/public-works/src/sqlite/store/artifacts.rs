//! Artifacts, their lineage, and the lists that they are found in.

use contract::{
    ArtifactId, ExecutionId, Owner, SessionId,
    artifact::{Artifact, LifecycleState},
};
use runtime::port::store::{ArtifactFilter, Page, StoredArtifact};
use rusqlite::{Connection, OptionalExtension, Row, ToSql, Transaction, params};

use super::{
    paging::{self, Window},
    rows::{json, seq, to_json},
    search, spaces,
};
use crate::sqlite::DatabaseError;

/// An artifact with its JSON made ready before the writer's turn.
pub(super) struct PreparedArtifact {
    stored: StoredArtifact,
    body: String,
    content: Option<String>,
}

impl PreparedArtifact {
    pub(super) fn new(stored: StoredArtifact) -> Self {
        let body = to_json(&stored.artifact);
        let content = stored.content.as_ref().map(to_json);
        Self { stored, body, content }
    }
}

/// Writes a new artifact, or a changed one under its id; one that is deleted stays as it is. False where the id is somebody else's.
pub(super) fn put(
    transaction: &Transaction<'_>,
    space: i64,
    prepared: &PreparedArtifact,
) -> Result<bool, DatabaseError> {
    let artifact = &prepared.stored.artifact;
    if is_deleted(transaction, space, &artifact.artifact_id)? {
        return Ok(true);
    }
    let number: Option<i64> = transaction
        .prepare_cached(
            "INSERT INTO artifacts
                 (id, space, lifecycle_state, artifact_type, session_id, execution_id, body, content)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT (id) DO UPDATE SET
                 lifecycle_state = excluded.lifecycle_state, artifact_type = excluded.artifact_type,
                 session_id = excluded.session_id, execution_id = excluded.execution_id,
                 body = excluded.body, content = excluded.content
             WHERE artifacts.space = excluded.space
             RETURNING number",
        )?
        .query_row(
            params![
                artifact.artifact_id.as_str(),
                space,
                artifact.lifecycle_state.as_str(),
                artifact.artifact_type,
                artifact.session_id.as_str(),
                artifact.produced_by.execution_id.as_str(),
                prepared.body,
                prepared.content,
            ],
            |row| row.get(0),
        )
        .optional()?;
    let Some(number) = number else { return Ok(false) };
    // Lineage only grows: what an artifact was made of stays true.
    for parent in &artifact.parent_artifacts {
        transaction
            .prepare_cached("INSERT OR IGNORE INTO artifact_parents (parent, artifact) VALUES (?1, ?2)")?
            .execute(params![parent.as_str(), number])?;
    }
    if let Some(text) = &prepared.stored.search_text {
        search::index(transaction, space, number, text)?;
    }
    Ok(true)
}

fn is_deleted(transaction: &Transaction<'_>, space: i64, id: &ArtifactId) -> Result<bool, DatabaseError> {
    let deleted = transaction
        .prepare_cached("SELECT 1 FROM artifacts WHERE id = ?1 AND space = ?2 AND lifecycle_state = 'deleted'")?
        .exists(params![id.as_str(), space])?;
    Ok(deleted)
}

pub(super) fn get(
    connection: &Connection,
    owner: &Owner,
    id: &ArtifactId,
) -> Result<Option<StoredArtifact>, DatabaseError> {
    let Some(space) = spaces::space_of(connection, owner)? else { return Ok(None) };
    let mut statement = connection.prepare_cached(
        "SELECT artifacts.body, artifacts.content, artifact_search.text FROM artifacts
         LEFT JOIN artifact_search ON artifact_search.rowid = artifacts.number
         WHERE artifacts.id = ?1 AND artifacts.space = ?2",
    )?;
    let found = statement.query_row(params![id.as_str(), space], |row| {
        let content = match row.get_ref(1)?.as_str_or_null()? {
            Some(_) => Some(json(row, 1)?),
            None => None,
        };
        Ok(StoredArtifact { artifact: artifact(row, owner)?, content, search_text: row.get(2)? })
    });
    Ok(found.optional()?)
}

/// The artifact in the first column, in the tenant of its owner of now.
pub(super) fn artifact(row: &Row<'_>, owner: &Owner) -> rusqlite::Result<Artifact> {
    let mut artifact: Artifact = json(row, 0)?;
    artifact.tenant_id = owner.tenant_id().cloned();
    Ok(artifact)
}

pub(super) fn list(
    connection: &Connection,
    owner: &Owner,
    filter: &ArtifactFilter,
    window: &Window,
) -> Result<Page<Artifact>, DatabaseError> {
    let Some(space) = spaces::space_of(connection, owner)? else { return Ok(paging::nothing()) };
    let wanted = Wanted::new(&space, filter);
    let mut values: Vec<&dyn ToSql> = wanted.values.iter().map(AsRef::as_ref).collect();
    let count = format!("SELECT count(*) {}", wanted.sql);
    let total = connection.prepare_cached(&count)?.query_row(values.as_slice(), |row| seq(row, 0))?;
    let sql = format!(
        "SELECT artifacts.body, artifacts.number {} AND artifacts.number < ? ORDER BY artifacts.number DESC
         LIMIT ? OFFSET ?",
        wanted.sql
    );
    values.extend([&window.below as &dyn ToSql, &window.limit, &window.offset]);
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(values.as_slice(), |row| Ok((row.get(1)?, artifact(row, owner)?)))?;
    Ok(window.page(rows.collect::<Result<_, _>>()?, total))
}

/// The newest of what is wanted. It costs what it gives, and not what there is.
pub(super) fn newest(
    connection: &Connection,
    owner: &Owner,
    filter: &ArtifactFilter,
    limit: u32,
) -> Result<Vec<Artifact>, DatabaseError> {
    let Some(space) = spaces::space_of(connection, owner)? else { return Ok(Vec::new()) };
    let wanted = Wanted::new(&space, filter);
    let mut values: Vec<&dyn ToSql> = wanted.values.iter().map(AsRef::as_ref).collect();
    let sql = format!("SELECT artifacts.body {} ORDER BY artifacts.number DESC LIMIT ?", wanted.sql);
    values.push(&limit);
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(values.as_slice(), |row| artifact(row, owner))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A filter as SQL. There are as many texts as there are combinations of filters, each prepared once.
struct Wanted {
    sql: String,
    values: Vec<Box<dyn ToSql>>,
}

impl Wanted {
    fn new(space: &i64, filter: &ArtifactFilter) -> Self {
        let mut wanted =
            Self { sql: "FROM artifacts WHERE artifacts.space = ?".to_owned(), values: vec![Box::new(*space)] };
        match filter.lifecycle_state {
            Some(state) => wanted.and("lifecycle_state = ?", state.as_str()),
            None => wanted.and("lifecycle_state <> ?", LifecycleState::Deleted.as_str()),
        }
        if let Some(artifact_type) = &filter.artifact_type {
            wanted.and("artifact_type = ?", artifact_type);
        }
        if let Some(session_id) = filter.session_id.as_ref().map(SessionId::as_str) {
            wanted.and("session_id = ?", session_id);
        }
        if let Some(execution_id) = filter.execution_id.as_ref().map(ExecutionId::as_str) {
            wanted.and("execution_id = ?", execution_id);
        }
        if let Some(parent) = filter.parent.as_ref().map(ArtifactId::as_str) {
            wanted.and("artifacts.number IN (SELECT artifact FROM artifact_parents WHERE parent = ?)", parent);
        }
        wanted
    }

    fn and(&mut self, condition: &str, value: &str) {
        self.sql.push_str(" AND ");
        self.sql.push_str(condition);
        self.values.push(Box::new(value.to_owned()));
    }
}
