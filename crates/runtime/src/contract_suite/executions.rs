//! Executions come in whole, move on behind their fence, and are found again.

use contract::{Code, EventType, ExecutionId};
use futures_util::future::join_all;
use serde_json::json;

use super::scene::{Scene, named, numbers, user};
use crate::{
    machine::{Command, Header, State},
    port::{
        StoreError,
        store::{Change, Fence, PageRequest, StepRecord, StreamKey},
    },
};

pub(super) async fn a_submission_can_be_read_at_once(scene: Scene<'_>) {
    let submission = scene.submission(scene.header(&user("ada")));
    let state = submission.state.clone();
    let id = state.header.execution_id.clone();
    let committed = scene.submit(submission).await;
    assert_eq!(numbers(&committed.events), [1]);
    assert_eq!(committed.events[0].event_type, EventType::ExecutionAccepted);
    assert_eq!(scene.store.execution(&id).await.unwrap(), Some(state));
    assert_eq!(scene.store.owner(&id).await.unwrap(), Some(user("ada")));
    let position = scene.store.stream(&StreamKey::Execution(id)).await.unwrap().unwrap();
    assert_eq!((position.stream, position.head), (committed.stream, 1));
    assert_eq!(scene.events(committed.stream).await, committed.events);
    let unknown = named::<ExecutionId>("exec_of_nobody");
    assert_eq!(scene.store.execution(&unknown).await.unwrap(), None);
    assert_eq!(scene.store.owner(&unknown).await.unwrap(), None);
    assert_eq!(scene.store.stream(&StreamKey::Execution(unknown)).await.unwrap(), None);
    scene.store.ping().await.unwrap();
}

pub(super) async fn a_change_needs_its_revision(scene: Scene<'_>) {
    let pending = scene.pending(scene.header(&user("ada"))).await;
    let running = scene.advance(&pending, Command::Start).await;
    let late = scene.decided(&pending, Command::Cancel { reason: "too late".to_owned(), approval: None });
    assert!(matches!(scene.store.commit(late).await, Err(StoreError::Conflict)));
    let id = &running.header.execution_id;
    assert_eq!(scene.store.execution(id).await.unwrap(), Some(running.clone()), "a conflict changes nothing");
    let stream = scene.stream_of(id).await;
    assert_eq!(numbers(&scene.events(stream).await), [1, 2], "and tells nothing");
    let unknown = Change::new(named("exec_of_nobody"), Fence::Revision(1));
    assert!(matches!(scene.store.commit(unknown).await, Err(StoreError::Conflict)));
    let ended = scene.complete(&running).await;
    assert_eq!(scene.store.execution(id).await.unwrap(), Some(ended));
}

pub(super) async fn one_of_many_decides(scene: Scene<'_>) {
    let pending = scene.pending(scene.header(&user("ada"))).await;
    let starts = (0..32).map(|_| scene.store.commit(scene.decided(&pending, Command::Start)));
    let outcomes = join_all(starts.collect::<Vec<_>>()).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    let refused = outcomes.iter().filter(|outcome| matches!(outcome, Err(StoreError::Conflict))).count();
    assert_eq!(refused, 31);
    let stream = scene.stream_of(&pending.header.execution_id).await;
    assert_eq!(numbers(&scene.events(stream).await), [1, 2]);
}

pub(super) async fn only_the_running_attempt_writes(scene: Scene<'_>) {
    let refused = async |change: Change| matches!(scene.store.commit(change).await, Err(StoreError::Conflict));
    let pending = scene.pending(scene.header(&user("ada"))).await;
    assert!(refused(scene.tokens(&pending, &["early"])).await, "it is not running");
    let first = scene.advance(&pending, Command::Start).await;
    scene.store.commit(scene.tokens(&first, &["a"])).await.unwrap();
    let recovered = scene.advance(&first, Command::Recover).await;
    assert!(refused(scene.tokens(&first, &["stale"])).await, "it waits for its next attempt");
    let second = scene.advance(&recovered, Command::Start).await;
    assert_eq!(second.attempt(), 2);
    assert!(refused(scene.tokens(&first, &["stale"])).await, "an earlier attempt");
    scene.store.commit(scene.tokens(&second, &["b"])).await.unwrap();
    scene.complete(&second).await;
    assert!(refused(scene.tokens(&second, &["late"])).await, "it has ended");
}

pub(super) async fn unfinished_ones_come_in_pages(scene: Scene<'_>) {
    let mut expected = Vec::new();
    for index in 0..25 {
        let state = scene.running(scene.header(&user("ada"))).await;
        match index % 3 {
            0 => drop(scene.complete(&state).await),
            1 => expected.push(state),
            _ => {
                let failed = Command::Fail {
                    code: Code::ExecutionFailed,
                    message: "It broke.".to_owned(),
                    details: None,
                    retry: None,
                };
                scene.advance(&state, failed).await;
            }
        }
    }
    let mut found: Vec<State> = Vec::new();
    loop {
        let after = found.last().map(|state| state.header.execution_id.clone());
        let page = scene.store.unfinished(after.as_ref(), 3).await.unwrap();
        assert!(page.len() <= 3);
        if page.is_empty() {
            break;
        }
        found.extend(page);
    }
    assert_eq!(found, expected);
}

pub(super) async fn a_parent_knows_its_unfinished_children(scene: Scene<'_>) {
    let parent = scene.running(scene.header(&user("ada"))).await;
    let id = parent.header.execution_id.clone();
    let child = || Header { parent: Some(id.clone()), depth: 1, ..scene.header(&user("ada")) };
    let (first, second) = (scene.running(child()).await, scene.pending(child()).await);
    scene.pending(scene.header(&user("ada"))).await;
    let both = [first.header.execution_id.clone(), second.header.execution_id.clone()];
    assert_eq!(scene.store.unfinished_children(&id).await.unwrap(), both);
    scene.complete(&first).await;
    assert_eq!(scene.store.unfinished_children(&id).await.unwrap(), both[1..]);
    assert_eq!(scene.store.unfinished_children(&both[1]).await.unwrap(), []);
}

pub(super) async fn a_child_is_its_parents_owners(scene: Scene<'_>) {
    let parent = scene.running(scene.header(&user("ada"))).await;
    let stale = user("who_it_was_before");
    let header = Header { parent: Some(parent.header.execution_id.clone()), ..scene.header(&stale) };
    let child = scene.running(header).await;
    let id = &child.header.execution_id;
    assert_eq!(scene.store.owner(id).await.unwrap(), Some(user("ada")));
    let stored = scene.store.execution(id).await.unwrap().unwrap();
    assert_eq!(stored.header.owner, user("ada"), "what a state says of its owner is of now");
    scene.keep(&child, vec![scene.artifact(&child, "a file")]).await;
    let page = scene.store.artifacts(&user("ada"), &Default::default(), PageRequest::first(10)).await.unwrap();
    assert_eq!(page.total, 1);
    assert_eq!(page.items[0].tenant_id.as_ref(), user("ada").tenant_id());
}

pub(super) async fn steps_keep_their_order(scene: Scene<'_>) {
    let state = scene.running(scene.header(&user("ada"))).await;
    let other = scene.running(scene.header(&user("ada"))).await;
    let step = |name: &str| StepRecord { name: name.to_owned(), result: json!({"of": name}), recorded_at: scene.now() };
    let steps = ["zeta", "alpha", "midway", "Ünï\n"].map(step);
    for steps in steps.chunks(2) {
        let mut change = scene.tokens(&state, &[]);
        change.steps = steps.to_vec();
        scene.store.commit(change).await.unwrap();
    }
    let mut change = scene.tokens(&other, &[]);
    change.steps = vec![step("alpha")];
    scene.store.commit(change).await.unwrap();
    assert_eq!(scene.store.steps(&state.header.execution_id).await.unwrap(), steps);
    assert_eq!(scene.store.steps(&other.header.execution_id).await.unwrap().len(), 1);
    assert_eq!(scene.store.steps(&named("exec_of_nobody")).await.unwrap(), []);
}
