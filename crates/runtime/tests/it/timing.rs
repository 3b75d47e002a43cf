//! When an execution runs: not before its time, not after its deadline, and the urgent ones first.

use std::time::Duration;

use contract::{
    Timestamp,
    execution::{Execution, ExecutionStatus},
    intent::{Priority, Timing},
};
use runtime::{RuntimeConfig, RuntimeError, SubmitRequest};
use serde_json::json;

use super::house::{House, execution, message, request, types};

fn timed(intent_type: &str, parameters: serde_json::Value, timing: Timing) -> SubmitRequest {
    SubmitRequest { timing, ..request(intent_type, parameters) }
}

fn in_seconds(house: &House, seconds: u64) -> Option<Timestamp> {
    Some(house.now().after(Duration::from_secs(seconds)))
}

fn code(execution: &Execution) -> &str {
    execution.problem.as_ref().map_or("", |problem| &problem.code)
}

#[tokio::test(start_paused = true)]
async fn what_is_delayed_waits_and_survives_a_crash() {
    let mut house = House::new().await;
    let timing = Timing { run_at: in_seconds(&house, 3_600), ..Timing::default() };
    let id = house.client().submit(timed("echo", json!({}), timing)).await.unwrap().execution_id;
    tokio::time::sleep(Duration::from_secs(3_599)).await;
    assert_eq!(house.seen.times("echo"), 0);
    house.crash_and_start().await;
    let done = house.done(&id).await;
    assert_eq!(done.status, ExecutionStatus::Completed);
    assert!(done.started_at >= timing.run_at, "{:?} is before {:?}", done.started_at, timing.run_at);
}

#[tokio::test(start_paused = true)]
async fn what_is_delayed_can_be_cancelled() {
    let house = House::new().await;
    let timing = Timing { run_at: in_seconds(&house, 60), ..Timing::default() };
    let id = house.client().submit(timed("echo", json!({}), timing)).await.unwrap().execution_id;
    house.client().cancel(&super::house::owner(), &id, "not any more").await.unwrap();
    tokio::time::sleep(Duration::from_secs(120)).await;
    assert_eq!(house.done(&id).await.status, ExecutionStatus::Cancelled);
    assert_eq!(house.seen.times("echo"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_ends_whatever_it_meets() {
    let house = House::new().await;
    for (intent_type, parameters, starts) in [
        ("hang", json!({}), true),
        ("stubborn", json!({}), true),
        ("delete", json!({}), false),
        ("flaky", json!({"times": 1_000_000}), true),
        // The child inherits the deadline; the parent ends by its own.
        ("call", json!({"intent": "stubborn"}), true),
    ] {
        let timing = Timing { deadline: in_seconds(&house, 90), ..Timing::default() };
        let submitted = house.client().submit(timed(intent_type, parameters, timing)).await.unwrap();
        let done = house.done(&submitted.execution_id).await;
        assert_eq!(done.status, ExecutionStatus::Failed, "{intent_type}");
        let expected = if intent_type == "flaky" { "unavailable" } else { "timeout" };
        assert_eq!(code(&done), expected, "{intent_type}");
        assert!(done.completed_at <= timing.deadline.map(|deadline| deadline.after(Duration::from_secs(6))));
        let events = house.events(&execution(&submitted.execution_id)).await;
        assert_eq!(types(&events).contains(&"execution.started"), starts, "{intent_type}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_deadline_ends_a_turn_that_waits_for_another() {
    let house = House::new().await;
    let long: Vec<String> = (0..40_000).map(|_| "word ".to_owned()).collect();
    let first =
        SubmitRequest { parameters: json!({"words": long}).as_object().unwrap().clone(), ..message("c", "m1", "a") };
    let first = house.client().submit(first).await.unwrap().execution_id;
    let timing = Timing { deadline: in_seconds(&house, 30), ..Timing::default() };
    let second = SubmitRequest { timing, ..message("c", "m2", "b") };
    let second = house.client().submit(second).await.unwrap().execution_id;
    let ended = house.done(&second).await;
    assert_eq!((ended.status, code(&ended)), (ExecutionStatus::Failed, "timeout"));
    assert_eq!(house.done(&first).await.status, ExecutionStatus::Completed);
    // The conversation goes on after it.
    let third = house.client().submit(message("c", "m3", "c")).await.unwrap().execution_id;
    assert_eq!(house.done(&third).await.status, ExecutionStatus::Completed);
}

#[tokio::test(start_paused = true)]
async fn times_that_make_no_sense_are_refused() {
    let house = House::new().await;
    let second = |seconds| in_seconds(&house, seconds);
    for (run_at, deadline, field) in [
        (None, Some(house.now()), "deadline"),
        (second(60), second(60), "deadline"),
        (second(400 * 24 * 60 * 60), None, "run_at"),
    ] {
        let timing = Timing { run_at, deadline, priority: Priority::Normal };
        let refused = house.client().submit(timed("echo", json!({}), timing)).await.unwrap_err();
        let RuntimeError::InvalidParameters(errors) = refused else { panic!("{refused}") };
        assert_eq!(errors[0].field, field);
    }
    assert_eq!(house.seen.times("echo"), 0);
}

#[tokio::test(start_paused = true)]
async fn the_urgent_come_first() {
    let house = House::with(RuntimeConfig { concurrency: 1, ..RuntimeConfig::default() }).await;
    let words = json!({"words": ["a", "b"]});
    let first = house.submit("say", words.clone()).await;
    let mut waiting = Vec::new();
    for priority in [Priority::Low, Priority::Normal, Priority::High] {
        let request = timed("say", words.clone(), Timing { priority, ..Timing::default() });
        waiting.push(house.client().submit(request).await.unwrap().execution_id);
    }
    house.done(&first).await;
    let mut started = Vec::new();
    for id in &waiting {
        started.push(house.done(id).await.started_at.unwrap());
    }
    assert!(started[2] < started[1] && started[1] < started[0], "{started:?}");
}
