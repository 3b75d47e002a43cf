//! Decisions from outside about an execution: cancel it, agree to it, refuse it, let its approval expire.

use std::sync::Arc;

use contract::{
    ExecutionId, HookId,
    approval::{Approval, ApprovalStatus, Decision as Word},
};

use super::Shared;
use crate::{
    client::RuntimeError,
    machine::{Command, Phase, RedriveRefusal, Refusal, State, decide},
    port::{
        StoreError,
        store::{Change, Decider, Fence},
    },
    torture::{Bug, CrashPoint, crash_point, has_bug},
};

/// How often a decision is made again because another came in between. Each time somebody else has got further.
pub(super) const MAX_CONFLICTS: usize = 32;

/// Why a child is ended when its parent has ended without it.
pub(super) const ABANDONED: &str = "What asked for it has ended.";

impl Shared {
    /// Asks an execution to stop, and its children too. Answers where it stands then; `None` where there is none. One that has ended
    /// stays as it ended.
    pub(crate) async fn cancel(
        self: &Arc<Self>,
        id: &ExecutionId,
        reason: &str,
    ) -> Result<Option<State>, RuntimeError> {
        for _ in 0..MAX_CONFLICTS {
            let Some(state) = self.store.execution(id).await? else { return Ok(None) };
            if state.has_ended() {
                return Ok(Some(state));
            }
            if matches!(&state.phase, Phase::Running { cancel_requested: Some(_), .. }) {
                self.stop_run(id, reason);
                return Ok(Some(state));
            }
            match self.try_cancel(&state, reason).await {
                Ok(next) => {
                    self.stop_run(id, reason);
                    self.cancel_children(id, reason).await?;
                    return Ok(Some(next));
                }
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(RuntimeError::Unavailable)
    }

    pub(super) async fn try_cancel(&self, state: &State, reason: &str) -> Result<State, StoreError> {
        let approval = self.pending_approval(state).await?;
        let command = Command::Cancel { reason: reason.to_owned(), approval };
        self.decide_and_commit(state, command).await
    }

    /// Reaches the run in this process, or keeps a waiting job from running.
    fn stop_run(&self, id: &ExecutionId, reason: &str) {
        self.withdraw(id);
        if let Some(run) = self.live_run(id) {
            run.cancel(reason);
        }
    }

    pub(super) async fn cancel_children(self: &Arc<Self>, id: &ExecutionId, reason: &str) -> Result<(), RuntimeError> {
        for child in self.store.unfinished_children(id).await? {
            Box::pin(self.cancel(&child, reason)).await?;
        }
        Ok(())
    }

    /// Drives an execution that failed for good again, once for however many ask at the same time. `None` where there is none.
    pub(crate) async fn redrive(
        self: &Arc<Self>,
        id: &ExecutionId,
    ) -> Result<Option<Result<State, RedriveRefusal>>, RuntimeError> {
        for _ in 0..MAX_CONFLICTS {
            let Some(state) = self.store.execution(id).await? else { return Ok(None) };
            if state.redriven.is_some() && !state.has_ended() {
                return Ok(Some(Ok(state)));
            }
            if self.catalogue.handler(&state.header.intent_type).is_none() {
                return Err(RuntimeError::UnknownIntent(state.header.intent_type));
            }
            if let Err(refusal) = state.can_be_redriven(self.clock.now()) {
                return Ok(Some(Err(refusal)));
            }
            match self.decide_and_commit(&state, Command::Redrive).await {
                Ok(next) => {
                    self.wait_or_run(next.clone());
                    return Ok(Some(Ok(next)));
                }
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(RuntimeError::Unavailable)
    }

    /// Decides an approval, once. `None` where it is not for this one to decide, and nothing of theirs.
    pub(crate) async fn decide_approval(
        self: &Arc<Self>,
        decider: &Decider,
        hook_id: &HookId,
        word: Word,
    ) -> Result<Option<Approval>, RuntimeError> {
        for _ in 0..MAX_CONFLICTS {
            let Some((whose, mut approval)) = self.store.approval(hook_id).await? else { return Ok(None) };
            match &approval.role {
                None if whose == decider.owner => {}
                Some(role) if decider.has_role(role, &whose) => {}
                Some(role) if whose == decider.owner => return Err(RuntimeError::RoleNeeded(role.clone())),
                Some(_) | None => return Ok(None),
            }
            if approval.status != ApprovalStatus::Pending {
                if has_bug(Bug::DecidedTwice) {
                    return Ok(Some(approval));
                }
                return Err(RuntimeError::AlreadyDecided(approval.status));
            }
            let Some(state) = self.store.execution(&approval.execution_id).await? else { return Ok(None) };
            approval.decided_by = decider.owner.user_id().cloned();
            let command = self.word_to_command(&state, approval, &word).await?;
            let came_too_late = matches!(command, Command::Expire { .. });
            match self.decide_and_commit(&state, command).await {
                Ok(_) if came_too_late => return Err(RuntimeError::AlreadyDecided(ApprovalStatus::Expired)),
                Ok(next) => {
                    crash_point(CrashPoint::DecisionSaved);
                    self.go_on(next);
                    return Ok(self.store.approval(hook_id).await?.map(|(_, approval)| approval));
                }
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(RuntimeError::Unavailable)
    }

    async fn word_to_command(&self, state: &State, approval: Approval, word: &Word) -> Result<Command, RuntimeError> {
        if approval.expires_at <= self.clock.now() {
            return Ok(Command::Expire { approval: Approval { decided_by: None, ..approval } });
        }
        if !word.approved {
            return Ok(Command::Reject { reason: word.rejection_reason.clone(), approval });
        }
        let mut header = state.header.clone();
        if !word.corrections.is_empty() {
            header.parameters.extend(word.corrections.clone());
            self.check(&header.intent_type, &header.parameters)?;
            self.settle(&mut header).await?;
        }
        Ok(Command::Approve { parameters: header.parameters, approval })
    }

    /// Ends an approval that nobody decided in time, if it is still so.
    pub(super) async fn expire(&self, state: &State, hook_id: &HookId) -> Result<(), StoreError> {
        let Some((_, approval)) = self.store.approval(hook_id).await? else { return Ok(()) };
        self.decide_and_commit(state, Command::Expire { approval }).await.map(|_| ())
    }

    /// Ends what waits when its deadline has passed.
    pub(super) async fn end_overdue(&self, state: &State) -> Result<(), StoreError> {
        let approval = self.pending_approval(state).await?;
        match self.decide_and_commit(state, Command::Overdue { approval }).await {
            Ok(_) => self.stop_run(&state.header.execution_id, "Its deadline has passed."),
            // It runs, has ended, or somebody else has moved it on.
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    async fn pending_approval(&self, state: &State) -> Result<Option<Approval>, StoreError> {
        match &state.phase {
            Phase::AwaitingApproval { hook_id, .. } => {
                Ok(self.store.approval(hook_id).await?.map(|(_, approval)| approval))
            }
            Phase::Pending { .. }
            | Phase::Running { .. }
            | Phase::Completed { .. }
            | Phase::Failed { .. }
            | Phase::Cancelled { .. } => Ok(None),
        }
    }

    fn go_on(self: &Arc<Self>, state: State) {
        if matches!(state.phase, Phase::Pending { .. }) {
            self.wait_or_run(state);
        }
    }

    /// Decides on a stored state and saves it. A refusal counts as a conflict: it is decided again on what is stored then.
    async fn decide_and_commit(&self, state: &State, command: Command) -> Result<State, StoreError> {
        let decision = decide(state, command, self.clock.now())
            .map_err(|(Refusal::HasEnded | Refusal::NotNow)| StoreError::Conflict)?;
        let mut change = Change::new(state.header.execution_id.clone(), Fence::Revision(state.revision));
        change.events = decision.events;
        change.approval = decision.approval;
        change.next = Some(decision.next.clone());
        self.commit(change).await?;
        Ok(decision.next)
    }
}
