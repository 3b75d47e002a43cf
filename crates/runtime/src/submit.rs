//! How an intent becomes an execution: checked, made durable, and only then taken up.

use std::sync::Arc;

use contract::{
    ExecutionId, IntentId, Timestamp,
    intent::{ApprovalRule, Submitted, Timing},
};
use sha2::{Digest, Sha256};

use crate::{
    client::RuntimeError,
    machine::{self, Header, State},
    port::{
        Ruling,
        store::{Idempotency, NewMessage, Object, StoredObject, Submission, SubmitOutcome},
    },
    worker::{Shared, approval_of},
};

/// An intent whose words are all there.
pub(crate) struct Acceptance {
    pub(crate) header: Header,
    pub(crate) idempotency: Option<Idempotency>,
    pub(crate) message: Option<NewMessage>,
    pub(crate) quota: Option<u32>,
    /// Why somebody has to agree first, where the caller wants it beyond the intent's own rule.
    pub(crate) approval: Option<String>,
}

impl Shared {
    /// Makes an execution durable and takes it up. Whoever asked may go away meanwhile: what was begun is finished.
    pub(crate) async fn accept(self: &Arc<Self>, acceptance: Acceptance) -> Result<Submitted, RuntimeError> {
        if self.stopping.is_cancelled() {
            return Err(RuntimeError::Unavailable);
        }
        let wanted_by_policy = self.judge(&acceptance.header)?;
        self.check(&acceptance.header.intent_type, &acceptance.header.parameters)?;
        let approval = self
            .approval_reason(&acceptance)
            .or(wanted_by_policy)
            .map(|reason| approval_of(self, &acceptance.header, reason));
        let now = self.clock.now();
        let decision = machine::accept(acceptance.header, approval, acceptance.message.as_ref(), now);
        let submission = Submission {
            state: decision.next,
            events: decision.events,
            idempotency: acceptance.idempotency,
            approval: decision.approval,
            message: acceptance.message,
            quota: acceptance.quota,
        };
        let shared = Arc::clone(self);
        let stored = self.tasks.spawn(async move { shared.save(submission).await });
        stored.await.map_err(|_| RuntimeError::Unavailable)?
    }

    /// Asks the policy. Why somebody has to agree first, where it says so.
    fn judge(&self, header: &Header) -> Result<Option<String>, RuntimeError> {
        let Some(authority) = &header.authority else { return Ok(None) };
        match self.catalogue.decide(&header.intent_type, authority) {
            None => Err(RuntimeError::UnknownIntent(header.intent_type.clone())),
            Some(Ruling::Allowed) => Ok(None),
            Some(Ruling::NeedsApproval(reason)) => Ok(Some(reason)),
            Some(Ruling::Refused(reason)) => Err(RuntimeError::Refused(reason)),
        }
    }

    /// Whether the parameters fit the intent's schema.
    pub(crate) fn check(&self, intent_type: &str, parameters: &Object) -> Result<(), RuntimeError> {
        match self.catalogue.check(intent_type, parameters) {
            None => Err(RuntimeError::UnknownIntent(intent_type.to_owned())),
            Some(errors) if errors.is_empty() => Ok(()),
            Some(errors) => Err(RuntimeError::InvalidParameters(errors)),
        }
    }

    fn approval_reason(&self, acceptance: &Acceptance) -> Option<String> {
        if acceptance.approval.is_some() {
            return acceptance.approval.clone();
        }
        let intent_type = &acceptance.header.intent_type;
        match self.catalogue.handler(intent_type)?.descriptor().approval {
            ApprovalRule::None => None,
            ApprovalRule::Owner => Some(format!("{intent_type} is only done when you agree.")),
        }
    }

    async fn save(self: &Arc<Self>, submission: Submission) -> Result<Submitted, RuntimeError> {
        let state = submission.state.clone();
        match self.store.submit(submission).await? {
            SubmitOutcome::Accepted(committed) => {
                self.publish(&state, committed);
                let answer = accepted(
                    state.header.execution_id.clone(),
                    state.header.intent_id.clone(),
                    state.header.created_at,
                );
                self.take_up(state);
                Ok(answer)
            }
            SubmitOutcome::Known { execution_id, intent_id, created_at, same_request: true } => {
                Ok(accepted(execution_id, intent_id, created_at))
            }
            SubmitOutcome::Known { same_request: false, .. } => Err(RuntimeError::IdempotencyMismatch),
            SubmitOutcome::QuotaReached => Err(RuntimeError::QuotaReached),
        }
    }

    fn take_up(self: &Arc<Self>, state: State) {
        match state.phase {
            machine::Phase::AwaitingApproval { .. } | machine::Phase::Pending { .. } => self.wait_or_run(state),
            machine::Phase::Running { .. }
            | machine::Phase::Completed { .. }
            | machine::Phase::Failed { .. }
            | machine::Phase::Cancelled { .. } => unreachable!("an accepted execution waits"),
        }
    }
}

fn accepted(execution_id: ExecutionId, intent_id: IntentId, created_at: Timestamp) -> Submitted {
    Submitted { execution_id, intent_id, status: "accepted".to_owned(), created_at }
}

/// A digest of what is asked for, to tell a retry from another request under the same key. Attachments count by name and size: their
/// object ids are new in each upload.
pub(crate) fn fingerprint(
    intent_type: &str,
    parameters: &Object,
    attachments: &[StoredObject],
    text: Option<&str>,
    timing: Timing,
) -> [u8; 32] {
    let mut digest = Sha256::new();
    let mut part = |bytes: &[u8]| {
        digest.update((bytes.len() as u64).to_le_bytes());
        digest.update(bytes);
    };
    part(intent_type.as_bytes());
    part(serde_json::Value::Object(parameters.clone()).to_string().as_bytes());
    for attachment in attachments {
        part(attachment.file_name.as_bytes());
        part(&attachment.size_bytes.to_le_bytes());
    }
    part(text.unwrap_or_default().as_bytes());
    // Keys from before there was timing stay what they were.
    if timing != Timing::default() {
        part(serde_json::json!(timing).to_string().as_bytes());
    }
    digest.finalize().into()
}
