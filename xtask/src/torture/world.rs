//! What all clients of one torture share: where the server is, whether it lives, what was counted and what was found wrong.

use std::{
    net::SocketAddr,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::sync::{Notify, watch};

use super::{effects::Effects, http::Lost};

/// How many findings are kept; one is enough to fail.
const MAX_FOUND: usize = 50;

/// How the server stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stand {
    Down,
    Up,
    /// It is up and is not killed any more: clients come to an end and check everything.
    Settling,
    /// Something is wrong that makes it useless to go on.
    Over,
}

/// A promise that was not kept.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// Which check found it.
    pub(super) check: &'static str,
    pub(super) said: String,
}

pub(super) struct World {
    pub(super) address: SocketAddr,
    pub(super) effects: Effects,
    stand: watch::Sender<Stand>,
    found: Mutex<Vec<Found>>,
    /// Writes that were answered as durable, each counted once.
    acknowledged: AtomicU64,
    /// So many are awaited, by whoever is to kill the server then.
    awaited: AtomicU64,
    enough: Notify,
    registered: watch::Sender<u64>,
    /// Checks that were made.
    checked: AtomicU64,
    /// Whether the disk fails, so that an answer may be that it does.
    pub(super) is_failing: bool,
    /// Answers that said that there is no space.
    full: AtomicU64,
}

impl World {
    pub(super) fn new(address: SocketAddr, effects: Effects, is_failing: bool) -> Self {
        Self {
            address,
            effects,
            stand: watch::Sender::new(Stand::Down),
            found: Mutex::default(),
            acknowledged: AtomicU64::new(0),
            awaited: AtomicU64::new(u64::MAX),
            enough: Notify::new(),
            registered: watch::Sender::new(0),
            checked: AtomicU64::new(0),
            is_failing,
            full: AtomicU64::new(0),
        }
    }

    /// Once it is over it stays so.
    pub(super) fn set(&self, stand: Stand) {
        self.stand.send_if_modified(|now| {
            let changes = *now != Stand::Over && *now != stand;
            if changes {
                *now = stand;
            }
            changes
        });
    }

    /// Waits until it is over.
    pub(super) async fn over(&self) {
        let mut stand = self.stand.subscribe();
        // The sender is ours.
        let _ = stand.wait_for(|stand| *stand == Stand::Over).await;
    }

    pub(super) fn stand(&self) -> Stand {
        *self.stand.borrow()
    }

    /// Waits until the server can be asked, and not longer than a moment where it looks as if it could: whoever was just
    /// disconnected may know of its death before we do.
    pub(super) async fn back(&self) {
        tokio::time::sleep(Duration::from_millis(2)).await;
        let mut stand = self.stand.subscribe();
        // The sender is ours.
        let _ = stand.wait_for(|stand| *stand != Stand::Down).await;
    }

    /// There was no answer: waits until it can be asked for again. Servers that live answer in time.
    pub(super) async fn lost(&self, lost: Lost, path: &str) {
        if lost == Lost::Late {
            self.find("what was acknowledged ends", format!("{path} is not answered to its end"));
        }
        self.back().await;
    }

    pub(super) fn acknowledge(&self) {
        let count = self.acknowledged.fetch_add(1, Ordering::Relaxed) + 1;
        if count >= self.awaited.load(Ordering::Relaxed) {
            self.enough.notify_one();
        }
    }

    /// Waits until so many writes have been acknowledged.
    pub(super) async fn until_acknowledged(&self, count: u64) {
        self.awaited.store(count, Ordering::Relaxed);
        while self.acknowledged() < count {
            self.enough.notified().await;
        }
    }

    pub(super) fn register(&self) {
        self.registered.send_modify(|registered| *registered += 1);
    }

    /// Waits until so many clients are registered.
    pub(super) async fn registered(&self, clients: u64) {
        let mut registered = self.registered.subscribe();
        // The sender is ours.
        let _ = registered.wait_for(|registered| *registered >= clients).await;
    }

    pub(super) fn acknowledged(&self) -> u64 {
        self.acknowledged.load(Ordering::Relaxed)
    }

    /// Whether an answer says "not now": it stops, too much waits, there is no space. Where the disk fails it may say that too, and
    /// the process ends.
    pub(super) fn is_not_now(&self, status: u16) -> bool {
        if status == 507 {
            self.full.fetch_add(1, Ordering::Relaxed);
        }
        matches!(status, 503 | 507) || (status == 500 && self.is_failing)
    }

    pub(super) fn full(&self) -> u64 {
        self.full.load(Ordering::Relaxed)
    }

    pub(super) fn checked(&self) -> u64 {
        self.checked.load(Ordering::Relaxed)
    }

    /// Holds a promise against what was seen.
    pub(super) fn check(&self, check: &'static str, holds: bool, said: impl FnOnce() -> String) -> bool {
        self.checked.fetch_add(1, Ordering::Relaxed);
        if !holds {
            self.find(check, said());
        }
        holds
    }

    /// A promise was not kept; nothing is gained by going on.
    pub(super) fn find(&self, check: &'static str, said: String) {
        {
            let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
            // What fails after the end of it all fails for that reason.
            if found.len() < MAX_FOUND && self.stand() != Stand::Over {
                found.push(Found { check, said });
            }
        }
        self.set(Stand::Over);
    }

    pub(super) fn found(&self) -> Vec<Found> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn has_found(&self) -> bool {
        !self.found.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }
}
