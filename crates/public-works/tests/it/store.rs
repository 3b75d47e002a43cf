//! The store keeps the promises of its port, on a real disk, and takes a claimed session's things along.

use std::{path::Path, sync::Arc};

use contract::{
    EventType, ExecutionId, IntentId, MessageId, Owner, SessionId, Timestamp, conversation::Role, intent::Timing,
};
use public_works::{
    Database, FileObjects, SqliteStore,
    sqlite::{DatabaseError, move_space},
};
use runtime::{
    Store,
    contract_suite::{keeps_every_promise, keeps_objects},
    machine::{self, Header},
    port::store::{Idempotency, NewMessage, Object, PageRequest, StreamKey, Submission, SubmitOutcome},
};

pub(crate) fn user() -> Owner {
    Owner::User { tenant_id: "tenant_1".parse().unwrap(), user_id: "user_1".parse().unwrap() }
}

/// The submission number `number` of an owner, in a conversation with a message.
pub(crate) fn submission(owner: &Owner, conversation: Option<&str>, number: i64) -> Submission {
    let created_at = Timestamp::from_millis(1_800_000_000_000 + number);
    let execution_id = ExecutionId::from_parts(created_at, [0; 10]);
    let header = Header {
        intent_id: IntentId::from_parts(created_at, [0; 10]),
        execution_id,
        intent_type: "agent_invoke".to_owned(),
        parameters: Object::new(),
        metadata: Object::new(),
        owner: owner.clone(),
        authority: None,
        session_id: "sess_1".parse::<SessionId>().unwrap(),
        conversation_id: conversation.map(|conversation| conversation.parse().unwrap()),
        parent: None,
        depth: 0,
        attachments: Vec::new(),
        concurrency_key: None,
        supersedes: false,
        timing: Timing::default(),
        created_at,
    };
    let message = NewMessage {
        id: MessageId::from_parts(created_at, [0; 10]),
        at_event: 0,
        role: Role::User,
        content: format!("message {number}"),
        agent_id: None,
        created_at,
    };
    let decision = machine::accept(header, None, Some(&message), created_at);
    Submission {
        state: decision.next,
        events: decision.events,
        carries_out: None,
        idempotency: vec![Idempotency { key: number.to_string(), fingerprint: [1; 32], expires_at: None }],
        approval: None,
        message: conversation.map(|_| message),
        quota: None,
        gate: None,
    }
}

pub(crate) fn open(directory: &Path) -> (Database, SqliteStore) {
    let database = Database::open(directory).unwrap();
    (database.clone(), SqliteStore::new(database))
}

#[tokio::test]
async fn every_promise_is_kept() {
    // Directories outlive the stores that lie in them.
    let directories = std::sync::Mutex::new(Vec::new());
    keeps_every_promise(|| async {
        let directory = tempfile::tempdir().unwrap();
        let (_, store) = open(directory.path());
        directories.lock().unwrap().push(directory);
        Arc::new(store) as Arc<dyn Store>
    })
    .await;
}

#[tokio::test]
async fn objects_are_kept_in_files() {
    let directory = tempfile::tempdir().unwrap();
    keeps_objects(&FileObjects::open(directory.path()).unwrap()).await;
}

#[tokio::test]
async fn everything_is_there_after_reopening() {
    let directory = tempfile::tempdir().unwrap();
    let (database, store) = open(directory.path());
    for number in 0..20 {
        store.submit(submission(&user(), Some("c1"), number)).await.unwrap();
    }
    let key = StreamKey::Conversation(user(), "c1".parse().unwrap());
    let position = store.stream(&key).await.unwrap().unwrap();
    let events = store.events(position.stream, 0, None, 100).await.unwrap();
    let messages = store.messages(&user(), &"c1".parse().unwrap(), None, 100).await.unwrap();
    let unfinished = store.unfinished(None, 100).await.unwrap();
    drop(store);
    database.close().await;
    let (_, store) = open(directory.path());
    assert_eq!(store.stream(&key).await.unwrap(), Some(position));
    assert_eq!(store.events(position.stream, 0, None, 100).await.unwrap(), events);
    assert_eq!(store.messages(&user(), &"c1".parse().unwrap(), None, 100).await.unwrap(), messages);
    assert_eq!(store.unfinished(None, 100).await.unwrap(), unfinished);
    assert_eq!((events.len(), messages.len(), unfinished.len()), (20, 20, 20));
}

#[tokio::test]
async fn a_claim_takes_everything_along() {
    let directory = tempfile::tempdir().unwrap();
    let (database, store) = open(directory.path());
    let anonymous = Owner::Anonymous { session_id: "sess_1".parse().unwrap() };
    let user = user();
    store.submit(submission(&user, Some("c1"), 1)).await.unwrap();
    for (number, conversation) in [(2, Some("c1")), (3, Some("c2")), (4, None)] {
        store.submit(submission(&anonymous, conversation, number)).await.unwrap();
    }
    let hers = StreamKey::Conversation(anonymous.clone(), "c1".parse().unwrap());
    let stream = store.stream(&hers).await.unwrap().unwrap().stream;
    let claim = (anonymous.clone(), user.clone());
    database.write(move |transaction| move_space(transaction, &claim.0, &claim.1)).await.unwrap();

    let states = store.unfinished(None, 10).await.unwrap();
    assert!(states.iter().all(|state| state.header.owner == user), "{states:?}");
    assert_eq!(store.stream(&hers).await.unwrap(), None, "the session's id alone opens nothing");
    assert_eq!(store.conversations(&anonymous, None, PageRequest::first(10)).await.unwrap().total, 0);
    let list = store.conversations(&user, None, PageRequest::first(10)).await.unwrap();
    let ids: Vec<String> = list.items.iter().map(|summary| summary.conversation_id.to_string()).collect();
    assert_eq!((ids[0].as_str(), ids[2].as_str()), ("c2", "c1"));
    assert!(ids[1].starts_with("c1~"), "a second c1 is called otherwise: {}", ids[1]);
    let renamed = StreamKey::Conversation(user.clone(), list.items[1].conversation_id.clone());
    assert_eq!(store.stream(&renamed).await.unwrap().unwrap().stream, stream, "a stream keeps its number");
    let moved = states.iter().find(|state| state.header.created_at.as_millis() % 10 == 2).unwrap();
    assert_eq!(moved.header.conversation_id.as_ref(), Some(&list.items[1].conversation_id));

    let again = store.submit(submission(&user, None, 4)).await.unwrap();
    assert!(matches!(again, SubmitOutcome::Known { same_request: true, .. }), "{again:?}");

    // A submission that was on its way while the session was claimed, and a child that knows its parent's old names.
    store.submit(submission(&anonymous, None, 5)).await.unwrap();
    let mut child = submission(&anonymous, Some("c1"), 6);
    child.state.header.parent = Some(moved.header.execution_id.clone());
    let child_id = child.state.header.execution_id.clone();
    store.submit(child).await.unwrap();
    assert_eq!(store.unfinished(None, 10).await.unwrap().iter().filter(|state| state.header.owner == user).count(), 6);
    assert_eq!(store.stream(&StreamKey::Execution(child_id)).await.unwrap().unwrap().stream, stream);
}

#[tokio::test]
async fn a_claim_moves_artifacts_and_what_finds_them() {
    let directory = tempfile::tempdir().unwrap();
    let (database, store) = open(directory.path());
    let anonymous = Owner::Anonymous { session_id: "sess_1".parse().unwrap() };
    let first = submission(&anonymous, None, 1);
    let state = first.state.clone();
    store.submit(first).await.unwrap();
    let artifact = serde_json::json!({
        "artifact_id": "art_1", "artifact_type": "file", "tenant_id": null, "session_id": "sess_1",
        "lifecycle_state": "ready", "semantic_descriptor": {}, "semantic_payload": {}, "renderings": {},
        "materializations": [], "parent_artifacts": [],
        "produced_by": {
            "intent": state.header.intent_id, "intent_type": "x", "execution_id": state.header.execution_id
        },
        "created_at": state.header.created_at, "updated_at": state.header.created_at,
    });
    let stored = runtime::port::store::StoredArtifact {
        artifact: serde_json::from_value(artifact).unwrap(),
        content: None,
        search_text: Some("revenue of the north".to_owned()),
    };
    let fence = runtime::port::store::Fence::Revision(state.revision);
    let mut change = runtime::port::store::Change::new(state.header.execution_id.clone(), fence);
    change.artifacts = vec![stored];
    change.events = vec![runtime::port::store::NewEvent::new(
        EventType::StepCompleted,
        &state.header.execution_id,
        state.header.created_at,
        &serde_json::json!({}),
    )];
    store.commit(change).await.unwrap();
    let claim = (anonymous.clone(), user());
    database.write(move |transaction| move_space(transaction, &claim.0, &claim.1)).await.unwrap();
    assert_eq!(store.search(&anonymous, "revenue", 10).await.unwrap(), []);
    let hits = store.search(&user(), "revenues", 10).await.unwrap();
    assert_eq!(hits.len(), 1, "words are found by their stem");
    assert_eq!(hits[0].artifact.tenant_id.as_ref(), user().tenant_id());
    assert_eq!(store.artifact(&anonymous, &"art_1".parse().unwrap()).await.unwrap(), None);
    assert!(store.artifact(&user(), &"art_1".parse().unwrap()).await.unwrap().is_some());
}

#[tokio::test]
async fn a_claim_that_is_taken_back_leaves_everything() {
    let directory = tempfile::tempdir().unwrap();
    let (database, store) = open(directory.path());
    let anonymous = Owner::Anonymous { session_id: "sess_1".parse().unwrap() };
    store.submit(submission(&anonymous, Some("c1"), 1)).await.unwrap();
    let claim = (anonymous.clone(), user());
    let refused: Result<(), DatabaseError> = database
        .write(move |transaction| {
            move_space(transaction, &claim.0, &claim.1)?;
            Err(DatabaseError::Busy)
        })
        .await;
    assert!(refused.is_err());
    assert_eq!(store.conversations(&anonymous, None, PageRequest::first(10)).await.unwrap().total, 1);
    assert_eq!(store.conversations(&user(), None, PageRequest::first(10)).await.unwrap().total, 0);
}
