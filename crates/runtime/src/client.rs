//! The Runtime as the Experience Plane sees it: submit, watch, read, cancel, decide.

mod fork;
mod pending;
mod read;
mod schedules;
mod upload;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use contract::{
    Authority, ConversationId, ExecutionId, HookId, IntentId, MessageId, Owner, SessionId, Timestamp,
    agent::TurnPolicy,
    approval::{Approval, ApprovalStatus, Decision},
    conversation::{ConversationSummary, Role},
    execution::Execution,
    intent::{IntentDescriptor, Submitted, Timing},
    problem::FieldError,
};
use serde_json::{Value, json};

pub use fork::ForkOutcome;
pub use pending::NewPendingIntent;
pub use read::Followed;
pub use upload::Upload;

use crate::{
    figures::Figures,
    machine::{Header, RedriveRefusal},
    port::{
        ObjectError, StoreError,
        clock::random_10,
        store::{Decider, Idempotency, NewMessage, Object, StoredObject, StreamKey},
    },
    submit::{Acceptance, Asked},
    watch::Watch,
    worker::Shared,
};

/// How far ahead something can be asked for.
const MAX_AHEAD: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// What the Experience Plane asks of the Runtime. Cheap to clone.
#[derive(Clone)]
pub struct RuntimeClient {
    shared: Arc<Shared>,
}

/// An intent to be executed.
#[derive(Clone, Debug)]
pub struct SubmitRequest {
    pub owner: Owner,
    /// With whose rights, for the policy to judge.
    pub authority: Authority,
    pub session_id: SessionId,
    pub intent_type: String,
    pub parameters: Object,
    pub metadata: Object,
    /// A client's own id; a retry with the same one returns the first answer.
    pub intent_id: Option<IntentId>,
    /// The `Idempotency-Key`, 1 to 255 visible characters; its scope is the owner.
    pub idempotency_key: Option<String>,
    pub conversation_id: Option<ConversationId>,
    /// The person's message, where the intent is a turn of the conversation. Its id makes the turn idempotent in it.
    pub message: Option<UserMessage>,
    pub attachments: Vec<StoredObject>,
    pub timing: Timing,
    /// How many executions the owner may have in all.
    pub quota: Option<u32>,
    /// A client's own word: of the owner's executions that have it one runs at a time. A turn has its conversation's key.
    pub concurrency_key: Option<String>,
}

#[derive(Clone, Debug)]
pub struct UserMessage {
    pub id: MessageId,
    pub text: String,
    /// What becomes of it while an earlier turn of the conversation has not ended.
    pub policy: TurnPolicy,
}

/// Why the Runtime refuses.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    #[error("there is no intent of that name")]
    UnknownIntent(String),
    /// The policy's reason.
    #[error("the policy refuses it")]
    Refused(String),
    #[error("the parameters do not fit")]
    InvalidParameters(Vec<FieldError>),
    /// The key was used before with another request.
    #[error("the idempotency key was used with another request")]
    IdempotencyMismatch,
    #[error("the owner's quota is reached")]
    QuotaReached,
    /// Somebody would have to agree, and an anonymous session cannot.
    #[error("nobody can agree for an anonymous session")]
    NobodyToAgree,
    /// The approval is the owner's own, and takes a role that they do not have.
    #[error("somebody with another role has to decide")]
    RoleNeeded(String),
    #[error("somebody has decided already")]
    AlreadyDecided(ApprovalStatus),
    /// An earlier turn of the conversation has not ended, and this one does not wait.
    #[error("an earlier turn has not ended")]
    TurnInProgress,
    /// As many wait for the same key as may.
    #[error("too many wait for the key")]
    TooManyWaiting,
    /// The others of its key are not as they have to be. It never leaves the Runtime.
    #[error("the gate is closed")]
    Held,
    /// An execution of the conversation has not ended.
    #[error("the conversation is in use")]
    ConversationInUse,
    #[error("the execution cannot be driven again")]
    NotRedrivable(RedriveRefusal),
    /// Too much waits already, or the Runtime is stopping.
    #[error("the runtime takes nothing more just now")]
    Unavailable,
    #[error("the cursor is not one of ours")]
    BadCursor,
    #[error("the storage is full")]
    StorageFull,
    /// Another version of the program wrote what was asked for.
    #[error("it was written by another version of the program")]
    OtherVersion(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("the storage failed")]
    Storage(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl RuntimeError {
    /// What is wrong with one field.
    pub(crate) fn invalid(field: &str, message: &str) -> Self {
        Self::InvalidParameters(vec![FieldError { field: field.to_owned(), message: message.to_owned() }])
    }
}

/// How `content` answers.
#[derive(Clone, Debug)]
pub enum Content {
    Bytes(StoredObject, Bytes),
    /// The artifact was deleted.
    Gone,
    /// There is no such artifact, or it has no bytes.
    None,
}

impl RuntimeClient {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Has an intent executed. When this returns the execution is durable; it does not wait for it.
    pub async fn submit(&self, request: SubmitRequest) -> Result<Submitted, RuntimeError> {
        let clock = &*self.shared.clock;
        let now = clock.now();
        let idempotency = self.idempotency(&request, now);
        if let Err(out_of_time) = check_timing(request.timing, now) {
            // A retry of what was accepted in time is answered as it was.
            return self.shared.answer_known(&request.owner, &idempotency).await?.unwrap_or(Err(out_of_time));
        }
        let carries_out = request.intent_id.clone();
        let concurrency_key = concurrency_key(&request);
        let policy = request.message.as_ref().map_or(TurnPolicy::Queue, |message| message.policy);
        let message = request.message.map(|message| NewMessage {
            id: message.id,
            at_event: 0,
            role: Role::User,
            content: message.text,
            agent_id: None,
            created_at: now,
        });
        let header = Header {
            execution_id: ExecutionId::from_parts(now, random_10(clock)),
            intent_id: request.intent_id.unwrap_or_else(|| IntentId::from_parts(now, random_10(clock))),
            intent_type: request.intent_type,
            parameters: request.parameters,
            metadata: request.metadata,
            owner: request.owner,
            authority: Some(request.authority),
            session_id: request.session_id,
            conversation_id: request.conversation_id,
            parent: None,
            depth: 0,
            attachments: request.attachments,
            concurrency_key,
            supersedes: false,
            timing: request.timing,
            created_at: now,
        };
        let quota = request.quota;
        let acceptance = Acceptance { header, carries_out, idempotency, message, quota, gate: None, approval: None };
        self.shared.accept_by(policy, acceptance).await
    }

    /// A cursor on a stream, after `after`. `None` where the stream is not there, or not its owner's.
    pub async fn watch(&self, key: &StreamKey, after: u64) -> Result<Option<Watch>, RuntimeError> {
        let position = self.shared.store.stream(key).await?;
        Ok(position.map(|position| Watch::new(Arc::clone(&self.shared), position.stream, after)))
    }

    /// Asks an execution to stop; idempotent. `None` where the owner has no such execution.
    pub async fn cancel(
        &self,
        owner: &Owner,
        id: &ExecutionId,
        reason: &str,
    ) -> Result<Option<Execution>, RuntimeError> {
        if self.owned_state(owner, id).await?.is_none() {
            return Ok(None);
        }
        let (shared, wanted, said) = (Arc::clone(&self.shared), id.clone(), reason.to_owned());
        let cancelled = self.shared.tasks.spawn(async move { shared.cancel(&wanted, &said).await });
        cancelled.await.map_err(|_| RuntimeError::Unavailable)??;
        self.execution(owner, id).await
    }

    /// Drives an execution again that failed for good; it keeps its recorded steps. Idempotent: while it is under way again, this answers
    /// how it stands. `None` where the owner has no such execution.
    pub async fn redrive(&self, owner: &Owner, id: &ExecutionId) -> Result<Option<Execution>, RuntimeError> {
        let Some(state) = self.owned_state(owner, id).await? else { return Ok(None) };
        if let Some(parent) = state.header.parent {
            return Err(RuntimeError::NotRedrivable(RedriveRefusal::IsCalled(parent)));
        }
        let (shared, wanted) = (Arc::clone(&self.shared), id.clone());
        let redriven = self.shared.tasks.spawn(async move { shared.redrive(&wanted).await });
        match redriven.await.map_err(|_| RuntimeError::Unavailable)?? {
            None => Ok(None),
            Some(Ok(_)) => self.execution(owner, id).await,
            Some(Err(refusal)) => Err(RuntimeError::NotRedrivable(refusal)),
        }
    }

    /// Gives a conversation another title. `None` where the owner has no such conversation.
    pub async fn rename_conversation(
        &self,
        owner: &Owner,
        id: &ConversationId,
        title: &str,
    ) -> Result<Option<ConversationSummary>, RuntimeError> {
        Ok(self.shared.store.rename_conversation(owner, id, title).await?)
    }

    /// Takes a conversation away, with its messages; its executions stay. `false` where the owner has no such conversation.
    pub async fn delete_conversation(&self, owner: &Owner, id: &ConversationId) -> Result<bool, RuntimeError> {
        self.shared.store.delete_conversation(owner, id).await.map_err(|error| match error {
            StoreError::Conflict => RuntimeError::ConversationInUse,
            error => error.into(),
        })
    }

    /// Decides an approval, exactly once. `None` where there is no such approval that is theirs or that takes their role.
    pub async fn decide(
        &self,
        decider: impl Into<Decider>,
        hook_id: &HookId,
        decision: Decision,
    ) -> Result<Option<Approval>, RuntimeError> {
        let (shared, decider, hook_id) = (Arc::clone(&self.shared), decider.into(), hook_id.clone());
        let decided =
            self.shared.tasks.spawn(async move { shared.decide_approval(&decider, &hook_id, decision).await });
        decided.await.map_err(|_| RuntimeError::Unavailable)?
    }

    /// Waits for the end of an execution and answers it. `None` where the owner has no such execution.
    pub async fn wait(&self, owner: &Owner, id: &ExecutionId) -> Result<Option<Execution>, RuntimeError> {
        let ended = self.shared.on_end(id);
        let Some(state) = self.owned_state(owner, id).await? else { return Ok(None) };
        if !state.has_ended() {
            ended.await.map_err(|_| RuntimeError::Unavailable)?;
        }
        self.execution(owner, id).await
    }

    /// Whether an idempotency key of the owner still counts, so that a request with it is a retry.
    pub async fn knows_key(&self, owner: &Owner, key: &str) -> Result<bool, RuntimeError> {
        let known = self.shared.store.recall(owner, &client_key(key), self.shared.clock.now()).await?;
        Ok(known.is_some())
    }

    /// The names under which a retry is known. A message is one turn whatever else the client sends along, and from whichever session.
    fn idempotency(&self, request: &SubmitRequest, now: Timestamp) -> Vec<Idempotency> {
        let asked = |parameters, text, place| Asked {
            intent_type: &request.intent_type,
            parameters,
            attachments: &request.attachments,
            timing: request.timing,
            text,
            place,
        };
        let expires_at = Some(now.after(self.shared.config.idempotency_ttl));
        if let (Some(message), Some(conversation_id)) = (&request.message, &request.conversation_id) {
            let key = format!("message:{conversation_id}:{}", message.id);
            let fingerprint = asked(&Object::new(), Some(&message.text), Value::Null).fingerprint();
            return vec![Idempotency { key, fingerprint, expires_at }];
        }
        let key = request.idempotency_key.as_deref().map(client_key);
        let intent_id = request.intent_id.as_ref().map(|intent_id| format!("intent:{intent_id}"));
        if key.is_none() && intent_id.is_none() {
            return Vec::new();
        }
        let place = json!([request.session_id, request.conversation_id, request.metadata, request.concurrency_key]);
        let fingerprint = asked(&request.parameters, None, place).fingerprint();
        key.into_iter().chain(intent_id).map(|key| Idempotency { key, fingerprint, expires_at }).collect()
    }

    /// The intents that clients can ask for, in the order of their names.
    pub fn intents(&self) -> Vec<IntentDescriptor> {
        self.shared.catalogue.offered().cloned().collect()
    }

    /// Whether clients may ask for an intent by this name.
    pub fn offers(&self, intent_type: &str) -> bool {
        self.shared.catalogue.handler(intent_type).is_some_and(|handler| handler.is_offered())
    }

    /// What has been done since the start, and what there is just now.
    pub fn figures(&self) -> Figures {
        self.shared.figures()
    }

    /// Answers when the storage does and nothing is being stopped.
    pub async fn ready(&self) -> Result<(), RuntimeError> {
        if self.shared.stopping.is_cancelled() {
            return Err(RuntimeError::Unavailable);
        }
        Ok(self.shared.store.ping().await?)
    }
}

/// What a client's own key is in the store, where other names have other beginnings.
fn client_key(key: &str) -> String {
    format!("key:{key}")
}

/// Refuses a time to run that is out of reach, and a deadline that leaves no time.
fn check_timing(timing: Timing, now: Timestamp) -> Result<(), RuntimeError> {
    let wrong = |field: &str, message: &str| Err(RuntimeError::invalid(field, message));
    if timing.run_at.is_some_and(|run_at| run_at > now.after(MAX_AHEAD)) {
        return wrong("run_at", "must be within the next 366 days");
    }
    match timing.deadline {
        Some(deadline) if deadline <= now => wrong("deadline", "has passed; leave it out or choose a later one"),
        Some(deadline) if timing.run_at.is_some_and(|run_at| deadline <= run_at) => {
            wrong("deadline", "must be later than run_at")
        }
        Some(_) | None => Ok(()),
    }
}

/// One turn of a conversation at a time, and one at a time of what a client gave the same key. Other intents do not wait.
fn concurrency_key(request: &SubmitRequest) -> Option<String> {
    let space = request.owner.space();
    match (&request.message, &request.conversation_id, &request.concurrency_key) {
        (Some(_), Some(conversation_id), _) => Some(format!("{space}/{conversation_id}")),
        // No conversation's id has a slash.
        (_, _, Some(key)) => Some(format!("{space}//{key}")),
        (_, _, None) => None,
    }
}

impl From<StoreError> for RuntimeError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict | StoreError::Busy => Self::Unavailable,
            StoreError::BadCursor => Self::BadCursor,
            StoreError::Full => Self::StorageFull,
            StoreError::Unreadable(source) => Self::OtherVersion(source),
            StoreError::Failed(source) => Self::Storage(source),
        }
    }
}

impl From<ObjectError> for RuntimeError {
    fn from(error: ObjectError) -> Self {
        match error {
            ObjectError::Full => Self::StorageFull,
            ObjectError::Failed(source) => Self::Storage(Box::new(source)),
        }
    }
}
