//! Streams: what is told is told in order, once, without a hole, live and from any cursor.

use std::{sync::atomic::Ordering, time::Duration};

use contract::{EventType, conversation::Role, execution::ExecutionStatus};
use runtime::{RuntimeConfig, RuntimeError, SubmitRequest};
use serde_json::json;

use crate::house::{House, conversation, execution, message, object, owner, types};

#[tokio::test(start_paused = true)]
async fn every_cursor_gives_the_rest_once() {
    let house = House::new().await;
    let id = house.submit("one_by_one", json!({})).await;
    let mut watches = Vec::new();
    for after in 0..60 {
        watches.push((after, house.client().watch(&execution(&id), after).await.unwrap().unwrap()));
    }
    house.done(&id).await;
    let all = house.events(&execution(&id)).await;
    assert_eq!(all.len(), 53);
    for (after, mut watch) in watches.into_iter().take(53) {
        let mut seen = Vec::new();
        while seen.last() != Some(&53) {
            seen.extend(watch.next().await.unwrap().iter().map(|event| event.seq));
        }
        assert_eq!(seen, (after + 1..=53).collect::<Vec<u64>>());
    }
}

#[tokio::test(start_paused = true)]
async fn a_turn_hears_what_was_said_before_it_and_its_own_message_last() {
    let house = House::new().await;
    let first = house.client().submit(message("c1", "m1", "one")).await.unwrap().execution_id;
    let mut later = Vec::new();
    for (id, text) in [("m2", "two"), ("m3", "three"), ("m4", "four")] {
        let request =
            SubmitRequest { intent_type: "hear".to_owned(), parameters: object(json!({})), ..message("c1", id, text) };
        later.push(house.client().submit(request).await.unwrap().execution_id);
    }
    house.done(&first).await;
    assert_eq!(house.done(&later[0]).await.result, json!(["one", "I heard one", "two"]));
    assert_eq!(house.done(&later[1]).await.result, json!(["one", "two", "I heard one", "three"]));
}

#[tokio::test(start_paused = true)]
async fn pieces_that_come_close_together_are_one_event() {
    let house = House::new().await;
    let id = house.submit("say", json!({"words": ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"]})).await;
    let done = house.done(&id).await;
    let tokens: Vec<&str> = done
        .events
        .iter()
        .filter(|event| event.event_type == EventType::AgentToken)
        .map(|event| event.data["token"].as_str().unwrap())
        .collect();
    assert_eq!(tokens.concat(), "abcdefghij");
    assert_eq!(tokens[0], "a", "the first piece goes at once");
    assert!((2..=4).contains(&tokens.len()), "{tokens:?}");
}

#[tokio::test(start_paused = true)]
async fn without_coalescing_each_piece_is_an_event() {
    let house = House::with(RuntimeConfig { coalesce: Duration::ZERO, ..RuntimeConfig::default() }).await;
    let done = house.run("say", json!({"words": ["a", "b", "c"]})).await;
    assert_eq!(
        types(&done.events),
        [
            "execution.accepted",
            "execution.started",
            "agent.token",
            "agent.token",
            "agent.token",
            "agent.completed",
            "execution.completed"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn turns_of_a_conversation_run_one_after_the_other() {
    let house = House::new().await;
    let mut ids = Vec::new();
    for number in 0..5 {
        let submitted = house.client().submit(message("c1", &format!("m{number}"), "hello")).await.unwrap();
        ids.push(submitted.execution_id);
    }
    for id in &ids {
        assert_eq!(house.done(id).await.status, ExecutionStatus::Completed);
    }
    assert_eq!(house.seen.most_concurrent.load(Ordering::SeqCst), 1);
    let events = house.events(&conversation("c1")).await;
    let seqs: Vec<u64> = events.iter().map(|event| event.seq).collect();
    assert_eq!(seqs, (1..=events.len() as u64).collect::<Vec<u64>>());
}

#[tokio::test(start_paused = true)]
async fn a_message_is_one_turn_however_often_it_comes() {
    let house = House::new().await;
    let first = house.client().submit(message("c1", "m1", "hello")).await.unwrap();
    assert_eq!(house.client().submit(message("c1", "m1", "hello")).await.unwrap(), first);
    let other = house.client().submit(message("c1", "m1", "good bye")).await;
    assert!(matches!(other, Err(RuntimeError::IdempotencyMismatch)));
    house.done(&first.execution_id).await;
    let conversation = house.client().conversation(&owner(), &"c1".parse().unwrap(), None, 50).await.unwrap().unwrap();
    assert_eq!(conversation.summary.title, "hello");
    assert_eq!(conversation.summary.agent_id.as_ref().unwrap().as_str(), "guide");
    let said: Vec<(Role, &str)> =
        conversation.messages.iter().map(|message| (message.role, message.content.as_str())).collect();
    assert_eq!(said, [(Role::User, "hello"), (Role::Assistant, "I heard hello")]);
    let answer = &conversation.messages[1];
    let events = house.events(&crate::house::conversation("c1")).await;
    assert_eq!(events[answer.seq as usize - 1].event_type, EventType::AgentCompleted);
}
