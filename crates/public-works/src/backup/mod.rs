//! Backups: a data directory as it was at one moment, in a folder of plain files with their checksums. It is made while a server
//! works, and is whole or not there.
//!
//! ```text
//! manifest.json       what it is; written last, so that a folder without it is no backup
//! checksums.sha256    a line for every other file, as `sha256sum -c` reads them
//! symphainy.db        the database, folded into one file
//! objects/…           the objects that the database names
//! ```

mod files;
mod restore;
mod write;

use std::{io, path::PathBuf};

use contract::Timestamp;
use serde::{Deserialize, Serialize};

use crate::sqlite::OpenError;

pub use restore::{Checked, Restored, check, restore};
pub use write::{Request, back_up};

/// The form of a backup that this program writes; it reads this one and earlier ones.
const FORMAT: u32 = 1;

const MANIFEST_FILE: &str = "manifest.json";
const CHECKSUMS_FILE: &str = "checksums.sha256";

/// What a backup is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    pub format: u32,
    /// The version of the program that made it.
    pub program: String,
    pub created_at: Timestamp,
    /// How many steps of the schema its database has.
    pub schema: u32,
    pub database_bytes: u64,
    pub objects: u64,
    pub objects_bytes: u64,
    /// Objects that the database names and that were not there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// The SHA-256 of the file of checksums, in hexadecimal.
    pub checksums_sha256: String,
}

/// What is being done, and how far it has come: `done` of `total` pages or files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    pub stage: Stage,
    pub done: u64,
    pub total: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Database,
    Objects,
    Verifying,
    Restoring,
}

/// Who wants to know how far it has come.
pub type Watcher<'a> = &'a mut dyn FnMut(Progress);

/// Why a backup cannot be made or restored. Each message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("There is no data in {0}. Name the folder with --data-dir.")]
    NoData(PathBuf),
    #[error("{0} is there already. Give the backup a name of its own.")]
    Exists(PathBuf),
    #[error("{0} is no backup: it has no manifest. A backup that was interrupted has none; make a new one.")]
    NoBackup(PathBuf),
    #[error("The backup {path} is damaged: {what}. Use another one.")]
    Damaged { path: PathBuf, what: String },
    #[error("The backup {path} was made by a newer version of this program ({program}). Restore it with that one.")]
    Newer { path: PathBuf, program: String },
    #[error(
        "{0} has data already. Restore into an empty folder (--data-dir), or say --replace, which keeps what is there in a folder beside \
         it."
    )]
    NotEmpty(PathBuf),
    #[error("There is no space left for {0}. Make room, or choose another disk, and try again.")]
    Full(PathBuf),
    #[error("{path} cannot be used ({source}).")]
    Io { path: PathBuf, source: io::Error },
    #[error("The objects of {0} come and go too quickly to be copied. Try again when less is deleted.")]
    Restless(PathBuf),
    #[error(transparent)]
    Open(#[from] OpenError),
}

impl BackupError {
    fn io(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full(path),
            _ => Self::Io { path, source },
        }
    }

    fn sqlite(path: impl Into<PathBuf>) -> impl FnOnce(rusqlite::Error) -> Self {
        let path = path.into();
        move |source| match source.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => Self::Full(path),
            _ => Self::Open(OpenError::of(&path, source)),
        }
    }

    fn damaged(path: impl Into<PathBuf>, what: impl Into<String>) -> Self {
        Self::Damaged { path: path.into(), what: what.into() }
    }
}
