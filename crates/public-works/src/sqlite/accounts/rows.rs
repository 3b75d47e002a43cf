//! From rows to the guard's values. A row that cannot be read is an error of the database, never a default.

use std::{error::Error, str::FromStr};

use contract::{Timestamp, session::Session};
use rusqlite::{Connection, Row, ToSql, types::Type};
use security_guard::{
    Device,
    accounts::{SignIn, User},
};
use serde::de::DeserializeOwned;
use serde_json::Map;

use super::Answer;

/// Runs a statement; how many rows it changed.
pub(super) fn execute(connection: &Connection, sql: &str, values: &[&dyn ToSql]) -> Answer<usize> {
    Ok(connection.prepare_cached(sql)?.execute(values)?)
}

/// The first row that a question finds.
pub(super) fn find<T>(
    connection: &Connection,
    sql: &str,
    values: &[&dyn ToSql],
    read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
) -> Answer<Option<T>> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(values)?;
    Ok(rows.next()?.map(read).transpose()?)
}

/// Every row that a question finds.
pub(super) fn list<T>(
    connection: &Connection,
    sql: &str,
    values: &[&dyn ToSql],
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Answer<Vec<T>> {
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map(values, read)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// A column that holds an id or another word with a form of its own.
pub(super) fn word<T: FromStr<Err: Error + Send + Sync + 'static>>(row: &Row<'_>, column: &str) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    text.parse().map_err(|error| unreadable(row, column, error))
}

/// The same, where the column may be empty.
pub(super) fn optional_word<T: FromStr<Err: Error + Send + Sync + 'static>>(
    row: &Row<'_>,
    column: &str,
) -> rusqlite::Result<Option<T>> {
    let text: Option<String> = row.get(column)?;
    text.map(|text| text.parse().map_err(|error| unreadable(row, column, error))).transpose()
}

pub(super) fn instant(row: &Row<'_>, column: &str) -> rusqlite::Result<Timestamp> {
    row.get(column).map(Timestamp::from_millis)
}

pub(super) fn optional_instant(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<Timestamp>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(Timestamp::from_millis))
}

/// A column that holds JSON, where it is not empty.
pub(super) fn optional_json<T: DeserializeOwned>(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<T>> {
    let text: Option<String> = row.get(column)?;
    text.map(|text| serde_json::from_str(&text).map_err(|error| unreadable(row, column, error))).transpose()
}

/// A number of rows as SQLite counts them.
pub(super) fn count(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

fn unreadable(row: &Row<'_>, column: &str, error: impl Error + Send + Sync + 'static) -> rusqlite::Error {
    let index = row.as_ref().column_index(column).unwrap_or_default();
    rusqlite::Error::FromSqlConversionFailure(index, Type::Text, Box::new(error))
}

/// A row of `users`.
pub(super) fn user(row: &Row<'_>) -> rusqlite::Result<User> {
    Ok(User {
        user_id: word(row, "id")?,
        email: row.get("email")?,
        name: row.get("name")?,
        created_at: instant(row, "created_at")?,
        disabled_at: optional_instant(row, "disabled_at")?,
    })
}

/// A row of `sign_ins`.
pub(super) fn sign_in(row: &Row<'_>) -> rusqlite::Result<SignIn> {
    Ok(SignIn {
        sign_in_id: word(row, "id")?,
        session_id: word(row, "session_id")?,
        device: Device { address: optional_word(row, "address")?, agent: row.get("agent")? },
        created_at: instant(row, "created_at")?,
        used_at: instant(row, "used_at")?,
        expires_at: instant(row, "expires_at")?,
    })
}

/// A row of `sessions`.
pub(super) fn session(row: &Row<'_>) -> rusqlite::Result<Session> {
    let metadata: String = row.get("metadata")?;
    let metadata = serde_json::from_str(&metadata).map_err(|error| unreadable(row, "metadata", error))?;
    let user_id = optional_word(row, "user_id")?;
    Ok(Session {
        session_id: word(row, "id")?,
        tenant_id: optional_word(row, "tenant_id")?,
        is_anonymous: user_id.is_none(),
        user_id,
        created_at: instant(row, "created_at")?,
        updated_at: instant(row, "updated_at")?,
        expires_at: instant(row, "expires_at")?,
        metadata,
        state: Map::new(),
    })
}
