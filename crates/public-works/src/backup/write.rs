//! Making a backup, beside a server that works or without one. The database is copied as of one moment, which a long reading
//! transaction holds still; the objects that it names never change, they only come and go.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};

use contract::Timestamp;
use rusqlite::{
    Connection, OpenFlags,
    backup::{Backup, StepResult},
};

use super::{
    BackupError, CHECKSUMS_FILE, FORMAT, MANIFEST_FILE, Manifest, Progress, Stage, Watcher,
    files::{self, Checksums},
    restore,
};
use crate::{
    objects,
    sqlite::{audit, connect, database::DATABASE_FILE, inspect},
};

/// How many pages of the database are copied between two looks at how far it has come.
const PAGES_AT_ONCE: i32 = 1_024;

/// How often the database is copied again because an object that it names was deleted meanwhile.
const MAX_SNAPSHOTS: u32 = 5;

/// What a backup that is not finished ends with.
const UNFINISHED: &str = ".part";

/// What is backed up, and where to.
#[derive(Clone, Debug)]
pub struct Request {
    pub data_directory: PathBuf,
    /// The folder to be made. It must not be there yet.
    pub target: PathBuf,
    /// The version of this program.
    pub program: String,
    pub now: Timestamp,
}

/// Makes a backup and reads all of it again. Blocks for as long as that takes.
pub fn back_up(request: &Request, watcher: Watcher<'_>) -> Result<Manifest, BackupError> {
    let Request { data_directory, target, .. } = request;
    let source = data_directory.join(DATABASE_FILE);
    if !source.exists() {
        return Err(BackupError::NoData(data_directory.clone()));
    }
    if target.exists() {
        return Err(BackupError::Exists(target.clone()));
    }
    let mut unfinished = target.clone().into_os_string();
    unfinished.push(UNFINISHED);
    let unfinished = Unfinished(PathBuf::from(unfinished));
    // What an earlier try has left behind.
    unfinished.clear().map_err(BackupError::io(&unfinished.0))?;
    files::make_folder(&unfinished.0).map_err(BackupError::io(&unfinished.0))?;
    let manifest = fill(request, &source, &unfinished.0, watcher)?;
    restore::check(&unfinished.0, watcher)?;
    fs::rename(&unfinished.0, target).map_err(BackupError::io(target))?;
    files::sync_folder(target.parent().unwrap_or(Path::new(""))).map_err(BackupError::io(target))?;
    Ok(manifest)
}

fn fill(request: &Request, source: &Path, folder: &Path, watcher: Watcher<'_>) -> Result<Manifest, BackupError> {
    let database = folder.join(DATABASE_FILE);
    let mut copied = Copied::default();
    let mut missing = BTreeSet::new();
    for _ in 0..MAX_SNAPSHOTS {
        let schema = copy_database(source, &database, watcher)?;
        let needed = objects_of(&database).map_err(BackupError::sqlite(&database))?;
        let gone = copied.take(&request.data_directory, folder, &needed, watcher)?;
        // What was deleted since the moment of the copy is not named any more at the next one. What is missing at both is lost, and
        // no reason to have no backup of the rest.
        if gone.is_subset(&missing) {
            copied.forget_all_but(folder, &needed)?;
            return finish(request, folder, schema, copied, gone);
        }
        missing = gone;
    }
    Err(BackupError::Restless(request.data_directory.clone()))
}

/// The list of checksums, and the manifest last: with it the folder is a backup.
fn finish(
    request: &Request,
    folder: &Path,
    schema: u32,
    copied: Copied,
    missing: BTreeSet<String>,
) -> Result<Manifest, BackupError> {
    let database = folder.join(DATABASE_FILE);
    let (database_bytes, checksum) = files::checksum(&database).map_err(BackupError::io(&database))?;
    let objects = copied.sizes.len() as u64;
    let objects_bytes = copied.sizes.values().sum();
    let mut checksums = copied.checksums;
    checksums.insert(DATABASE_FILE.to_owned(), checksum);
    let list = files::list(&checksums);
    let manifest = Manifest {
        format: FORMAT,
        program: request.program.clone(),
        created_at: request.now,
        schema,
        database_bytes,
        objects,
        objects_bytes,
        missing: missing.into_iter().collect(),
        checksums_sha256: files::checksum_of(&list),
    };
    let json = serde_json::to_string_pretty(&manifest).expect("a manifest is JSON") + "\n";
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        files::write(&path, text).map_err(BackupError::io(path))
    };
    write(CHECKSUMS_FILE, &list)?;
    files::sync_tree(folder).map_err(BackupError::io(folder))?;
    write(MANIFEST_FILE, &json)?;
    files::sync_folder(folder).map_err(BackupError::io(folder))?;
    Ok(manifest)
}

/// Copies the database as of one moment into one file. Answers the steps of its schema.
fn copy_database(from: &Path, to: &Path, watcher: Watcher<'_>) -> Result<u32, BackupError> {
    let copy = |watcher: Watcher<'_>| -> rusqlite::Result<u32> {
        let source = connect::reader(from)?;
        // The transaction holds the moment still: without it a page that is written meanwhile begins the copy anew.
        source.execute_batch("BEGIN")?;
        let schema = inspect::schema(&source)?;
        let mut target = Connection::open(to)?;
        target.pragma_update(None, "synchronous", "full")?;
        let backup = Backup::new(&source, &mut target)?;
        loop {
            let step = backup.step(PAGES_AT_ONCE)?;
            let pages = backup.progress();
            let count = |pages: i32| u64::try_from(pages).unwrap_or_default();
            let (done, total) = (count(pages.pagecount - pages.remaining), count(pages.pagecount));
            watcher(Progress { stage: Stage::Database, done, total });
            if step == StepResult::Done {
                break;
            }
        }
        drop(backup);
        // One file: whoever copies a backup must not forget a log.
        target.pragma_update_and_check(None, "journal_mode", "delete", |_| Ok(()))?;
        target.close().map_err(|(_, error)| error)?;
        Ok(schema)
    };
    // A database is written over whatever an earlier round has left.
    match fs::remove_file(to) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(BackupError::io(to)(error)),
    }
    copy(watcher).map_err(BackupError::sqlite(from))
}

/// The objects that a database names.
struct Named {
    /// The content of artifacts, and what executions that have not ended were given.
    needed: BTreeSet<String>,
    /// What executions that have ended were given: they may be asked for again, and may be gone.
    wanted: BTreeSet<String>,
}

fn objects_of(database: &Path) -> rusqlite::Result<Named> {
    let connection = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let ids = |sql: &str| -> rusqlite::Result<BTreeSet<String>> {
        connection.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
    };
    Ok(Named { needed: ids(audit::NEEDED_OBJECTS)?, wanted: ids(audit::WANTED_OBJECTS)? })
}

/// The objects that were copied so far.
#[derive(Default)]
struct Copied {
    /// By their paths below the backup's folder.
    checksums: Checksums,
    /// By their ids.
    sizes: BTreeMap<String, u64>,
}

impl Copied {
    /// Copies what is named and not there yet. Answers what is needed and gone.
    fn take(
        &mut self,
        data: &Path,
        folder: &Path,
        named: &Named,
        watcher: Watcher<'_>,
    ) -> Result<BTreeSet<String>, BackupError> {
        let ids: BTreeSet<&String> = named.needed.union(&named.wanted).collect();
        let total = ids.len() as u64;
        let mut gone = BTreeSet::new();
        for (done, id) in (0..).zip(ids) {
            watcher(Progress { stage: Stage::Objects, done, total });
            if !self.sizes.contains_key(id) && !self.copy(data, folder, id)? && named.needed.contains(id) {
                gone.insert(id.clone());
            }
        }
        watcher(Progress { stage: Stage::Objects, done: total, total });
        Ok(gone)
    }

    fn copy(&mut self, data: &Path, folder: &Path, id: &str) -> Result<bool, BackupError> {
        let place = place_of(id);
        let from = data.join(&place);
        let (size, checksum) = match files::copy(&from, &folder.join(&place)) {
            Ok(copied) => copied,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(BackupError::io(from)(error)),
        };
        self.checksums.insert(place, checksum);
        self.sizes.insert(id.to_owned(), size);
        Ok(true)
    }

    /// Takes away what was deleted between two moments.
    fn forget_all_but(&mut self, folder: &Path, named: &Named) -> Result<(), BackupError> {
        let is_named = |id: &String| named.needed.contains(id) || named.wanted.contains(id);
        let forgotten: Vec<String> = self.sizes.keys().filter(|id| !is_named(id)).cloned().collect();
        for id in forgotten {
            let place = place_of(&id);
            let path = folder.join(&place);
            fs::remove_file(&path).map_err(BackupError::io(path))?;
            self.checksums.remove(&place);
            self.sizes.remove(&id);
        }
        Ok(())
    }
}

/// Where an object lies, in a data directory and in a backup.
fn place_of(id: &str) -> String {
    let place = Path::new(objects::FOLDER).join(objects::place_of(id));
    place.to_str().expect("ids are ASCII").to_owned()
}

/// A folder that goes away unless it gets its name.
struct Unfinished(PathBuf);

impl Unfinished {
    fn clear(&self) -> io::Result<()> {
        match fs::remove_dir_all(&self.0) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Err(error) = self.clear() {
            tracing::warn!(%error, folder = %self.0.display(), "an unfinished backup could not be taken away");
        }
    }
}
