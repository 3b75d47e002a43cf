//! Reading what the Runtime keeps. Every method takes the owner, and what is another owner's is not there.

use std::sync::Arc;

use contract::{
    ArtifactId, ConversationId, ExecutionId, Owner, SessionId,
    approval::{Approval, ApprovalStatus},
    artifact::Artifact,
    conversation::{Conversation, ConversationSummary},
    execution::{Execution, ExecutionSummary},
};
use serde_json::{Map, Value, json};

use super::{Content, RuntimeClient, RuntimeError};
use crate::{
    machine::{Phase, State},
    port::store::{
        ArtifactFilter, Decider, ExecutionFilter, JournalEvent, Listing, Page, PageRequest, StoredArtifact, StreamKey,
        StreamPosition,
    },
    recent::Trace,
    watch::Watch,
};

/// How many of an execution's events stand in its answer: the newest.
const MAX_EVENTS: u32 = 1_000;

/// How many artifacts of a session its state names.
const MAX_SESSION_ARTIFACTS: u32 = 100;

/// The realms that a session's state always names.
const REALMS: [&str; 4] = ["content", "insights", "journey", "outcomes"];

/// An execution whose events somebody wants to see.
#[derive(Clone, Debug)]
pub struct Followed {
    pub execution_id: ExecutionId,
    /// The stream that it is in, as it was when this was asked.
    pub position: StreamPosition,
    pub has_ended: bool,
}

impl RuntimeClient {
    pub async fn execution(&self, owner: &Owner, id: &ExecutionId) -> Result<Option<Execution>, RuntimeError> {
        match self.owned_state(owner, id).await? {
            Some(state) => Ok(Some(self.assemble(owner, state).await?)),
            None => Ok(None),
        }
    }

    /// The owner's executions, newest first.
    pub async fn executions(
        &self,
        owner: &Owner,
        filter: &ExecutionFilter,
        page: PageRequest,
    ) -> Result<Listing<ExecutionSummary>, RuntimeError> {
        let Listing { items, next_cursor } = self.shared.store.executions(owner, filter, page).await?;
        Ok(Listing { items: items.into_iter().map(summary).collect(), next_cursor })
    }

    /// The owner of an execution, for the old client to whom its id is the credential.
    pub async fn execution_owner(&self, id: &ExecutionId) -> Result<Option<Owner>, RuntimeError> {
        Ok(self.shared.store.owner(id).await?)
    }

    pub(super) async fn owned_state(&self, owner: &Owner, id: &ExecutionId) -> Result<Option<State>, RuntimeError> {
        let state = self.shared.store.execution(id).await?;
        Ok(state.filter(|state| state.header.owner == *owner))
    }

    /// The conversation's events, or an execution's own, after `after`, oldest first; at most `limit`.
    pub async fn events(
        &self,
        key: &StreamKey,
        after: u64,
        limit: u32,
    ) -> Result<Option<Vec<JournalEvent>>, RuntimeError> {
        let Some(position) = self.shared.store.stream(key).await? else { return Ok(None) };
        let execution = match key {
            StreamKey::Execution(id) => Some(id),
            StreamKey::Conversation(..) => None,
        };
        Ok(Some(self.shared.store.events(position.stream, after, execution, limit).await?))
    }

    /// Where an execution's events are. `None` where the owner has no such execution.
    pub async fn follow(&self, owner: &Owner, id: &ExecutionId) -> Result<Option<Followed>, RuntimeError> {
        if let Some(Trace { position, has_ended }) = self.shared.recent.trace(owner, id) {
            return Ok(Some(Followed { execution_id: id.clone(), position, has_ended }));
        }
        let Some(state) = self.owned_state(owner, id).await? else { return Ok(None) };
        let position = self.shared.store.stream(&StreamKey::Execution(id.clone())).await?;
        Ok(position.map(|position| Followed {
            execution_id: id.clone(),
            position,
            // Read first: an execution that had ended then has all of its events in the stream.
            has_ended: state.has_ended(),
        }))
    }

    /// The stored events of a followed execution after `after`, oldest first; at most `limit`.
    pub async fn followed(&self, one: &Followed, after: u64, limit: u32) -> Result<Vec<JournalEvent>, RuntimeError> {
        match self.shared.recent.events(&one.execution_id, after, limit) {
            Some(events) => Ok(events),
            None => Ok(self.shared.store.events(one.position.stream, after, Some(&one.execution_id), limit).await?),
        }
    }

    /// A cursor on the stream that a followed execution is in, after `after`; it has others' events too.
    pub fn watch_followed(&self, one: &Followed, after: u64) -> Watch {
        Watch::of_execution(Arc::clone(&self.shared), &one.execution_id, one.position.stream, after)
    }

    pub async fn approvals(
        &self,
        decider: impl Into<Decider>,
        status: Option<ApprovalStatus>,
        page: PageRequest,
    ) -> Result<Listing<Approval>, RuntimeError> {
        Ok(self.shared.store.approvals(&decider.into(), status, page).await?)
    }

    pub async fn artifact(&self, owner: &Owner, id: &ArtifactId) -> Result<Option<Artifact>, RuntimeError> {
        Ok(self.shared.store.artifact(owner, id).await?.map(|stored| stored.artifact))
    }

    pub async fn artifacts(
        &self,
        owner: &Owner,
        filter: &ArtifactFilter,
        page: PageRequest,
    ) -> Result<Page<Artifact>, RuntimeError> {
        Ok(self.shared.store.artifacts(owner, filter, page).await?)
    }

    /// The bytes of an artifact.
    pub async fn content(&self, owner: &Owner, id: &ArtifactId) -> Result<Content, RuntimeError> {
        let Some(StoredArtifact { artifact, content, .. }) = self.shared.store.artifact(owner, id).await? else {
            return Ok(Content::None);
        };
        if artifact.lifecycle_state == contract::artifact::LifecycleState::Deleted {
            return Ok(Content::Gone);
        }
        let Some(object) = content else { return Ok(Content::None) };
        Ok(match self.shared.objects.read(&object.object_id).await? {
            Some(bytes) => Content::Bytes(object, bytes),
            None => Content::Gone,
        })
    }

    /// Newest first; with `text`, those in which it was said.
    pub async fn conversations(
        &self,
        owner: &Owner,
        text: Option<&str>,
        page: PageRequest,
    ) -> Result<Page<ConversationSummary>, RuntimeError> {
        Ok(self.shared.store.conversations(owner, text, page).await?)
    }

    /// A conversation without its messages.
    pub async fn conversation_summary(
        &self,
        owner: &Owner,
        id: &ConversationId,
    ) -> Result<Option<ConversationSummary>, RuntimeError> {
        Ok(self.shared.store.conversation(owner, id).await?)
    }

    /// A conversation with its newest `limit` messages before `before` (a `seq`).
    pub async fn conversation(
        &self,
        owner: &Owner,
        id: &ConversationId,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Option<Conversation>, RuntimeError> {
        let Some(summary) = self.shared.store.conversation(owner, id).await? else { return Ok(None) };
        let mut messages = self.shared.store.messages(owner, id, before, limit.saturating_add(1)).await?;
        let mut next_cursor = None;
        if messages.len() > limit as usize {
            messages.remove(0);
            next_cursor = messages.first().map(|message| message.seq.to_string());
        }
        Ok(Some(Conversation { summary, messages, next_cursor }))
    }

    /// What a session has come to, by realm: `{content: {artifacts: […]}, …}` with the newest artifacts.
    pub async fn realm_state(&self, owner: &Owner, session_id: &SessionId) -> Result<Map<String, Value>, RuntimeError> {
        let filter = ArtifactFilter { session_id: Some(session_id.clone()), ..ArtifactFilter::default() };
        let page = self.artifacts(owner, &filter, PageRequest::first(MAX_SESSION_ARTIFACTS)).await?;
        let mut realms: Map<String, Value> =
            REALMS.iter().map(|realm| ((*realm).to_owned(), json!({ "artifacts": [] }))).collect();
        for artifact in page.items {
            let realm = self.realm_of(&artifact.produced_by.intent_type);
            let named = realms.entry(realm).or_insert_with(|| json!({ "artifacts": [] }));
            if let Some(list) = named.get_mut("artifacts").and_then(Value::as_array_mut) {
                list.push(json!({
                    "artifact_id": artifact.artifact_id,
                    "artifact_type": artifact.artifact_type,
                    "title": artifact.semantic_descriptor.get("title"),
                    "lifecycle_state": artifact.lifecycle_state,
                    "created_at": artifact.created_at,
                }));
            }
        }
        Ok(realms)
    }

    fn realm_of(&self, intent_type: &str) -> String {
        let handler = self.shared.catalogue.handler(intent_type);
        handler.map_or_else(|| "other".to_owned(), |handler| handler.descriptor().realm.clone())
    }

    async fn assemble(&self, owner: &Owner, state: State) -> Result<Execution, RuntimeError> {
        let id = &state.header.execution_id;
        let position = self.shared.store.stream(&StreamKey::Execution(id.clone())).await?;
        let events = match position {
            Some(position) => self.shared.store.newest_events(position.stream, id, MAX_EVENTS).await?,
            None => Vec::new(),
        };
        let status = state.status();
        let attempt = state.attempt();
        let mut execution = Execution {
            execution_id: id.clone(),
            intent_id: state.header.intent_id,
            intent_type: state.header.intent_type,
            status,
            session_id: state.header.session_id,
            conversation_id: state.header.conversation_id,
            artifacts: Map::new(),
            result: Value::Null,
            events: events.iter().map(JournalEvent::event).collect(),
            error: None,
            problem: None,
            created_at: state.header.created_at,
            started_at: None,
            completed_at: None,
            attempt,
            parent_execution_id: state.header.parent,
            redrives: state.redriven.map_or(0, |redriven| redriven.times),
        };
        match state.phase {
            Phase::Pending { .. } | Phase::AwaitingApproval { .. } => {}
            Phase::Running { started_at, .. } => execution.started_at = Some(started_at),
            Phase::Completed { started_at, completed_at, result, artifacts, .. } => {
                execution.started_at = Some(started_at);
                execution.completed_at = Some(completed_at);
                execution.result = result;
                for (key, artifact_id) in artifacts {
                    if let Some(artifact) = self.artifact(owner, &artifact_id).await? {
                        execution.artifacts.insert(key, Value::Object(artifact.flat()));
                    }
                }
            }
            Phase::Failed { started_at, completed_at, problem, .. }
            | Phase::Cancelled { started_at, completed_at, problem, .. } => {
                execution.started_at = started_at;
                execution.completed_at = Some(completed_at);
                execution.error = Some(problem.message.clone());
                execution.problem = Some(problem);
            }
        }
        Ok(execution)
    }
}

fn summary(state: State) -> ExecutionSummary {
    let (status, attempt, redrives) = (state.status(), state.attempt(), state.redrives());
    let (started_at, completed_at, problem) = match state.phase {
        Phase::Pending { .. } | Phase::AwaitingApproval { .. } => (None, None, None),
        Phase::Running { started_at, .. } => (Some(started_at), None, None),
        Phase::Completed { started_at, completed_at, .. } => (Some(started_at), Some(completed_at), None),
        Phase::Failed { started_at, completed_at, problem, .. }
        | Phase::Cancelled { started_at, completed_at, problem, .. } => (started_at, Some(completed_at), Some(problem)),
    };
    ExecutionSummary {
        execution_id: state.header.execution_id,
        intent_id: state.header.intent_id,
        intent_type: state.header.intent_type,
        status,
        session_id: state.header.session_id,
        conversation_id: state.header.conversation_id,
        parent_execution_id: state.header.parent,
        problem,
        created_at: state.header.created_at,
        started_at,
        completed_at,
        attempt,
        redrives,
    }
}
