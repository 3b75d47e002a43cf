//! Conversations: what was said, by whom, at which number.

use contract::{
    EventType,
    conversation::{Message, Role},
};
use serde_json::json;

use super::scene::{Scene, named, user};
use crate::port::store::{NewConversation, NewEvent, PageRequest, StoreError, StreamKey, Submission};

async fn ask(scene: &Scene<'_>, owner: &str, conversation: &str, question: &str) -> crate::machine::State {
    let message = Some(scene.message(Role::User, question));
    let submission = Submission { message, ..scene.submission(scene.header_in(&user(owner), conversation)) };
    let state = submission.state.clone();
    scene.submit(submission).await;
    scene.advance(&state, crate::machine::Command::Start).await
}

async fn answer(scene: &Scene<'_>, state: &crate::machine::State, answer: &str) {
    let mut change = scene.tokens(state, &["…", answer]);
    let mut message = scene.message(Role::Assistant, answer);
    message.at_event = 1;
    change.message = Some(message);
    scene.store.commit(change).await.unwrap();
}

pub(super) async fn messages_enter_with_their_events(scene: Scene<'_>) {
    let ada = user("ada");
    let long = format!("How good is this data? {}", "x".repeat(200));
    let state = ask(&scene, "ada", "c1", &long).await;
    let begun = scene.store.conversation(&ada, &named("c1")).await.unwrap().unwrap();
    assert_eq!(begun.title, long.chars().take(80).collect::<String>());
    assert_eq!((begun.agent_id, begun.cursor), (None, 2));
    answer(&scene, &state, "Good.").await;
    ask(&scene, "ada", "c1", "And this?").await;
    let summary = scene.store.conversation(&ada, &named("c1")).await.unwrap().unwrap();
    assert_eq!(summary.title, begun.title, "the first message is the title");
    assert_eq!((summary.agent_id, summary.cursor), (Some(named("liaison.content")), 6));
    assert_eq!(summary.created_at, begun.created_at);
    assert!(summary.updated_at > begun.updated_at);
    let messages = scene.store.messages(&ada, &named("c1"), None, 10).await.unwrap();
    let said: Vec<(Role, &str, u64)> =
        messages.iter().map(|message| (message.role, message.content.as_str(), message.seq)).collect();
    assert_eq!(said, [(Role::User, long.as_str(), 1), (Role::Assistant, "Good.", 4), (Role::User, "And this?", 5)]);
    assert_eq!(messages[1].execution_id.as_ref(), Some(&state.header.execution_id));
    assert_eq!(messages[1].agent_id, Some(named("liaison.content")));
}

pub(super) async fn messages_are_read_backwards(scene: Scene<'_>) {
    let ada = user("ada");
    for index in 0..9 {
        ask(&scene, "ada", "c1", &format!("message {index}")).await;
    }
    let all = scene.store.messages(&ada, &named("c1"), None, 100).await.unwrap();
    assert_eq!(all.len(), 9);
    let mut read: Vec<Message> = Vec::new();
    loop {
        let before = read.first().map(|message| message.seq);
        let mut page = scene.store.messages(&ada, &named("c1"), before, 4).await.unwrap();
        if page.is_empty() {
            break;
        }
        page.append(&mut read);
        read = page;
    }
    assert_eq!(read, all);
    for (before, count) in [(0, 0), (1, 0), (2, 1), (u64::MAX, 9)] {
        assert_eq!(scene.store.messages(&ada, &named("c1"), Some(before), 100).await.unwrap().len(), count);
    }
    assert_eq!(scene.store.messages(&user("bob"), &named("c1"), None, 100).await.unwrap(), []);
    assert_eq!(scene.store.messages(&ada, &named("c2"), None, 100).await.unwrap(), []);
}

pub(super) async fn lists_begin_with_the_newest(scene: Scene<'_>) {
    let ada = user("ada");
    for name in ["c1", "c2", "c3", "c4", "c5"] {
        ask(&scene, "ada", name, name).await;
    }
    scene.pending(scene.header(&ada)).await;
    ask(&scene, "bob", "c1", "his").await;
    let list = async |page| {
        let page = scene.store.conversations(&ada, None, page).await.unwrap();
        let titles: Vec<String> = page.items.into_iter().map(|summary| summary.title).collect();
        (page.total, titles.join(" "), page.next_cursor)
    };
    assert_eq!(list(PageRequest::first(10)).await, (5, "c5 c4 c3 c2 c1".to_owned(), None));
    let (total, titles, cursor) = list(PageRequest::first(3)).await;
    assert_eq!((total, titles.as_str(), cursor.is_some()), (5, "c5 c4 c3", true));
    assert_eq!(list(PageRequest { limit: 3, offset: 0, cursor }).await, (5, "c2 c1".to_owned(), None));
    assert_eq!(scene.store.conversation(&user("eve"), &named("c1")).await.unwrap(), None);
    assert_eq!(scene.store.conversations(&user("eve"), None, PageRequest::first(3)).await.unwrap().total, 0);
}

pub(super) async fn what_was_said_is_found(scene: Scene<'_>) {
    let ada = user("ada");
    let begun = ask(&scene, "ada", "c1", "How good is 100% of ORDERS_a?").await;
    answer(&scene, &begun, "Zebra").await;
    ask(&scene, "ada", "c2", "And ordersXa?").await;
    ask(&scene, "bob", "c3", "orders").await;
    for (text, found) in [
        ("orders", vec!["c2", "c1"]),
        ("zEBRA", vec!["c1"]),
        ("orders_", vec!["c1"]),
        ("0%", vec!["c1"]),
        ("%", vec!["c1"]),
        ("\\", vec![]),
        ("lion", vec![]),
    ] {
        let page = scene.store.conversations(&ada, Some(text), PageRequest::first(10)).await.unwrap();
        let ids: Vec<&str> = page.items.iter().map(|summary| summary.conversation_id.as_str()).collect();
        assert_eq!((ids, page.total), (found.clone(), found.len() as u64), "{text}");
    }
}

pub(super) async fn a_new_title_stays(scene: Scene<'_>) {
    let ada = user("ada");
    ask(&scene, "ada", "c1", "first").await;
    let renamed = scene.store.rename_conversation(&ada, &named("c1"), "Orders").await.unwrap().unwrap();
    assert_eq!(renamed.title, "Orders");
    ask(&scene, "ada", "c1", "second").await;
    assert_eq!(scene.store.conversation(&ada, &named("c1")).await.unwrap().unwrap().title, "Orders");
    for (owner, id) in [("bob", "c1"), ("ada", "c2")] {
        assert_eq!(scene.store.rename_conversation(&user(owner), &named(id), "His").await.unwrap(), None);
    }
    assert_eq!(scene.store.conversation(&ada, &named("c1")).await.unwrap().unwrap().title, "Orders");
}

pub(super) async fn a_deleted_one_leaves_its_executions(scene: Scene<'_>) {
    let ada = user("ada");
    let state = ask(&scene, "ada", "c1", "first").await;
    let under_way = scene.store.delete_conversation(&ada, &named("c1")).await;
    assert!(matches!(under_way, Err(StoreError::Conflict)), "{under_way:?}");
    let fail = crate::machine::Command::Fail {
        code: contract::Code::ExecutionFailed,
        message: "It broke.".to_owned(),
        details: None,
        retry: None,
    };
    let ended = scene.advance(&state, fail).await;
    assert!(ended.has_ended());
    assert!(!scene.store.delete_conversation(&user("bob"), &named("c1")).await.unwrap());
    assert!(scene.store.delete_conversation(&ada, &named("c1")).await.unwrap());
    assert!(!scene.store.delete_conversation(&ada, &named("c1")).await.unwrap());
    assert_eq!(scene.store.conversation(&ada, &named("c1")).await.unwrap(), None);
    assert_eq!(scene.store.conversations(&ada, None, PageRequest::first(3)).await.unwrap().total, 0);
    assert_eq!(scene.store.messages(&ada, &named("c1"), None, 10).await.unwrap(), []);
    let kept = scene.store.execution(&state.header.execution_id).await.unwrap().unwrap();
    assert_eq!(kept.header.conversation_id, None);
    let own = StreamKey::Execution(state.header.execution_id.clone());
    let position = scene.store.stream(&own).await.unwrap().unwrap();
    let events = scene.store.events(position.stream, 0, Some(&state.header.execution_id), 10).await.unwrap();
    assert_eq!(events.len() as u64, position.head);
    // The id is free for another conversation.
    ask(&scene, "ada", "c1", "again").await;
    assert_eq!(scene.store.conversation(&ada, &named("c1")).await.unwrap().unwrap().title, "again");
}

pub(super) async fn one_can_begin_with_what_was_said_elsewhere(scene: Scene<'_>) {
    let ada = user("ada");
    let state = ask(&scene, "ada", "c1", "How good is this data?").await;
    let execution = state.header.execution_id.clone();
    let now = scene.now();
    let event = |event_type| (execution.clone(), NewEvent::new(event_type, &execution, now, &json!({})));
    let mut message = scene.message(Role::Assistant, "Good.");
    message.at_event = 1;
    let new = |owner: &str| NewConversation {
        owner: user(owner),
        conversation_id: named("c2"),
        title: "Once more".to_owned(),
        created_at: now,
        events: vec![event(EventType::ConversationForked), event(EventType::ConversationMessage)],
        messages: vec![(execution.clone(), message.clone())],
    };
    assert!(scene.store.begin_conversation(new("ada")).await.unwrap());
    assert!(!scene.store.begin_conversation(new("ada")).await.unwrap(), "there is one of this name");
    assert!(scene.store.begin_conversation(new("bob")).await.unwrap(), "and it is its owner's alone");
    let summary = scene.store.conversation(&ada, &named("c2")).await.unwrap().unwrap();
    assert_eq!((summary.title.as_str(), summary.cursor, summary.updated_at), ("Once more", 2, now));
    assert_eq!(summary.agent_id, Some(named("liaison.content")));
    let messages = scene.store.messages(&ada, &named("c2"), None, 10).await.unwrap();
    assert_eq!((messages.len(), messages[0].seq, messages[0].execution_id.clone()), (1, 2, Some(execution.clone())));
    let key = StreamKey::Conversation(ada, named("c2"));
    let stream = scene.store.stream(&key).await.unwrap().unwrap();
    assert_eq!(super::scene::numbers(&scene.events(stream.stream).await), [1, 2]);
    // It goes on like any other, and the first one is what it was.
    let next = ask(&scene, "ada", "c2", "And this?").await;
    assert_eq!(scene.stream_of(&next.header.execution_id).await, stream.stream);
    let own = scene.store.events(stream.stream, 0, Some(&next.header.execution_id), 10).await.unwrap();
    assert_eq!(super::scene::numbers(&own), [3, 4]);
    assert_ne!(scene.stream_of(&execution).await, stream.stream);
}
