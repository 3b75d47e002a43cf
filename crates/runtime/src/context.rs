//! What a handler can do while it executes: remember steps, call other intents, tell what happens, keep artifacts.
//! It is the only way from a handler to anything outside of it.

use std::{future::Future, sync::Arc};

use bytes::Bytes;
use contract::{
    AgentId, ArtifactId, Code, ConversationId, EventType, ExecutionId, IntentId, Owner, SessionId, Timestamp,
    artifact::{Artifact, LifecycleState},
    conversation::{ConversationSummary, Message},
    execution::{ExecutionProblem, ExecutionStatus},
    intent::IntentDescriptor,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::{
    handler::Failure,
    port::store::{ArtifactFilter, Object, Page, PageRequest, SearchHit, StoredObject},
    torture::{CrashPoint, crash_point},
    view::OwnerView,
    worker::Run,
};

/// A handler's window on the world. Cheap to clone.
#[derive(Clone)]
pub struct ExecutionContext {
    run: Arc<Run>,
}

/// An intent that a handler wants to be executed.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    pub intent_type: String,
    pub parameters: Object,
    /// Why somebody has to agree first, where somebody has to.
    pub approval: Option<String>,
}

/// A call that the Runtime has accepted.
#[derive(Debug)]
pub struct Begun {
    pub(crate) child: ExecutionId,
}

/// How a called intent ended.
#[derive(Clone, Debug, PartialEq)]
pub struct CallOutcome {
    pub execution_id: ExecutionId,
    pub status: ExecutionStatus,
    /// What the handler answered; null where it did not complete.
    pub result: Value,
    /// The artifacts that it kept, by key.
    pub artifacts: crate::port::store::ArtifactKeys,
    /// Why it failed or was cancelled.
    pub problem: Option<ExecutionProblem>,
}

/// An artifact to be kept when the execution completes.
#[derive(Clone, Debug, Default)]
pub struct NewArtifact {
    /// From `new_artifact_id`, where the payload has to name the artifact itself; a new one where nothing is said.
    pub artifact_id: Option<ArtifactId>,
    /// `file`, `parsed_file`, `data_quality`, …
    pub artifact_type: String,
    /// Draft unless it says otherwise.
    pub lifecycle_state: Option<LifecycleState>,
    pub semantic_descriptor: Object,
    pub semantic_payload: Object,
    pub renderings: Object,
    pub parent_artifacts: Vec<ArtifactId>,
    pub content: Option<StoredObject>,
    /// What `search` finds it by.
    pub search_text: Option<String>,
}

/// What can be changed of an artifact that is there.
#[derive(Clone, Debug)]
pub enum ArtifactChange {
    /// Draft, ready or archived.
    State(LifecycleState),
    /// These fields over those that are there.
    Describe { descriptor: Object, payload: Object },
    /// The record stays, payload and content go.
    Delete,
}

impl ExecutionContext {
    pub(crate) fn new(run: Arc<Run>) -> Self {
        Self { run }
    }

    pub fn execution_id(&self) -> &ExecutionId {
        &self.run.header().execution_id
    }

    pub fn intent_id(&self) -> &IntentId {
        &self.run.header().intent_id
    }

    pub fn session_id(&self) -> &SessionId {
        &self.run.header().session_id
    }

    pub fn conversation_id(&self) -> Option<&ConversationId> {
        self.run.header().conversation_id.as_ref()
    }

    /// What the client sent along with the intent, unread by the Runtime.
    pub fn metadata(&self) -> &Object {
        &self.run.header().metadata
    }

    /// The bytes that were uploaded with the intent.
    pub fn attachments(&self) -> &[StoredObject] {
        &self.run.header().attachments
    }

    /// 1 for the first try.
    pub fn attempt(&self) -> u32 {
        self.run.attempt()
    }

    pub fn now(&self) -> Timestamp {
        self.run.now()
    }

    /// Ends when somebody wants the execution to stop. `step` and `call` watch it by themselves.
    pub fn cancellation(&self) -> &CancellationToken {
        self.run.cancellation()
    }

    /// From now on, what this execution calls is called for an agent: the policy judges it as this agent's wish too, and whatever
    /// follows from it.
    pub fn act_as(&self, agent_id: &AgentId) {
        self.run.act_as(agent_id);
    }

    /// The intents that can be called.
    pub fn intents(&self) -> Vec<&IntentDescriptor> {
        self.run.intents()
    }

    /// Runs `work` unless a step of this name was recorded before: then answers what was recorded. The result is durable before this
    /// returns. A name is used once in an execution. External effects in `work` are at-least-once: hand them
    /// `step_key(name)` as their idempotency key.
    pub async fn step<T, Work, Answer>(&self, name: &str, work: Work) -> Result<T, Failure>
    where
        T: Serialize + DeserializeOwned,
        Work: FnOnce() -> Answer,
        Answer: Future<Output = Result<T, Failure>>,
    {
        if let Some(recorded) = self.run.recorded(name) {
            return serde_json::from_value(recorded).map_err(|_| {
                let message =
                    "It began under another version of the program, whose steps this one cannot read. Ask again.";
                Failure::new(Code::VersionMismatch, message)
            });
        }
        self.run.tell(EventType::StepStarted, &serde_json::json!({ "step": name })).await?;
        let answer = self.until_cancelled(work()).await?;
        let result = serde_json::to_value(&answer)
            .map_err(|_| Failure::new(Code::Internal, "The result of a step cannot be recorded."))?;
        crash_point(CrashPoint::EffectUnrecorded);
        self.run.record(name, result).await?;
        Ok(answer)
    }

    /// The idempotency key for an effect of this step; the same in every attempt.
    pub fn step_key(&self, name: &str) -> String {
        format!("{}/{name}", self.execution_id())
    }

    /// Has the Runtime execute another intent, and waits for its end. The child is recorded before it starts, and after a crash the
    /// same call (by its place in the order of calls) finds the same child.
    pub async fn call(&self, intent_type: &str, parameters: Object) -> Result<CallOutcome, Failure> {
        self.call_one(Call { intent_type: intent_type.to_owned(), parameters, approval: None }).await
    }

    /// The same, and somebody has to agree first, for `reason`.
    pub async fn call_with_approval(
        &self,
        intent_type: &str,
        parameters: Object,
        reason: String,
    ) -> Result<CallOutcome, Failure> {
        self.call_one(Call { intent_type: intent_type.to_owned(), parameters, approval: Some(reason) }).await
    }

    async fn call_one(&self, call: Call) -> Result<CallOutcome, Failure> {
        let begun = self.begin(vec![call]).await?.pop().expect("a call that was begun is answered");
        self.outcome(begun?).await
    }

    /// Several calls at once: each is accepted, in this order, before any is waited for. One that is not accepted says so in its
    /// place and keeps no other from going on.
    pub async fn begin(&self, calls: Vec<Call>) -> Result<Vec<Result<Begun, Failure>>, Failure> {
        self.run.begin(calls).await
    }

    /// Waits for the end of a call that was begun; several can be waited for at the same time.
    pub async fn outcome(&self, begun: Begun) -> Result<CallOutcome, Failure> {
        self.run.outcome(begun).await
    }

    /// Tells something. Events are committed in their order, soon, and before the execution ends. Data of more than 1 MiB is refused with
    /// `result_too_large`.
    pub async fn emit(&self, event_type: EventType, data: &Value) -> Result<(), Failure> {
        self.run.tell(event_type, data).await
    }

    /// Tells a piece of an answer (`agent.token`). Pieces that come close together are joined into one event.
    /// `about` is what stands beside the token in the event's data.
    pub async fn token(&self, token: &str, about: &Object) -> Result<(), Failure> {
        self.run.token(token, about).await
    }

    /// The agent's answer, which enters the conversation when the execution ends, with `event_type` and `data` as its event.
    pub fn answer(&self, agent_id: AgentId, content: String, event_type: EventType, data: Value) {
        self.run.answer(agent_id, content, event_type, data);
    }

    /// An id for an artifact that is to be kept.
    pub fn new_artifact_id(&self) -> ArtifactId {
        self.run.new_artifact_id()
    }

    /// Keeps an artifact under `key` when the execution completes, together with the completion or not at all.
    pub fn keep(&self, key: &str, artifact: NewArtifact) -> Artifact {
        self.run.keep(key, artifact)
    }

    /// Changes an artifact of the same owner when the execution completes. `None` where there is no such artifact.
    pub async fn change_artifact(
        &self,
        key: &str,
        id: &ArtifactId,
        change: ArtifactChange,
    ) -> Result<Option<Artifact>, Failure> {
        self.run.change_artifact(key, id, change).await
    }

    /// What the owner of now has, to look at.
    pub async fn view(&self) -> Result<OwnerView, Failure> {
        let owner = self.owner().await?;
        Ok(OwnerView::new(self.run.store(), owner, self.session_id().clone()))
    }

    pub async fn artifact(&self, id: &ArtifactId) -> Result<Option<Artifact>, Failure> {
        Ok(self.run.stored_artifact(id).await?.map(|stored| stored.artifact))
    }

    /// The newest, newest first. It costs the same however many there are.
    pub async fn newest_artifacts(&self, filter: &ArtifactFilter, limit: u32) -> Result<Vec<Artifact>, Failure> {
        self.run.newest_artifacts(filter, limit).await
    }

    /// A page and how many there are in all, which costs more the more there are. Newest first.
    pub async fn artifacts(&self, filter: &ArtifactFilter, page: PageRequest) -> Result<Page<Artifact>, Failure> {
        self.run.artifacts(filter, page).await
    }

    /// The bytes of an artifact and what they are; `None` where it has none.
    pub async fn content(&self, id: &ArtifactId) -> Result<Option<(StoredObject, Bytes)>, Failure> {
        let Some(object) = self.run.stored_artifact(id).await?.and_then(|stored| stored.content) else {
            return Ok(None);
        };
        let bytes = self.read_object(&object).await?;
        Ok(Some((object, bytes)))
    }

    /// The bytes of an attachment or of an artifact's content.
    pub async fn read_object(&self, object: &StoredObject) -> Result<Bytes, Failure> {
        self.run.read_object(object).await
    }

    /// Stores bytes, durable when this returns, to be the content of a new artifact.
    pub async fn write_object(&self, bytes: Bytes, media_type: &str, file_name: &str) -> Result<StoredObject, Failure> {
        self.run.write_object(bytes, media_type, file_name).await
    }

    pub async fn search(&self, text: &str, limit: u32) -> Result<Vec<SearchHit>, Failure> {
        self.run.search(text, limit).await
    }

    /// The newest messages of the conversation, oldest first; what began this execution is the last of them: one message, or
    /// several that were merged into one turn.
    pub async fn history(&self, limit: u32) -> Result<Vec<Message>, Failure> {
        self.run.history(limit).await
    }

    /// The newest messages before `before` (a `seq`) of any of the owner's conversations, oldest first; none of one that is not there.
    pub async fn messages(
        &self,
        conversation_id: &ConversationId,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<Message>, Failure> {
        self.run.messages(conversation_id, before, limit).await
    }

    /// One of the owner's conversations.
    pub async fn conversation(&self, id: &ConversationId) -> Result<Option<ConversationSummary>, Failure> {
        self.run.conversation(id).await
    }

    /// How another of the owner's executions stands; `None` where there is none of this id.
    pub async fn standing(&self, id: &ExecutionId) -> Result<Option<CallOutcome>, Failure> {
        self.run.standing(id).await
    }

    /// Whose the execution is, as of now.
    pub async fn owner(&self) -> Result<Owner, Failure> {
        self.run.owner().await
    }

    /// Runs work that computes for long, off the threads that serve others. A panic in it is a failure of this execution.
    pub async fn compute<T, Work>(&self, work: Work) -> Result<T, Failure>
    where
        T: Send + 'static,
        Work: FnOnce() -> Result<T, Failure> + Send + 'static,
    {
        self.until_cancelled(async {
            let place = self.run.computing_place().await;
            // Work that nobody waits for any more still computes, and keeps its place for as long.
            let placed = move || {
                let _place = place;
                work()
            };
            match tokio::task::spawn_blocking(placed).await {
                Ok(answer) => answer,
                Err(_) => Err(Failure::new(Code::HandlerPanicked, "The computation broke; the execution was ended.")),
            }
        })
        .await
    }

    async fn until_cancelled<T>(&self, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        tokio::select! {
            biased;
            () = self.cancellation().cancelled() => Err(self.run.cancel_failure()),
            answer = work => answer,
        }
    }
}
