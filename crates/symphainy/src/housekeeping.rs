//! What is done to the data behind the news: folding it, and taking away what is older than it is kept. Nobody waits for it, and it
//! takes the writer in small pieces.

use std::{
    convert::Infallible,
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use contract::Timestamp;
use public_works::{
    SqliteStore,
    sqlite::{Abandoned, KeptFrom, Pass},
};
use runtime::{ObjectError, Objects, RuntimeClient, RuntimeError, StoreError};
use security_guard::SecurityGuard;
use tracing::{debug, info, warn};

use crate::{SystemClock, archive_file, config::RetentionSection};

/// What was told in this time is not folded yet: who reads it is likely to be there still, and the disk is likely to be busy.
const RIPENING: Duration = Duration::from_secs(60);

/// How often it is looked for what is older than it is kept.
const RETENTION_INTERVAL: Duration = Duration::from_secs(60 * 60);

/// How often it is looked for letters that nobody said anything of.
const LETTERS_INTERVAL: Duration = Duration::from_secs(60);

/// How long the writer has for others between two pieces.
const PAUSE: Duration = Duration::from_millis(50);

/// Folds the journal of executions that have ended, always.
pub(crate) async fn fold(store: &SqliteStore) -> Infallible {
    let mut ripe = newest_row(store).await;
    loop {
        tokio::time::sleep(RIPENING).await;
        if let Err(error) = fold_to(store, ripe).await {
            warn!(%error, "the journal could not be folded; it is tried again");
        }
        ripe = newest_row(store).await;
    }
}

async fn newest_row(store: &SqliteStore) -> i64 {
    // Where it cannot be read, nothing is ripe.
    store.newest_row().await.unwrap_or_default()
}

async fn fold_to(store: &SqliteStore, row: i64) -> Result<(), StoreError> {
    loop {
        let folded = store.fold(row).await?;
        if folded.executions > 0 {
            debug!(executions = folded.executions, rows = folded.rows_before, into = folded.rows_after, "folded");
        }
        if !folded.more {
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Takes away what is older than it is kept, now and then.
pub(crate) async fn retain(store: &SqliteStore, section: &RetentionSection) -> Infallible {
    loop {
        tokio::time::sleep(RIPENING).await;
        if !section.is_forever() {
            let now = SystemClock.now();
            let archive = section.archive.as_deref().map(|folder| archive_file::file_of_day(folder, now));
            match take_away(store, &section.kept_from(now), archive.as_deref(), now).await {
                Ok(0) => {}
                Ok(executions) => info!(executions, archive = ?archive, "taken away, as they ended long ago"),
                Err(error) => warn!(%error, "what ended long ago could not be taken away; it is tried again"),
            }
        }
        tokio::time::sleep(RETENTION_INTERVAL).await;
    }
}

/// Takes away what anonymous sessions kept that were deleted or have expired: nobody can reach it any more.
pub(crate) async fn forget_abandoned(
    store: &SqliteStore,
    runtime: &RuntimeClient,
    objects: &dyn Objects,
) -> Infallible {
    loop {
        match forget_all_abandoned(store, runtime, objects).await {
            Ok(0) => {}
            Ok(spaces) => info!(spaces, "forgotten, as their sessions have ended"),
            Err(error) => warn!(%error, "what ended sessions kept could not be forgotten; it is tried again"),
        }
        tokio::time::sleep(RIPENING).await;
    }
}

/// One pass over all that is abandoned. Answers how many spaces are gone.
async fn forget_all_abandoned(
    store: &SqliteStore,
    runtime: &RuntimeClient,
    objects: &dyn Objects,
) -> Result<u64, ForgetError> {
    let (mut gone, mut last) = (0, None);
    while let Some(found) = store.find_abandoned(last.as_ref()).await? {
        if found.unfinished.is_empty() {
            forget(store, objects, &found).await?;
            gone += 1;
        }
        // What has been cancelled is taken away by a later pass.
        for execution_id in &found.unfinished {
            runtime.cancel(&found.owner, execution_id, "The session has ended.").await?;
        }
        last = Some(found);
    }
    Ok(gone)
}

/// All of one space, its files first.
async fn forget(store: &SqliteStore, objects: &dyn Objects, abandoned: &Abandoned) -> Result<(), ForgetError> {
    loop {
        for object in store.abandoned_objects(abandoned).await? {
            objects.delete(&object).await?;
        }
        if !store.forget_abandoned(abandoned).await? {
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
}

#[derive(Debug, thiserror::Error)]
enum ForgetError {
    #[error("the data cannot be read or written: {0}")]
    Store(#[from] StoreError),
    #[error("a file cannot be taken away: {0}")]
    Objects(#[from] ObjectError),
    #[error("an execution cannot be cancelled: {0}")]
    Runtime(#[from] RuntimeError),
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum TakeAwayError {
    #[error("The data cannot be read or written: {0}")]
    Store(#[from] StoreError),
    #[error("The archive cannot be written: {0}")]
    Archive(#[from] io::Error),
}

/// One pass over everything; what goes is in the archive first, where there is one. Answers how many executions went.
pub(crate) async fn take_away(
    store: &SqliteStore,
    kept: &KeptFrom,
    archive: Option<&Path>,
    now: Timestamp,
) -> Result<u64, TakeAwayError> {
    let mut pass = Pass::default();
    let mut executions = 0;
    while !pass.is_over() {
        let found = store.find_expired(kept, pass).await?;
        for expired in &found.expired {
            if let Some(path) = archive {
                let line = store.archive_line(expired).await?;
                write(path.to_owned(), line).await?;
            }
            if store.remove(expired, now).await? {
                executions += expired.executions();
            }
            tokio::task::yield_now().await;
        }
        pass = found.pass;
    }
    Ok(executions)
}

/// Takes letters to where they go: as soon as one is posted, and when one is due again.
pub(crate) async fn send_letters(guard: &SecurityGuard) -> Infallible {
    loop {
        let wait = match guard.deliver_letters().await {
            Ok(Some(due)) => due.since(SystemClock.now()).clamp(PAUSE, LETTERS_INTERVAL),
            Ok(None) => LETTERS_INTERVAL,
            Err(error) => {
                warn!(%error, "letters could not be looked at; it is tried again");
                LETTERS_INTERVAL
            }
        };
        // A letter that was posted by somebody else, on the data folder, is found at the next look.
        let _ = tokio::time::timeout(wait, guard.letter_posted()).await;
    }
}

async fn write(path: PathBuf, line: String) -> io::Result<()> {
    let written = tokio::task::spawn_blocking(move || archive_file::append(&path, &[line])).await;
    written.map_err(io::Error::other)?
}
