//! Connections to the one database file, and the checks that it keeps what SQLite promises.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, config::DbConfig};

use super::error::OpenError;

/// Before this version a bug in SQLite's write-ahead log could damage the database.
const OLDEST_SQLITE: i32 = 3_051_003;

/// How many prepared statements a connection keeps; more than all adapters have.
const STATEMENT_CACHE: usize = 256;

const WRITER_CACHE_KIB: i64 = 32 * 1024;
const READER_CACHE_KIB: i64 = 8 * 1024;

/// How long to wait for somebody else's lock: another program may look into the file, and backups do.
const BUSY_TIMEOUT_MS: i64 = 5_000;

/// The log file is cut back to this size when it is reused.
const LOG_SIZE_LIMIT_BYTES: i64 = 64 * 1024 * 1024;

/// The connection that writes.
pub(crate) fn writer(path: &Path) -> Result<Connection, OpenError> {
    if rusqlite::version_number() < OLDEST_SQLITE {
        return Err(OpenError::OldSqlite { found: rusqlite::version() });
    }
    open_writer(path).map_err(|source| OpenError::of(path, source))
}

fn open_writer(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    keep_statements(&connection)?;
    connection.pragma_update(None, "busy_timeout", BUSY_TIMEOUT_MS)?;
    connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "temp_store", "memory")?;
    connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
    connection.pragma_update_and_check(None, "journal_size_limit", LOG_SIZE_LIMIT_BYTES, |_| Ok(()))?;
    // SQLite would ignore an error of its automatic checkpoints, a failed sync among them. The writer makes its own.
    connection.pragma_update_and_check(None, "wal_autocheckpoint", 0, |_| Ok(()))?;
    Ok(connection)
}

/// What must never be: for a torture test that has to notice.
pub(crate) fn skip_syncs(path: &Path, writer: &Connection) -> Result<(), OpenError> {
    let skipped = writer.pragma_update(None, "synchronous", "off");
    skipped.map_err(|source| OpenError::Sqlite { path: path.to_owned(), source })
}

/// A connection that only reads.
pub(crate) fn reader(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    keep_statements(&connection)?;
    connection.pragma_update(None, "busy_timeout", BUSY_TIMEOUT_MS)?;
    connection.pragma_update(None, "query_only", true)?;
    connection.pragma_update(None, "temp_store", "memory")?;
    connection.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
    Ok(connection)
}

/// Keeps prepared statements, and their plans: by default SQLite plans a statement anew for each value that is bound where a partial
/// index might serve, which costs more than the statement itself.
fn keep_statements(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

/// Asks the writer how it syncs, and a connection of its own what mode the file is really in.
pub(crate) fn verify(path: &Path, writer: &Connection) -> Result<(), OpenError> {
    let failed = |source| OpenError::of(path, source);
    let second = reader(path).map_err(failed)?;
    let mode: String = second.pragma_query_value(None, "journal_mode", |row| row.get(0)).map_err(failed)?;
    expect(path, "journal_mode", mode, "wal")?;
    let synchronous: i64 = writer.pragma_query_value(None, "synchronous", |row| row.get(0)).map_err(failed)?;
    expect(path, "synchronous", synchronous.to_string(), "2")?;
    let foreign_keys: i64 = writer.pragma_query_value(None, "foreign_keys", |row| row.get(0)).map_err(failed)?;
    expect(path, "foreign_keys", foreign_keys.to_string(), "1")
}

fn expect(path: &Path, pragma: &'static str, found: String, wanted: &'static str) -> Result<(), OpenError> {
    if found == wanted {
        return Ok(());
    }
    Err(OpenError::NotDurable { path: PathBuf::from(path), pragma, found, wanted })
}
