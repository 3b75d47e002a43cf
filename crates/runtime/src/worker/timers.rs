//! What has to happen at a time: a next attempt, the end of an approval. The store has the truth; this only wakes up.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use contract::{ExecutionId, Timestamp};
use tokio::sync::Notify;
use tracing::{error, warn};

use super::{Job, Shared, lock};
use crate::{
    machine::{Phase, State},
    port::StoreError,
};

/// The longest sleep: clocks jump, and forgotten watchers are swept now and then.
const MAX_SLEEP: Duration = Duration::from_secs(30);

/// How long a timer waits that met a busy or full store.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// How many idempotency keys are taken away at once. At two a minute it is a rate of a million a day and more, and each is a small write.
const FORGOTTEN_AT_ONCE: u32 = 1_000;

#[derive(Default)]
pub(super) struct Timers {
    due: Mutex<BTreeSet<(Timestamp, ExecutionId)>>,
    /// When the next schedule is due, as far as is known here.
    firing: Mutex<Option<Timestamp>>,
    wake: Notify,
}

impl Timers {
    fn take_due(&self, now: Timestamp) -> Vec<ExecutionId> {
        let mut due = lock(&self.due);
        let mut taken = Vec::new();
        while due.first().is_some_and(|(at, _)| *at <= now) {
            taken.extend(due.pop_first().map(|(_, id)| id));
        }
        taken
    }

    fn sleep_from(&self, now: Timestamp) -> Duration {
        let due = lock(&self.due).first().map(|(at, _)| *at);
        let first = [due, *lock(&self.firing)].into_iter().flatten().min();
        first.map_or(MAX_SLEEP, |at| at.since(now).min(MAX_SLEEP))
    }
}

impl Shared {
    pub(crate) fn wake_at(&self, at: Timestamp, id: &ExecutionId) {
        lock(&self.timers.due).insert((at, id.clone()));
        self.timers.wake.notify_one();
    }

    /// A schedule is due at `at`.
    pub(crate) fn fire_at(&self, at: Timestamp) {
        let mut firing = lock(&self.timers.firing);
        *firing = Some(firing.map_or(at, |earlier| earlier.min(at)));
        drop(firing);
        self.timers.wake.notify_one();
    }

    pub(super) fn next_firing_is(&self, at: Option<Timestamp>) {
        *lock(&self.timers.firing) = at;
    }

    /// Looks at an execution again when the storage has had time to get better.
    pub(super) fn try_again(&self, id: &ExecutionId) {
        if !self.stopping.is_cancelled() {
            self.wake_at(self.clock.now().after(RETRY_DELAY), id);
        }
    }

    /// What follows from how an attempt ended.
    pub(super) fn after(&self, state: &State) {
        if let Phase::Pending { not_before: Some(at), .. } = state.phase {
            self.wake_at(at, &state.header.execution_id);
        }
    }

    /// Takes up an execution whose stored state is `state`: now, or when its time has come.
    pub(crate) fn wait_or_run(self: &Arc<Self>, state: State) {
        let id = &state.header.execution_id;
        if let Some(deadline) = state.header.timing.deadline {
            self.wake_at(deadline, id);
        }
        match state.phase {
            Phase::AwaitingApproval { expires_at, .. } => self.wake_at(expires_at, id),
            Phase::Pending { not_before: Some(at), .. } => self.wake_at(at, id),
            Phase::Pending { not_before: None, .. } => self.enqueue(Job::fresh(state)),
            Phase::Running { .. } | Phase::Completed { .. } | Phase::Failed { .. } | Phase::Cancelled { .. } => {}
        }
    }

    /// Runs until the Runtime stops.
    pub(crate) async fn keep_time(self: Arc<Self>) {
        while !self.stopping.is_cancelled() {
            for id in self.timers.take_due(self.clock.now()) {
                if let Err(error) = self.on_time(&id).await {
                    error!(error = %error, execution_id = %id, "a timer could not be served; it is tried again");
                    self.try_again(&id);
                }
            }
            self.fire_schedules().await;
            self.sweep();
            self.forget_keys().await;
            tokio::select! {
                () = tokio::time::sleep(self.timers.sleep_from(self.clock.now())) => {}
                () = self.timers.wake.notified() => {}
                () = self.stopping.cancelled() => {}
            }
        }
    }

    /// Takes away keys that count no more, a bounded piece at a time; what is left is for the next time.
    async fn forget_keys(&self) {
        if let Err(error) = self.store.forget_keys(self.clock.now(), FORGOTTEN_AT_ONCE).await {
            warn!(%error, "old idempotency keys could not be taken away; it is tried again");
        }
    }

    async fn on_time(self: &Arc<Self>, id: &ExecutionId) -> Result<(), StoreError> {
        let Some(state) = self.store.execution(id).await? else { return Ok(()) };
        if state.is_overdue(self.clock.now()) {
            return self.end_overdue(&state).await;
        }
        match &state.phase {
            Phase::Pending { .. } => self.enqueue(Job::fresh(state)),
            Phase::AwaitingApproval { hook_id, .. } => match self.expire(&state, hook_id).await {
                // Somebody decided in the same moment.
                Err(StoreError::Conflict) | Ok(()) => {}
                Err(error) => return Err(error),
            },
            // Nothing, unless no run of this process has it: its new attempt could not be stored.
            Phase::Running { .. } => self.take_up_again(state).await?,
            Phase::Completed { .. } | Phase::Failed { .. } | Phase::Cancelled { .. } => {}
        }
        Ok(())
    }
}
