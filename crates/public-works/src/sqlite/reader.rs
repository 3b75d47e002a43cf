//! The threads that read. Each has a connection of its own, so that a long question delays neither the writer nor
//! more than one of the other questions.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex},
};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::{
    database::Health,
    error::{DatabaseError, is_storage_failure},
};

/// Something to be read; it tells its asker by itself.
pub(crate) type Question = Box<dyn FnOnce(&Connection, &Health) + Send>;

/// One queue for all readers.
pub(crate) type Questions = Arc<Mutex<mpsc::Receiver<Question>>>;

/// Wraps `work`, which sees the database at one moment, and tells the outcome.
pub(crate) fn question<Work, T, E>(work: Work, reply: oneshot::Sender<Result<T, E>>) -> Question
where
    Work: FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    T: Send + 'static,
    E: std::error::Error + From<DatabaseError> + Send + 'static,
{
    Box::new(move |connection, health| {
        let outcome = catch_unwind(AssertUnwindSafe(|| at_one_moment(connection, work)))
            .unwrap_or_else(|_| Err(DatabaseError::Panicked.into()));
        if let Err(error) = &outcome
            && is_storage_failure(error)
        {
            health.fail(error);
        }
        // Nobody may wait any more.
        let _ = reply.send(outcome);
    })
}

fn at_one_moment<T, E>(connection: &Connection, work: impl FnOnce(&Connection) -> Result<T, E>) -> Result<T, E>
where
    E: From<DatabaseError>,
{
    let begin = || connection.prepare_cached("BEGIN")?.execute([]);
    begin().map_err(DatabaseError::from)?;
    let snapshot = Snapshot(connection);
    let outcome = work(connection);
    drop(snapshot);
    outcome
}

/// Ends the reading transaction, after a panic too.
struct Snapshot<'connection>(&'connection Connection);

impl Drop for Snapshot<'_> {
    fn drop(&mut self) {
        let end = || self.0.prepare_cached("COMMIT")?.execute([]);
        if let Err(error) = end() {
            tracing::warn!(%error, "a reading transaction could not be ended");
        }
    }
}

/// Runs until the last sender is gone.
pub(crate) fn run(connection: &Connection, questions: &Questions, health: &Health) {
    loop {
        let next = questions.lock().expect("no reader panics while it takes a question").blocking_recv();
        let Some(question) = next else { return };
        question(connection, health);
    }
}
