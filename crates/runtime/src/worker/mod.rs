//! The worker: takes accepted executions up, runs their handlers, and saves what follows. Everything that was decided is
//! committed before anything acts on it.

mod calls;
mod firing;
mod handling;
mod journal;
mod keep;
mod ready;
mod recover;
mod run;
mod schedule;
mod steer;
mod timers;
mod turns;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use contract::ExecutionId;
use tokio::sync::{Semaphore, oneshot};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub(crate) use run::{Run, approval_of, storage_failure};
pub(crate) use schedule::Job;

use crate::{
    catalogue::Catalogue,
    feed::Feed,
    figures::{Counters, Figures},
    machine::State,
    port::{
        Clock, Objects, Store, StoreError,
        store::{Change, Committed},
    },
    recent::Recent,
    torture::{CrashPoint, crash_point},
};

/// How the Runtime works; the defaults are right for one machine.
#[derive(Clone, Copy, Debug)]
pub struct RuntimeConfig {
    /// How many handlers run at once; more wait in the order of their acceptance.
    pub concurrency: usize,
    /// Pieces of an answer that come within this time are one event; zero makes each piece an event.
    pub coalesce: Duration,
    /// How often an execution that fails in a way that may pass, or whose process died, is begun at most.
    pub max_attempts: u32,
    /// The wait before the second attempt; it doubles from there.
    pub retry_delay: Duration,
    /// How long an approval waits for somebody's word.
    pub approval_ttl: Duration,
    /// How long a key makes a retry return the first answer.
    pub idempotency_ttl: Duration,
    /// How many executions wait behind the one that has their concurrency key.
    pub waiting_per_key: u32,
}

impl Default for RuntimeConfig {
    fn default() -> Self {
        Self {
            concurrency: 4_096,
            coalesce: Duration::from_millis(30),
            max_attempts: 5,
            retry_delay: Duration::from_millis(500),
            approval_ttl: Duration::from_secs(24 * 60 * 60),
            idempotency_ttl: Duration::from_secs(7 * 24 * 60 * 60),
            waiting_per_key: 100,
        }
    }
}

/// What all parts of one Runtime share.
pub(crate) struct Shared {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) objects: Arc<dyn Objects>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) catalogue: Catalogue,
    pub(crate) config: RuntimeConfig,
    pub(crate) feed: Feed,
    pub(crate) recent: Recent,
    counters: Counters,
    schedule: schedule::Schedule,
    timers: timers::Timers,
    /// The runs of this process, to reach them with a cancellation.
    live: Mutex<HashMap<ExecutionId, Arc<Run>>>,
    /// Who waits for the end of an execution.
    waiting: Mutex<HashMap<ExecutionId, Vec<oneshot::Sender<State>>>>,
    /// Places for work that computes for long: as many as there are cores, so that it does not crowd out the rest.
    pub(crate) computing: Arc<Semaphore>,
    /// Stops taking up executions; those that run are waited for.
    pub(crate) stopping: CancellationToken,
    pub(crate) tasks: TaskTracker,
}

impl Shared {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        objects: Arc<dyn Objects>,
        clock: Arc<dyn Clock>,
        catalogue: Catalogue,
        config: RuntimeConfig,
    ) -> Self {
        let counters = Counters::new(catalogue.descriptors().map(|descriptor| descriptor.intent_type.as_str()));
        Self {
            store,
            objects,
            clock,
            catalogue,
            config,
            feed: Feed::default(),
            recent: Recent::default(),
            counters,
            schedule: schedule::Schedule::new(config.concurrency),
            timers: timers::Timers::default(),
            live: Mutex::default(),
            waiting: Mutex::default(),
            computing: Arc::new(Semaphore::new(std::thread::available_parallelism().map_or(1, usize::from))),
            stopping: CancellationToken::new(),
            tasks: TaskTracker::new(),
        }
    }

    /// Saves a change and tells watchers. Callers let it finish: a change that was saved but not told makes viewers late.
    pub(crate) async fn commit(&self, change: Change) -> Result<(), StoreError> {
        let id = change.execution_id.clone();
        let has_ended = change.next.as_ref().map(State::has_ended);
        let ended = change.next.as_ref().filter(|next| next.has_ended()).cloned();
        let decided = change.next.as_ref().and_then(|next| self.counters.weigh(next));
        crash_point(CrashPoint::ChangeUnsaved);
        let committed = self.store.commit(change).await?;
        crash_point(CrashPoint::ChangeSaved);
        self.counters.count_events(committed.events.len());
        if let Some(decided) = decided {
            decided.count();
        }
        self.recent.follow(&id, has_ended, &committed);
        self.feed.publish(committed);
        if let Some(state) = ended {
            self.tell_waiting(&state);
        }
        Ok(())
    }

    /// Tells what a new execution has told.
    pub(crate) fn publish(&self, state: &State, committed: Committed) {
        self.counters.count_accepted(state, committed.events.len());
        self.recent.begin(state, &committed);
        self.feed.publish(committed);
    }

    /// Is told when the execution ends. Ask the store after this, in case it has ended before.
    pub(crate) fn on_end(&self, id: &ExecutionId) -> oneshot::Receiver<State> {
        let (sender, receiver) = oneshot::channel();
        let mut waiting = lock(&self.waiting);
        let senders = waiting.entry(id.clone()).or_default();
        senders.retain(|sender| !sender.is_closed());
        senders.push(sender);
        receiver
    }

    /// Forgets those that no longer wait.
    pub(crate) fn sweep(&self) {
        self.feed.sweep();
        lock(&self.waiting).retain(|_, senders| {
            senders.retain(|sender| !sender.is_closed());
            !senders.is_empty()
        });
    }

    pub(crate) fn figures(&self) -> Figures {
        let (running, queued) = self.schedule.load();
        self.counters.read(running, queued)
    }

    fn tell_waiting(&self, state: &State) {
        let senders = lock(&self.waiting).remove(&state.header.execution_id).unwrap_or_default();
        for sender in senders {
            // Whoever stopped waiting does not want to know.
            let _ = sender.send(state.clone());
        }
    }

    fn live_run(&self, id: &ExecutionId) -> Option<Arc<Run>> {
        lock(&self.live).get(id).cloned()
    }
}

/// Locks, also after a panic elsewhere: what these locks guard is whole between two statements.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
