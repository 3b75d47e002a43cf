//! Executions are found by what they are, how they stand, and who called them.

use contract::{Code, ExecutionId, execution::ExecutionStatus};

use super::scene::{Scene, named, user};
use crate::{
    machine::{Command, Header, State},
    port::store::{ExecutionFilter, PageRequest, StoreError},
};

fn fail() -> Command {
    Command::Fail { code: Code::ExecutionFailed, message: "It broke.".to_owned(), details: None, retry: None }
}

async fn found(scene: &Scene<'_>, filter: ExecutionFilter) -> Vec<ExecutionId> {
    let listing = scene.store.executions(&user("ada"), &filter, PageRequest::first(100)).await.unwrap();
    listing.items.into_iter().map(|state| state.header.execution_id).collect()
}

pub(super) async fn filters_join(scene: Scene<'_>) {
    let ada = user("ada");
    let id = |state: &State| state.header.execution_id.clone();
    let of = |intent_type: &str, session: &str, header: Header| Header {
        intent_type: intent_type.to_owned(),
        session_id: named(session),
        ..header
    };
    let pending = id(&scene.pending(of("a", "s1", scene.header(&ada))).await);
    let running = scene.running(of("b", "s1", scene.header_in(&ada, "c1"))).await;
    let child = Header { parent: Some(id(&running)), ..of("a", "s2", scene.header_in(&ada, "c1")) };
    let child = scene.running(child).await;
    let child = id(&scene.advance(&child, fail()).await);
    let failed = scene.running(of("a", "s2", scene.header(&ada))).await;
    let failed = id(&scene.advance(&failed, fail()).await);
    let completed = scene.running(of("b", "s2", scene.header(&ada))).await;
    let completed = id(&scene.complete(&completed).await);
    let running = id(&running);
    scene.pending(scene.header(&user("bob"))).await;

    let any = ExecutionFilter::default;
    let typed = |intent_type: &str| ExecutionFilter { intent_type: Some(intent_type.to_owned()), ..any() };
    let stands = |status| ExecutionFilter { status: Some(status), ..any() };
    let session = |session: &str| ExecutionFilter { session_id: Some(named(session)), ..any() };
    let inside = |conversation: &str| ExecutionFilter { conversation_id: Some(named(conversation)), ..any() };
    let called = |parent: &ExecutionId| ExecutionFilter { parent: Some(parent.clone()), ..any() };
    let dead = || ExecutionFilter { dead_letters: true, ..any() };
    for (filter, expected) in [
        (any(), vec![&completed, &failed, &child, &running, &pending]),
        (typed("a"), vec![&failed, &child, &pending]),
        (typed("nothing"), vec![]),
        (stands(ExecutionStatus::Pending), vec![&pending]),
        (stands(ExecutionStatus::Running), vec![&running]),
        (stands(ExecutionStatus::Failed), vec![&failed, &child]),
        (stands(ExecutionStatus::Completed), vec![&completed]),
        (stands(ExecutionStatus::Cancelled), vec![]),
        (session("s1"), vec![&running, &pending]),
        (inside("c1"), vec![&child, &running]),
        (inside("c2"), vec![]),
        (called(&running), vec![&child]),
        (called(&child), vec![]),
        (dead(), vec![&failed]),
        (ExecutionFilter { intent_type: Some("b".to_owned()), ..session("s2") }, vec![&completed]),
        (ExecutionFilter { status: Some(ExecutionStatus::Failed), ..inside("c1") }, vec![&child]),
        (ExecutionFilter { dead_letters: true, ..typed("b") }, vec![]),
        (ExecutionFilter { status: Some(ExecutionStatus::Failed), ..dead() }, vec![&failed]),
        (ExecutionFilter { session_id: Some(named("s1")), ..called(&running) }, vec![]),
    ] {
        let described = format!("{filter:?}");
        let ids = found(&scene, filter).await;
        assert_eq!(ids.iter().collect::<Vec<_>>(), expected, "{described}");
    }
    let nobody = scene.store.executions(&user("eve"), &any(), PageRequest::first(10)).await.unwrap();
    assert_eq!(nobody.items, []);
}

pub(super) async fn lists_come_in_pages(scene: Scene<'_>) {
    let mut expected = Vec::new();
    for _ in 0..25 {
        expected.insert(0, scene.pending(scene.header(&user("ada"))).await);
    }
    let mut found: Vec<State> = Vec::new();
    let mut cursor = None;
    loop {
        let page = PageRequest { cursor, ..PageRequest::first(4) };
        let page = scene.store.executions(&user("ada"), &ExecutionFilter::default(), page).await.unwrap();
        found.extend(page.items);
        // What comes meanwhile shifts nothing.
        match page.next_cursor {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    assert_eq!(found, expected);
    let unreadable = PageRequest { cursor: Some("nowhere".to_owned()), ..PageRequest::first(4) };
    let refused = scene.store.executions(&user("ada"), &ExecutionFilter::default(), unreadable).await;
    assert!(matches!(refused, Err(StoreError::BadCursor)), "{refused:?}");
}

pub(super) async fn a_redriven_one_is_alive_again(scene: Scene<'_>) {
    let running = scene.running(scene.header(&user("ada"))).await;
    let failed = scene.advance(&running, fail()).await;
    let id = failed.header.execution_id.clone();
    let dead = || ExecutionFilter { dead_letters: true, ..ExecutionFilter::default() };
    assert_eq!(found(&scene, dead()).await, std::slice::from_ref(&id));
    let redriven = scene.advance(&failed, Command::Redrive).await;
    assert_eq!(found(&scene, dead()).await, []);
    assert_eq!(scene.store.unfinished(None, 10).await.unwrap(), std::slice::from_ref(&redriven));
    let again = scene.advance(&redriven, Command::Start).await;
    scene.store.commit(scene.tokens(&again, &["more"])).await.unwrap();
    scene.complete(&again).await;
    let stream = scene.stream_of(&id).await;
    let whole = scene.events(stream).await;
    let own = scene.store.events(stream, 0, Some(&id), 100).await.unwrap();
    assert_eq!((own.len(), &own), (7, &whole), "its events go on after the first end");
}
