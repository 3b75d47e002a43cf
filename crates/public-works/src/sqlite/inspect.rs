//! Looking at a data directory without changing anything in it, while nobody or somebody uses it.

use std::{
    fs::{File, TryLockError},
    path::Path,
};

use rusqlite::{Connection, OptionalExtension};

use super::{
    connect,
    database::{DATABASE_FILE, LOCK_FILE},
    error::OpenError,
    migrate,
};

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// Whether a process has the directory.
    pub in_use: bool,
    /// How many steps of the schema the database has.
    pub schema_found: u32,
    /// How many this program knows.
    pub schema_known: u32,
    pub journal_mode: String,
    /// The first thing that does not hold together.
    pub damage: Option<String>,
}

/// Looks. `None` where there is no database yet. Blocks for as long as reading all of the database takes.
pub fn inspect(data_directory: &Path) -> Result<Option<Inspection>, OpenError> {
    let path = data_directory.join(DATABASE_FILE);
    if !path.exists() {
        return Ok(None);
    }
    let in_use = in_use(data_directory)?;
    let read = || -> rusqlite::Result<Inspection> {
        let connection = connect::reader(&path)?;
        Ok(Inspection {
            in_use,
            schema_found: schema(&connection)?,
            schema_known: migrate::known(),
            journal_mode: connection.pragma_query_value(None, "journal_mode", |row| row.get(0))?,
            damage: damage(&connection)?,
        })
    };
    read().map(Some).map_err(|source| OpenError::of(&path, source))
}

fn in_use(data_directory: &Path) -> Result<bool, OpenError> {
    let failed = |source| OpenError::Directory { path: data_directory.to_owned(), source };
    let lock = match File::open(data_directory.join(LOCK_FILE)) {
        Ok(lock) => lock,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(failed(error)),
    };
    match lock.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

pub(crate) fn schema(connection: &Connection) -> rusqlite::Result<u32> {
    let is_there = "SELECT 1 FROM sqlite_schema WHERE name = 'schema_migrations'";
    if connection.query_row(is_there, [], |_| Ok(())).optional()?.is_none() {
        return Ok(0);
    }
    connection.query_row("SELECT count(*) FROM schema_migrations", [], |row| row.get(0))
}

fn damage(connection: &Connection) -> rusqlite::Result<Option<String>> {
    let said: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    Ok((said != "ok").then_some(said))
}

#[cfg(test)]
mod tests {
    use super::{super::Database, *};

    #[test]
    fn a_directory_is_seen_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(inspect(folder.path()).unwrap(), None);
        let database = Database::open(folder.path()).unwrap();
        let seen = inspect(folder.path()).unwrap().unwrap();
        assert!(seen.in_use);
        assert_eq!(seen.schema_found, seen.schema_known);
        assert_eq!((seen.journal_mode.as_str(), seen.damage), ("wal", None));
        drop(database);
        assert!(!inspect(folder.path()).unwrap().unwrap().in_use);
    }
}
