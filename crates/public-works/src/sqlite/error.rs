//! How the database fails: at opening, for the person who started it, and at work, by what a caller does differently.

use std::path::PathBuf;

use rusqlite::ErrorCode;

/// Why a data directory cannot be opened. Each message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("The data directory {path} cannot be made or read ({source}). Give one that this user may write to.")]
    Directory { path: PathBuf, source: std::io::Error },
    #[error(
        "Another process uses the data directory {path}. Stop it first, or give this one a directory of its own \
         (`--data-dir`)."
    )]
    InUse { path: PathBuf },
    #[error(
        "This program was built with SQLite {found}, and SQLite before 3.51.3 can damage its log. Build it with the \
         bundled SQLite."
    )]
    OldSqlite { found: &'static str },
    #[error(
        "The file system of {path} does not keep SQLite's promises ({pragma} is {found:?} and should be {wanted:?}). \
         Use a local disk; network file systems do not work."
    )]
    NotDurable { path: PathBuf, pragma: &'static str, found: String, wanted: &'static str },
    #[error(
        "The data in {path} was written by a newer version of this program (schema {found}, this one knows {known}). \
         Start that version, or restore a backup from before."
    )]
    NewerSchema { path: PathBuf, found: u32, known: u32 },
    #[error(
        "The data in {path} was made by another edition of this program (migration {version} differs). Start the \
         edition that made it, or use another data directory."
    )]
    ForeignSchema { path: PathBuf, version: u32 },
    #[error("The database {path} cannot be opened ({source}). Run `symphainy doctor`, or restore a backup.")]
    Sqlite { path: PathBuf, source: rusqlite::Error },
}

/// Why a job was not done. Nothing of it is in the database, except after `Failed`, where nobody knows.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// It may be asked again when there is space.
    #[error("the disk is full")]
    Full,
    /// It may be asked again soon.
    #[error("too much waits for the database already")]
    Busy,
    #[error("the database is being closed")]
    Closed,
    /// The job itself broke; others are not touched by it.
    #[error("a job for the database panicked")]
    Panicked,
    #[error("the database failed")]
    Failed(#[source] rusqlite::Error),
    /// An earlier failure left unknown what is durable: the process should end.
    #[error("the database failed earlier and takes nothing more")]
    Poisoned,
}

impl From<rusqlite::Error> for DatabaseError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            _ => Self::Failed(error),
        }
    }
}

/// Whether somewhere below `error` the storage itself has failed, so that nothing more can be believed.
pub(crate) fn is_storage_failure(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref::<rusqlite::Error>() {
            let code = error.sqlite_error_code();
            return matches!(
                code,
                Some(ErrorCode::SystemIoFailure | ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
            );
        }
        next = error.source();
    }
    false
}
