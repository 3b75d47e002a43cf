//! A run that has the Runtime execute another intent, and waits for its end.

use std::sync::atomic::Ordering;

use contract::{Code, ExecutionId, IntentId, intent::Timing};
use serde_json::Value;

use super::{
    Run,
    run::{child_key, storage_failure},
    steer::ABANDONED,
};
use crate::{
    client::RuntimeError,
    context::{Begun, Call, CallOutcome},
    handler::Failure,
    machine::{Header, Phase, State},
    port::{
        clock::random_10,
        store::{Idempotency, Object},
    },
    submit::{Acceptance, Asked},
};

/// How deep intents can call intents.
const MAX_DEPTH: u32 = 8;

impl Run {
    /// Has the Runtime accept these, in this order, before any of them is waited for: a call's place in the order is its name, so that
    /// after a crash each finds its own child.
    pub(crate) async fn begin(&self, calls: Vec<Call>) -> Result<Vec<Result<Begun, Failure>>, Failure> {
        if self.cancellation().is_cancelled() {
            return Err(self.cancel_failure());
        }
        // What was told before the calls comes before what the children tell.
        self.journal.flushed().await?;
        let mut begun = Vec::with_capacity(calls.len());
        for call in calls {
            begun.push(self.begin_one(call).await);
        }
        Ok(begun)
    }

    async fn begin_one(&self, call: Call) -> Result<Begun, Failure> {
        let place = self.calls.fetch_add(1, Ordering::Relaxed);
        let mut child = self.submit_child(&call, place, 0).await?;
        // Each round can have left one child of this place behind. What was abandoned told this execution nothing, so that another one
        // in its place contradicts nothing.
        for again in 1..=self.redrives() {
            if !self.is_abandoned(&child).await? {
                break;
            }
            child = self.submit_child(&call, place, again).await?;
        }
        self.redrive_with_us(&child).await?;
        Ok(Begun { child })
    }

    /// Whether a child was ended, or is being ended, because an earlier round of this execution ended without it.
    async fn is_abandoned(&self, child: &ExecutionId) -> Result<bool, Failure> {
        let state = self.shared.store.execution(child).await.map_err(storage_failure)?;
        Ok(state.is_some_and(|state| match &state.phase {
            Phase::Cancelled { problem, .. } => problem.message == ABANDONED,
            Phase::Running { cancel_requested, .. } => cancel_requested.as_deref() == Some(ABANDONED),
            Phase::Pending { .. } | Phase::AwaitingApproval { .. } | Phase::Completed { .. } | Phase::Failed { .. } => {
                false
            }
        }))
    }

    /// Waits for the end of a call that was begun. Several can be waited for at once.
    pub(crate) async fn outcome(&self, begun: Begun) -> Result<CallOutcome, Failure> {
        Ok(outcome(self.wait_for(&begun.child).await?))
    }

    /// How another execution of the same owner stands; `None` where there is none.
    pub(crate) async fn standing(&self, id: &ExecutionId) -> Result<Option<CallOutcome>, Failure> {
        let owner = self.owner().await?;
        let state = self.shared.store.execution(id).await.map_err(storage_failure)?;
        let own = state.filter(|state| state.header.owner == owner);
        Ok(own.map(outcome))
    }

    /// A child that had failed before somebody drove this execution again is driven again with it, and keeps its steps.
    async fn redrive_with_us(&self, child: &ExecutionId) -> Result<(), Failure> {
        let Some(redriven_at) = self.redriven_at() else { return Ok(()) };
        let failed_before =
            |state: &State| matches!(&state.phase, Phase::Failed { completed_at, .. } if *completed_at <= redriven_at);
        if self.ended(child).await?.as_ref().is_some_and(failed_before) {
            self.shared.redrive(child).await.map_err(|error| refused(&error))?;
        }
        Ok(())
    }

    async fn submit_child(&self, call: &Call, place: u32, again: u32) -> Result<ExecutionId, Failure> {
        let parent = self.header();
        if parent.depth >= MAX_DEPTH {
            return Err(Failure::new(Code::ExecutionFailed, "Intents call each other too deeply."));
        }
        let now = self.now();
        let clock = &*self.shared.clock;
        let asked = Asked {
            intent_type: &call.intent_type,
            parameters: &call.parameters,
            attachments: &[],
            timing: Timing::default(),
            text: None,
            place: Value::Null,
        };
        let fingerprint = asked.fingerprint();
        let header = Header {
            execution_id: ExecutionId::from_parts(now, random_10(clock)),
            intent_id: IntentId::from_parts(now, random_10(clock)),
            intent_type: call.intent_type.clone(),
            parameters: call.parameters.clone(),
            metadata: Object::new(),
            owner: parent.owner.clone(),
            authority: self.authority(),
            session_id: parent.session_id.clone(),
            conversation_id: parent.conversation_id.clone(),
            parent: Some(parent.execution_id.clone()),
            depth: parent.depth + 1,
            attachments: Vec::new(),
            concurrency_key: None,
            supersedes: false,
            timing: Timing { run_at: None, ..parent.timing },
            created_at: now,
        };
        let key = child_key(&parent.execution_id, place, again);
        let acceptance = Acceptance {
            header,
            carries_out: None,
            idempotency: vec![Idempotency { key, fingerprint, expires_at: None }],
            message: None,
            quota: None,
            gate: None,
            approval: call.approval.clone(),
        };
        let accepted = self.shared.accept(acceptance).await.map_err(|error| refused(&error))?;
        Ok(accepted.execution_id)
    }

    /// Waits for a child's end without keeping others from running, and takes it along when this run is cancelled. While the child
    /// waits for somebody's word, which may take a day, others of the same key run too: a conversation goes on.
    async fn wait_for(&self, child: &ExecutionId) -> Result<State, Failure> {
        let ended = self.shared.on_end(child);
        let state = self.shared.store.execution(child).await.map_err(storage_failure)?;
        let awaits_word = match state {
            Some(state) if state.has_ended() => return Ok(state),
            state => state.is_some_and(|state| matches!(state.phase, Phase::AwaitingApproval { .. })),
        };
        let id = &self.header().execution_id;
        self.shared.pause_run(id);
        if awaits_word {
            self.shared.lend_key(self.header());
        }
        // A cancellation ends the child as well: then it is the cancellation that counts, not how the child ended.
        let outcome = tokio::select! {
            biased;
            () = self.cancellation().cancelled() => None,
            state = ended => state.ok(),
        };
        if awaits_word {
            tokio::select! {
                biased;
                () = self.cancellation().cancelled() => {}
                () = self.shared.take_key_back(self.header()) => {}
            }
        }
        self.shared.resume_run(id).await;
        match outcome {
            Some(state) => Ok(state),
            None if self.cancellation().is_cancelled() => {
                let failure = self.cancel_failure();
                // The child ends by itself then; its end is its own.
                if let Err(error) = self.shared.cancel(child, &failure.message).await {
                    tracing::warn!(error = %error, "a child could not be cancelled");
                }
                Err(failure)
            }
            None => self
                .ended(child)
                .await?
                .ok_or_else(|| Failure::transient(Code::Unavailable, "The Runtime is stopping; it goes on later.")),
        }
    }

    async fn ended(&self, child: &ExecutionId) -> Result<Option<State>, Failure> {
        let state = self.shared.store.execution(child).await.map_err(storage_failure)?;
        Ok(state.filter(State::has_ended))
    }
}

fn refused(error: &RuntimeError) -> Failure {
    match error {
        RuntimeError::UnknownIntent(name) => {
            Failure::new(Code::UnknownIntent, format!("There is no intent named {name}."))
        }
        RuntimeError::Refused(reason) => Failure::new(Code::PolicyRefused, reason.clone()),
        RuntimeError::InvalidParameters(errors) => {
            let told: Vec<String> = errors.iter().map(|error| format!("{} {}", error.field, error.message)).collect();
            Failure::new(Code::ValidationFailed, format!("The parameters do not fit: {}.", told.join("; ")))
        }
        RuntimeError::NobodyToAgree => Failure::new(
            Code::Forbidden,
            "This needs somebody's approval, which an anonymous session cannot give. Register or sign in first.",
        ),
        RuntimeError::StorageFull => Failure::transient(Code::StorageFull, "The storage is full."),
        RuntimeError::IdempotencyMismatch => {
            let message = "It began under another version of the program, which called another intent here. Ask again.";
            Failure::new(Code::VersionMismatch, message)
        }
        RuntimeError::QuotaReached
        | RuntimeError::BadCursor
        | RuntimeError::AlreadyDecided(_)
        | RuntimeError::RoleNeeded(_)
        | RuntimeError::ConversationInUse
        | RuntimeError::NotRedrivable(_)
        | RuntimeError::TurnInProgress
        | RuntimeError::TooManyWaiting
        | RuntimeError::Held
        | RuntimeError::Unavailable
        | RuntimeError::OtherVersion(_)
        | RuntimeError::Storage(_) => Failure::transient(Code::Unavailable, "The Runtime takes nothing just now."),
    }
}

fn outcome(state: State) -> CallOutcome {
    let execution_id = state.header.execution_id.clone();
    let status = state.status();
    let (result, artifacts, problem) = match state.phase {
        Phase::Completed { result, artifacts, .. } => (result, artifacts, None),
        Phase::Failed { problem, .. } | Phase::Cancelled { problem, .. } => {
            (Value::Null, Default::default(), Some(problem))
        }
        Phase::Pending { .. } | Phase::AwaitingApproval { .. } | Phase::Running { .. } => {
            (Value::Null, Default::default(), None)
        }
    };
    CallOutcome { execution_id, status, result, artifacts, problem }
}
