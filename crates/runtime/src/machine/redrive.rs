//! Driving an execution again that has failed for good: the same execution, with its recorded steps, for another round of
//! attempts.

use contract::{EventType, ExecutionId, Timestamp, execution::ExecutionStatus};
use serde_json::json;

use super::{Decision, Phase, Refusal, State, decide::moved, state::Redriven};

/// Why an execution is not driven again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RedriveRefusal {
    /// It has not failed: it stands thus.
    NotFailed(ExecutionStatus),
    /// Its deadline has passed, so that no attempt could begin.
    DeadlinePassed(Timestamp),
    /// Another execution called it, and has gone on or failed with how it ended. That one can be driven again.
    IsCalled(ExecutionId),
}

impl State {
    /// Whether it can be driven again, and why not.
    pub fn can_be_redriven(&self, now: Timestamp) -> Result<(), RedriveRefusal> {
        if !matches!(self.phase, Phase::Failed { .. }) {
            return Err(RedriveRefusal::NotFailed(self.status()));
        }
        match self.header.timing.deadline {
            Some(deadline) if deadline <= now => Err(RedriveRefusal::DeadlinePassed(deadline)),
            Some(_) | None => Ok(()),
        }
    }
}

pub(super) fn redrive(state: &State, now: Timestamp) -> Result<Decision, Refusal> {
    state.can_be_redriven(now).map_err(|_| Refusal::HasEnded)?;
    let attempts = state.attempt();
    let redriven = Redriven { times: state.redrives() + 1, at: now, attempts };
    let data = json!({"redrives": redriven.times, "attempts": attempts});
    let phase = Phase::Pending { attempts, not_before: state.header.timing.run_at.filter(|run_at| *run_at > now) };
    let mut decision = moved(state, phase, vec![(EventType::ExecutionRedriven, data)], now);
    decision.next.redriven = Some(redriven);
    Ok(decision)
}
