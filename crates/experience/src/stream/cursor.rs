//! A cursor on the events of one execution: each once, in order, first what is stored and then what comes, to the end of the
//! execution. It holds at most one page.

use std::sync::Arc;

use contract::{Code, ExecutionId};
use runtime::{Followed, RuntimeError, Watch, port::store::JournalEvent};
use security_guard::{Asker, GuardError, Permission};
use tokio::time::{Duration, Instant};

use crate::{Plane, Refusal, call, socket::Close};

/// Events that are read at once.
const PAGE: u32 = 500;

/// How often it is looked whether the caller still stands, and whether the execution has ended unnoticed: a cursor can lie beyond
/// its end.
const LOOK_AGAIN_EVERY: Duration = Duration::from_secs(10);

/// The events of an execution after a cursor.
pub(super) struct ExecutionEvents {
    plane: Arc<Plane>,
    asker: Asker,
    followed: Followed,
    cursor: u64,
    is_over: bool,
    /// Why it is over before the execution is.
    refused: Option<Close>,
    watch: Option<Watch>,
    look_at: Instant,
}

impl ExecutionEvents {
    /// Where the asker has such an execution.
    pub(super) async fn open(plane: Arc<Plane>, asker: Asker, execution_id: &str, after: u64) -> Result<Self, Refusal> {
        call::require(&asker, Permission::ReadExecutions)?;
        let not_there = || Refusal::not_found("execution");
        let execution_id: ExecutionId = execution_id.parse().map_err(|_| not_there())?;
        let followed = plane.runtime.follow(&asker.owner(), &execution_id).await?.ok_or_else(not_there)?;
        Ok(Self {
            plane,
            asker,
            followed,
            cursor: after,
            is_over: false,
            refused: None,
            watch: None,
            look_at: Instant::now() + LOOK_AGAIN_EVERY,
        })
    }

    /// The next events, at least one; `None` after the execution's last one. Safe to drop while it waits.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<JournalEvent>>, RuntimeError> {
        while !self.is_over {
            if self.look_at <= Instant::now() {
                self.look_again().await?;
            }
            let (events, may_have_more) = match self.watch.take() {
                None => {
                    let events = self.stored().await?;
                    let is_full = events.len() == PAGE as usize;
                    (events, is_full)
                }
                Some(watch) => (self.live(watch).await?, false),
            };
            if let Some(last) = events.last() {
                self.cursor = last.seq;
                // After a stored end there can be more, where the execution was driven again.
                self.is_over = last.event_type.ends_execution() && !may_have_more;
                return Ok(Some(events));
            }
        }
        Ok(None)
    }

    /// Whether the execution has ended and nothing of it comes after the cursor.
    pub(super) async fn are_over(&self) -> Result<bool, RuntimeError> {
        if !self.followed.has_ended {
            return Ok(false);
        }
        Ok(self.plane.runtime.followed(&self.followed, self.cursor, 1).await?.is_empty())
    }

    /// The next page of what is stored; after the last one the watch begins.
    async fn stored(&mut self) -> Result<Vec<JournalEvent>, RuntimeError> {
        let events = self.plane.runtime.followed(&self.followed, self.cursor, PAGE).await?;
        if events.len() < PAGE as usize {
            let last = events.last().map_or(self.cursor, |event| event.seq);
            if !self.followed.has_ended {
                // All of ours up to the head is read: what others said before it need not be.
                let after = last.max(self.followed.position.head);
                self.watch = Some(self.plane.runtime.watch_followed(&self.followed, after));
            }
            self.is_over = events.is_empty() && self.watch.is_none();
        }
        Ok(events)
    }

    /// What comes next in the stream, as far as it is this execution's.
    async fn live(&mut self, mut watch: Watch) -> Result<Vec<JournalEvent>, RuntimeError> {
        match tokio::time::timeout_at(self.look_at, watch.next()).await {
            Ok(events) => {
                let mut events = events?;
                events.retain(|event| event.execution_id == self.followed.execution_id);
                self.watch = Some(watch);
                Ok(events)
            }
            Err(_) => Ok(Vec::new()),
        }
    }

    /// Looks whether the caller may still see this and whether the execution has ended.
    async fn look_again(&mut self) -> Result<(), RuntimeError> {
        self.look_at = Instant::now() + LOOK_AGAIN_EVERY;
        if self.may_go_on().await.is_err() {
            return Ok(());
        }
        let followed = self.plane.runtime.follow(&self.asker.owner(), &self.followed.execution_id).await?;
        match followed {
            Some(followed) => self.followed = followed,
            None => self.followed.has_ended = true,
        }
        Ok(())
    }

    /// Ends the stream of a caller whose sign-in has ended.
    pub(super) async fn may_go_on(&mut self) -> Result<(), Close> {
        let Asker::User(caller) = &self.asker else { return Ok(()) };
        let why = match self.plane.guard.recheck(caller).await {
            Ok(_) => return Ok(()),
            // What the guard cannot answer just now ends nothing.
            Err(error) if error.code().status() >= 500 => return Ok(()),
            Err(GuardError::TokenExpired) => Close::TokenExpired,
            Err(_) => Close::NotAllowed,
        };
        self.is_over = true;
        self.refused = Some(why);
        Err(why)
    }

    /// Why there are no more events.
    pub(super) fn why_over(&self) -> Close {
        self.refused.unwrap_or(Close::Done)
    }
}

/// The cursor that a client names; absent, the beginning.
pub(super) fn parse_cursor(text: Option<&str>) -> Result<u64, Refusal> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(0) };
    text.parse().map_err(|_| {
        Refusal::new(
            Code::BadCursor,
            "The cursor is the `seq` of an event: a whole number. Leave it out for the beginning.",
        )
    })
}
