//! The conversations that one socket watches: a bounded number, each from a cursor, each event once.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    task::{Context, Poll},
};

use contract::ConversationId;
use runtime::{RuntimeError, Watch, port::store::JournalEvent};

use super::telling::Telling;

/// Conversations that one socket watches at a time. For one more, the one that was used longest ago is given up; its client
/// resumes it when it speaks there again.
const MAX_WATCHES: usize = 32;

/// A batch that is longer than this came from the store page by page; more may follow at once.
const LONG_BATCH: usize = 128;

/// All of them; the one used last stands last.
#[derive(Default)]
pub(super) struct Watches {
    open: Vec<Watched>,
}

type NextEvents = dyn Future<Output = (Watch, Result<Vec<JournalEvent>, RuntimeError>)> + Send;

struct Watched {
    conversation_id: ConversationId,
    telling: Telling,
    /// Whether it is still reading what has long been stored. Then it waits until everything before has been sent, so that a
    /// long history flows as fast as the client reads. Live events do not wait: whoever does not read those is too slow.
    catching_up: bool,
    next: Pin<Box<NextEvents>>,
}

/// What happened in one of the conversations.
pub(super) struct News<'a> {
    pub(super) telling: &'a mut Telling,
    pub(super) events: Vec<JournalEvent>,
}

impl Watches {
    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// How this conversation is told, where it is watched.
    pub(super) fn telling(&mut self, conversation_id: &ConversationId) -> Option<&mut Telling> {
        let index = self.open.iter().position(|watched| watched.conversation_id == *conversation_id)?;
        let watched = self.open.remove(index);
        self.open.push(watched);
        self.open.last_mut().map(|watched| &mut watched.telling)
    }

    /// Watches a conversation, in place of an earlier watch of it.
    pub(super) fn open(&mut self, conversation_id: ConversationId, watch: Watch, telling: Telling) {
        self.open.retain(|watched| watched.conversation_id != conversation_id);
        if self.open.len() >= MAX_WATCHES {
            let idle = self.open.iter().position(|watched| !watched.telling.is_busy());
            self.open.remove(idle.unwrap_or(0));
        }
        self.open.push(Watched { conversation_id, telling, catching_up: true, next: next(watch) });
    }

    /// The next events of any conversation. Waits for as long as there are none; safe to drop while it waits.
    pub(super) async fn next(&mut self, all_sent: bool) -> Result<News<'_>, RuntimeError> {
        let (index, events) = poll_fn(|context| self.poll_next(all_sent, context)).await;
        let events = events?;
        Ok(News { telling: &mut self.open[index].telling, events })
    }

    fn poll_next(
        &mut self,
        all_sent: bool,
        context: &mut Context<'_>,
    ) -> Poll<(usize, Result<Vec<JournalEvent>, RuntimeError>)> {
        for (index, watched) in self.open.iter_mut().enumerate() {
            if watched.catching_up && !all_sent {
                continue;
            }
            if let Poll::Ready((watch, events)) = watched.next.as_mut().poll(context) {
                watched.next = next(watch);
                watched.catching_up = events.as_ref().is_ok_and(|events| events.len() > LONG_BATCH);
                return Poll::Ready((index, events));
            }
        }
        Poll::Pending
    }
}

fn next(mut watch: Watch) -> Pin<Box<NextEvents>> {
    Box::pin(async move {
        let events = watch.next().await;
        (watch, events)
    })
}
