//! Durable truth: executions, their journal, steps, artifacts, approvals and conversations. Each writing method is one
//! transaction; when it returns `Ok`, what it wrote survives a power cut.

use std::{collections::BTreeMap, fmt::Write, sync::Arc};

use async_trait::async_trait;
use contract::{
    AgentId, ArtifactId, Authority, ConversationId, Event, EventType, ExecutionId, HookId, IntentId, MessageId,
    ObjectId, Owner, ScheduleId, SessionId, Timestamp,
    approval::{Approval, ApprovalStatus},
    artifact::{Artifact, LifecycleState},
    conversation::{ConversationSummary, Message, Role},
    execution::ExecutionStatus,
    pending::PendingIntent,
    schedule::Schedule,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::machine::State;

pub use super::page::{Listing, Page, PageRequest};

/// The longest page that any listing method gives, whatever it was asked for.
pub const MAX_PAGE: u32 = 1_000;

/// Keeps what the Runtime must never forget.
#[async_trait]
pub trait Store: Send + Sync {
    /// Writes a new execution with its first events, unless its idempotency key is known for this owner.
    async fn submit(&self, submission: Submission) -> Result<SubmitOutcome, StoreError>;

    /// Writes the progress of an execution, all of it or nothing. `StoreError::Conflict` where `change.fence` no longer
    /// holds: somebody else has moved the execution on.
    async fn commit(&self, change: Change) -> Result<Committed, StoreError>;

    /// What a key of this owner was used for, where it has been and still counts at `now`.
    async fn recall(&self, owner: &Owner, key: &str, now: Timestamp) -> Result<Option<Known>, StoreError>;

    /// Forgets at most `limit` idempotency keys that count no more at `now`. Answers how many.
    async fn forget_keys(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError>;

    async fn execution(&self, id: &ExecutionId) -> Result<Option<State>, StoreError>;

    /// Executions with this concurrency key that have not ended, in the order of their acceptance.
    async fn unfinished_of_key(&self, concurrency_key: &str, limit: u32) -> Result<Vec<State>, StoreError>;

    /// Executions that have not ended, in the order of their ids, after `after`.
    async fn unfinished(&self, after: Option<&ExecutionId>, limit: u32) -> Result<Vec<State>, StoreError>;

    /// The children of an execution that have not ended.
    async fn unfinished_children(&self, parent: &ExecutionId) -> Result<Vec<ExecutionId>, StoreError>;

    /// The owner's executions that pass the filter, newest first. What a page costs does not depend on how many there are.
    async fn executions(
        &self,
        owner: &Owner,
        filter: &ExecutionFilter,
        page: PageRequest,
    ) -> Result<Listing<State>, StoreError>;

    /// Writes a schedule: a new one where `revision` is `None`, else over the one of that revision. `StoreError::Conflict` where it is not
    /// so.
    async fn put_schedule(&self, schedule: StoredSchedule, revision: Option<u64>) -> Result<(), StoreError>;

    async fn schedule(&self, owner: &Owner, id: &ScheduleId) -> Result<Option<StoredSchedule>, StoreError>;

    /// Newest first.
    async fn schedules(&self, owner: &Owner, page: PageRequest) -> Result<Listing<StoredSchedule>, StoreError>;

    /// Schedules whose next time is not after `now`, the longest due first.
    async fn due_schedules(&self, now: Timestamp, limit: u32) -> Result<Vec<StoredSchedule>, StoreError>;

    /// The earliest next time of any schedule.
    async fn next_schedule(&self) -> Result<Option<Timestamp>, StoreError>;

    /// Whether there was such a one.
    async fn delete_schedule(&self, owner: &Owner, id: &ScheduleId) -> Result<bool, StoreError>;

    /// The recorded steps of an execution, in the order in which they were recorded.
    async fn steps(&self, id: &ExecutionId) -> Result<Vec<StepRecord>, StoreError>;

    /// The stream of a conversation or of an execution that has none, or `None` where it is not this owner's.
    /// For an execution in a conversation it is the conversation's stream.
    async fn stream(&self, key: &StreamKey) -> Result<Option<StreamPosition>, StoreError>;

    /// Events of a stream after `after`, oldest first, at most `limit` of them; fewer mean that there are no more. With `execution`,
    /// only that execution's.
    async fn events(
        &self,
        stream: StreamId,
        after: u64,
        execution: Option<&ExecutionId>,
        limit: u32,
    ) -> Result<Vec<JournalEvent>, StoreError>;

    /// The newest `limit` events of an execution, oldest first.
    async fn newest_events(
        &self,
        stream: StreamId,
        execution: &ExecutionId,
        limit: u32,
    ) -> Result<Vec<JournalEvent>, StoreError>;

    async fn approval(&self, hook_id: &HookId) -> Result<Option<(Owner, Approval)>, StoreError>;

    /// The owner's own ones, and those of their tenant that wait for one of their roles. Newest first.
    async fn approvals(
        &self,
        decider: &Decider,
        status: Option<ApprovalStatus>,
        page: PageRequest,
    ) -> Result<Listing<Approval>, StoreError>;

    async fn artifact(&self, owner: &Owner, id: &ArtifactId) -> Result<Option<StoredArtifact>, StoreError>;

    /// Newest first.
    async fn artifacts(
        &self,
        owner: &Owner,
        filter: &ArtifactFilter,
        page: PageRequest,
    ) -> Result<Page<Artifact>, StoreError>;

    /// The newest `limit` of them, newest first, which nobody counts.
    async fn newest_artifacts(
        &self,
        owner: &Owner,
        filter: &ArtifactFilter,
        limit: u32,
    ) -> Result<Vec<Artifact>, StoreError>;

    /// Artifacts whose search text has all the words of `text`, best first; deleted ones never.
    async fn search(&self, owner: &Owner, text: &str, limit: u32) -> Result<Vec<SearchHit>, StoreError>;

    /// Newest first. With `text`, those in whose title or messages it stands, whatever the case of its ASCII letters.
    async fn conversations(
        &self,
        owner: &Owner,
        text: Option<&str>,
        page: PageRequest,
    ) -> Result<Page<ConversationSummary>, StoreError>;

    /// Gives a conversation another title; its later messages do not change that. `None` where the owner has no such one.
    async fn rename_conversation(
        &self,
        owner: &Owner,
        id: &ConversationId,
        title: &str,
    ) -> Result<Option<ConversationSummary>, StoreError>;

    /// Takes a conversation and its messages away, so that its id is free again. Its executions stay, with their events, and
    /// are in no conversation any more. `false` where the owner has no such one, `Conflict` while an execution of it has not
    /// ended.
    async fn delete_conversation(&self, owner: &Owner, id: &ConversationId) -> Result<bool, StoreError>;

    async fn conversation(&self, owner: &Owner, id: &ConversationId)
    -> Result<Option<ConversationSummary>, StoreError>;

    /// The newest `limit` messages before `before` (a `seq`), oldest first.
    async fn messages(
        &self,
        owner: &Owner,
        id: &ConversationId,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<Message>, StoreError>;

    /// Keeps what an owner means to submit later, at most `most` of it.
    async fn keep_pending(&self, owner: &Owner, pending: &PendingIntent, most: u32) -> Result<KeptPending, StoreError>;

    /// Newest first.
    async fn pending_intents(
        &self,
        owner: &Owner,
        filter: &PendingFilter,
        page: PageRequest,
    ) -> Result<Page<PendingIntent>, StoreError>;

    /// Begins a conversation with events and messages that no execution of its own has told, all of it or nothing. False where the
    /// owner has a conversation of this name.
    async fn begin_conversation(&self, new: NewConversation) -> Result<bool, StoreError>;

    /// The execution's owner as of now: a session may have been claimed since it began.
    async fn owner(&self, id: &ExecutionId) -> Result<Option<Owner>, StoreError>;

    /// Answers when the storage can be written and read.
    async fn ping(&self) -> Result<(), StoreError>;
}

/// What a caller does differently.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The fence did not hold: read again and decide again.
    #[error("somebody else has moved the execution on")]
    Conflict,
    /// The cursor of a page is none that an earlier page gave.
    #[error("the cursor is not one of ours")]
    BadCursor,
    /// No space; it may be asked again later.
    #[error("the storage is full")]
    Full,
    /// Too many writes wait already.
    #[error("the storage is busy")]
    Busy,
    /// Another version wrote it in a form that this one does not know. Nothing else is touched by it.
    #[error("it was written by another version of the program")]
    Unreadable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Whatever it was, nothing can be said about what is durable: the process should end.
    #[error("the storage failed")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// A new execution.
#[derive(Clone, Debug)]
pub struct Submission {
    pub state: State,
    pub events: Vec<NewEvent>,
    /// The pending intent that it carries out, where there is one of this id.
    pub carries_out: Option<IntentId>,
    /// Each of them alone makes a retry a retry.
    pub idempotency: Vec<Idempotency>,
    /// The approval that it waits for, where `state` awaits one.
    pub approval: Option<Approval>,
    /// The person's message, where the execution is a turn.
    pub message: Option<NewMessage>,
    /// At most this many executions may the owner have, with this one and without those that others called; `None` is no limit.
    pub quota: Option<u32>,
    /// What must be true of the others of its concurrency key.
    pub gate: Option<Gate>,
}

/// A condition on the executions that have a new one's concurrency key and have not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// There are at most so many of them.
    AtMost(u32),
    /// None of them waits for its first attempt.
    NoneWaiting,
}

/// Makes a retry return the first answer. The key's scope is the owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idempotency {
    pub key: String,
    /// A digest of what was asked, to tell a retry from another request.
    pub fingerprint: [u8; 32],
    /// From when on it counts no more; `None` where it is kept for as long as the execution.
    pub expires_at: Option<Timestamp>,
}

/// What a key was used for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    pub execution_id: ExecutionId,
    pub intent_id: IntentId,
    pub created_at: Timestamp,
    pub fingerprint: [u8; 32],
}

#[derive(Clone, Debug)]
pub enum SubmitOutcome {
    Accepted(Committed),
    /// The key was used before.
    Known {
        execution_id: ExecutionId,
        intent_id: IntentId,
        created_at: Timestamp,
        same_request: bool,
    },
    QuotaReached,
    /// The gate does not hold.
    Held,
}

/// The progress of one execution.
#[derive(Clone, Debug)]
pub struct Change {
    pub execution_id: ExecutionId,
    pub fence: Fence,
    /// The new state; `None` where only events and steps are added. Its revision is greater than the stored one.
    pub next: Option<State>,
    pub events: Vec<NewEvent>,
    pub steps: Vec<StepRecord>,
    /// New artifacts, and changed ones under their ids. One that is deleted stays so: a change that was made from an earlier reading
    /// of it does not bring it back.
    pub artifacts: Vec<StoredArtifact>,
    /// Written or overwritten under its hook id.
    pub approval: Option<Approval>,
    pub message: Option<NewMessage>,
    /// Remembered for the execution; `StoreError::Conflict` where the key counts already.
    pub idempotency: Option<Idempotency>,
}

impl Change {
    /// A change of nothing yet.
    pub fn new(execution_id: ExecutionId, fence: Fence) -> Self {
        Self {
            execution_id,
            fence,
            next: None,
            events: Vec::new(),
            steps: Vec::new(),
            artifacts: Vec::new(),
            approval: None,
            message: None,
            idempotency: None,
        }
    }
}

/// What must still be true of the stored execution for a change to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fence {
    /// Its revision: nobody has decided anything since.
    Revision(u64),
    /// It is running, in this attempt: the writer is not a stalled worker of an earlier one.
    Attempt(u32),
}

/// An event that has no number yet.
#[derive(Clone, Debug)]
pub struct NewEvent {
    pub event_type: EventType,
    execution_id: ExecutionId,
    /// The event as JSON without its `seq`: `"event_type":…,"execution_id":…,"timestamp":…,"data":…}`.
    tail: Arc<str>,
}

/// What most events' JSON fits in, so that it is written without moving.
const EVENT_BYTES: usize = 512;

/// What an event's JSON has behind its `seq`, in this order.
#[derive(Serialize)]
struct Tail<'event, Data> {
    event_type: EventType,
    execution_id: &'event ExecutionId,
    timestamp: Timestamp,
    data: &'event Data,
}

/// The data of a piece of an answer.
#[derive(Serialize)]
struct Token<'event> {
    #[serde(flatten)]
    about: &'event Object,
    token: &'event str,
}

impl NewEvent {
    pub fn new(event_type: EventType, execution_id: &ExecutionId, now: Timestamp, data: &Value) -> Self {
        Self::from_tail(&Tail { event_type, execution_id, timestamp: now, data })
    }

    /// A piece of an answer; `about` is what stands beside it. There are many of them, so that nothing is copied for them.
    pub(crate) fn token(execution_id: &ExecutionId, now: Timestamp, token: &str, about: &Object) -> Self {
        let data = &Token { about, token };
        Self::from_tail(&Tail { event_type: EventType::AgentToken, execution_id, timestamp: now, data })
    }

    fn from_tail<Data: Serialize>(tail: &Tail<'_, Data>) -> Self {
        let mut json = Vec::with_capacity(EVENT_BYTES);
        serde_json::to_writer(&mut json, tail).expect("an event has string keys, so it is JSON");
        let json = str::from_utf8(&json).expect("JSON is UTF-8");
        Self { event_type: tail.event_type, execution_id: tail.execution_id.clone(), tail: json[1..].into() }
    }

    /// The event with its number, as it is stored and sent.
    pub fn numbered(&self, seq: u64) -> JournalEvent {
        const DIGITS: usize = 20;
        let mut json = String::with_capacity(r#"{"seq":,"#.len() + DIGITS + self.tail.len());
        let written = write!(json, r#"{{"seq":{seq},{}"#, self.tail);
        written.expect("a text takes all that is written to it");
        JournalEvent { seq, event_type: self.event_type, execution_id: self.execution_id.clone(), json: json.into() }
    }
}

/// An event of the journal. Its JSON is made once, stored, and sent to every viewer as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalEvent {
    pub seq: u64,
    pub event_type: EventType,
    /// Whose it is.
    pub execution_id: ExecutionId,
    /// A `contract::Event`.
    pub json: Arc<str>,
}

impl JournalEvent {
    /// Reads a stored event.
    pub fn from_json(json: &str) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct Head {
            seq: u64,
            event_type: EventType,
            execution_id: ExecutionId,
        }
        let Head { seq, event_type, execution_id } = serde_json::from_str(json)?;
        Ok(Self { seq, event_type, execution_id, json: json.into() })
    }

    pub fn event(&self) -> Event {
        serde_json::from_str(&self.json).expect("the journal holds events that we wrote")
    }
}

/// The stable number of a stream; it survives a claim of its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamId(pub i64);

/// How clients name a stream.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum StreamKey {
    Conversation(Owner, ConversationId),
    Execution(ExecutionId),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamPosition {
    pub stream: StreamId,
    /// The `seq` of the newest event; 0 where there is none.
    pub head: u64,
}

/// What was written: the numbered events and where they stand.
#[derive(Clone, Debug)]
pub struct Committed {
    pub stream: StreamId,
    pub events: Vec<JournalEvent>,
}

/// The result of a step, kept so that the step never runs again.
#[derive(Clone, Debug, PartialEq)]
pub struct StepRecord {
    pub name: String,
    pub result: Value,
    pub recorded_at: Timestamp,
}

/// A message that enters the conversation of the execution.
#[derive(Clone, Debug)]
pub struct NewMessage {
    pub id: MessageId,
    /// The index, among the events of the same write, of the event whose `seq` is the message's.
    pub at_event: usize,
    pub role: Role,
    pub content: String,
    /// Who said it; for an assistant's message this is the conversation's present agent from now on.
    pub agent_id: Option<AgentId>,
    pub created_at: Timestamp,
}

/// A conversation that begins with what was said elsewhere.
#[derive(Clone, Debug)]
pub struct NewConversation {
    pub owner: Owner,
    pub conversation_id: ConversationId,
    pub title: String,
    pub created_at: Timestamp,
    /// Each with the execution that it comes from.
    pub events: Vec<(ExecutionId, NewEvent)>,
    pub messages: Vec<(ExecutionId, NewMessage)>,
}

/// An artifact as it is stored: what clients see, and where its bytes lie.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredArtifact {
    pub artifact: Artifact,
    pub content: Option<StoredObject>,
    /// What search finds it by; `None` leaves the index as it is, `Some("")` takes it out.
    pub search_text: Option<String>,
}

/// Bytes of an artifact, or of an upload that is not an artifact yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredObject {
    pub object_id: ObjectId,
    pub size_bytes: u64,
    /// SHA-256 of the bytes, in hex; absent where an earlier version stored them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    pub media_type: String,
    /// The name that the client gave it.
    pub file_name: String,
}

/// Somebody whose word an approval may take. Whether they have the roles is for whoever hands them in to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decider {
    pub owner: Owner,
    /// The words of their roles in their tenant.
    pub roles: Vec<String>,
}

impl From<&Owner> for Decider {
    /// An owner who decides about what is their own alone.
    fn from(owner: &Owner) -> Self {
        Self { owner: owner.clone(), roles: Vec::new() }
    }
}

impl Decider {
    /// Whether they have this role in the tenant of `owner`.
    pub fn has_role(&self, role: &str, owner: &Owner) -> bool {
        let same_tenant = self.owner.tenant_id().is_some() && self.owner.tenant_id() == owner.tenant_id();
        same_tenant && self.roles.iter().any(|own| own == role)
    }
}

/// A schedule as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredSchedule {
    pub owner: Owner,
    /// With whose rights it is done; absent where it was made before there was a policy.
    pub authority: Option<Authority>,
    pub schedule: Schedule,
    /// Counts the changes; the fence against two that change it.
    pub revision: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExecutionFilter {
    pub status: Option<ExecutionStatus>,
    pub intent_type: Option<String>,
    pub session_id: Option<SessionId>,
    pub conversation_id: Option<ConversationId>,
    /// Called by this execution.
    pub parent: Option<ExecutionId>,
    /// Only dead letters: what failed for good and was called by no other execution.
    pub dead_letters: bool,
}

/// Whether a pending intent is kept.
#[derive(Clone, Debug, PartialEq)]
pub enum KeptPending {
    Kept,
    /// There is one of this id.
    Known(PendingIntent),
    TooMany,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PendingFilter {
    pub target_artifact_id: Option<ArtifactId>,
    pub intent_type: Option<String>,
    /// Also those that an execution carries out.
    pub include_submitted: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ArtifactFilter {
    pub session_id: Option<SessionId>,
    pub artifact_type: Option<String>,
    /// `None` is all but deleted ones.
    pub lifecycle_state: Option<LifecycleState>,
    /// Made by this execution.
    pub execution_id: Option<ExecutionId>,
    /// With this artifact among its parents.
    pub parent: Option<ArtifactId>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct SearchHit {
    pub artifact: Artifact,
    /// Some words around the place, with the found ones in `**`.
    pub snippet: String,
}

/// Artifacts of an execution by the key under which the handler kept them.
pub type ArtifactKeys = BTreeMap<String, ArtifactId>;

/// A JSON object, as parameters and payloads are.
pub type Object = Map<String, Value>;
