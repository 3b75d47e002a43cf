//! A cursor on the events of one execution: each once, in order, first what is stored and then what comes, to the end of the
//! execution. It holds at most one page.

use std::sync::Arc;

use contract::{Code, ConversationId, ExecutionId};
use runtime::{
    RuntimeError, Watch,
    port::store::{JournalEvent, StreamKey},
};
use security_guard::{Asker, GuardError, Permission};
use serde::Deserialize;
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
    execution_id: ExecutionId,
    conversation_id: Option<ConversationId>,
    cursor: u64,
    /// Whether the execution had ended when it was last looked at: then all of its events are stored.
    has_ended: bool,
    is_over: bool,
    /// Why it is over before the execution is.
    refused: Option<Close>,
    watch: Option<Watch>,
    look_at: Instant,
}

/// Whose an event is; the rest of it is not read.
#[derive(Deserialize)]
struct Whose<'event> {
    execution_id: &'event str,
}

impl ExecutionEvents {
    /// Where the asker has such an execution.
    pub(super) async fn open(plane: Arc<Plane>, asker: Asker, execution_id: &str, after: u64) -> Result<Self, Refusal> {
        call::require(&asker, Permission::ReadExecutions)?;
        let not_there = || Refusal::not_found("execution");
        let execution_id: ExecutionId = execution_id.parse().map_err(|_| not_there())?;
        let execution = plane.runtime.execution(&asker.owner(), &execution_id).await?.ok_or_else(not_there)?;
        Ok(Self {
            plane,
            asker,
            execution_id,
            conversation_id: execution.conversation_id,
            cursor: after,
            has_ended: execution.status.has_ended(),
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
            let events = match self.watch.take() {
                None => self.stored().await?,
                Some(watch) => self.live(watch).await?,
            };
            if let Some(last) = events.last() {
                self.cursor = last.seq;
                self.is_over = last.event_type.ends_execution();
                return Ok(Some(events));
            }
        }
        Ok(None)
    }

    /// The next page of what is stored; where there is none, the watch begins.
    async fn stored(&mut self) -> Result<Vec<JournalEvent>, RuntimeError> {
        let head = self.head().await?;
        let key = StreamKey::Execution(self.execution_id.clone());
        let events = self.plane.runtime.events(&key, self.cursor, PAGE).await?.unwrap_or_default();
        if !events.is_empty() {
            return Ok(events);
        }
        if !self.has_ended {
            // Nothing of ours stands before the head: what others said there need not be read.
            self.watch = self.plane.runtime.watch(&key, self.cursor.max(head)).await?;
        }
        self.is_over = self.watch.is_none();
        Ok(events)
    }

    /// The newest event of the conversation, read before its events are.
    async fn head(&self) -> Result<u64, RuntimeError> {
        let Some(conversation_id) = &self.conversation_id else { return Ok(0) };
        let conversation = self.plane.runtime.conversation_summary(&self.asker.owner(), conversation_id).await?;
        Ok(conversation.map_or(0, |conversation| conversation.cursor))
    }

    /// What comes next in the stream, as far as it is this execution's.
    async fn live(&mut self, mut watch: Watch) -> Result<Vec<JournalEvent>, RuntimeError> {
        match tokio::time::timeout_at(self.look_at, watch.next()).await {
            Ok(events) => {
                let mut events = events?;
                events.retain(|event| self.is_ours(event));
                self.watch = Some(watch);
                Ok(events)
            }
            Err(_) => Ok(Vec::new()),
        }
    }

    fn is_ours(&self, event: &JournalEvent) -> bool {
        let whose: Result<Whose<'_>, _> = serde_json::from_str(&event.json);
        whose.is_ok_and(|whose| whose.execution_id == self.execution_id.as_str())
    }

    /// Looks whether the caller may still see this and whether the execution has ended.
    async fn look_again(&mut self) -> Result<(), RuntimeError> {
        self.look_at = Instant::now() + LOOK_AGAIN_EVERY;
        if self.may_go_on().await.is_err() {
            return Ok(());
        }
        let execution = self.plane.runtime.execution(&self.asker.owner(), &self.execution_id).await?;
        self.has_ended = execution.is_none_or(|execution| execution.status.has_ended());
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
