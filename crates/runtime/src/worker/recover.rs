//! The start of a Runtime over a store that has unfinished executions: each goes on from what was recorded.

use std::sync::Arc;

use super::{Job, Shared, steer::ABANDONED};
use crate::{
    machine::{Command, Phase, State, decide},
    port::{
        StoreError,
        store::{Change, Fence},
    },
    torture::{CrashPoint, crash_point},
};

/// How many states are read from the store at once.
const PAGE: u32 = 1_000;

impl Shared {
    /// Takes up all that had not ended. Answers how many there were.
    pub(crate) async fn recover(self: &Arc<Self>) -> Result<usize, StoreError> {
        let mut after = None;
        let mut count = 0;
        loop {
            let page = self.store.unfinished(after.as_ref(), PAGE).await?;
            let Some(last) = page.last() else {
                crash_point(CrashPoint::Recovered);
                return Ok(count);
            };
            after = Some(last.header.execution_id.clone());
            count += page.len();
            for state in page {
                crash_point(CrashPoint::Recovery);
                if self.is_orphan(&state).await? {
                    self.end_orphan(&state).await?;
                    continue;
                }
                let supersedes = state.header.supersedes.then(|| state.header.clone());
                self.take_up_again(state).await?;
                // The process may have gone between its acceptance and the end of those before it.
                if let Some(header) = supersedes {
                    self.supersede(&header).await.map_err(|error| StoreError::Failed(Box::new(error)))?;
                }
            }
        }
    }

    /// Whether what asked for it has ended: the process went between the parent's end and its children's.
    async fn is_orphan(&self, state: &State) -> Result<bool, StoreError> {
        let Some(parent) = &state.header.parent else { return Ok(false) };
        let parent = self.store.execution(parent).await?;
        Ok(parent.is_none_or(|parent| parent.has_ended()))
    }

    async fn end_orphan(self: &Arc<Self>, state: &State) -> Result<(), StoreError> {
        match self.try_cancel(state, ABANDONED).await {
            // One that ran in the process that is gone is ended by taking it up.
            Ok(cancelled) => self.take_up_again(cancelled).await,
            Err(StoreError::Conflict) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Takes up a stored execution that no run of this process has. Its start is made durable first, because what is stored may be behind
    /// what another run has just saved.
    pub(super) async fn take_up_again(self: &Arc<Self>, state: State) -> Result<(), StoreError> {
        match &state.phase {
            Phase::AwaitingApproval { .. } | Phase::Pending { not_before: Some(_), .. } => self.wait_or_run(state),
            Phase::Pending { not_before: None, .. } => {
                if let Some(deadline) = state.header.timing.deadline {
                    self.wake_at(deadline, &state.header.execution_id);
                }
                self.enqueue(Job { start_durably: true, ..Job::fresh(state) });
            }
            Phase::Running { .. } => self.recover_running(state).await?,
            Phase::Completed { .. } | Phase::Failed { .. } | Phase::Cancelled { .. } => {}
        }
        Ok(())
    }

    async fn recover_running(self: &Arc<Self>, state: State) -> Result<(), StoreError> {
        if self.live_run(&state.header.execution_id).is_some() {
            return Ok(());
        }
        let Ok(decision) = decide(&state, Command::Recover, self.clock.now()) else { return Ok(()) };
        if !decision.next.has_ended() {
            let stored_revision = state.revision;
            let (state, events) = (decision.next, decision.events);
            self.enqueue(Job { state, stored_revision, events, start_durably: true });
            return Ok(());
        }
        let mut change = Change::new(state.header.execution_id.clone(), Fence::Revision(state.revision));
        change.events = decision.events;
        change.next = Some(decision.next);
        match self.commit(change).await {
            Err(StoreError::Conflict) => Ok(()),
            outcome => outcome,
        }
    }
}
