//! The journal: numbers without holes, and the same events from every cursor.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::scene::{Scene, numbers, user};
use crate::{
    machine::State,
    port::store::{JournalEvent, MAX_PAGE, StreamKey},
};

/// How many write into one stream at the same time.
const WRITERS: usize = 64;

pub(super) async fn numbers_have_no_holes(scene: Scene<'_>) {
    let submissions = (0..WRITERS).map(|_| scene.running(scene.header_in(&user("ada"), "c1")));
    let states = join_all(submissions.collect::<Vec<_>>()).await;
    let tokens = ["a", "b", "c", "d", "e"];
    let writes = states.iter().enumerate().map(async |(index, state)| {
        let mut told = Vec::new();
        for round in 0..4 {
            let change = scene.tokens(state, &tokens[..=(index + round) % tokens.len()]);
            told.push(scene.store.commit(change).await.unwrap());
        }
        told
    });
    let told = join_all(writes.collect::<Vec<_>>()).await;
    let stream = scene.stream_of(&states[0].header.execution_id).await;
    let stored = scene.events(stream).await;
    let expected: Vec<u64> = (1..=stored.len() as u64).collect();
    assert_eq!(numbers(&stored), expected);
    for committed in told.iter().flatten() {
        assert_eq!(committed.stream, stream);
        for event in &committed.events {
            let index = usize::try_from(event.seq).unwrap() - 1;
            assert_eq!(stored[index], *event, "what was told is what is stored");
        }
    }
    let position = scene.store.stream(&StreamKey::Execution(states[9].header.execution_id.clone())).await.unwrap();
    assert_eq!(position.unwrap().head, stored.len() as u64);
}

/// Two executions that take turns in one conversation.
async fn interleaved(scene: &Scene<'_>) -> (State, State, Vec<JournalEvent>) {
    let first = scene.running(scene.header_in(&user("ada"), "c1")).await;
    let second = scene.running(scene.header_in(&user("ada"), "c1")).await;
    for _ in 0..3 {
        scene.store.commit(scene.tokens(&first, &["a", "b", "c"])).await.unwrap();
        scene.store.commit(scene.tokens(&second, &["x"])).await.unwrap();
    }
    let first = scene.complete(&first).await;
    scene.store.commit(scene.tokens(&second, &["y", "z"])).await.unwrap();
    let stream = scene.stream_of(&first.header.execution_id).await;
    let events = scene.events(stream).await;
    (first, second, events)
}

pub(super) async fn any_cursor_gives_what_follows(scene: Scene<'_>) {
    let (first, _, all) = interleaved(&scene).await;
    let stream = scene.stream_of(&first.header.execution_id).await;
    for after in 0..=all.len() {
        for limit in [1, 2, 5, MAX_PAGE, u32::MAX] {
            let page = scene.store.events(stream, after as u64, None, limit).await.unwrap();
            let rest = &all[after..];
            assert_eq!(page, rest[..page.len()], "after {after}, limit {limit}");
            assert_eq!(page.is_empty(), rest.is_empty(), "after {after}, limit {limit}");
        }
    }
    for beyond in [all.len() as u64 + 1, i64::MAX as u64, u64::MAX] {
        assert_eq!(scene.store.events(stream, beyond, None, 10).await.unwrap(), []);
    }
}

pub(super) async fn an_execution_has_its_own_events(scene: Scene<'_>) {
    let (first, second, all) = interleaved(&scene).await;
    let stream = scene.stream_of(&first.header.execution_id).await;
    for state in [&first, &second] {
        let id = &state.header.execution_id;
        let own: Vec<JournalEvent> = all.iter().filter(|event| event.event().execution_id == *id).cloned().collect();
        assert!(own.len() > 5);
        for after in 0..=all.len() as u64 {
            let page = scene.store.events(stream, after, Some(id), MAX_PAGE).await.unwrap();
            let expected: Vec<JournalEvent> = own.iter().filter(|event| event.seq > after).cloned().collect();
            assert_eq!(page, expected, "{id} after {after}");
        }
        assert_eq!(scene.store.events(stream, 0, Some(id), 2).await.unwrap(), own[..2]);
        for limit in 1..=own.len() {
            let newest = scene.store.newest_events(stream, id, u32::try_from(limit).unwrap()).await.unwrap();
            assert_eq!(newest, own[own.len() - limit..], "{id}, the newest {limit}");
        }
    }
}

pub(super) async fn a_long_commit_is_read_in_parts(scene: Scene<'_>) {
    let state = scene.running(scene.header(&user("ada"))).await;
    let tokens: Vec<String> = (0..500).map(|index| format!("token {index} ")).collect();
    let tokens: Vec<&str> = tokens.iter().map(String::as_str).collect();
    let committed = scene.store.commit(scene.tokens(&state, &tokens)).await.unwrap();
    assert_eq!(committed.events.len(), 500);
    let all = scene.events(committed.stream).await;
    assert_eq!(all.len(), 502);
    assert_eq!(all[2..], committed.events);
    let middle = scene.store.events(committed.stream, 250, None, 3).await.unwrap();
    assert_eq!(middle, all[250..253]);
}

pub(super) async fn any_text_survives(scene: Scene<'_>) {
    let texts = ["", "\n", "two\r\nlines", "\u{0}\u{1}", "\"}{\\", "äöü 漢字 🦀", "\u{2028}"];
    let state = scene.running(scene.header(&user("ada"))).await;
    let committed = scene.store.commit(scene.tokens(&state, &texts)).await.unwrap();
    let stored = scene.store.events(committed.stream, 2, None, 100).await.unwrap();
    let told: Vec<Value> = stored.iter().map(|event| event.event().data).collect();
    assert_eq!(told, texts.map(|text| json!({"token": text})));
}

pub(super) async fn a_conversation_is_its_owners(scene: Scene<'_>) {
    let ada = scene.pending(scene.header_in(&user("ada"), "c1")).await;
    let again = scene.pending(scene.header_in(&user("ada"), "c1")).await;
    let bob = scene.pending(scene.header_in(&user("bob"), "c1")).await;
    let stream = async |state: &State| scene.stream_of(&state.header.execution_id).await;
    assert_eq!(stream(&ada).await, stream(&again).await);
    assert_ne!(stream(&ada).await, stream(&bob).await);
    for (owner, expected) in
        [("ada", Some((stream(&ada).await, 2))), ("bob", Some((stream(&bob).await, 1))), ("eve", None)]
    {
        let key = StreamKey::Conversation(user(owner), super::scene::named("c1"));
        let position = scene.store.stream(&key).await.unwrap();
        assert_eq!(position.map(|position| (position.stream, position.head)), expected, "{owner}");
    }
}
