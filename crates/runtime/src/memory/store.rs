//! The store as plain collections under one lock: simple enough to be obviously right.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Mutex,
};

use async_trait::async_trait;
use contract::{
    ArtifactId, ConversationId, ExecutionId, HookId, Owner, ScheduleId, Timestamp,
    approval::{Approval, ApprovalStatus},
    artifact::{Artifact, LifecycleState},
    conversation::{ConversationSummary, Message},
    pending::PendingIntent,
};

use crate::{
    machine::{Phase, State},
    memory::Faults,
    port::store::{
        ArtifactFilter, Change, Committed, Decider, ExecutionFilter, Fence, Gate, Idempotency, JournalEvent,
        KeptPending, Known, Listing, MAX_PAGE, NewConversation, NewEvent, NewMessage, Page, PageRequest, PendingFilter,
        SearchHit, StepRecord, Store, StoreError, StoredArtifact, StoredSchedule, StreamId, StreamKey, StreamPosition,
        Submission, SubmitOutcome,
    },
    worker::lock,
};

use super::filter::{has_run_out, is_wanted, page_of, passes, snippet, words};
use super::stream::Stream;

#[derive(Default)]
pub struct MemoryStore {
    inner: Mutex<Inner>,
    /// What befalls its writes; nothing where it is `None`.
    faults: Option<Faults>,
}

impl MemoryStore {
    /// A store that suffers these faults.
    pub fn with_faults(faults: Faults) -> Self {
        Self { faults: Some(faults), ..Self::default() }
    }

    pub fn faults(&self) -> Option<&Faults> {
        self.faults.as_ref()
    }

    async fn write<T>(&self, write: impl FnOnce(&mut Inner) -> Result<T, StoreError>) -> Result<T, StoreError> {
        if let Some(faults) = &self.faults {
            faults.before().await?;
        }
        let outcome = write(&mut lock(&self.inner));
        if let Some(faults) = &self.faults {
            faults.after().await;
        }
        outcome
    }
}

#[derive(Default)]
struct Inner {
    executions: BTreeMap<ExecutionId, Execution>,
    known: HashMap<(String, String), (ExecutionId, Idempotency)>,
    streams: Vec<Stream>,
    conversations: HashMap<(String, ConversationId), StreamId>,
    approvals: BTreeMap<HookId, (Owner, Approval)>,
    artifacts: BTreeMap<ArtifactId, (Owner, StoredArtifact)>,
    /// In the order in which they were kept.
    pending: Vec<(Owner, PendingIntent)>,
    schedules: BTreeMap<ScheduleId, StoredSchedule>,
}

struct Execution {
    state: State,
    stream: StreamId,
    steps: Vec<StepRecord>,
}

#[async_trait]
impl Store for MemoryStore {
    async fn submit(&self, submission: Submission) -> Result<SubmitOutcome, StoreError> {
        self.write(|inner| Ok(inner.submit(submission))).await
    }

    async fn commit(&self, change: Change) -> Result<Committed, StoreError> {
        self.write(|inner| inner.commit(change)).await
    }

    async fn recall(&self, owner: &Owner, key: &str, now: Timestamp) -> Result<Option<Known>, StoreError> {
        Ok(lock(&self.inner).recall(owner, key, now))
    }

    async fn forget_keys(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let mut inner = lock(&self.inner);
        let old = inner.known.iter().filter(|(_, (_, idempotency))| has_run_out(idempotency, now));
        let old: Vec<_> = old.map(|(key, _)| key.clone()).take(limit as usize).collect();
        for key in &old {
            inner.known.remove(key);
        }
        Ok(old.len() as u64)
    }

    async fn unfinished_of_key(&self, concurrency_key: &str, limit: u32) -> Result<Vec<State>, StoreError> {
        let inner = lock(&self.inner);
        Ok(inner.unfinished_of_key(concurrency_key).take(limit as usize).cloned().collect())
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
        let Page { items, next_cursor, .. } = page_of(wanted.cloned().collect(), &page)?;
        Ok(Listing { items, next_cursor })
    }

    async fn put_schedule(&self, schedule: StoredSchedule, revision: Option<u64>) -> Result<(), StoreError> {
        let mut inner = lock(&self.inner);
        let id = schedule.schedule.schedule_id.clone();
        if inner.schedules.get(&id).map(|stored| stored.revision) != revision {
            return Err(StoreError::Conflict);
        }
        inner.schedules.insert(id, schedule);
        Ok(())
    }

    async fn schedule(&self, owner: &Owner, id: &ScheduleId) -> Result<Option<StoredSchedule>, StoreError> {
        let inner = lock(&self.inner);
        Ok(inner.schedules.get(id).filter(|stored| stored.owner == *owner).cloned())
    }

    async fn schedules(&self, owner: &Owner, page: PageRequest) -> Result<Listing<StoredSchedule>, StoreError> {
        let inner = lock(&self.inner);
        let own = inner.schedules.values().rev().filter(|stored| stored.owner == *owner);
        let Page { items, next_cursor, .. } = page_of(own.cloned().collect(), &page)?;
        Ok(Listing { items, next_cursor })
    }

    async fn due_schedules(&self, now: Timestamp, limit: u32) -> Result<Vec<StoredSchedule>, StoreError> {
        let inner = lock(&self.inner);
        let is_due = |stored: &&StoredSchedule| stored.schedule.next_at.is_some_and(|next_at| next_at <= now);
        let mut due: Vec<StoredSchedule> = inner.schedules.values().filter(is_due).cloned().collect();
        due.sort_by_key(|stored| stored.schedule.next_at);
        due.truncate(limit as usize);
        Ok(due)
    }

    async fn next_schedule(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(lock(&self.inner).schedules.values().filter_map(|stored| stored.schedule.next_at).min())
    }

    async fn delete_schedule(&self, owner: &Owner, id: &ScheduleId) -> Result<bool, StoreError> {
        let mut inner = lock(&self.inner);
        let is_own = inner.schedules.get(id).is_some_and(|stored| stored.owner == *owner);
        Ok(is_own && inner.schedules.remove(id).is_some())
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

    async fn newest_events(
        &self,
        stream: StreamId,
        execution: &ExecutionId,
        limit: u32,
    ) -> Result<Vec<JournalEvent>, StoreError> {
        let inner = lock(&self.inner);
        let own = inner.stream(stream).events.iter().rev().filter(|(id, _)| id == execution);
        let newest = own.take(limit.clamp(1, MAX_PAGE) as usize).map(|(_, event)| event.clone());
        let mut events: Vec<JournalEvent> = newest.collect();
        events.reverse();
        Ok(events)
    }

    async fn approval(&self, hook_id: &HookId) -> Result<Option<(Owner, Approval)>, StoreError> {
        Ok(lock(&self.inner).approvals.get(hook_id).cloned())
    }

    async fn approvals(
        &self,
        decider: &Decider,
        status: Option<ApprovalStatus>,
        page: PageRequest,
    ) -> Result<Listing<Approval>, StoreError> {
        let inner = lock(&self.inner);
        let theirs = inner.approvals.values().rev().filter(|(whose, approval)| {
            let by_role = approval.role.as_ref().is_some_and(|role| decider.has_role(role, whose));
            by_role || *whose == decider.owner
        });
        let wanted = theirs.filter(|(_, approval)| status.is_none_or(|status| approval.status == status));
        let Page { items, next_cursor, .. } = page_of(wanted.map(|(_, approval)| approval.clone()).collect(), &page)?;
        Ok(Listing { items, next_cursor })
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
        page_of(wanted.cloned().collect(), &page)
    }

    async fn newest_artifacts(
        &self,
        owner: &Owner,
        filter: &ArtifactFilter,
        limit: u32,
    ) -> Result<Vec<Artifact>, StoreError> {
        Ok(self.artifacts(owner, filter, PageRequest::first(limit)).await?.items)
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
        page_of(wanted.collect(), &page)
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

    async fn keep_pending(&self, owner: &Owner, pending: &PendingIntent, most: u32) -> Result<KeptPending, StoreError> {
        let mut inner = lock(&self.inner);
        let known = inner.pending.iter().find(|(whose, known)| whose == owner && known.intent_id == pending.intent_id);
        if let Some((_, known)) = known {
            return Ok(KeptPending::Known(inner.as_it_stands(known)));
        }
        let waiting = inner.pending.iter().filter(|(whose, pending)| whose == owner && pending.execution_id.is_none());
        if waiting.count() >= most as usize {
            return Ok(KeptPending::TooMany);
        }
        inner.pending.push((owner.clone(), pending.clone()));
        Ok(KeptPending::Kept)
    }

    async fn pending_intents(
        &self,
        owner: &Owner,
        filter: &PendingFilter,
        page: PageRequest,
    ) -> Result<Page<PendingIntent>, StoreError> {
        let inner = lock(&self.inner);
        let own = inner.pending.iter().rev().filter(|(whose, _)| whose == owner).map(|(_, pending)| pending);
        let wanted = own.filter(|pending| {
            filter.target_artifact_id.as_ref().is_none_or(|id| pending.target_artifact_id == *id)
                && filter.intent_type.as_ref().is_none_or(|wanted| pending.intent_type == *wanted)
                && (filter.include_submitted || pending.execution_id.is_none())
        });
        page_of(wanted.map(|pending| inner.as_it_stands(pending)).collect(), &page)
    }

    async fn begin_conversation(&self, new: NewConversation) -> Result<bool, StoreError> {
        Ok(lock(&self.inner).begin_conversation(new))
    }

    async fn owner(&self, id: &ExecutionId) -> Result<Option<Owner>, StoreError> {
        Ok(lock(&self.inner).executions.get(id).map(|execution| execution.state.header.owner.clone()))
    }

    async fn ping(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

impl Inner {
    /// A pending intent with how its execution stands.
    fn as_it_stands(&self, pending: &PendingIntent) -> PendingIntent {
        let execution = pending.execution_id.as_ref().and_then(|id| self.executions.get(id));
        let status = execution.map_or(pending.status, |execution| execution.state.status());
        PendingIntent { status, ..pending.clone() }
    }

    fn submit(&mut self, submission: Submission) -> SubmitOutcome {
        let mut state = submission.state;
        if let Some(parent) = state.header.parent.as_ref().and_then(|parent| self.executions.get(parent)) {
            state.header.owner = parent.state.header.owner.clone();
        }
        let owner = state.header.owner.clone();
        for idempotency in &submission.idempotency {
            let Some(known) = self.recall(&owner, &idempotency.key, state.header.created_at) else { continue };
            return SubmitOutcome::Known {
                execution_id: known.execution_id,
                intent_id: known.intent_id,
                created_at: known.created_at,
                same_request: known.fingerprint == idempotency.fingerprint,
            };
        }
        let roots =
            self.executions.values().map(|execution| &execution.state.header).filter(|header| header.parent.is_none());
        let count = roots.filter(|header| header.owner == owner).count();
        if submission.quota.is_some_and(|quota| count >= quota as usize) {
            return SubmitOutcome::QuotaReached;
        }
        if !self.is_open(submission.gate, state.header.concurrency_key.as_deref()) {
            return SubmitOutcome::Held;
        }
        let id = state.header.execution_id.clone();
        if let Some(intent_id) = &submission.carries_out {
            let own = self.pending.iter_mut().filter(|(whose, _)| *whose == owner).map(|(_, pending)| pending);
            for pending in own.filter(|pending| pending.intent_id == *intent_id) {
                pending.execution_id = Some(id.clone());
                pending.updated_at = state.header.created_at;
            }
        }
        for idempotency in submission.idempotency {
            self.known.insert((owner.space(), idempotency.key.clone()), (id.clone(), idempotency));
        }
        if let Some(approval) = submission.approval {
            self.approvals.insert(approval.hook_id.clone(), (owner, approval));
        }
        let stream = self.stream_for(&state);
        self.executions.insert(id.clone(), Execution { state, stream, steps: Vec::new() });
        SubmitOutcome::Accepted(self.append(&id, stream, &submission.events, submission.message))
    }

    fn recall(&self, owner: &Owner, key: &str, now: Timestamp) -> Option<Known> {
        let (id, idempotency) = self.known.get(&(owner.space(), key.to_owned()))?;
        if has_run_out(idempotency, now) {
            return None;
        }
        let header = &self.executions[id].state.header;
        Some(Known {
            execution_id: id.clone(),
            intent_id: header.intent_id.clone(),
            created_at: header.created_at,
            fingerprint: idempotency.fingerprint,
        })
    }

    fn unfinished_of_key<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a State> {
        let states = self.executions.values().map(|execution| &execution.state);
        states.filter(move |state| !state.has_ended() && state.header.concurrency_key.as_deref() == Some(key))
    }

    fn is_open(&self, gate: Option<Gate>, key: Option<&str>) -> bool {
        let (Some(gate), Some(key)) = (gate, key) else { return true };
        let mut others = self.unfinished_of_key(key);
        match gate {
            Gate::AtMost(most) => others.count() <= most as usize,
            Gate::NoneWaiting => !others.any(State::waits_for_its_first_attempt),
        }
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
        if let Some(idempotency) = change.idempotency {
            let key = (owner.space(), idempotency.key.clone());
            if self.known.contains_key(&key) {
                return Err(StoreError::Conflict);
            }
            self.known.insert(key, (change.execution_id.clone(), idempotency));
        }
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
        let earlier = self.artifacts.get(&id).map(|(_, earlier)| &earlier.artifact);
        if earlier.is_some_and(|earlier| earlier.lifecycle_state == LifecycleState::Deleted) {
            return;
        }
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

    fn begin_conversation(&mut self, new: NewConversation) -> bool {
        let key = (new.owner.space(), new.conversation_id.clone());
        if self.conversations.contains_key(&key) {
            return false;
        }
        let summary = ConversationSummary {
            conversation_id: new.conversation_id,
            agent_id: None,
            title: new.title,
            created_at: new.created_at,
            updated_at: new.created_at,
            cursor: 0,
        };
        let mut stream = Stream { conversation: Some((new.owner, summary)), ..Stream::default() };
        let events = new.events.into_iter().zip(1..);
        stream.events = events.map(|((execution, event), seq)| (execution, event.numbered(seq))).collect();
        for (execution, message) in new.messages {
            stream.say(message, 0, &execution);
        }
        if let Some((_, summary)) = &mut stream.conversation {
            summary.updated_at = new.created_at;
        }
        let id = StreamId(i64::try_from(self.streams.len()).expect("there are fewer streams than that"));
        self.conversations.insert(key, id);
        self.streams.push(stream);
        true
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
