//! A data directory's database: opened once, written by one thread, read by a few. It knows no table.

use std::{
    fs::{File, TryLockError},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
};

use runtime::torture::{Bug, has_bug};
use rusqlite::{Connection, Transaction};
use tokio::sync::{mpsc, oneshot, watch};

use super::{
    connect,
    error::{DatabaseError, OpenError},
    migrate::{self, MIGRATIONS, Migration},
    reader::{self, Question},
    writer::{self, Job, TypedJob},
};
use crate::folder;

pub(crate) const DATABASE_FILE: &str = "symphainy.db";
pub(crate) const LOCK_FILE: &str = "lock";

/// The folder in a data directory that a backup is restored through. While it is there, the directory is not whole.
pub(crate) const RESTORING_FOLDER: &str = "restoring";

/// How many writes may wait; one more is refused with `DatabaseError::Busy`.
const MAX_WAITING_WRITES: usize = 8_192;

/// How many reads may wait; one more is refused with `DatabaseError::Busy`.
const MAX_WAITING_READS: usize = 8_192;

const READERS: usize = 3;

/// The handle. Cheap to clone; the threads end when the last clone is dropped.
#[derive(Clone)]
pub struct Database {
    threads: Arc<Threads>,
}

impl Database {
    /// Opens the database of a data directory, makes both where they are not there, and brings the schema up to date.
    /// One process at a time can have a directory open. Blocks for as long as recovery and migrations take.
    pub fn open(data_directory: &Path) -> Result<Self, OpenError> {
        Self::open_with(data_directory, MIGRATIONS)
    }

    pub(crate) fn open_with(data_directory: &Path, migrations: &[Migration]) -> Result<Self, OpenError> {
        let lock = lock(data_directory)?;
        if data_directory.join(RESTORING_FOLDER).exists() {
            return Err(OpenError::HalfRestored { path: data_directory.to_owned() });
        }
        let path = data_directory.join(DATABASE_FILE);
        let mut connection = connect::writer(&path)?;
        migrate::migrate(&path, &mut connection, migrations)?;
        connect::verify(&path, &connection)?;
        if has_bug(Bug::SyncSkipped) {
            connect::skip_syncs(&path, &connection)?;
        }
        let threads = Threads::start(path, connection, lock)?;
        Ok(Self { threads: Arc::new(threads) })
    }

    /// Runs `job` in a transaction; when this returns `Ok`, what it wrote survives a power cut. What an `Err` or a panic of it
    /// has written is taken back. Jobs that come at the same time share a commit, and a job may be run a second time when
    /// another one of the same commit is refused: only its last run counts, so it must have no effect besides.
    /// A caller that stops waiting does not stop the job.
    pub async fn write<T, E, Work>(&self, job: Work) -> Result<T, E>
    where
        Work: Fn(&Transaction<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: std::error::Error + From<DatabaseError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        self.threads.enqueue_write(Box::new(TypedJob::new(job, reply)))?;
        answer.await.unwrap_or_else(|_| Err(DatabaseError::Closed.into()))
    }

    /// Runs `question` on a connection that can only read; it sees the database at one moment.
    pub async fn read<T, E, Work>(&self, question: Work) -> Result<T, E>
    where
        Work: FnOnce(&Connection) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: std::error::Error + From<DatabaseError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        self.threads.enqueue_read(reader::question(question, reply))?;
        answer.await.unwrap_or_else(|_| Err(DatabaseError::Closed.into()))
    }

    /// Returns when the storage has failed, and never before. Nothing more is acknowledged then; the process should end,
    /// and what was acknowledged is there when it starts again.
    pub async fn failed(&self) {
        let mut failed = self.threads.health.failed.subscribe();
        if failed.wait_for(|failed| *failed).await.is_err() {
            unreachable!("the sender lives as long as this handle");
        }
    }

    /// Does what waits, takes nothing more, folds the log into the database file and gives the directory free.
    pub async fn close(self) {
        let threads = Arc::clone(&self.threads);
        drop(self);
        // The threads are waited for, which may take as long as the last commit and the checkpoint.
        if tokio::task::spawn_blocking(move || threads.stop()).await.is_err() {
            tracing::error!("a thread of the database panicked at its end");
        }
    }

    /// Where the file lies.
    pub fn path(&self) -> &Path {
        &self.threads.path
    }
}

impl std::fmt::Debug for Database {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Database").field("path", &self.threads.path).finish_non_exhaustive()
    }
}

/// Takes the directory for this process; the operating system gives it free when the process ends, however it ends.
pub(crate) fn lock(data_directory: &Path) -> Result<File, OpenError> {
    let failed = |source| OpenError::Directory { path: data_directory.to_owned(), source };
    folder::make(data_directory).map_err(failed)?;
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(data_directory.join(LOCK_FILE))
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse { path: data_directory.to_owned() }),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// Whether the storage can still be believed.
pub(crate) struct Health {
    failed: watch::Sender<bool>,
}

impl Health {
    fn new() -> Self {
        Self { failed: watch::Sender::new(false) }
    }

    pub(crate) fn has_failed(&self) -> bool {
        *self.failed.borrow()
    }

    pub(crate) fn fail(&self, error: &(dyn std::error::Error + 'static)) {
        let source = error.source().map(ToString::to_string).unwrap_or_default();
        self.poison(&format!("{error}: {source}"));
    }

    pub(crate) fn poison(&self, why: &str) {
        tracing::error!(why, "the database failed; nothing more is acknowledged");
        self.failed.send_replace(true);
    }
}

/// The threads and the ways to them.
struct Threads {
    path: PathBuf,
    health: Arc<Health>,
    /// `None` once it is closed.
    queues: Mutex<Option<Queues>>,
    handles: Mutex<Vec<JoinHandle<()>>>,
}

struct Queues {
    writes: mpsc::Sender<Box<dyn Job>>,
    reads: mpsc::Sender<Question>,
}

impl Threads {
    fn start(path: PathBuf, connection: Connection, lock: File) -> Result<Self, OpenError> {
        let failed = |source| OpenError::of(&path, source);
        let no_thread = |source| OpenError::Directory { path: path.clone(), source };
        let health = Arc::new(Health::new());
        let (reads, questions) = mpsc::channel(MAX_WAITING_READS);
        let questions = Arc::new(Mutex::new(questions));
        let mut handles = Vec::new();
        for _ in 0..READERS {
            let connection = connect::reader(&path).map_err(failed)?;
            let (questions, health) = (Arc::clone(&questions), Arc::clone(&health));
            let work = move || reader::run(&connection, &questions, &health);
            handles.push(thread::Builder::new().name("database-reader".into()).spawn(work).map_err(no_thread)?);
        }
        let (writes, jobs) = mpsc::channel(MAX_WAITING_WRITES);
        let writer_health = Arc::clone(&health);
        let work = move || {
            writer::run(connection, jobs, &writer_health);
            // The directory is ours until the last byte is written.
            drop(lock);
        };
        // The writer is the last in the list: it is waited for after the readers, and so its connection is the last one
        // open, which lets SQLite take the log away.
        handles.push(thread::Builder::new().name("database-writer".into()).spawn(work).map_err(no_thread)?);
        let queues = Mutex::new(Some(Queues { writes, reads }));
        Ok(Self { path, health, queues, handles: Mutex::new(handles) })
    }

    fn enqueue_write(&self, job: Box<dyn Job>) -> Result<(), DatabaseError> {
        self.enqueue(|queues| queues.writes.try_send(job).map_err(|error| refused(&error)))
    }

    fn enqueue_read(&self, question: Question) -> Result<(), DatabaseError> {
        self.enqueue(|queues| queues.reads.try_send(question).map_err(|error| refused(&error)))
    }

    fn enqueue(&self, send: impl FnOnce(&Queues) -> Result<(), DatabaseError>) -> Result<(), DatabaseError> {
        if self.health.has_failed() {
            return Err(DatabaseError::Poisoned);
        }
        let queues = self.queues.lock().expect("nothing panics while it sends");
        queues.as_ref().map_or(Err(DatabaseError::Closed), send)
    }

    /// Lets the threads end when they have done what waits, and waits for them.
    fn stop(&self) {
        drop(self.queues.lock().expect("nothing panics while it sends").take());
        let handles = std::mem::take(&mut *self.handles.lock().expect("nothing panics while it takes the handles"));
        for handle in handles {
            // The last handle may be dropped by a job on one of these threads, which cannot wait for itself.
            if handle.thread().id() != thread::current().id() && handle.join().is_err() {
                tracing::error!("a thread of the database panicked");
            }
        }
    }
}

fn refused<T>(error: &mpsc::error::TrySendError<T>) -> DatabaseError {
    match error {
        mpsc::error::TrySendError::Full(_) => DatabaseError::Busy,
        mpsc::error::TrySendError::Closed(_) => DatabaseError::Closed,
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.stop();
    }
}
