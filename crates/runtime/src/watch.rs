//! A cursor on a stream: every event after it, once, in order; first what is stored, then what comes.

use std::sync::Arc;

use contract::ExecutionId;
use tokio::sync::broadcast::{self, error::RecvError};

use crate::{
    client::RuntimeError,
    feed::Batch,
    port::store::{JournalEvent, StreamId},
    worker::Shared,
};

/// How many events are read from the store at once.
const PAGE: u32 = 500;

/// Watches a stream from a cursor. Dropping it ends the watch; it holds no more than one page of events.
pub struct Watch {
    shared: Arc<Shared>,
    stream: StreamId,
    receiver: broadcast::Receiver<Batch>,
    /// The last `seq` that was given out.
    cursor: u64,
    /// Whether the store may hold events that the feed will not bring.
    behind: bool,
}

impl Watch {
    pub(crate) fn new(shared: Arc<Shared>, stream: StreamId, after: u64) -> Self {
        // Listen before the first look, so that nothing falls between them.
        let receiver = shared.feed.subscribe(stream);
        Self { shared, stream, receiver, cursor: after, behind: true }
    }

    /// A watch of the stream of one execution. Where `after` is known to be its last event yet, nothing has to be read.
    pub(crate) fn of_execution(shared: Arc<Shared>, id: &ExecutionId, stream: StreamId, after: u64) -> Self {
        let mut watch = Self::new(shared, stream, after);
        watch.behind = !watch.shared.recent.ends_with(id, after);
        watch
    }

    /// The last `seq` that was given out, or where the watch began.
    pub fn cursor(&self) -> u64 {
        self.cursor
    }

    pub fn stream(&self) -> StreamId {
        self.stream
    }

    /// The next events, at least one. Waits for as long as there are none. Safe to drop while it waits.
    pub async fn next(&mut self) -> Result<Vec<JournalEvent>, RuntimeError> {
        loop {
            if self.behind {
                let events = self.shared.store.events(self.stream, self.cursor, None, PAGE).await?;
                if let Some(last) = events.last() {
                    self.cursor = last.seq;
                    return Ok(events);
                }
                self.behind = false;
            }
            match self.receiver.recv().await {
                Ok(batch) => {
                    if let Some(events) = self.fresh(&batch) {
                        return Ok(events);
                    }
                }
                Err(RecvError::Lagged(_)) => self.behind = true,
                Err(RecvError::Closed) => {
                    self.receiver = self.shared.feed.subscribe(self.stream);
                    self.behind = true;
                }
            }
        }
    }

    /// The events of the batch that come right after the cursor. A gap means that another commit's hint is late or lost: then the
    /// store is read.
    fn fresh(&mut self, batch: &Batch) -> Option<Vec<JournalEvent>> {
        let events: Vec<JournalEvent> = batch.iter().filter(|event| event.seq > self.cursor).cloned().collect();
        let first = events.first()?;
        if first.seq != self.cursor + 1 {
            self.behind = true;
            return None;
        }
        self.cursor = events.last()?.seq;
        Some(events)
    }
}
