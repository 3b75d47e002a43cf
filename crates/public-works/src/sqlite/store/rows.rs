//! From columns to values and back, where SQLite's own types do not do.

use std::str::FromStr;

use contract::Timestamp;
use rusqlite::{Row, types::Type};
use serde::{Serialize, de::DeserializeOwned};

/// A column of JSON.
pub(super) fn json<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text = row.get_ref(column)?.as_str()?;
    serde_json::from_str(text).map_err(|error| unreadable(column, error))
}

/// A column of JSON, or NULL.
pub(super) fn optional_json<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<T>> {
    let text = row.get_ref(column)?.as_str_or_null()?;
    text.map(|text| serde_json::from_str(text).map_err(|error| unreadable(column, error))).transpose()
}

/// A column of text that is an id.
pub(super) fn id<T>(row: &Row<'_>, column: usize) -> rusqlite::Result<T>
where
    T: FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    row.get_ref(column)?.as_str()?.parse().map_err(|error| unreadable(column, error))
}

/// A column of text that is an id, or NULL.
pub(super) fn optional_id<T>(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<T>>
where
    T: FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    let text = row.get_ref(column)?.as_str_or_null()?;
    text.map(|text| text.parse().map_err(|error| unreadable(column, error))).transpose()
}

/// A column of milliseconds since 1970.
pub(super) fn timestamp(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    row.get(column).map(Timestamp::from_millis)
}

/// A column of a number in a stream.
pub(super) fn seq(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let number: i64 = row.get(column)?;
    u64::try_from(number).map_err(|error| unreadable(column, error))
}

/// A number of a stream as SQLite keeps it. A client may ask for numbers that no stream reaches; the largest stands for
/// them.
pub(super) fn stored_seq(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}

/// A value as JSON text.
pub(super) fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("what is stored has string keys, so it is JSON")
}

fn unreadable(column: usize, error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
}
