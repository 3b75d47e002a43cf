//! How the database fails: at opening, for the person who started it, and at work, by what a caller does differently.

use std::path::{Path, PathBuf};

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
    #[error(
        "The database {path} was made by another program: it has tables and none of ours. Give this one a directory of its own \
         (`--data-dir`)."
    )]
    ForeignDatabase { path: PathBuf },
    #[error("{path} is no database. Something wrote over it: restore a backup.")]
    NoDatabase { path: PathBuf },
    #[error("The database {path} can only be read. Give this user the right to write to it and to its folder.")]
    ReadOnly { path: PathBuf },
    #[error("There is no space left for the database {path}. Make room, then start again; nothing is lost.")]
    Full { path: PathBuf },
    #[error(
        "The disk under {path} fails ({source}). Check it (`dmesg`), and restore a backup on another one if it stays; what it still \
         gives is left as it is."
    )]
    Disk { path: PathBuf, source: rusqlite::Error },
    #[error(
        "A restore into {path} was interrupted, so that its data is not whole. Run `symphainy restore` again; it begins anew."
    )]
    HalfRestored { path: PathBuf },
    #[error("The database {path} cannot be opened ({source}). Run `symphainy doctor --deep`, or restore a backup.")]
    Sqlite { path: PathBuf, source: rusqlite::Error },
}

impl OpenError {
    /// What SQLite's refusal means for who starts the program.
    pub(crate) fn of(path: &Path, source: rusqlite::Error) -> Self {
        let path = path.to_owned();
        match source.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Self::NoDatabase { path },
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => Self::ReadOnly { path },
            Some(ErrorCode::DiskFull) => Self::Full { path },
            Some(ErrorCode::SystemIoFailure) if is_no_space_for_index(&source) => Self::Full { path },
            Some(ErrorCode::SystemIoFailure) => Self::Disk { path, source },
            _ => Self::Sqlite { path, source },
        }
    }
}

/// The index of the log is a file that is mapped into memory: where it cannot grow, SQLite does not say "full".
fn is_no_space_for_index(error: &rusqlite::Error) -> bool {
    error.sqlite_error().is_some_and(|error| error.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE)
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
    /// Another version of the program wrote it in a form that this one does not know. Nothing else is touched by it.
    #[error("a row cannot be read by this version")]
    Unreadable(#[source] rusqlite::Error),
    #[error("the database failed")]
    Failed(#[source] rusqlite::Error),
    /// An earlier failure left unknown what is durable: the process should end.
    #[error("the database failed earlier and takes nothing more")]
    Poisoned,
}

impl From<rusqlite::Error> for DatabaseError {
    fn from(error: rusqlite::Error) -> Self {
        if matches!(error, rusqlite::Error::FromSqlConversionFailure(..)) {
            return Self::Unreadable(error);
        }
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::SystemIoFailure) if is_no_space_for_index(&error) => Self::Full,
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
            return !is_no_space_for_index(error)
                && matches!(
                    error.sqlite_error_code(),
                    Some(ErrorCode::SystemIoFailure | ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
                );
        }
        next = error.source();
    }
    false
}
