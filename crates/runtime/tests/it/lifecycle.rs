//! Executions from their acceptance to their end, over failures, panics and crashes.

use std::time::Duration;

use contract::{EventType, execution::ExecutionStatus};
use runtime::{RuntimeConfig, RuntimeError, SubmitRequest};
use serde_json::json;

use crate::house::{House, execution, owner, request, types};

#[tokio::test(start_paused = true)]
async fn an_intent_is_executed_and_told() {
    let house = House::new().await;
    let done = house.run("echo", json!({"file": "a.csv"})).await;
    assert_eq!(done.status, ExecutionStatus::Completed);
    assert_eq!(done.result, json!({"file": "a.csv"}));
    assert_eq!(types(&done.events), ["execution.accepted", "execution.started", "execution.completed"]);
    assert_eq!(done.events.iter().map(|event| event.seq).collect::<Vec<u64>>(), [1, 2, 3]);
    assert_eq!(done.attempt, 1);
}

#[tokio::test(start_paused = true)]
async fn a_transient_failure_is_tried_again_and_then_given_up() {
    let house = House::new().await;
    let done = house.run("flaky", json!({"times": 3})).await;
    assert_eq!((done.status, done.attempt), (ExecutionStatus::Completed, 4));
    let retries = done.events.iter().filter(|event| event.event_type == EventType::ExecutionRetrying);
    assert_eq!(retries.count(), 3);
    let failed = house.run("flaky", json!({"times": 100})).await;
    assert_eq!((failed.status, failed.attempt), (ExecutionStatus::Failed, 5));
    assert_eq!(failed.error.as_deref(), Some("It is not there just now."));
    assert_eq!(failed.problem.unwrap().code, "unavailable");
}

#[tokio::test(start_paused = true)]
async fn a_panic_ends_one_execution_only() {
    let house = House::new().await;
    let broken = house.run("panic", json!({})).await;
    assert_eq!(broken.status, ExecutionStatus::Failed);
    assert_eq!(broken.problem.unwrap().code, "handler_panicked");
    assert_eq!(house.run("echo", json!({})).await.status, ExecutionStatus::Completed);
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_never_ends_is_stopped() {
    let house = House::new().await;
    let stuck = house.run("stubborn", json!({})).await;
    assert_eq!(stuck.problem.unwrap().code, "timeout");
}

#[tokio::test(start_paused = true)]
async fn a_recorded_step_never_runs_again() {
    let mut house = House::new().await;
    let id = house.submit("steps", json!({"hold": true})).await;
    house.until(&execution(&id), EventType::StepCompleted).await;
    house.crash_and_start().await;
    let done = house.done(&id).await;
    assert_eq!((done.status, done.attempt), (ExecutionStatus::Completed, 2));
    assert_eq!(done.result, json!([1, 1]));
    assert_eq!((house.seen.times("first"), house.seen.times("second")), (1, 1));
    // The stalled worker of the old process wakes up, and can write nothing any more.
    let before = house.events(&execution(&id)).await;
    house.seen.gate.notify_one();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(house.events(&execution(&id)).await, before);
}

#[tokio::test(start_paused = true)]
async fn a_child_is_found_again_after_a_crash() {
    let mut house = House::new().await;
    let id = house.submit("call", json!({"intent": "delete"})).await;
    house.until(&execution(&id), EventType::ExecutionStarted).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    house.crash_and_start().await;
    let waiting = house.client().approvals(&owner(), None, runtime::port::store::PageRequest::first(10)).await.unwrap();
    assert_eq!(waiting.items.len(), 1, "the child was recorded once");
    tokio::time::sleep(Duration::from_secs(1)).await;
    let word = serde_json::from_value(json!({"approved": true})).unwrap();
    house.client().decide(&owner(), &waiting.items[0].hook_id, word).await.unwrap().unwrap();
    let done = house.done(&id).await;
    assert_eq!(done.result["child"], json!(waiting.items[0].execution_id));
    assert_eq!(done.result["status"], "completed");
    assert_eq!(house.seen.times("delete"), 1);
}

#[tokio::test(start_paused = true)]
async fn an_execution_that_takes_the_process_down_is_given_up() {
    let mut house = House::new().await;
    let id = house.submit("stubborn", json!({})).await;
    for _ in 0..5 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        house.crash_and_start().await;
    }
    let done = house.done(&id).await;
    assert_eq!((done.status, done.attempt), (ExecutionStatus::Failed, 5));
    assert_eq!(done.problem.unwrap().code, "handler_panicked");
}

#[tokio::test(start_paused = true)]
async fn a_retry_of_a_submission_returns_the_first_answer() {
    let house = House::new().await;
    let client = house.client();
    let keyed = |file: &str| SubmitRequest {
        idempotency_key: Some("key-1".to_owned()),
        ..request("echo", json!({"file": file}))
    };
    let first = client.submit(keyed("a.csv")).await.unwrap();
    assert_eq!(client.submit(keyed("a.csv")).await.unwrap(), first);
    let other = client.submit(keyed("b.csv")).await;
    assert!(matches!(other, Err(RuntimeError::IdempotencyMismatch)), "{other:?}");
    house.done(&first.execution_id).await;
    assert_eq!(house.seen.times("echo"), 1);
}

#[tokio::test(start_paused = true)]
async fn what_does_not_fit_is_refused_by_name() {
    let house = House::new().await;
    let client = house.client();
    let unknown = client.submit(request("dance", json!({}))).await;
    assert!(matches!(unknown, Err(RuntimeError::UnknownIntent(name)) if name == "dance"));
    let Err(RuntimeError::InvalidParameters(errors)) =
        client.submit(request("echo", json!({"times": "many", "colour": 1}))).await
    else {
        panic!("the parameters do not fit");
    };
    let fields: Vec<&str> = errors.iter().map(|error| error.field.as_str()).collect();
    assert!(fields.contains(&"parameters.times"), "{errors:?}");
    assert!(errors.iter().any(|error| error.message.contains("colour")), "{errors:?}");
    let over = SubmitRequest { quota: Some(0), ..request("echo", json!({})) };
    assert!(matches!(client.submit(over).await, Err(RuntimeError::QuotaReached)));
}

#[tokio::test(start_paused = true)]
async fn parents_that_wait_do_not_keep_children_from_running() {
    let house = House::with(RuntimeConfig { concurrency: 1, ..RuntimeConfig::default() }).await;
    let ids =
        [house.submit("call", json!({"intent": "echo"})).await, house.submit("call", json!({"intent": "echo"})).await];
    for id in &ids {
        assert_eq!(house.done(id).await.result["status"], "completed");
    }
}

#[tokio::test(start_paused = true)]
async fn artifacts_come_with_the_completion() {
    let house = House::new().await;
    let done = house.run("keep", json!({})).await;
    let note = &done.artifacts["note"];
    assert_eq!(note["artifact_id"], done.result);
    assert_eq!(note["produced_by"]["execution_id"], json!(done.execution_id));
}
