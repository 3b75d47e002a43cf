//! Reading a backup: whether all of it is there and holds together, and putting it where a server can work on it. Nothing that is
//! there is replaced before the backup was read from its first byte to its last.

use std::{
    fs,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use contract::Timestamp;
use rusqlite::{Connection, OpenFlags};

use super::{
    BackupError, CHECKSUMS_FILE, FORMAT, MANIFEST_FILE, Manifest, Progress, Stage, Watcher,
    files::{self, Checksums},
};
use crate::{
    objects,
    sqlite::{
        database::{self, DATABASE_FILE, LOCK_FILE, RESTORING_FOLDER},
        migrate,
    },
};

/// What the folder begins with that keeps the data that a restored backup took the place of.
const REPLACED: &str = "replaced";

/// What a backup was found to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    pub manifest: Manifest,
    /// How many files were read and are what they were.
    pub files: u64,
}

/// Where the data is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    pub manifest: Manifest,
    /// Where the data is that was there before.
    pub replaced: Option<PathBuf>,
}

/// Reads all of a backup: that no file is missing or changed, and that its database holds together.
pub fn check(folder: &Path, watcher: Watcher<'_>) -> Result<Checked, BackupError> {
    let manifest = read_manifest(folder)?;
    let checksums = read_checksums(folder, &manifest)?;
    let total = checksums.len() as u64;
    for (done, (path, expected)) in (0..).zip(&checksums) {
        watcher(Progress { stage: Stage::Verifying, done, total });
        let (_, found) = match files::checksum(&folder.join(path)) {
            Ok(checksum) => checksum,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(BackupError::damaged(folder, format!("{path} is missing")));
            }
            Err(error) => return Err(BackupError::io(folder.join(path))(error)),
        };
        if found != *expected {
            return Err(BackupError::damaged(folder, format!("{path} is not what was written")));
        }
    }
    watcher(Progress { stage: Stage::Verifying, done: total, total });
    check_database(folder)?;
    Ok(Checked { manifest, files: total })
}

fn read_manifest(folder: &Path) -> Result<Manifest, BackupError> {
    let path = folder.join(MANIFEST_FILE);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Err(BackupError::NoBackup(folder.to_owned()));
        }
        Err(error) => return Err(BackupError::io(path)(error)),
    };
    let unreadable = |_| BackupError::damaged(folder, format!("{MANIFEST_FILE} cannot be read"));
    // A newer manifest may have another form: what makes it newer is looked at first.
    let value: serde_json::Value = serde_json::from_str(&text).map_err(unreadable)?;
    let program = value["program"].as_str().unwrap_or("unknown").to_owned();
    if value["format"].as_u64().is_some_and(|format| format > u64::from(FORMAT)) {
        return Err(BackupError::Newer { path: folder.to_owned(), program });
    }
    let manifest: Manifest = serde_json::from_value(value).map_err(unreadable)?;
    if manifest.schema > migrate::known() {
        return Err(BackupError::Newer { path: folder.to_owned(), program });
    }
    Ok(manifest)
}

fn read_checksums(folder: &Path, manifest: &Manifest) -> Result<Checksums, BackupError> {
    let changed = || BackupError::damaged(folder, format!("{CHECKSUMS_FILE} is missing or not what was written"));
    let list = fs::read_to_string(folder.join(CHECKSUMS_FILE)).map_err(|_| changed())?;
    if files::checksum_of(&list) != manifest.checksums_sha256 {
        return Err(changed());
    }
    files::read_list(&list).filter(|checksums| checksums.contains_key(DATABASE_FILE)).ok_or_else(changed)
}

fn check_database(folder: &Path) -> Result<(), BackupError> {
    let path = folder.join(DATABASE_FILE);
    let look = || -> rusqlite::Result<Option<String>> {
        let connection = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let said: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
        if said != "ok" {
            return Ok(Some(said));
        }
        let strays = connection.prepare("PRAGMA foreign_key_check")?.exists([])?;
        Ok(strays.then(|| "rows name others that are not there".to_owned()))
    };
    match look() {
        Ok(None) => Ok(()),
        Ok(Some(damage)) => Err(BackupError::damaged(folder, format!("{DATABASE_FILE}: {damage}"))),
        Err(error) => Err(BackupError::damaged(folder, format!("{DATABASE_FILE}: {error}"))),
    }
}

/// Puts a backup into a data directory that nobody uses. Where there is data already, it is refused, or with `replace` moved into a
/// folder beside the new data. Interrupted in the middle it leaves a directory that no server starts on, and can be begun again.
pub fn restore(
    backup: &Path,
    data_directory: &Path,
    replace: bool,
    now: Timestamp,
    watcher: Watcher<'_>,
) -> Result<Restored, BackupError> {
    let Checked { manifest, .. } = check(backup, watcher)?;
    // Held to the end: no server starts meanwhile.
    let _lock = database::lock(data_directory)?;
    let staging = data_directory.join(RESTORING_FOLDER);
    let was_interrupted = staging.exists();
    if !replace && !was_interrupted && has_data(data_directory).map_err(BackupError::io(data_directory))? {
        return Err(BackupError::NotEmpty(data_directory.to_owned()));
    }
    if was_interrupted {
        fs::remove_dir_all(&staging).map_err(BackupError::io(&staging))?;
    }
    stage(backup, &staging, &manifest, watcher)?;
    let replaced = put_aside(data_directory, now)?;
    take_in(&staging, data_directory).map_err(BackupError::io(data_directory))?;
    Ok(Restored { manifest, replaced })
}

/// Whether there is anything but the lock.
fn has_data(folder: &Path) -> io::Result<bool> {
    for entry in fs::read_dir(folder)? {
        if entry?.file_name() != LOCK_FILE {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Copies the backup beside its new place, and sees that the copies are what the backup is.
fn stage(backup: &Path, staging: &Path, manifest: &Manifest, watcher: Watcher<'_>) -> Result<(), BackupError> {
    files::make_folder(staging).map_err(BackupError::io(staging))?;
    let checksums = read_checksums(backup, manifest)?;
    let total = checksums.len() as u64;
    for (done, (path, expected)) in (0..).zip(&checksums) {
        watcher(Progress { stage: Stage::Restoring, done, total });
        let copy = staging.join(path);
        let (_, copied) = files::copy(&backup.join(path), &copy).map_err(BackupError::io(&copy))?;
        let (_, written) = files::checksum(&copy).map_err(BackupError::io(&copy))?;
        if copied != *expected || written != *expected {
            return Err(BackupError::damaged(backup, format!("{path} changed while it was read")));
        }
    }
    watcher(Progress { stage: Stage::Restoring, done: total, total });
    files::sync_tree(staging).map_err(BackupError::io(staging))
}

/// Moves the data that is there into a folder of its own, the log of the database with it.
fn put_aside(data_directory: &Path, now: Timestamp) -> Result<Option<PathBuf>, BackupError> {
    let keep = data_directory.join(format!("{REPLACED}-{}", now.as_millis()));
    let log = [format!("{DATABASE_FILE}-wal"), format!("{DATABASE_FILE}-shm")];
    let mut moved = None;
    // The log goes last: a database without its log is older than it was, a log without its database is nothing.
    for name in [objects::FOLDER, DATABASE_FILE, &log[0], &log[1]] {
        let from = data_directory.join(name);
        if !from.exists() {
            continue;
        }
        files::make_folder(&keep).map_err(BackupError::io(&keep))?;
        fs::rename(&from, keep.join(name)).map_err(BackupError::io(from))?;
        moved = Some(keep.clone());
    }
    files::sync_folder(data_directory).map_err(BackupError::io(data_directory))?;
    Ok(moved)
}

/// The objects first, and the database last of all. The empty folder goes when everything is in its place.
fn take_in(staging: &Path, data_directory: &Path) -> io::Result<()> {
    let objects = staging.join(objects::FOLDER);
    if objects.exists() {
        fs::rename(objects, data_directory.join(objects::FOLDER))?;
    }
    fs::rename(staging.join(DATABASE_FILE), data_directory.join(DATABASE_FILE))?;
    files::sync_folder(data_directory)?;
    fs::remove_dir(staging)?;
    files::sync_folder(data_directory)
}
