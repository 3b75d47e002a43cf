//! The one thread that writes. What waits while a commit syncs goes together into the next one, so that many share a sync; where many
//! came before, the next commit waits a moment for as many. Answers are given after the commit, never before.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicI32, Ordering},
    },
    time::Duration,
};

use runtime::torture::{Bug, CrashPoint, crash_point, has_bug};
use rusqlite::{Connection, Transaction, TransactionBehavior, hooks::Wal};
use tokio::sync::{mpsc, oneshot};

use super::{
    database::Health,
    error::{DatabaseError, is_storage_failure},
};

/// How many jobs share a commit at most.
const MAX_GROUP: usize = 512;

/// So many jobs in one commit are a crowd: those who were answered come back at about the same time.
const CROWD: usize = 4;

/// How long a commit after a crowd's waits for as many jobs again. Every commit writes the same dozen pages and syncs once, however many
/// share it; whoever comes alone never waits.
const COMPANY: Duration = Duration::from_micros(100);

/// The log is copied into the database file when it has so many pages (of 4 KiB).
const CHECKPOINT_PAGES: i32 = 4_000;

/// Something to be written, and whom to tell.
pub(crate) trait Job: Send {
    /// Does it, and keeps the outcome until it is known whether it is durable.
    fn run(&mut self, transaction: &Transaction<'_>) -> Ran;

    /// Tells the outcome of the last run, or why it does not count.
    fn answer(self: Box<Self>, fate: Result<(), DatabaseError>);
}

/// How a run of a job ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ran {
    Done,
    /// It refused or panicked: what it has written must go.
    Refused,
    /// The storage failed under it.
    StorageFailed,
}

pub(crate) struct TypedJob<Work, T, E> {
    work: Work,
    outcome: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<Work, T, E> TypedJob<Work, T, E> {
    pub(crate) fn new(work: Work, reply: oneshot::Sender<Result<T, E>>) -> Self {
        Self { work, outcome: None, reply }
    }
}

impl<Work, T, E> Job for TypedJob<Work, T, E>
where
    Work: Fn(&Transaction<'_>) -> Result<T, E> + Send,
    T: Send,
    E: std::error::Error + From<DatabaseError> + Send + 'static,
{
    fn run(&mut self, transaction: &Transaction<'_>) -> Ran {
        let outcome = catch_unwind(AssertUnwindSafe(|| (self.work)(transaction)))
            .unwrap_or_else(|_| Err(DatabaseError::Panicked.into()));
        let ran = match &outcome {
            Ok(_) => Ran::Done,
            Err(error) if is_storage_failure(error) => Ran::StorageFailed,
            Err(_) => Ran::Refused,
        };
        self.outcome = Some(outcome);
        ran
    }

    fn answer(self: Box<Self>, fate: Result<(), DatabaseError>) {
        let outcome = match (fate, self.outcome) {
            // A refusal stands, whatever became of the others.
            (_, Some(Err(refusal))) => Err(refusal),
            (Ok(()), Some(Ok(done))) => Ok(done),
            (Err(error), _) => Err(error.into()),
            (Ok(()), None) => unreachable!("a job is run before its commit"),
        };
        // Nobody may wait any more; what was done is done.
        let _ = self.reply.send(outcome);
    }
}

/// Runs until the last sender is gone, then tidies up and closes the connection.
pub(crate) fn run(mut connection: Connection, mut queue: mpsc::Receiver<Box<dyn Job>>, health: &Health) {
    let log_pages = Arc::new(AtomicI32::new(0));
    let counted = Arc::clone(&log_pages);
    let count_pages = move |_: &mut Wal, pages| {
        counted.store(pages, Ordering::Relaxed);
        Ok(())
    };
    if let Err(error) = connection.wal_hook(Some(count_pages)) {
        health.fail(&error);
    }
    let mut group = Vec::with_capacity(MAX_GROUP);
    let mut last_jobs = 0;
    while let Some(first) = queue.blocking_recv() {
        group.push(first);
        gather(&mut queue, &mut group);
        if last_jobs >= CROWD && group.len() < last_jobs {
            wait_for_company();
            gather(&mut queue, &mut group);
        }
        last_jobs = group.len();
        write_group(&mut connection, &mut group, health);
        if log_pages.load(Ordering::Relaxed) >= CHECKPOINT_PAGES && !health.has_failed() {
            checkpoint(&connection, "PASSIVE", health);
            log_pages.store(0, Ordering::Relaxed);
        }
    }
    if !health.has_failed() {
        close(connection, health);
    }
}

#[expect(clippy::disallowed_methods, reason = "it waits for time to pass, on a thread of its own")]
fn wait_for_company() {
    std::thread::sleep(COMPANY);
}

/// Takes what waits, as far as it may share a commit.
fn gather(queue: &mut mpsc::Receiver<Box<dyn Job>>, group: &mut Vec<Box<dyn Job>>) {
    while group.len() < MAX_GROUP
        && let Ok(job) = queue.try_recv()
    {
        group.push(job);
    }
}

/// All jobs of the group in one transaction; the group is empty afterwards and everybody has an answer.
fn write_group(connection: &mut Connection, group: &mut Vec<Box<dyn Job>>, health: &Health) {
    if health.has_failed() {
        return answer_all(group, || Err(DatabaseError::Poisoned));
    }
    if has_bug(Bug::AcknowledgedEarly) {
        return acknowledge_early(connection, group, health);
    }
    // Savepoints cost every job copies of the pages that it touches, so they are kept for groups in which one job is
    // refused after it has written something.
    let committed = match attempt(connection, group, Guarding::Whole) {
        Err(Broken::NeedsSavepoints) => attempt(connection, group, Guarding::Each),
        other => other,
    };
    match committed {
        Ok(()) => answer_all(group, || Ok(())),
        Err(Broken::NeedsSavepoints) => answer_all(group, || Err(DatabaseError::Busy)),
        Err(Broken::Storage) => {
            health.poison("a statement met a failure of the storage");
            answer_all(group, || Err(DatabaseError::Poisoned));
        }
        Err(Broken::Transaction(error)) => match DatabaseError::from(error) {
            DatabaseError::Full => answer_all(group, || Err(DatabaseError::Full)),
            DatabaseError::Busy => answer_all(group, || Err(DatabaseError::Busy)),
            DatabaseError::Failed(error) => {
                health.fail(&error);
                answer_all(group, || Err(DatabaseError::Poisoned));
            }
            DatabaseError::Closed
            | DatabaseError::Panicked
            | DatabaseError::Unreadable(_)
            | DatabaseError::Poisoned => unreachable!("SQLite does not answer so"),
        },
    }
}

/// What must never be: for a torture test that has to notice.
fn acknowledge_early(connection: &mut Connection, group: &mut Vec<Box<dyn Job>>, health: &Health) {
    let written = connection.transaction_with_behavior(TransactionBehavior::Immediate).and_then(|transaction| {
        for job in &mut *group {
            job.run(&transaction);
        }
        answer_all(group, || Ok(()));
        transaction.commit()
    });
    if let Err(error) = written {
        health.fail(&error);
    }
}

/// What can be taken back without the rest.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Guarding {
    Whole,
    Each,
}

enum Broken {
    /// A job was refused in the middle of its work. Nothing was committed.
    NeedsSavepoints,
    Storage,
    /// The transaction could not be begun or committed.
    Transaction(rusqlite::Error),
}

fn attempt(connection: &mut Connection, group: &mut [Box<dyn Job>], guarding: Guarding) -> Result<(), Broken> {
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(Broken::Transaction)?;
    let alone = group.len() == 1;
    for job in group {
        let changes = transaction.total_changes();
        if guarding == Guarding::Each {
            execute(&transaction, "SAVEPOINT job")?;
        }
        let ran = job.run(&transaction);
        if ran == Ran::StorageFailed {
            return Err(Broken::Storage);
        }
        if alone && ran == Ran::Refused {
            // Dropped, the transaction rolls back where SQLite has not done it by itself.
            return Ok(());
        }
        // Some errors, a full disk among them, make SQLite roll the whole transaction back by itself.
        if transaction.is_autocommit() {
            return Err(Broken::NeedsSavepoints);
        }
        match (guarding, ran) {
            (Guarding::Each, Ran::Refused) => execute(&transaction, "ROLLBACK TO job")?,
            (Guarding::Whole, Ran::Refused) if transaction.total_changes() != changes => {
                return Err(Broken::NeedsSavepoints);
            }
            (Guarding::Whole | Guarding::Each, Ran::Done | Ran::Refused | Ran::StorageFailed) => {}
        }
        if guarding == Guarding::Each {
            execute(&transaction, "RELEASE job")?;
        }
    }
    crash_point(CrashPoint::GroupUncommitted);
    transaction.commit().map_err(Broken::Transaction)?;
    crash_point(CrashPoint::GroupCommitted);
    Ok(())
}

fn execute(transaction: &Transaction<'_>, sql: &str) -> Result<(), Broken> {
    let mut statement = transaction.prepare_cached(sql).map_err(Broken::Transaction)?;
    statement.execute([]).map_err(Broken::Transaction)?;
    Ok(())
}

fn answer_all(group: &mut Vec<Box<dyn Job>>, fate: impl Fn() -> Result<(), DatabaseError>) {
    for job in group.drain(..) {
        job.answer(fate());
    }
}

/// Copies the log into the database file. No space for it is no failure: the log still has everything.
fn checkpoint(connection: &Connection, mode: &str, health: &Health) {
    crash_point(CrashPoint::CheckpointBegun);
    let outcome = connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |_| Ok(()));
    crash_point(CrashPoint::CheckpointEnded);
    if let Err(error) = outcome
        && is_storage_failure(&error)
    {
        health.fail(&error);
    }
}

fn close(connection: Connection, health: &Health) {
    if let Err(error) = connection.execute_batch("PRAGMA optimize") {
        tracing::warn!(%error, "the statistics of the database could not be renewed");
    }
    checkpoint(&connection, "TRUNCATE", health);
    if let Err((_, error)) = connection.close() {
        tracing::warn!(%error, "the database could not be closed properly; it will recover when it is opened");
    }
}
