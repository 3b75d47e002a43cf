//! The one function that moves an execution on: from a state and a command to the next state, the events that tell of
//! it, and what becomes of its approval. Acting on a decision comes after it was saved, and elsewhere.

use std::time::Duration;

use contract::{
    Code, EventType, HookId, Timestamp,
    approval::{Approval, ApprovalKind, ApprovalStatus, Proposal},
    conversation::Role,
    execution::{ExecutionProblem, ProblemDetails},
};
use serde_json::{Value, json};

use super::{Header, Phase, State, redrive::redrive};
use crate::port::store::{ArtifactKeys, NewEvent, NewMessage, Object};

/// What may be asked of an execution.
#[derive(Clone, Debug)]
pub enum Command {
    /// A worker takes it up.
    Start,
    /// The process that ran it is gone.
    Recover,
    Complete {
        result: Value,
        artifacts: ArtifactKeys,
    },
    Fail {
        code: Code,
        message: String,
        details: Option<ProblemDetails>,
        retry: Option<RetryPolicy>,
    },
    /// Somebody wants it to stop. `approval` is the pending one, where it awaits one.
    Cancel {
        reason: String,
        approval: Option<Approval>,
    },
    /// The worker has stopped it.
    Cancelled {
        code: Code,
        reason: String,
    },
    /// Somebody agreed, perhaps with corrected parameters.
    Approve {
        parameters: Object,
        approval: Approval,
    },
    Reject {
        reason: Option<String>,
        approval: Approval,
    },
    /// Nobody decided in time.
    Expire {
        approval: Approval,
    },
    /// Its deadline has passed before it could begin. `approval` is the pending one, where it awaits one.
    Overdue {
        approval: Option<Approval>,
    },
    /// Another message joins the turn that waits for its first attempt, with what the two come to.
    Join {
        parameters: Object,
        message: NewMessage,
        metadata: Object,
    },
    /// It has failed for good, and somebody wants another round of attempts.
    Redrive,
}

/// Whose word is wanted before anything happens, and why.
#[derive(Clone, Debug)]
pub struct Asked {
    pub hook_id: HookId,
    pub reason: String,
    /// The role that has to agree; the owner where there is none.
    pub role: Option<String>,
    pub expires_at: Timestamp,
}

/// When to try again after a failure that may pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    pub max_attempts: u32,
    /// How long to wait before the next attempt; the caller has added backoff and jitter.
    pub delay: Duration,
}

/// What is to be saved, all of it or nothing.
#[derive(Clone, Debug)]
pub struct Decision {
    pub next: State,
    pub events: Vec<NewEvent>,
    pub approval: Option<Approval>,
}

/// Why a command does not apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It has ended, and stays as it ended.
    HasEnded,
    /// It is not in the stand that the command is for.
    NotNow,
}

/// A new execution: waiting for a worker, or for somebody's word when `approval` is given.
pub fn accept(header: Header, approval: Option<Asked>, message: Option<&NewMessage>, now: Timestamp) -> Decision {
    let mut data = json!({
        "intent_type": header.intent_type,
        "intent_id": header.intent_id,
        "session_id": header.session_id,
    });
    if let Some(parent) = &header.parent {
        data["parent_execution_id"] = json!(parent);
    }
    if let Some(message) = message.filter(|message| message.role == Role::User) {
        data["message"] = message_data(message, &header.metadata);
    }
    let mut events = vec![event(&header, EventType::ExecutionAccepted, now, data)];
    let Some(Asked { hook_id, reason, role, expires_at }) = approval else {
        let phase = waiting(&header, now);
        return Decision { next: State { header, phase, revision: 1, redriven: None }, events, approval: None };
    };
    let approval = Approval {
        hook_id: hook_id.clone(),
        execution_id: header.execution_id.clone(),
        conversation_id: header.conversation_id.clone(),
        kind: ApprovalKind::Approval,
        status: ApprovalStatus::Pending,
        reason,
        role,
        proposed: Proposal { intent_type: header.intent_type.clone(), parameters: header.parameters.clone() },
        created_at: now,
        expires_at,
        decided_at: None,
        decided_by: None,
        rejection_reason: None,
    };
    let shown = json!(approval);
    events.push(event(&header, EventType::ExecutionAwaitingApproval, now, shown.clone()));
    events.push(event(&header, EventType::ApprovalPending, now, shown));
    let phase = Phase::AwaitingApproval { hook_id, expires_at };
    Decision { next: State { header, phase, revision: 1, redriven: None }, events, approval: Some(approval) }
}

/// What follows from `command` for an execution in `state`.
pub fn decide(state: &State, command: Command, now: Timestamp) -> Result<Decision, Refusal> {
    if state.has_ended() && !matches!(command, Command::Redrive) {
        return Err(Refusal::HasEnded);
    }
    match command {
        Command::Start => start(state, now),
        Command::Recover => recover(state, now),
        Command::Complete { result, artifacts } => complete(state, result, artifacts, now),
        Command::Fail { code, message, details, retry } => {
            let problem = ExecutionProblem { code: code.as_str().to_owned(), message, details };
            fail(state, problem, retry, now)
        }
        Command::Cancel { reason, approval } => Ok(cancel(state, reason, approval, now)),
        Command::Cancelled { code, reason } => {
            running(state)?;
            Ok(cancelled(state, code, reason, Vec::new(), None, now))
        }
        Command::Approve { parameters, approval } => approve(state, parameters, approval, now),
        Command::Reject { reason, approval } => reject(state, reason, approval, now),
        Command::Expire { approval } => expire(state, approval, now),
        Command::Overdue { approval } => overdue(state, approval, now),
        Command::Join { parameters, message, metadata } => join(state, parameters, &message, &metadata, now),
        Command::Redrive if !state.has_ended() => Err(Refusal::NotNow),
        Command::Redrive => redrive(state, now),
    }
}

fn message_data(message: &NewMessage, metadata: &Object) -> Value {
    let mut data = json!({"id": message.id, "role": message.role, "content": message.content});
    if !metadata.is_empty() {
        data["metadata"] = json!(metadata);
    }
    data
}

fn join(
    state: &State,
    parameters: Object,
    message: &NewMessage,
    metadata: &Object,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    if !state.waits_for_its_first_attempt() {
        return Err(Refusal::NotNow);
    }
    let mut next = state.clone();
    next.header.parameters = parameters;
    let data = json!({"message": message_data(message, metadata)});
    Ok(moved(&next, state.phase.clone(), vec![(EventType::ExecutionMerged, data)], now))
}

/// Where an execution waits for its first attempt.
fn waiting(header: &Header, now: Timestamp) -> Phase {
    Phase::Pending { attempts: 0, not_before: header.timing.run_at.filter(|run_at| *run_at > now) }
}

fn start(state: &State, now: Timestamp) -> Result<Decision, Refusal> {
    let Phase::Pending { attempts, not_before } = state.phase else { return Err(Refusal::NotNow) };
    if not_before.is_some_and(|not_before| now < not_before) {
        return Err(Refusal::NotNow);
    }
    let attempt = attempts + 1;
    let phase = Phase::Running { attempt, started_at: now, cancel_requested: None };
    Ok(moved(state, phase, vec![(EventType::ExecutionStarted, json!({"attempt": attempt}))], now))
}

fn recover(state: &State, now: Timestamp) -> Result<Decision, Refusal> {
    let Phase::Running { attempt, cancel_requested, .. } = &state.phase else { return Err(Refusal::NotNow) };
    if let Some(reason) = cancel_requested {
        return Ok(cancelled(state, Code::Cancelled, reason.clone(), Vec::new(), None, now));
    }
    let phase = Phase::Pending { attempts: *attempt, not_before: None };
    Ok(moved(state, phase, Vec::new(), now))
}

fn complete(state: &State, result: Value, artifacts: ArtifactKeys, now: Timestamp) -> Result<Decision, Refusal> {
    let (attempt, started_at) = running(state)?;
    let data = json!({"artifacts": artifacts});
    let phase = Phase::Completed { attempt, started_at, completed_at: now, result, artifacts };
    Ok(moved(state, phase, vec![(EventType::ExecutionCompleted, data)], now))
}

fn fail(
    state: &State,
    problem: ExecutionProblem,
    retry: Option<RetryPolicy>,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    let (attempt, started_at) = match &state.phase {
        Phase::Running { attempt, started_at, .. } => (*attempt, Some(*started_at)),
        // What cannot even be begun (its intent is gone, or it broke the process too often) fails from here.
        Phase::Pending { attempts, .. } => (*attempts, None),
        Phase::AwaitingApproval { .. } => return Err(Refusal::NotNow),
        Phase::Completed { .. } | Phase::Failed { .. } | Phase::Cancelled { .. } => return Err(Refusal::HasEnded),
    };
    let again = retry.filter(|policy| state.tries() < policy.max_attempts).map(|policy| now.after(policy.delay));
    // An attempt that could only begin when the time is over is none.
    let in_time = |at: &Timestamp| state.header.timing.deadline.is_none_or(|deadline| *at < deadline);
    if let Some(retry_at) = again.filter(in_time) {
        // Somebody wanted it to stop while it failed: then it is not begun again.
        if let Phase::Running { cancel_requested: Some(reason), .. } = &state.phase {
            return Ok(cancelled(state, Code::Cancelled, reason.clone(), Vec::new(), None, now));
        }
        let data = json!({"attempt": attempt, "error": problem.message, "code": problem.code, "retry_at": retry_at});
        let phase = Phase::Pending { attempts: attempt, not_before: Some(retry_at) };
        return Ok(moved(state, phase, vec![(EventType::ExecutionRetrying, data)], now));
    }
    Ok(failed(state, started_at, problem, now))
}

fn failed(state: &State, started_at: Option<Timestamp>, problem: ExecutionProblem, now: Timestamp) -> Decision {
    let data = json!({"error": problem.message, "code": problem.code, "details": problem.details});
    let phase = Phase::Failed { attempt: state.attempt(), started_at, completed_at: now, problem };
    moved(state, phase, vec![(EventType::ExecutionFailed, data)], now)
}

fn cancel(state: &State, reason: String, approval: Option<Approval>, now: Timestamp) -> Decision {
    match &state.phase {
        Phase::Running { attempt, started_at, .. } => {
            let phase = Phase::Running { attempt: *attempt, started_at: *started_at, cancel_requested: Some(reason) };
            moved(state, phase, Vec::new(), now)
        }
        Phase::Pending { .. }
        | Phase::AwaitingApproval { .. }
        | Phase::Completed { .. }
        | Phase::Failed { .. }
        | Phase::Cancelled { .. } => {
            let withdrawn = approval.map(|approval| withdrawn(approval, now));
            cancelled(state, Code::Cancelled, reason, Vec::new(), withdrawn, now)
        }
    }
}

fn approve(state: &State, parameters: Object, approval: Approval, now: Timestamp) -> Result<Decision, Refusal> {
    awaiting(state, &approval)?;
    let mut next = state.clone();
    next.header.parameters = parameters;
    let approval = Approval { status: ApprovalStatus::Approved, decided_at: Some(now), ..approval };
    let data =
        json!({"hook_id": approval.hook_id, "approved": true, "decided_at": now, "decided_by": approval.decided_by});
    let phase = waiting(&next.header, now);
    let decision = moved(&next, phase, vec![(EventType::ApprovalDecided, data)], now);
    Ok(Decision { approval: Some(approval), ..decision })
}

fn reject(state: &State, reason: Option<String>, approval: Approval, now: Timestamp) -> Result<Decision, Refusal> {
    awaiting(state, &approval)?;
    let said = match &reason {
        Some(reason) => format!("The approval was refused: {reason}"),
        None => "The approval was refused.".to_owned(),
    };
    let data = json!({
        "hook_id": approval.hook_id,
        "approved": false,
        "decided_at": now,
        "decided_by": approval.decided_by,
        "rejection_reason": reason,
    });
    let approval =
        Approval { status: ApprovalStatus::Rejected, decided_at: Some(now), rejection_reason: reason, ..approval };
    let told = vec![(EventType::ApprovalDecided, data)];
    Ok(cancelled(state, Code::ApprovalRejected, said, told, Some(approval), now))
}

fn expire(state: &State, approval: Approval, now: Timestamp) -> Result<Decision, Refusal> {
    awaiting(state, &approval)?;
    if now < approval.expires_at {
        return Err(Refusal::NotNow);
    }
    let approval = Approval { status: ApprovalStatus::Expired, decided_at: Some(now), ..approval };
    let told = vec![(EventType::ApprovalExpired, json!({"hook_id": approval.hook_id}))];
    let said = "Nobody decided about the approval in time.".to_owned();
    Ok(cancelled(state, Code::ApprovalExpired, said, told, Some(approval), now))
}

fn overdue(state: &State, approval: Option<Approval>, now: Timestamp) -> Result<Decision, Refusal> {
    // A run watches its deadline by itself.
    if !state.is_overdue(now) || running(state).is_ok() {
        return Err(Refusal::NotNow);
    }
    let message = "Its deadline passed before it could begin.".to_owned();
    let problem = ExecutionProblem { code: Code::Timeout.as_str().to_owned(), message, details: None };
    let decision = failed(state, None, problem, now);
    Ok(Decision { approval: approval.map(|approval| withdrawn(approval, now)), ..decision })
}

fn withdrawn(approval: Approval, now: Timestamp) -> Approval {
    Approval { status: ApprovalStatus::Withdrawn, decided_at: Some(now), ..approval }
}

fn cancelled(
    state: &State,
    code: Code,
    reason: String,
    mut told: Vec<(EventType, Value)>,
    approval: Option<Approval>,
    now: Timestamp,
) -> Decision {
    let (attempt, started_at) = match running(state) {
        Ok((attempt, started_at)) => (attempt, Some(started_at)),
        Err(_) => (state.attempt(), None),
    };
    told.push((EventType::ExecutionCancelled, json!({"reason": reason, "code": code.as_str()})));
    let problem = ExecutionProblem { code: code.as_str().to_owned(), message: reason, details: None };
    let phase = Phase::Cancelled { attempt, started_at, completed_at: now, problem };
    Decision { approval, ..moved(state, phase, told, now) }
}

fn running(state: &State) -> Result<(u32, Timestamp), Refusal> {
    match &state.phase {
        Phase::Running { attempt, started_at, .. } => Ok((*attempt, *started_at)),
        Phase::Pending { .. }
        | Phase::AwaitingApproval { .. }
        | Phase::Completed { .. }
        | Phase::Failed { .. }
        | Phase::Cancelled { .. } => Err(Refusal::NotNow),
    }
}

fn awaiting(state: &State, approval: &Approval) -> Result<(), Refusal> {
    match &state.phase {
        Phase::AwaitingApproval { hook_id, .. } if *hook_id == approval.hook_id => Ok(()),
        Phase::AwaitingApproval { .. }
        | Phase::Pending { .. }
        | Phase::Running { .. }
        | Phase::Completed { .. }
        | Phase::Failed { .. }
        | Phase::Cancelled { .. } => Err(Refusal::NotNow),
    }
}

pub(super) fn moved(state: &State, phase: Phase, told: Vec<(EventType, Value)>, now: Timestamp) -> Decision {
    let header = state.header.clone();
    let events = told.into_iter().map(|(event_type, data)| event(&header, event_type, now, data)).collect();
    let next = State { header, phase, revision: state.revision + 1, redriven: state.redriven };
    Decision { next, events, approval: None }
}

fn event(header: &Header, event_type: EventType, now: Timestamp, data: Value) -> NewEvent {
    NewEvent::new(event_type, &header.execution_id, now, &data)
}
