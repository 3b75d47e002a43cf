//! How an intent becomes an execution: checked, made durable, and only then taken up.

use std::sync::Arc;

use contract::{
    Authority, ExecutionId, IntentId, Owner, Timestamp,
    intent::{ApprovalRule, Submitted, Timing},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tracing::warn;

use crate::{
    client::RuntimeError,
    handler::FailureKind,
    machine::{self, Header, State},
    port::{
        Ruling,
        store::{Gate, Idempotency, NewMessage, Object, StoredObject, Submission, SubmitOutcome},
    },
    torture::{Bug, CrashPoint, crash_point, has_bug_now},
    view::OwnerView,
    worker::{Shared, approval_of},
};

/// An intent whose words are all there.
#[derive(Clone)]
pub(crate) struct Acceptance {
    pub(crate) header: Header,
    /// The client's own id of the intent: it may have meant to submit it for long.
    pub(crate) carries_out: Option<IntentId>,
    pub(crate) idempotency: Vec<Idempotency>,
    pub(crate) message: Option<NewMessage>,
    pub(crate) quota: Option<u32>,
    pub(crate) gate: Option<Gate>,
    /// Why somebody has to agree first, where the caller wants it beyond the intent's own rule.
    pub(crate) approval: Option<String>,
}

impl Shared {
    /// Makes an execution durable and takes it up. Whoever asked may go away meanwhile: what was begun is finished.
    pub(crate) async fn accept(self: &Arc<Self>, mut acceptance: Acceptance) -> Result<Submitted, RuntimeError> {
        if self.stopping.is_cancelled() {
            return Err(RuntimeError::Unavailable);
        }
        let wanted_by_policy = self.judge(&acceptance.header)?;
        self.check(&acceptance.header.intent_type, &acceptance.header.parameters)?;
        let wanted = self.approval_wanted(&acceptance).or_else(|| wanted_by_policy.map(|reason| (reason, None)));
        if wanted.is_some() {
            self.settle(&mut acceptance.header).await?;
        }
        let approval = wanted.map(|(reason, role)| approval_of(self, &acceptance.header, reason, role));
        let now = self.clock.now();
        let decision = machine::accept(acceptance.header, approval, acceptance.message.as_ref(), now);
        let submission = Submission {
            state: decision.next,
            events: decision.events,
            carries_out: acceptance.carries_out,
            idempotency: acceptance.idempotency,
            approval: decision.approval,
            message: acceptance.message,
            quota: acceptance.quota,
            gate: acceptance.gate,
        };
        let shared = Arc::clone(self);
        let stored = self.tasks.spawn(async move { shared.save(submission).await });
        stored.await.map_err(|_| RuntimeError::Unavailable)?
    }

    /// Asks the policy. Why somebody has to agree first, where it says so.
    fn judge(&self, header: &Header) -> Result<Option<String>, RuntimeError> {
        let Some(authority) = &header.authority else { return Ok(None) };
        self.ruling(&header.intent_type, authority)
    }

    /// The same before there is anything to accept.
    pub(crate) fn ruling(&self, intent_type: &str, authority: &Authority) -> Result<Option<String>, RuntimeError> {
        match self.catalogue.decide(intent_type, authority) {
            None => Err(RuntimeError::UnknownIntent(intent_type.to_owned())),
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

    /// Makes the parameters say what somebody is asked to agree to.
    pub(crate) async fn settle(&self, header: &mut Header) -> Result<(), RuntimeError> {
        if let Owner::Anonymous { .. } = header.owner {
            return Err(RuntimeError::NobodyToAgree);
        }
        let Some(handler) = self.catalogue.handler(&header.intent_type) else { return Ok(()) };
        let view = OwnerView::new(Arc::clone(&self.store), header.owner.clone(), header.session_id.clone());
        let parameters = std::mem::take(&mut header.parameters);
        header.parameters = handler.settle(&view, parameters).await.map_err(|failure| match failure.kind {
            FailureKind::Final => RuntimeError::invalid("parameters", &failure.message),
            FailureKind::Transient | FailureKind::Cancelled | FailureKind::Fenced => RuntimeError::Unavailable,
        })?;
        self.check(&header.intent_type, &header.parameters)
    }

    /// Why somebody has to agree, and with which role where it is not the owner.
    fn approval_wanted(&self, acceptance: &Acceptance) -> Option<(String, Option<String>)> {
        let intent_type = &acceptance.header.intent_type;
        let asked = acceptance.approval.clone();
        match &self.catalogue.descriptor(intent_type)?.approval {
            ApprovalRule::None => asked.map(|reason| (reason, None)),
            ApprovalRule::Owner => {
                let reason = asked.unwrap_or_else(|| format!("{intent_type} is only done when you agree."));
                Some((reason, None))
            }
            ApprovalRule::Role(role) => {
                let reason = format!("{intent_type} is only done when somebody with the role {role} agrees.");
                Some((asked.unwrap_or(reason), Some(role.clone())))
            }
        }
    }

    async fn save(self: &Arc<Self>, submission: Submission) -> Result<Submitted, RuntimeError> {
        let state = submission.state.clone();
        crash_point(CrashPoint::SubmissionUnsaved);
        let outcome = self.store.submit(submission).await?;
        if !matches!(outcome, SubmitOutcome::Accepted(_)) {
            self.discard(&state.header.attachments).await;
        }
        match outcome {
            SubmitOutcome::Accepted(committed) => {
                crash_point(CrashPoint::SubmissionSaved);
                self.publish(&state, committed);
                let answer = accepted(
                    state.header.execution_id.clone(),
                    state.header.intent_id.clone(),
                    state.header.created_at,
                );
                self.take_up(state.clone());
                if state.header.supersedes
                    // Kept apart, as in `Shared::spawn`.
                    && let Err(error) = Box::pin(self.supersede(&state.header)).await
                {
                    warn!(%error, "what a message takes the place of could not be ended; the message waits for it");
                }
                Ok(answer)
            }
            SubmitOutcome::QuotaReached => Err(RuntimeError::QuotaReached),
            SubmitOutcome::Held => Err(RuntimeError::Held),
            SubmitOutcome::Known { execution_id, intent_id, created_at, same_request: true } => {
                Ok(accepted(execution_id, intent_id, created_at))
            }
            SubmitOutcome::Known { same_request: false, .. } => Err(RuntimeError::IdempotencyMismatch),
        }
    }

    /// The answer to a retry of what was accepted under one of these keys.
    pub(crate) async fn answer_known(
        &self,
        owner: &Owner,
        keys: &[Idempotency],
    ) -> Result<Option<Result<Submitted, RuntimeError>>, RuntimeError> {
        for key in keys {
            if let Some(known) = self.store.recall(owner, &key.key, self.clock.now()).await? {
                let is_same = known.fingerprint == key.fingerprint;
                let answer = is_same.then(|| accepted(known.execution_id, known.intent_id, known.created_at));
                return Ok(Some(answer.ok_or(RuntimeError::IdempotencyMismatch)));
            }
        }
        Ok(None)
    }

    /// Takes the bytes away that came with what was not accepted.
    async fn discard(&self, attachments: &[StoredObject]) {
        for object in attachments {
            if let Err(error) = self.objects.delete(&object.object_id).await {
                warn!(error = %error, "the bytes of a refused upload could not be taken away");
            }
        }
    }

    fn take_up(self: &Arc<Self>, state: State) {
        if has_bug_now(Bug::WakeUpLost) {
            return;
        }
        match state.phase {
            machine::Phase::AwaitingApproval { .. } | machine::Phase::Pending { .. } => self.wait_or_run(state),
            machine::Phase::Running { .. }
            | machine::Phase::Completed { .. }
            | machine::Phase::Failed { .. }
            | machine::Phase::Cancelled { .. } => unreachable!("an accepted execution waits"),
        }
    }
}

pub(crate) fn accepted(execution_id: ExecutionId, intent_id: IntentId, created_at: Timestamp) -> Submitted {
    Submitted { execution_id, intent_id, status: "accepted".to_owned(), created_at }
}

/// What is asked for, as far as it tells a retry from another request under the same key.
pub(crate) struct Asked<'request> {
    pub(crate) intent_type: &'request str,
    pub(crate) parameters: &'request Object,
    pub(crate) attachments: &'request [StoredObject],
    pub(crate) timing: Timing,
    /// The person's message, where it is a turn.
    pub(crate) text: Option<&'request str>,
    /// Where it belongs, and what the client sent along: `null` where a retry may come from elsewhere.
    pub(crate) place: Value,
}

impl Asked<'_> {
    /// Attachments count by their bytes and names: their object ids are new in each upload.
    pub(crate) fn fingerprint(&self) -> [u8; 32] {
        let mut digest = Sha256::new();
        let mut part = |bytes: &[u8]| {
            digest.update((bytes.len() as u64).to_le_bytes());
            digest.update(bytes);
        };
        part(self.intent_type.as_bytes());
        part(json!(self.parameters).to_string().as_bytes());
        for attachment in self.attachments {
            part(attachment.file_name.as_bytes());
            part(attachment.sha256.as_deref().unwrap_or_default().as_bytes());
        }
        part(self.text.unwrap_or_default().as_bytes());
        part(json!(self.timing).to_string().as_bytes());
        part(self.place.to_string().as_bytes());
        digest.finalize().into()
    }
}
