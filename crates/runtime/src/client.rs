//! The Runtime as the Experience Plane sees it: submit, watch, read, cancel, decide.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use contract::{
    AgentId, ArtifactId, Code, ConversationId, ExecutionId, HookId, IntentId, MessageId, Owner, SessionId,
    approval::{Approval, ApprovalStatus, Decision},
    artifact::Artifact,
    conversation::{Conversation, ConversationSummary},
    execution::Execution,
    intent::{IntentDescriptor, Submitted},
    problem::FieldError,
};

use crate::port::{
    ObjectError, ObjectSink, StoreError,
    store::{ArtifactFilter, JournalEvent, Object, Page, PageRequest, StoredObject, StreamKey},
};

/// What the Experience Plane asks of the Runtime. Cheap to clone.
#[derive(Clone)]
pub struct RuntimeClient {
    runtime: Arc<crate::worker::Shared>,
}

/// An intent to be executed.
#[derive(Clone, Debug)]
pub struct SubmitRequest {
    pub owner: Owner,
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
    /// How many executions the owner may have in all.
    pub quota: Option<u32>,
}

#[derive(Clone, Debug)]
pub struct UserMessage {
    pub id: MessageId,
    pub text: String,
}

/// Why the Runtime refuses.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    #[error("there is no intent of that name")]
    UnknownIntent(String),
    #[error("the parameters do not fit")]
    InvalidParameters(Vec<FieldError>),
    /// The key was used before with another request.
    #[error("the idempotency key was used with another request")]
    IdempotencyMismatch,
    #[error("the owner's quota is reached")]
    QuotaReached,
    #[error("somebody has decided already")]
    AlreadyDecided(ApprovalStatus),
    /// Too much waits already, or the Runtime is stopping.
    #[error("the runtime takes nothing more just now")]
    Unavailable,
    #[error("the storage is full")]
    StorageFull,
    #[error("the storage failed")]
    Storage(#[source] Box<dyn std::error::Error + Send + Sync>),
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

/// Which watch is meant, and from where.
pub use crate::watch::Watch;
