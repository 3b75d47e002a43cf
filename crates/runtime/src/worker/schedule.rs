//! Which execution runs when: a bounded queue in memory in front of the store, a bound on how many run at once, and one
//! at a time for each concurrency key.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Arc, Mutex},
};

use contract::{ExecutionId, Owner};
use tokio::sync::oneshot;
use tracing::error;

use super::{Shared, lock, ready::Ready};
use crate::{machine::State, port::store::NewEvent};

/// How many accepted executions wait in memory. More wait in the store, and are read when these have gone.
const MAX_QUEUED: usize = 10_000;

/// How many states are read from the store at once.
const PAGE: u32 = 1_000;

/// An execution that can be taken up.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) state: State,
    /// The revision that the store has; the state may be a decision further.
    pub(crate) stored_revision: u64,
    /// Events of the decisions that are not stored yet.
    pub(crate) events: Vec<NewEvent>,
    /// Whether its start has to be durable before its handler runs. It does after a crash, so that an execution that takes the process
    /// down with it is counted and given up in the end.
    pub(crate) start_durably: bool,
}

impl Job {
    pub(crate) fn fresh(state: State) -> Self {
        Self { stored_revision: state.revision, state, events: Vec::new(), start_durably: false }
    }

    fn id(&self) -> &ExecutionId {
        &self.state.header.execution_id
    }
}

pub(crate) struct Schedule {
    inner: Mutex<Inner>,
    concurrency: usize,
}

#[derive(Default)]
struct Inner {
    running: usize,
    /// Runs that waited for a child and want to go on; they come before new ones.
    resuming: VecDeque<oneshot::Sender<()>>,
    ready: Ready<Job>,
    /// By key: a run has the key, and these wait for it.
    keys: HashMap<String, VecDeque<Job>>,
    /// All that wait or run here, so that none is taken up twice.
    known: HashSet<ExecutionId>,
    /// Those of `known` that somebody wanted to be taken up meanwhile.
    again: HashSet<ExecutionId>,
    /// Waiting jobs that were cancelled meanwhile.
    withdrawn: HashSet<ExecutionId>,
    queued: usize,
    /// Whether the store has executions that were not queued.
    overflowed: bool,
}

impl Schedule {
    pub(super) fn new(concurrency: usize) -> Self {
        Self { inner: Mutex::default(), concurrency }
    }

    /// Queues a job. Answers one to be run now, with a place that is taken for it.
    fn push(&self, job: Job) -> Option<Job> {
        let mut inner = lock(&self.inner);
        if inner.known.contains(job.id()) {
            if !inner.replace_waiting(&job) {
                // Its run may be just ending while it was driven again, or may have begun on less than is stored now: then it is looked
                // at once more.
                inner.again.insert(job.id().clone());
            }
            return None;
        }
        if inner.queued >= MAX_QUEUED {
            inner.overflowed = true;
            return None;
        }
        inner.known.insert(job.id().clone());
        if let Some(key) = &job.state.header.concurrency_key {
            if let Some(behind) = inner.keys.get_mut(key) {
                behind.push_back(job);
                inner.queued += 1;
                return None;
            }
            inner.keys.insert(key.clone(), VecDeque::new());
        }
        inner.admit(job, self.concurrency)
    }

    /// Gives back the place of a run that has ended. Answers the jobs that have a place now, and whether somebody wanted the
    /// same execution to be taken up meanwhile.
    fn finished(&self, state: &State) -> (Vec<Job>, bool) {
        let mut inner = lock(&self.inner);
        inner.known.remove(&state.header.execution_id);
        let again = inner.again.remove(&state.header.execution_id);
        inner.withdrawn.remove(&state.header.execution_id);
        let mut admitted = Vec::new();
        if let Some(next) = inner.pass_key(state) {
            inner.queued -= 1;
            admitted.extend(inner.admit(next, self.concurrency));
        }
        admitted.extend(inner.release());
        (admitted, again)
    }

    /// Whether the queue has run dry while the store may hold more. Asked after each end; true once.
    fn wants_refill(&self) -> bool {
        let mut inner = lock(&self.inner);
        let wants = inner.overflowed && inner.queued < MAX_QUEUED / 2;
        if wants {
            inner.overflowed = false;
        }
        wants
    }

    /// Gives up the place while a run waits for something else.
    fn pause(&self) -> Option<Job> {
        lock(&self.inner).release()
    }

    /// Waits for a place to go on with.
    async fn resume(&self) {
        let turn = {
            let mut inner = lock(&self.inner);
            if inner.running < self.concurrency {
                inner.running += 1;
                return;
            }
            let (sender, receiver) = oneshot::channel();
            inner.resuming.push_back(sender);
            receiver
        };
        // The sender is only dropped together with the schedule.
        let _ = turn.await;
    }
}

impl Inner {
    fn admit(&mut self, job: Job, concurrency: usize) -> Option<Job> {
        if self.running < concurrency {
            self.running += 1;
            return Some(job);
        }
        let header = &job.state.header;
        let (priority, tenant) = (header.timing.priority, share_of(&header.owner).to_owned());
        self.ready.push(priority, &tenant, job);
        self.queued += 1;
        None
    }

    /// Hands a place on: to a run that wants to go on, or to the next that waits.
    fn release(&mut self) -> Option<Job> {
        while let Some(waiting) = self.resuming.pop_front() {
            if waiting.send(()).is_ok() {
                return None;
            }
        }
        let next = self.ready.pop();
        match next {
            Some(_) => self.queued -= 1,
            None => self.running -= 1,
        }
        next
    }

    /// Puts what is stored now in the place of a job that waits for its key.
    fn replace_waiting(&mut self, job: &Job) -> bool {
        let behind = job.state.header.concurrency_key.as_ref().and_then(|key| self.keys.get_mut(key));
        let waiting = behind.and_then(|behind| behind.iter_mut().find(|waiting| waiting.id() == job.id()));
        match waiting {
            Some(waiting) => {
                if waiting.stored_revision < job.stored_revision {
                    *waiting = job.clone();
                }
                true
            }
            None => false,
        }
    }

    fn pass_key(&mut self, state: &State) -> Option<Job> {
        let key = state.header.concurrency_key.as_ref()?;
        let next = self.keys.get_mut(key)?.pop_front();
        if next.is_none() {
            self.keys.remove(key);
        }
        next
    }
}

/// With whom an owner shares places: a tenant's users with each other, and all that are anonymous.
fn share_of(owner: &Owner) -> &str {
    match owner {
        Owner::User { tenant_id, .. } => tenant_id.as_str(),
        Owner::Anonymous { .. } => "",
    }
}

impl Shared {
    /// Takes up an execution, now or when it is its turn.
    pub(crate) fn enqueue(self: &Arc<Self>, job: Job) {
        if let Some(job) = self.schedule.push(job) {
            self.spawn(job);
        }
    }

    /// Keeps a job that waits here from running.
    pub(super) fn withdraw(&self, id: &ExecutionId) {
        let mut inner = lock(&self.schedule.inner);
        if inner.known.contains(id) {
            inner.withdrawn.insert(id.clone());
        }
    }

    pub(super) fn is_withdrawn(&self, id: &ExecutionId) -> bool {
        lock(&self.schedule.inner).withdrawn.contains(id)
    }

    pub(super) fn pause_run(self: &Arc<Self>) {
        if let Some(job) = self.schedule.pause() {
            self.spawn(job);
        }
    }

    pub(super) async fn resume_run(&self) {
        self.schedule.resume().await;
    }

    fn spawn(self: &Arc<Self>, job: Job) {
        let shared = Arc::clone(self);
        self.tasks.spawn(async move {
            let state = job.state.clone();
            if !shared.stopping.is_cancelled() {
                shared.execute(job).await;
            }
            let (admitted, again) = shared.schedule.finished(&state);
            for job in admitted {
                shared.spawn(job);
            }
            if again {
                shared.look_again(&state.header.execution_id).await;
            }
            if shared.schedule.wants_refill() {
                shared.refill().await;
            }
        });
    }

    /// Takes up what was wanted while its last run was ending.
    async fn look_again(self: &Arc<Self>, id: &ExecutionId) {
        let taken = match self.store.execution(id).await {
            Ok(Some(state)) => self.take_up_again(state).await,
            Ok(None) => Ok(()),
            Err(error) => Err(error),
        };
        if let Err(error) = taken {
            error!(%error, execution_id = %id, "an execution cannot be taken up again; it is at the next start");
        }
    }

    /// Reads waiting executions that had no place in the queue.
    async fn refill(self: &Arc<Self>) {
        let mut after = None;
        loop {
            let page = match self.store.unfinished(after.as_ref(), PAGE).await {
                Ok(page) => page,
                Err(error) => {
                    error!(error = %error, "waiting executions cannot be read; they are taken up at the next start");
                    return;
                }
            };
            let Some(last) = page.last() else { return };
            after = Some(last.header.execution_id.clone());
            for state in page {
                if let Err(error) = self.take_up_again(state).await {
                    error!(error = %error, "a waiting execution cannot be taken up; it is at the next start");
                }
            }
            if lock(&self.schedule.inner).overflowed {
                return;
            }
        }
    }
}
