//! A message that comes while an earlier turn has not ended, and executions that a client gave the same key.

use std::time::Duration;

use contract::{
    EventType, ExecutionId,
    agent::TurnPolicy::{self, Interrupt, Merge, Queue, Reject},
    conversation::Role,
    execution::ExecutionStatus,
};
use runtime::{RuntimeConfig, RuntimeError, SubmitRequest};
use serde_json::json;

use crate::house::{House, conversation, execution, message, owner, request, turn};

async fn say(house: &House, id: &str, text: &str, policy: TurnPolicy) -> ExecutionId {
    house.client().submit(turn("c", id, text, policy)).await.unwrap().execution_id
}

/// Says the first thing, and waits until it is being answered.
async fn begun(house: &House) -> ExecutionId {
    let first = say(house, "m1", "one", Queue).await;
    house.until(&execution(&first), EventType::AgentToken).await;
    first
}

async fn response(house: &House, id: &ExecutionId) -> (ExecutionStatus, String) {
    let done = house.done(id).await;
    (done.status, done.result["response"].as_str().unwrap_or_default().to_owned())
}

fn completed(said: &str) -> (ExecutionStatus, String) {
    (ExecutionStatus::Completed, said.to_owned())
}

/// All messages of the conversation, as `who: what`.
async fn messages(house: &House) -> Vec<String> {
    let conversation = house.client().conversation(&owner(), &"c".parse().unwrap(), None, 100).await.unwrap().unwrap();
    let said = conversation.messages.iter().map(|message| {
        let who = if message.role == Role::User { "person" } else { "agent" };
        format!("{who}: {}", message.content)
    });
    said.collect()
}

#[tokio::test(start_paused = true)]
async fn queue_answers_one_after_the_other() {
    let house = House::new().await;
    let first = begun(&house).await;
    let second = say(&house, "m2", "two", Queue).await;
    assert_eq!(response(&house, &second).await, completed("about two"));
    assert_eq!(response(&house, &first).await, completed("about one"));
}

#[tokio::test(start_paused = true)]
async fn interrupt_takes_the_place_of_all_before_it_and_keeps_what_was_said() {
    let house = House::new().await;
    let first = begun(&house).await;
    let second = say(&house, "m2", "two", Queue).await;
    let third = say(&house, "m3", "three", Interrupt).await;
    assert_eq!(response(&house, &third).await, completed("about three"));
    for id in [&first, &second] {
        assert_eq!(house.done(id).await.status, ExecutionStatus::Cancelled);
    }
    let expected = ["person: one", "person: two", "person: three", "agent: I think ", "agent: about three"];
    assert_eq!(messages(&house).await, expected);
    // Sent again it is the same turn, and interrupts nobody.
    assert_eq!(say(&house, "m3", "three", Interrupt).await, third);
}

#[tokio::test(start_paused = true)]
async fn an_interruption_is_finished_after_a_crash() {
    let mut house = House::new().await;
    let first = begun(&house).await;
    let second = say(&house, "m2", "two", Interrupt).await;
    house.crash_and_start().await;
    assert_eq!(response(&house, &second).await, completed("about two"));
    assert_eq!(house.done(&first).await.status, ExecutionStatus::Cancelled);
}

#[tokio::test(start_paused = true)]
async fn merge_joins_what_waits_into_one_turn() {
    let mut house = House::new().await;
    let first = begun(&house).await;
    let second = say(&house, "m2", "two", Merge).await;
    let third = say(&house, "m3", "three", Merge).await;
    assert_eq!(second, third);
    assert_eq!(say(&house, "m3", "three", Merge).await, third, "the same message joins once");
    let other = house.client().submit(turn("c", "m3", "something else", Merge)).await;
    assert!(matches!(other, Err(RuntimeError::IdempotencyMismatch)), "{other:?}");
    house.crash_and_start().await;
    assert_eq!(say(&house, "m4", "four", Merge).await, third);
    assert_eq!(response(&house, &third).await, completed("about two\n\nthree\n\nfour"));
    assert_eq!(response(&house, &first).await, completed("about one"));
    let said = messages(&house).await;
    assert_eq!(said.iter().filter(|said| said.starts_with("person")).count(), 4, "each stays a message: {said:?}");
    let told = house.events(&conversation("c")).await;
    assert_eq!(told.iter().filter(|event| event.event_type == EventType::ExecutionMerged).count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_merged_turn_hears_each_of_its_messages_and_none_of_later_turns() {
    let house = House::new().await;
    begun(&house).await;
    let hears = |id: &str, text: &str, policy: TurnPolicy| SubmitRequest {
        intent_type: "hear".to_owned(),
        ..turn("c", id, text, policy)
    };
    let merged = house.client().submit(hears("m2", "two", Merge)).await.unwrap().execution_id;
    assert_eq!(house.client().submit(hears("m3", "three", Merge)).await.unwrap().execution_id, merged);
    let later = house.client().submit(hears("m4", "four", Queue)).await.unwrap().execution_id;
    assert_eq!(house.done(&merged).await.result, json!(["one", "about one", "two", "three"]));
    assert_eq!(house.done(&later).await.result, json!(["one", "two", "three", "about one", "four"]));
}

#[tokio::test(start_paused = true)]
#[expect(clippy::disallowed_methods, reason = "the test waits for each of them")]
async fn many_that_merge_at_once_are_few_turns_and_lose_nothing() {
    let house = House::new().await;
    begun(&house).await;
    let said = (0..20).map(|number| {
        let client = house.client();
        let turn = turn("c", &format!("n{number}"), &format!("<{number}>"), Merge);
        tokio::spawn(async move { client.submit(turn).await.unwrap().execution_id })
    });
    let mut ids: Vec<ExecutionId> = Vec::new();
    for id in futures_util::future::join_all(said).await {
        ids.push(id.unwrap());
    }
    ids.sort();
    ids.dedup();
    // A turn's text has at most a hundred characters here, so that they need more than one.
    assert!(ids.len() <= 3, "{ids:?}");
    let mut answered = String::new();
    for id in &ids {
        answered += &response(&house, id).await.1;
    }
    for number in 0..20 {
        assert_eq!(answered.matches(&format!("<{number}>")).count(), 1, "{number} in {answered}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_joins_a_turn_that_waits_for_a_place_is_answered_with_it() {
    let house = House::with(RuntimeConfig { concurrency: 1, ..RuntimeConfig::default() }).await;
    let busy = house.submit("hang", json!({})).await;
    let first = say(&house, "m1", "one", Merge).await;
    let second = say(&house, "m2", "two", Merge).await;
    assert_eq!(first, second);
    house.client().cancel(&owner(), &busy, "make room").await.unwrap();
    assert_eq!(response(&house, &first).await, completed("about one\n\ntwo"));
    assert_eq!(messages(&house).await, ["person: one", "person: two", "agent: about one\n\ntwo"]);
}

#[tokio::test(start_paused = true)]
async fn merge_joins_only_turns_of_the_same_agent() {
    let house = House::new().await;
    begun(&house).await;
    let of = |id: &str, agent: &str| SubmitRequest {
        parameters: json!({"text": id, "agent_id": agent}).as_object().unwrap().clone(),
        ..turn("c", id, id, Merge)
    };
    let guide = house.client().submit(of("m2", "guide")).await.unwrap().execution_id;
    let liaison = house.client().submit(of("m3", "liaison.content")).await.unwrap().execution_id;
    assert_ne!(guide, liaison);
    assert_eq!(response(&house, &liaison).await, completed("about m3"));
}

#[tokio::test(start_paused = true)]
async fn reject_takes_one_at_a_time_also_over_a_crash() {
    let mut house = House::new().await;
    let first = begun(&house).await;
    let refused = async |house: &House| {
        let outcome = house.client().submit(turn("c", "m2", "two", Reject)).await;
        assert!(matches!(outcome, Err(RuntimeError::TurnInProgress)), "{outcome:?}");
    };
    refused(&house).await;
    house.crash_and_start().await;
    refused(&house).await;
    assert_eq!(say(&house, "m1", "one", Reject).await, first, "a retry is no second message");
    house.done(&first).await;
    let second = say(&house, "m2", "two", Reject).await;
    assert_eq!(response(&house, &second).await, completed("about two"));
}

#[tokio::test(start_paused = true)]
async fn one_of_a_clients_key_runs_at_a_time_and_a_bounded_number_waits() {
    let house = House::with(RuntimeConfig { waiting_per_key: 2, ..RuntimeConfig::default() }).await;
    let keyed = |key: &str| SubmitRequest {
        concurrency_key: Some(key.to_owned()),
        parameters: json!({"words": ["a", "b"]}).as_object().unwrap().clone(),
        ..request("say", json!({}))
    };
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(house.client().submit(keyed("k")).await.unwrap().execution_id);
    }
    let refused = house.client().submit(keyed("k")).await;
    assert!(matches!(refused, Err(RuntimeError::TooManyWaiting)), "{refused:?}");
    let elsewhere = house.client().submit(keyed("other")).await.unwrap().execution_id;
    let mut before = None;
    for id in &ids {
        let done = house.done(id).await;
        assert!(before <= done.started_at, "in their order, one at a time");
        before = done.completed_at;
    }
    house.done(&elsewhere).await;
    house.client().submit(keyed("k")).await.unwrap();
    // A conversation of the same name is another key.
    house.client().submit(message("k", "m1", "a")).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_key_makes_retries_safe_for_its_time() {
    let ttl = Duration::from_secs(3_600);
    let house = House::with(RuntimeConfig { idempotency_ttl: ttl, ..RuntimeConfig::default() }).await;
    let keyed = || SubmitRequest { idempotency_key: Some("k".to_owned()), ..request("echo", json!({})) };
    let first = house.client().submit(keyed()).await.unwrap();
    tokio::time::sleep(Duration::from_secs(3_599)).await;
    assert_eq!(house.client().submit(keyed()).await.unwrap(), first);
    tokio::time::sleep(Duration::from_secs(120)).await;
    assert_ne!(house.client().submit(keyed()).await.unwrap(), first);
}
