//! What the promises are told with: owners, instants that only go forward, executions made by the real machine.

use std::sync::atomic::{AtomicI64, Ordering};

use contract::{
    AgentId, ArtifactId, ConversationId, EventType, ExecutionId, HookId, IntentId, MessageId, Owner, SessionId,
    TenantId, Timestamp, UserId,
    artifact::{Artifact, LifecycleState, Provenance},
    conversation::Role,
    intent::Timing,
};
use serde_json::{Value, json};

use crate::{
    machine::{Asked, Command, Decision, Header, State, accept, decide},
    port::{
        Store,
        store::{
            Change, Committed, Fence, JournalEvent, NewEvent, NewMessage, Object, StoredArtifact, StreamId, StreamKey,
            Submission, SubmitOutcome,
        },
    },
};

/// A store with nothing in it yet, and a clock that ticks a millisecond whenever it is asked.
pub(super) struct Scene<'store> {
    pub(super) store: &'store dyn Store,
    millis: AtomicI64,
}

pub(super) fn user(name: &str) -> Owner {
    Owner::User { tenant_id: named::<TenantId>(&format!("tenant_of_{name}")), user_id: named::<UserId>(name) }
}

pub(super) fn named<T: std::str::FromStr<Err: std::fmt::Debug>>(name: &str) -> T {
    name.parse().expect("the scene uses good names")
}

/// The events in the order of their numbers, as `(seq, execution)`.
pub(super) fn numbers(events: &[JournalEvent]) -> Vec<u64> {
    events.iter().map(|event| event.seq).collect()
}

impl<'store> Scene<'store> {
    pub(super) fn new(store: &'store dyn Store) -> Self {
        Self { store, millis: AtomicI64::new(1_800_000_000_000) }
    }

    pub(super) fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.millis.fetch_add(1, Ordering::Relaxed))
    }

    pub(super) fn header(&self, owner: &Owner) -> Header {
        let created_at = self.now();
        let execution_id = ExecutionId::from_parts(created_at, [0; 10]);
        Header {
            intent_id: IntentId::from_parts(created_at, [0; 10]),
            execution_id,
            intent_type: "profile_data".to_owned(),
            parameters: Object::new(),
            metadata: Object::new(),
            owner: owner.clone(),
            authority: None,
            session_id: named::<SessionId>("sess_1"),
            conversation_id: None,
            parent: None,
            depth: 0,
            attachments: Vec::new(),
            concurrency_key: None,
            supersedes: false,
            timing: Timing::default(),
            created_at,
        }
    }

    pub(super) fn header_in(&self, owner: &Owner, conversation: &str) -> Header {
        Header { conversation_id: Some(named::<ConversationId>(conversation)), ..self.header(owner) }
    }

    pub(super) fn submission(&self, header: Header) -> Submission {
        let decision = accept(header, None, None, self.now());
        submission_of(decision)
    }

    /// A submission that awaits an approval.
    pub(super) fn awaiting(&self, header: Header) -> Submission {
        self.awaiting_role(header, None)
    }

    /// A submission that awaits the word of somebody with the role.
    pub(super) fn awaiting_role(&self, header: Header, role: Option<String>) -> Submission {
        let now = self.now();
        let hook_id = HookId::from_parts(now, [0; 10]);
        let expires_at = Timestamp::from_millis(now.as_millis() + 60_000);
        let reason = "It deletes a file.".to_owned();
        submission_of(accept(header, Some(Asked { hook_id, reason, role, expires_at }), None, now))
    }

    pub(super) async fn submit(&self, submission: Submission) -> Committed {
        match self.store.submit(submission).await.expect("the store takes it") {
            SubmitOutcome::Accepted(committed) => committed,
            other => panic!("it should be accepted: {other:?}"),
        }
    }

    /// A new pending execution.
    pub(super) async fn pending(&self, header: Header) -> State {
        let submission = self.submission(header);
        let state = submission.state.clone();
        self.submit(submission).await;
        state
    }

    /// A new execution in its first attempt.
    pub(super) async fn running(&self, header: Header) -> State {
        let state = self.pending(header).await;
        self.advance(&state, Command::Start).await
    }

    /// Decides and commits.
    pub(super) async fn advance(&self, state: &State, command: Command) -> State {
        let change = self.decided(state, command);
        let next = change.next.clone().expect("a decision has a next state");
        self.store.commit(change).await.expect("the fence holds");
        next
    }

    pub(super) fn decided(&self, state: &State, command: Command) -> Change {
        let decision = decide(state, command, self.now()).expect("the command fits the state");
        let mut change = Change::new(state.header.execution_id.clone(), Fence::Revision(state.revision));
        change.next = Some(decision.next);
        change.events = decision.events;
        change.approval = decision.approval;
        change
    }

    pub(super) async fn complete(&self, state: &State) -> State {
        self.advance(state, Command::Complete { result: json!({"rows": 3}), artifacts: Default::default() }).await
    }

    /// Tokens of a running execution, one event each.
    pub(super) fn tokens(&self, state: &State, tokens: &[&str]) -> Change {
        let id = &state.header.execution_id;
        let mut change = Change::new(id.clone(), Fence::Attempt(state.attempt()));
        let now = self.now();
        let event = |token: &&str| NewEvent::new(EventType::AgentToken, id, now, &json!({"token": token}));
        change.events = tokens.iter().map(event).collect();
        change
    }

    pub(super) async fn stream_of(&self, execution: &ExecutionId) -> StreamId {
        let key = StreamKey::Execution(execution.clone());
        self.store.stream(&key).await.expect("the store answers").expect("the execution has a stream").stream
    }

    /// The whole stream.
    pub(super) async fn events(&self, stream: StreamId) -> Vec<JournalEvent> {
        let mut events = Vec::new();
        loop {
            let after = events.last().map_or(0, |event: &JournalEvent| event.seq);
            let page = self.store.events(stream, after, None, 7).await.expect("the store answers");
            if page.is_empty() {
                return events;
            }
            events.extend(page);
        }
    }

    pub(super) fn message(&self, role: Role, content: &str) -> NewMessage {
        let created_at = self.now();
        NewMessage {
            id: MessageId::from_parts(created_at, [0; 10]),
            at_event: 0,
            role,
            content: content.to_owned(),
            agent_id: (role == Role::Assistant).then(|| named::<AgentId>("liaison.content")),
            created_at,
        }
    }

    /// A ready artifact of an execution.
    pub(super) fn artifact(&self, of: &State, title: &str) -> StoredArtifact {
        let now = self.now();
        let header = &of.header;
        let artifact = Artifact {
            artifact_id: ArtifactId::from_parts(now, [0; 10]),
            artifact_type: "file".to_owned(),
            tenant_id: header.owner.tenant_id().cloned(),
            session_id: header.session_id.clone(),
            lifecycle_state: LifecycleState::Ready,
            semantic_descriptor: object(json!({"title": title})),
            semantic_payload: Object::new(),
            renderings: Object::new(),
            materializations: Vec::new(),
            parent_artifacts: Vec::new(),
            produced_by: Provenance {
                intent: header.intent_id.clone(),
                intent_type: header.intent_type.clone(),
                execution_id: header.execution_id.clone(),
            },
            created_at: now,
            updated_at: now,
        };
        StoredArtifact { artifact, content: None, search_text: None }
    }

    /// Keeps artifacts for a running execution.
    pub(super) async fn keep(&self, of: &State, artifacts: Vec<StoredArtifact>) {
        let mut change = self.tokens(of, &[]);
        change.artifacts = artifacts;
        self.store.commit(change).await.expect("the fence holds");
    }
}

fn submission_of(decision: Decision) -> Submission {
    Submission {
        state: decision.next,
        events: decision.events,
        carries_out: None,
        idempotency: Vec::new(),
        approval: decision.approval,
        message: None,
        quota: None,
        gate: None,
    }
}

fn object(value: Value) -> Object {
    match value {
        Value::Object(object) => object,
        other => panic!("{other} is no object"),
    }
}
