//! What a run tells, on its way into the store: gathered while a commit is under way, joined where pieces come close
//! together, always in order.

use std::{sync::Mutex, time::Duration};

use contract::{Code, EventType, ExecutionId, Timestamp};
use serde_json::json;
use tokio::{
    sync::{Notify, watch},
    time::Instant,
};

use super::lock;
use crate::{
    handler::{Failure, FailureKind},
    machine::State,
    port::{
        Clock, StoreError,
        store::{Change, Fence, NewEvent, Object, StepRecord},
    },
    torture::{Bug, has_bug},
};

/// How much text waits at most to become one event, in bytes.
const MAX_TOKEN_BYTES: usize = 2_048;

/// How many events wait for a commit before whoever tells has to wait.
const MAX_WAITING_EVENTS: usize = 512;

/// How long news that nobody waits for (the start, the beginning of a step) may wait for company.
const LAZINESS: Duration = Duration::from_millis(20);

pub(super) struct Journal {
    buffer: Mutex<Buffer>,
    wake: Notify,
    /// How much of what was pushed is durable.
    committed: watch::Sender<Progress>,
    coalesce: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    Upto(u64),
    /// The store does not take any more from this run.
    Stopped(Stop),
}

/// Why nothing more can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// Another decision or another worker came in between.
    Fenced,
    Full,
    Failed,
}

impl From<&StoreError> for Stop {
    fn from(error: &StoreError) -> Self {
        match error {
            StoreError::Conflict => Self::Fenced,
            StoreError::Full => Self::Full,
            // Nothing that a run writes has a cursor.
            StoreError::Busy | StoreError::BadCursor | StoreError::Unreadable(_) | StoreError::Failed(_) => {
                Self::Failed
            }
        }
    }
}

struct Buffer {
    /// The start of the attempt, until it is stored.
    start: Option<Start>,
    events: Vec<NewEvent>,
    steps: Vec<StepRecord>,
    tokens: Option<Tokens>,
    /// Counts everything that was pushed.
    pushed: u64,
    /// When what waits has to go, where nobody waits for it.
    due: Option<Instant>,
    urgent: bool,
    /// The start has to be durable before the handler runs.
    hurried: bool,
    last_token_flush: Option<Instant>,
    closed: bool,
}

struct Start {
    state: State,
    stored_revision: u64,
}

struct Tokens {
    text: String,
    about: Object,
    at: Timestamp,
}

/// What one commit takes.
pub(super) struct Taken {
    pub(super) fence: Fence,
    pub(super) next: Option<State>,
    pub(super) events: Vec<NewEvent>,
    pub(super) steps: Vec<StepRecord>,
    upto: u64,
}

impl Taken {
    fn into_change(self, execution_id: &ExecutionId) -> Change {
        let mut change = Change::new(execution_id.clone(), self.fence);
        change.next = self.next;
        change.events = self.events;
        change.steps = self.steps;
        change
    }
}

impl Journal {
    /// A journal that begins with a start that is decided and not stored.
    pub(super) fn new(state: State, stored_revision: u64, events: Vec<NewEvent>, coalesce: Duration) -> Self {
        let buffer = Buffer {
            start: Some(Start { state, stored_revision }),
            events,
            steps: Vec::new(),
            tokens: None,
            pushed: 1,
            due: Some(Instant::now() + LAZINESS),
            urgent: false,
            hurried: false,
            last_token_flush: None,
            closed: false,
        };
        let committed = watch::Sender::new(Progress::Upto(0));
        Self { buffer: Mutex::new(buffer), wake: Notify::new(), committed, coalesce }
    }

    /// Asks for the start to be durable before the handler runs.
    pub(super) fn hurry(&self) {
        lock(&self.buffer).hurried = true;
    }

    pub(super) fn is_hurried(&self) -> bool {
        lock(&self.buffer).hurried
    }

    /// Tells an event soon, after all that was told before.
    pub(super) async fn tell(&self, id: &ExecutionId, event: NewEvent) -> Result<(), Failure> {
        let crowded = {
            let mut buffer = lock(&self.buffer);
            buffer.seal_tokens(id);
            buffer.events.push(event);
            buffer.pushed += 1;
            buffer.urgent = true;
            buffer.events.len() >= MAX_WAITING_EVENTS
        };
        self.wake.notify_one();
        if crowded { self.flushed().await } else { Ok(()) }
    }

    /// Tells an event that can wait for company.
    pub(super) fn tell_lazily(&self, id: &ExecutionId, event: NewEvent) {
        let mut buffer = lock(&self.buffer);
        buffer.seal_tokens(id);
        buffer.events.push(event);
        buffer.pushed += 1;
        buffer.due_within(LAZINESS);
        drop(buffer);
        self.wake.notify_one();
    }

    /// Tells a piece of an answer: the first at once, later ones joined with what comes within the coalescing time.
    pub(super) async fn token(
        &self,
        id: &ExecutionId,
        token: &str,
        about: &Object,
        at: Timestamp,
    ) -> Result<(), Failure> {
        let crowded = {
            let mut buffer = lock(&self.buffer);
            if buffer.tokens.as_ref().is_some_and(|tokens| tokens.about != *about) {
                buffer.seal_tokens(id);
            }
            buffer.pushed += 1;
            let wait =
                buffer.last_token_flush.map_or(Duration::ZERO, |last| self.coalesce.saturating_sub(last.elapsed()));
            let waiting_bytes = buffer.tokens.as_ref().map_or(0, |tokens| tokens.text.len());
            let goes = wait.is_zero() || waiting_bytes + token.len() >= MAX_TOKEN_BYTES;
            match &mut buffer.tokens {
                Some(tokens) => tokens.text.push_str(token),
                None if goes => buffer.events.push(NewEvent::token(id, at, token, about)),
                None => buffer.tokens = Some(Tokens { text: token.to_owned(), about: about.clone(), at }),
            }
            if goes {
                buffer.seal_tokens(id);
                buffer.urgent = true;
                buffer.last_token_flush = Some(Instant::now());
            } else {
                buffer.due_within(wait);
            }
            buffer.events.len() >= MAX_WAITING_EVENTS
        };
        self.wake.notify_one();
        if crowded { self.flushed().await } else { Ok(()) }
    }

    /// Records a step and waits until it is durable.
    pub(super) async fn record(&self, id: &ExecutionId, step: StepRecord, event: NewEvent) -> Result<(), Failure> {
        {
            let mut buffer = lock(&self.buffer);
            buffer.seal_tokens(id);
            buffer.steps.push(step);
            buffer.events.push(event);
            buffer.pushed += 1;
            if has_bug(Bug::StepRecordedLate) {
                buffer.due_within(LAZINESS);
                return Ok(());
            }
            buffer.urgent = true;
        }
        self.wake.notify_one();
        self.flushed().await
    }

    /// Waits until all that was told so far is durable.
    pub(super) async fn flushed(&self) -> Result<(), Failure> {
        let target = {
            let mut buffer = lock(&self.buffer);
            buffer.urgent = true;
            buffer.pushed
        };
        self.wake.notify_one();
        let mut committed = self.committed.subscribe();
        let reached = committed
            .wait_for(|progress| match progress {
                Progress::Upto(upto) => *upto >= target,
                Progress::Stopped(_) => true,
            })
            .await
            .map(|progress| *progress);
        match reached {
            Ok(Progress::Upto(_)) => Ok(()),
            Ok(Progress::Stopped(stop)) => Err(stop.failure()),
            Err(_) => Err(Stop::Failed.failure()),
        }
    }

    /// Commits what is told until the journal is closed or the store refuses. Runs beside the handler and is never dropped in the middle
    /// of a commit.
    pub(super) async fn keep_flushing(
        &self,
        id: &ExecutionId,
        attempt: u32,
        shared: &super::Shared,
    ) -> Result<(), StoreError> {
        loop {
            let due = match self.take_ready(id, attempt) {
                Ready::Now(taken) => {
                    let upto = taken.upto;
                    if let Err(error) = shared.commit(taken.into_change(id)).await {
                        self.committed.send_replace(Progress::Stopped(Stop::from(&error)));
                        return Err(error);
                    }
                    self.committed.send_replace(Progress::Upto(upto));
                    continue;
                }
                Ready::Closed => return Ok(()),
                Ready::At(due) => due,
            };
            match due {
                Some(due) => {
                    tokio::select! {
                        () = self.wake.notified() => {}
                        () = tokio::time::sleep_until(due) => {}
                    }
                }
                None => self.wake.notified().await,
            }
        }
    }

    /// No commit begins after this; what waits is left for `take_rest`.
    pub(super) fn close(&self) {
        lock(&self.buffer).closed = true;
        self.wake.notify_one();
    }

    /// All that was told and not committed, for the run's last commit.
    pub(super) fn take_rest(&self, id: &ExecutionId, attempt: u32) -> Taken {
        lock(&self.buffer).take(id, attempt)
    }

    fn take_ready(&self, id: &ExecutionId, attempt: u32) -> Ready {
        let mut buffer = lock(&self.buffer);
        if buffer.closed {
            return Ready::Closed;
        }
        let now = Instant::now();
        if buffer.urgent || buffer.due.is_some_and(|due| due <= now) {
            if buffer.tokens.is_some() {
                buffer.last_token_flush = Some(now);
            }
            if buffer.is_empty() {
                // Everything was taken by an earlier commit; whoever waits is told by it.
                buffer.urgent = false;
                buffer.due = None;
                return Ready::At(None);
            }
            return Ready::Now(Box::new(buffer.take(id, attempt)));
        }
        Ready::At(buffer.due)
    }
}

enum Ready {
    Now(Box<Taken>),
    At(Option<Instant>),
    Closed,
}

impl Buffer {
    fn is_empty(&self) -> bool {
        self.start.is_none() && self.events.is_empty() && self.steps.is_empty() && self.tokens.is_none()
    }

    fn seal_tokens(&mut self, id: &ExecutionId) {
        let Some(tokens) = self.tokens.take() else { return };
        self.events.push(NewEvent::token(id, tokens.at, &tokens.text, &tokens.about));
    }

    fn due_within(&mut self, wait: Duration) {
        let due = Instant::now() + wait;
        self.due = Some(self.due.map_or(due, |earlier| earlier.min(due)));
    }

    fn take(&mut self, id: &ExecutionId, attempt: u32) -> Taken {
        self.seal_tokens(id);
        self.urgent = false;
        self.due = None;
        let (fence, next) = match self.start.take() {
            Some(start) => (Fence::Revision(start.stored_revision), Some(start.state)),
            None => (Fence::Attempt(attempt), None),
        };
        Taken {
            fence,
            next,
            events: std::mem::take(&mut self.events),
            steps: std::mem::take(&mut self.steps),
            upto: self.pushed,
        }
    }
}

impl Stop {
    pub(super) fn failure(self) -> Failure {
        match self {
            Self::Fenced => Failure {
                kind: FailureKind::Fenced,
                code: Code::Conflict,
                message: "Another decision came in between.".into(),
                details: None,
                retry_after: None,
            },
            Self::Full => Failure::transient(Code::StorageFull, "The storage is full; free some space and try again."),
            Self::Failed => {
                Failure { kind: FailureKind::Fenced, ..Failure::new(Code::Internal, "The storage failed.") }
            }
        }
    }
}

/// The event that tells of a recorded step.
pub(super) fn step_completed(id: &ExecutionId, name: &str, clock: &dyn Clock) -> NewEvent {
    NewEvent::new(EventType::StepCompleted, id, clock.now(), &json!({ "step": name }))
}
