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
use crate::{
    machine::{Header, State},
    port::store::NewEvent,
};

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
    resuming: VecDeque<(ExecutionId, oneshot::Sender<()>)>,
    /// Runs that gave up their place, and for how many children they wait.
    away: HashMap<ExecutionId, u32>,
    /// Runs that lent their key, and for how many words they wait.
    lent: HashMap<ExecutionId, u32>,
    ready: Ready<Job>,
    /// By key: a run has the key, and these wait for it.
    keys: HashMap<String, VecDeque<Waiter>>,
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

/// Who waits for a key.
enum Waiter {
    Job(Box<Job>),
    /// A run that lent the key while it waited for somebody's word.
    Run(ExecutionId, oneshot::Sender<()>),
}

impl Waiter {
    /// The waiting job of an execution, where it is this one.
    fn job_of(&mut self, id: &ExecutionId) -> Option<&mut Job> {
        match self {
            Self::Job(job) if job.id() == id => Some(job),
            Self::Job(_) | Self::Run(..) => None,
        }
    }
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
                behind.push_back(Waiter::Job(Box::new(job)));
                inner.queued += 1;
                return None;
            }
            inner.keys.insert(key.clone(), VecDeque::new());
        }
        inner.admit(job, self.concurrency)
    }

    /// Gives back the place and the key of a run that has ended, where it still has them. Answers the jobs that have a place now, and
    /// whether somebody wanted the same execution to be taken up meanwhile.
    fn finished(&self, state: &State) -> (Vec<Job>, bool) {
        let mut inner = lock(&self.inner);
        let id = &state.header.execution_id;
        inner.known.remove(id);
        let again = inner.again.remove(id);
        inner.withdrawn.remove(id);
        let has_key = inner.lent.remove(id).is_none();
        let has_place = inner.away.remove(id).is_none();
        let key = state.header.concurrency_key.as_ref().filter(|_| has_key);
        let mut admitted = Vec::from_iter(inner.pass_key(key, self.concurrency));
        if has_place {
            admitted.extend(inner.release());
        }
        (admitted, again)
    }

    /// How many have a place, and how many wait here.
    pub(super) fn load(&self) -> (u64, u64) {
        let inner = lock(&self.inner);
        (inner.running as u64, inner.queued as u64)
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

    /// Gives up the place of a run that waits for something else, unless it has done so already. A wait that is given up before `resume`
    /// leaves the run without a place until it ends, which only lets one more run at a time.
    fn pause(&self, id: &ExecutionId) -> Option<Job> {
        let mut inner = lock(&self.inner);
        if !is_first(&mut inner.away, id) {
            return None;
        }
        inner.release()
    }

    /// Waits for a place to go on with, when nothing else is waited for.
    async fn resume(&self, id: &ExecutionId) {
        let turn = {
            let mut inner = lock(&self.inner);
            if !is_last(&mut inner.away, id) {
                return;
            }
            if inner.running < self.concurrency {
                inner.running += 1;
                inner.away.remove(id);
                return;
            }
            let (sender, receiver) = oneshot::channel();
            inner.resuming.push_back((id.clone(), sender));
            receiver
        };
        // The sender is only dropped together with the schedule.
        let _ = turn.await;
    }

    /// Lends the key of a run that waits for somebody's word to the next that waits for the key.
    fn lend_key(&self, header: &Header) -> Option<Job> {
        let mut inner = lock(&self.inner);
        let key = header.concurrency_key.as_ref()?;
        if !is_first(&mut inner.lent, &header.execution_id) {
            return None;
        }
        inner.pass_key(Some(key), self.concurrency)
    }

    /// Waits for the key that was lent; the run comes before all that wait for it.
    async fn take_key_back(&self, header: &Header) {
        let Some(key) = &header.concurrency_key else { return };
        let id = &header.execution_id;
        let turn = {
            let mut inner = lock(&self.inner);
            if !is_last(&mut inner.lent, id) {
                return;
            }
            let Some(behind) = inner.keys.get_mut(key) else {
                inner.keys.insert(key.clone(), VecDeque::new());
                inner.lent.remove(id);
                return;
            };
            let (sender, receiver) = oneshot::channel();
            behind.push_front(Waiter::Run(id.clone(), sender));
            receiver
        };
        // The sender is only dropped together with the schedule.
        let _ = turn.await;
    }
}

/// Counts one more wait of a run; whether it is the only one.
fn is_first(waits: &mut HashMap<ExecutionId, u32>, id: &ExecutionId) -> bool {
    let count = waits.entry(id.clone()).or_default();
    *count += 1;
    *count == 1
}

/// Whether a run waits for nothing else any more; counts one wait less where it does. The last wait is counted until the run has
/// got back what it gave up, so that nobody takes it for given back when the run is dropped before.
fn is_last(waits: &mut HashMap<ExecutionId, u32>, id: &ExecutionId) -> bool {
    match waits.get_mut(id) {
        Some(count) if *count > 1 => {
            *count -= 1;
            false
        }
        Some(_) => true,
        None => false,
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
        while let Some((id, waiting)) = self.resuming.pop_front() {
            if waiting.send(()).is_ok() {
                self.away.remove(&id);
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
        let waiting = behind.and_then(|behind| behind.iter_mut().find_map(|waiting| waiting.job_of(job.id())));
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

    /// Hands a key on. Answers the job that has it now, where it has a place too.
    fn pass_key(&mut self, key: Option<&String>, concurrency: usize) -> Option<Job> {
        let key = key?;
        while let Some(next) = self.keys.get_mut(key)?.pop_front() {
            match next {
                Waiter::Job(job) => {
                    self.queued -= 1;
                    return self.admit(*job, concurrency);
                }
                Waiter::Run(id, waiting) => {
                    if waiting.send(()).is_ok() {
                        self.lent.remove(&id);
                        return None;
                    }
                }
            }
        }
        self.keys.remove(key);
        None
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

    pub(super) fn pause_run(self: &Arc<Self>, id: &ExecutionId) {
        if let Some(job) = self.schedule.pause(id) {
            self.spawn(job);
        }
    }

    pub(super) async fn resume_run(&self, id: &ExecutionId) {
        self.schedule.resume(id).await;
    }

    /// Lets others of the run's key go on while it waits for somebody's word.
    pub(super) fn lend_key(self: &Arc<Self>, header: &Header) {
        if let Some(job) = self.schedule.lend_key(header) {
            self.spawn(job);
        }
    }

    pub(super) async fn take_key_back(&self, header: &Header) {
        self.schedule.take_key_back(header).await;
    }

    /// What is seldom done is in a box of its own: otherwise each run would carry room for it, seven kilobytes that are copied several
    /// times on the way into a task.
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
                Box::pin(shared.look_again(&state.header.execution_id)).await;
            }
            if shared.schedule.wants_refill() {
                Box::pin(shared.refill()).await;
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
