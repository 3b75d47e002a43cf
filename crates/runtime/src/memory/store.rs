//! The store as plain collections under one lock: simple enough to be obviously right.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Mutex,
};

use async_trait::async_trait;
use contract::{
    ArtifactId, ConversationId, ExecutionId, HookId, Owner,
    approval::{Approval, ApprovalStatus},
    artifact::{Artifact, LifecycleState},
    conversation::{ConversationSummary, Message, Role},
};

use crate::{
    machine::{Phase, State},
    port::store::{
        ArtifactFilter, Change, Committed, ExecutionFilter, Fence, JournalEvent, Listing, MAX_PAGE, NewEvent,
        NewMessage, Page, PageRequest, SearchHit, StepRecord, Store, StoreError, StoredArtifact, StreamId, StreamKey,
        StreamPosition, Submission, SubmitOutcome,
    },
    worker::lock,
};

/// How many characters of the first message are a conversation's title.
const TITLE_CHARACTERS: usize = 80;

/// How many words stand around a found place.
const SNIPPET_WORDS: usize = 16;

#[derive(Default)]
pub struct MemoryStore {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    executions: BTreeMap<ExecutionId, Execution>,
    known: HashMap<(String, String), (ExecutionId, [u8; 32])>,
    streams: Vec<Stream>,
    conversations: HashMap<(String, ConversationId), StreamId>,
    approvals: BTreeMap<HookId, (Owner, Approval)>,
    artifacts: BTreeMap<ArtifactId, (Owner, StoredArtifact)>,
}

struct Execution {
    state: State,
    stream: StreamId,
    steps: Vec<StepRecord>,
}

#[derive(Default)]
struct Stream {
    conversation: Option<(Owner, ConversationSummary)>,
    events: Vec<(ExecutionId, JournalEvent)>,
    messages: Vec<Message>,
}

#[async_trait]
impl Store for MemoryStore {
    async fn submit(&self, submission: Submission) -> Result<SubmitOutcome, StoreError> {
        Ok(lock(&self.inner).submit(submission))
    }

    async fn commit(&self, change: Change) -> Result<Committed, StoreError> {
        lock(&self.inner).commit(change)
    }

    async fn execution(&self, id: &ExecutionId) -> Result<Option<State>, StoreError> {
        Ok(lock(&self.inner).executions.get(id).map(|execution| execution.state.clone()))
    }

    async fn unfinished(&self, after: Option<&ExecutionId>, limit: u32) -> Result<Vec<State>, StoreError> {
        let inner = lock(&self.inner);
        let states = inner.executions.iter().filter(|(id, _)| after.is_none_or(|after| *id > after));
        let unfinished = states.map(|(_, execution)| &execution.state).filter(|state| !state.has_ended());
        Ok(unfinished.take(limit.min(MAX_PAGE) as usize).cloned().collect())
    }

    async fn unfinished_children(&self, parent: &ExecutionId) -> Result<Vec<ExecutionId>, StoreError> {
        let inner = lock(&self.inner);
        let states = inner.executions.values().map(|execution| &execution.state);
        let children = states.filter(|state| state.header.parent.as_ref() == Some(parent) && !state.has_ended());
        Ok(children.map(|state| state.header.execution_id.clone()).collect())
    }

    async fn executions(
        &self,
        owner: &Owner,
        filter: &ExecutionFilter,
        page: PageRequest,
    ) -> Result<Listing<State>, StoreError> {
        let inner = lock(&self.inner);
        let states = inner.executions.values().rev().map(|execution| &execution.state);
        let wanted = states.filter(|state| state.header.owner == *owner && is_wanted(filter, state));
        let Page { items, next_cursor, .. } = page_of(wanted.cloned().collect(), &page);
        Ok(Listing { items, next_cursor })
    }

    async fn steps(&self, id: &ExecutionId) -> Result<Vec<StepRecord>, StoreError> {
        Ok(lock(&self.inner).executions.get(id).map(|execution| execution.steps.clone()).unwrap_or_default())
    }

    async fn stream(&self, key: &StreamKey) -> Result<Option<StreamPosition>, StoreError> {
        let inner = lock(&self.inner);
        let stream = match key {
            StreamKey::Conversation(owner, id) => inner.conversations.get(&(owner.space(), id.clone())).copied(),
            StreamKey::Execution(id) => inner.executions.get(id).map(|execution| execution.stream),
        };
        Ok(stream.map(|stream| StreamPosition { stream, head: inner.stream(stream).events.len() as u64 }))
    }

    async fn events(
        &self,
        stream: StreamId,
        after: u64,
        execution: Option<&ExecutionId>,
        limit: u32,
    ) -> Result<Vec<JournalEvent>, StoreError> {
        let inner = lock(&self.inner);
        let later = inner.stream(stream).events.iter().skip(usize::try_from(after).unwrap_or(usize::MAX));
        let wanted = later.filter(|(id, _)| execution.is_none_or(|execution| id == execution));
        Ok(wanted.take(limit.clamp(1, MAX_PAGE) as usize).map(|(_, event)| event.clone()).collect())
    }

    async fn approval(&self, hook_id: &HookId) -> Result<Option<(Owner, Approval)>, StoreError> {
        Ok(lock(&self.inner).approvals.get(hook_id).cloned())
    }

    async fn approvals(
        &self,
        owner: &Owner,
        status: Option<ApprovalStatus>,
        page: PageRequest,
    ) -> Result<Page<Approval>, StoreError> {
        let inner = lock(&self.inner);
        let own = inner.approvals.values().rev().filter(|(whose, _)| whose == owner).map(|(_, approval)| approval);
        let wanted = own.filter(|approval| status.is_none_or(|status| approval.status == status));
        Ok(page_of(wanted.cloned().collect(), &page))
    }

    async fn artifact(&self, owner: &Owner, id: &ArtifactId) -> Result<Option<StoredArtifact>, StoreError> {
        let inner = lock(&self.inner);
        let found = inner.artifacts.get(id).filter(|(whose, _)| whose == owner);
        Ok(found.map(|(_, stored)| stored.clone()))
    }

    async fn artifacts(
        &self,
        owner: &Owner,
        filter: &ArtifactFilter,
        page: PageRequest,
    ) -> Result<Page<Artifact>, StoreError> {
        let inner = lock(&self.inner);
        let own = inner.artifacts.values().rev().filter(|(whose, _)| whose == owner);
        let wanted = own.map(|(_, stored)| &stored.artifact).filter(|artifact| passes(filter, artifact));
        Ok(page_of(wanted.cloned().collect(), &page))
    }

    async fn search(&self, owner: &Owner, text: &str, limit: u32) -> Result<Vec<SearchHit>, StoreError> {
        let words: Vec<String> = words(text);
        let inner = lock(&self.inner);
        let own = inner.artifacts.values().rev().filter(|(whose, _)| whose == owner).map(|(_, stored)| stored);
        let alive = own.filter(|stored| stored.artifact.lifecycle_state != LifecycleState::Deleted);
        let hits = alive.filter_map(|stored| {
            let snippet = snippet(stored.search_text.as_deref()?, &words)?;
            Some(SearchHit { artifact: stored.artifact.clone(), snippet })
        });
        Ok(hits.take(limit.min(MAX_PAGE) as usize).collect())
    }

    async fn conversations(
        &self,
        owner: &Owner,
        text: Option<&str>,
        page: PageRequest,
    ) -> Result<Page<ConversationSummary>, StoreError> {
        let inner = lock(&self.inner);
        let own =
            inner.streams.iter().rev().filter_map(|stream| stream.conversation.as_ref().map(|named| (stream, named)));
        let own = own.filter(|(_, (whose, _))| whose == owner);
        let found = own.filter(|(stream, _)| text.is_none_or(|text| stream.says(text)));
        let wanted = found.map(|(stream, (_, summary))| stream.summary(summary));
        Ok(page_of(wanted.collect(), &page))
    }

    async fn rename_conversation(
        &self,
        owner: &Owner,
        id: &ConversationId,
        title: &str,
    ) -> Result<Option<ConversationSummary>, StoreError> {
        let mut inner = lock(&self.inner);
        let Some(stream) = inner.conversations.get(&(owner.space(), id.clone())).copied() else { return Ok(None) };
        let stream = inner.stream_mut(stream);
        if let Some((_, summary)) = &mut stream.conversation {
            title.clone_into(&mut summary.title);
        }
        Ok(stream.conversation.as_ref().map(|(_, summary)| stream.summary(summary)))
    }

    async fn delete_conversation(&self, owner: &Owner, id: &ConversationId) -> Result<bool, StoreError> {
        let mut inner = lock(&self.inner);
        let key = (owner.space(), id.clone());
        let Some(stream) = inner.conversations.get(&key).copied() else { return Ok(false) };
        let mut executions = inner.executions.values().filter(|execution| execution.stream == stream);
        if executions.any(|execution| !execution.state.has_ended()) {
            return Err(StoreError::Conflict);
        }
        for execution in inner.executions.values_mut().filter(|execution| execution.stream == stream) {
            execution.state.header.conversation_id = None;
        }
        inner.conversations.remove(&key);
        let stream = inner.stream_mut(stream);
        stream.conversation = None;
        stream.messages.clear();
        Ok(true)
    }

    async fn conversation(
        &self,
        owner: &Owner,
        id: &ConversationId,
    ) -> Result<Option<ConversationSummary>, StoreError> {
        let inner = lock(&self.inner);
        let Some(stream) = inner.conversations.get(&(owner.space(), id.clone())) else { return Ok(None) };
        let stream = inner.stream(*stream);
        Ok(stream.conversation.as_ref().map(|(_, summary)| stream.summary(summary)))
    }

    async fn messages(
        &self,
        owner: &Owner,
        id: &ConversationId,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<Message>, StoreError> {
        let inner = lock(&self.inner);
        let Some(stream) = inner.conversations.get(&(owner.space(), id.clone())) else { return Ok(Vec::new()) };
        let earlier = inner.stream(*stream).messages.iter().rev();
        let wanted = earlier.filter(|message| before.is_none_or(|before| message.seq < before));
        let mut messages: Vec<Message> = wanted.take(limit.min(MAX_PAGE) as usize).cloned().collect();
        messages.reverse();
        Ok(messages)
    }

    async fn owner(&self, id: &ExecutionId) -> Result<Option<Owner>, StoreError> {
        Ok(lock(&self.inner).executions.get(id).map(|execution| execution.state.header.owner.clone()))
    }

    async fn ping(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

impl Inner {
    fn submit(&mut self, submission: Submission) -> SubmitOutcome {
        let mut state = submission.state;
        if let Some(parent) = state.header.parent.as_ref().and_then(|parent| self.executions.get(parent)) {
            state.header.owner = parent.state.header.owner.clone();
        }
        let owner = state.header.owner.clone();
        if let Some(idempotency) = &submission.idempotency {
            let key = (owner.space(), idempotency.key.clone());
            if let Some((id, fingerprint)) = self.known.get(&key) {
                let header = &self.executions[id].state.header;
                return SubmitOutcome::Known {
                    execution_id: id.clone(),
                    intent_id: header.intent_id.clone(),
                    created_at: header.created_at,
                    same_request: *fingerprint == idempotency.fingerprint,
                };
            }
        }
        let count = self.executions.values().filter(|execution| execution.state.header.owner == owner).count();
        if submission.quota.is_some_and(|quota| count >= quota as usize) {
            return SubmitOutcome::QuotaReached;
        }
        let id = state.header.execution_id.clone();
        if let Some(idempotency) = submission.idempotency {
            self.known.insert((owner.space(), idempotency.key), (id.clone(), idempotency.fingerprint));
        }
        if let Some(approval) = submission.approval {
            self.approvals.insert(approval.hook_id.clone(), (owner, approval));
        }
        let stream = self.stream_for(&state);
        self.executions.insert(id.clone(), Execution { state, stream, steps: Vec::new() });
        SubmitOutcome::Accepted(self.append(&id, stream, &submission.events, submission.message))
    }

    fn commit(&mut self, change: Change) -> Result<Committed, StoreError> {
        let execution = self.executions.get_mut(&change.execution_id).ok_or(StoreError::Conflict)?;
        let holds = match (change.fence, &execution.state.phase) {
            (Fence::Revision(revision), _) => execution.state.revision == revision,
            (Fence::Attempt(wanted), Phase::Running { attempt, .. }) => *attempt == wanted,
            (Fence::Attempt(_), _) => false,
        };
        if !holds {
            return Err(StoreError::Conflict);
        }
        let owner = execution.state.header.owner.clone();
        if let Some(mut next) = change.next {
            next.header.owner = owner.clone();
            execution.state = next;
        }
        execution.steps.extend(change.steps);
        let stream = execution.stream;
        if let Some(approval) = change.approval {
            self.approvals.insert(approval.hook_id.clone(), (owner.clone(), approval));
        }
        for stored in change.artifacts {
            self.keep(&owner, stored);
        }
        Ok(self.append(&change.execution_id, stream, &change.events, change.message))
    }

    fn keep(&mut self, owner: &Owner, mut stored: StoredArtifact) {
        let id = stored.artifact.artifact_id.clone();
        if stored.search_text.is_none() {
            stored.search_text = self.artifacts.get(&id).and_then(|(_, earlier)| earlier.search_text.clone());
        }
        stored.artifact.tenant_id = owner.tenant_id().cloned();
        self.artifacts.insert(id, (owner.clone(), stored));
    }

    fn stream(&self, id: StreamId) -> &Stream {
        &self.streams[usize::try_from(id.0).expect("stream ids are indices")]
    }

    fn stream_mut(&mut self, id: StreamId) -> &mut Stream {
        &mut self.streams[usize::try_from(id.0).expect("stream ids are indices")]
    }

    fn stream_for(&mut self, state: &State) -> StreamId {
        let new = StreamId(i64::try_from(self.streams.len()).expect("there are fewer streams than that"));
        let Some(conversation_id) = &state.header.conversation_id else {
            self.streams.push(Stream::default());
            return new;
        };
        let owner = &state.header.owner;
        let stream = *self.conversations.entry((owner.space(), conversation_id.clone())).or_insert(new);
        if stream == new {
            let summary = ConversationSummary {
                conversation_id: conversation_id.clone(),
                agent_id: None,
                title: String::new(),
                created_at: state.header.created_at,
                updated_at: state.header.created_at,
                cursor: 0,
            };
            self.streams.push(Stream { conversation: Some((owner.clone(), summary)), ..Stream::default() });
        }
        stream
    }

    fn append(
        &mut self,
        execution: &ExecutionId,
        stream: StreamId,
        events: &[NewEvent],
        message: Option<NewMessage>,
    ) -> Committed {
        let target = self.stream_mut(stream);
        let head = target.events.len() as u64;
        let numbered: Vec<JournalEvent> =
            events.iter().zip(head + 1..).map(|(event, seq)| event.numbered(seq)).collect();
        target.events.extend(numbered.iter().map(|event| (execution.clone(), event.clone())));
        if let Some(message) = message {
            target.say(message, head, execution);
        }
        Committed { stream, events: numbered }
    }
}

impl Stream {
    fn say(&mut self, message: NewMessage, head: u64, execution: &ExecutionId) {
        let Some((_, summary)) = &mut self.conversation else { return };
        summary.updated_at = message.created_at;
        match message.role {
            Role::Assistant => summary.agent_id = message.agent_id.clone(),
            Role::User if summary.title.is_empty() => {
                summary.title = message.content.chars().take(TITLE_CHARACTERS).collect();
            }
            Role::User => {}
        }
        self.messages.push(Message {
            id: message.id,
            role: message.role,
            content: message.content,
            agent_id: message.agent_id,
            execution_id: Some(execution.clone()),
            seq: head + 1 + message.at_event as u64,
            created_at: message.created_at,
        });
    }

    /// Whether the text stands in the title or in a message, whatever the case of its ASCII letters.
    fn says(&self, text: &str) -> bool {
        let text = text.to_ascii_lowercase();
        let title = self.conversation.as_ref().map(|(_, summary)| summary.title.as_str());
        let texts = title.into_iter().chain(self.messages.iter().map(|message| message.content.as_str()));
        texts.map(str::to_ascii_lowercase).any(|said| said.contains(&text))
    }

    fn summary(&self, summary: &ConversationSummary) -> ConversationSummary {
        ConversationSummary { cursor: self.events.len() as u64, ..summary.clone() }
    }
}

fn is_wanted(filter: &ExecutionFilter, state: &State) -> bool {
    let header = &state.header;
    filter.status.is_none_or(|status| state.status() == status)
        && filter.intent_type.as_ref().is_none_or(|intent_type| header.intent_type == *intent_type)
        && filter.session_id.as_ref().is_none_or(|id| header.session_id == *id)
        && filter.conversation_id.as_ref().is_none_or(|id| header.conversation_id.as_ref() == Some(id))
        && filter.parent.as_ref().is_none_or(|id| header.parent.as_ref() == Some(id))
        && (!filter.dead_letters || (matches!(state.phase, Phase::Failed { .. }) && header.parent.is_none()))
}

fn passes(filter: &ArtifactFilter, artifact: &Artifact) -> bool {
    let state = match filter.lifecycle_state {
        Some(state) => artifact.lifecycle_state == state,
        None => artifact.lifecycle_state != LifecycleState::Deleted,
    };
    state
        && filter.session_id.as_ref().is_none_or(|id| artifact.session_id == *id)
        && filter.artifact_type.as_ref().is_none_or(|kind| artifact.artifact_type == *kind)
        && filter.execution_id.as_ref().is_none_or(|id| artifact.produced_by.execution_id == *id)
        && filter.parent.as_ref().is_none_or(|id| artifact.parent_artifacts.contains(id))
}

/// The cursor of this plug is the index of the next item.
fn page_of<T>(items: Vec<T>, page: &PageRequest) -> Page<T> {
    let total = items.len();
    let begin = match &page.cursor {
        Some(cursor) => cursor.parse().unwrap_or(usize::MAX),
        None => page.offset as usize,
    };
    let limit = page.limit.min(MAX_PAGE) as usize;
    let items: Vec<T> = items.into_iter().skip(begin).take(limit).collect();
    let end = begin.saturating_add(items.len());
    let next_cursor = (end < total && !items.is_empty()).then(|| end.to_string());
    Page { items, total: total as u64, next_cursor }
}

fn words(text: &str) -> Vec<String> {
    text.split(|character: char| !character.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

fn snippet(text: &str, wanted: &[String]) -> Option<String> {
    let there = words(text);
    if wanted.is_empty() || !wanted.iter().all(|word| there.contains(word)) {
        return None;
    }
    let first = there.iter().position(|word| wanted.contains(word))?;
    let around = there.iter().skip(first.saturating_sub(SNIPPET_WORDS / 2)).take(SNIPPET_WORDS);
    let marked = around.map(|word| if wanted.contains(word) { format!("**{word}**") } else { word.clone() });
    Some(marked.collect::<Vec<String>>().join(" "))
}
