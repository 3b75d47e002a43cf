//! Tells watchers in this process what was committed. It is a hint that also carries the news: whoever misses one
//! reads the store.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::broadcast;

use crate::port::store::{Committed, JournalEvent, StreamId};

/// How many commits a watcher may be behind before it has to read the store.
const MAX_COMMITS_BEHIND: usize = 64;

/// The events of one commit.
pub(crate) type Batch = Arc<[JournalEvent]>;

#[derive(Default)]
pub(crate) struct Feed {
    streams: Mutex<HashMap<StreamId, broadcast::Sender<Batch>>>,
}

impl Feed {
    pub(crate) fn publish(&self, committed: Committed) {
        if committed.events.is_empty() {
            return;
        }
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(sender) = streams.get(&committed.stream) else { return };
        if sender.send(committed.events.into()).is_err() {
            streams.remove(&committed.stream);
        }
    }

    pub(crate) fn subscribe(&self, stream: StreamId) -> broadcast::Receiver<Batch> {
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        streams.entry(stream).or_insert_with(|| broadcast::channel(MAX_COMMITS_BEHIND).0).subscribe()
    }

    /// Forgets streams that nobody watches any more; called now and then.
    pub(crate) fn sweep(&self) {
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        streams.retain(|_, sender| sender.receiver_count() > 0);
    }
}
