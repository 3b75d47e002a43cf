//! Handlers that misbehave, and clocks that do: each ends one execution only, or none.

use std::{sync::atomic::Ordering, time::Duration};

use contract::{
    EventType,
    execution::{Execution, ExecutionStatus},
    intent::Timing,
};
use runtime::{RuntimeConfig, SubmitRequest, port::store::ExecutionFilter};
use serde_json::json;

use crate::house::{House, execution, owner, request};

fn code(done: &Execution) -> &str {
    done.problem.as_ref().map_or("", |problem| &problem.code)
}

/// Runs it, sees it fail with the code, and that the house goes on.
async fn ends_alone(house: &House, intent_type: &str, expected: &str) {
    let done = house.run(intent_type, json!({})).await;
    assert_eq!((done.status, code(&done)), (ExecutionStatus::Failed, expected), "{intent_type}");
    assert_eq!(house.run("echo", json!({})).await.status, ExecutionStatus::Completed, "after {intent_type}");
}

#[tokio::test(start_paused = true)]
async fn what_is_too_large_is_not_kept() {
    let house = House::new().await;
    for intent_type in ["huge", "huge_step", "huge_event", "huge_token", "huge_answer", "huge_artifact"] {
        ends_alone(&house, intent_type, "result_too_large").await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_wants_more_memory_than_there_is_breaks_alone() {
    let house = House::new().await;
    ends_alone(&house, "greedy", "handler_panicked").await;
    ends_alone(&house, "panic", "handler_panicked").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_computation_that_never_ends_is_left_behind() {
    let house = House::new().await;
    ends_alone(&house, "spin", "timeout").await;
    house.seen.enough.store(true, Ordering::Relaxed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_handler_that_blocks_its_thread_blocks_no_other() {
    let house = House::new().await;
    let blocking = [house.submit("block", json!({})).await, house.submit("block", json!({})).await];
    assert_eq!(house.run("echo", json!({})).await.status, ExecutionStatus::Completed);
    for id in &blocking {
        assert_eq!(house.done(id).await.status, ExecutionStatus::Completed);
    }
}

#[tokio::test(start_paused = true)]
async fn what_takes_the_process_down_is_given_up() {
    let mut house = House::with(RuntimeConfig { max_attempts: 3, ..RuntimeConfig::default() }).await;
    let id = house.submit("stubborn", json!({})).await;
    for attempt in 1..=3 {
        while house.client().execution(&owner(), &id).await.unwrap().unwrap().attempt < attempt {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        house.crash_and_start().await;
    }
    let done = house.done(&id).await;
    assert_eq!((done.status, code(&done), done.attempt), (ExecutionStatus::Failed, "handler_panicked", 3));
    let dead = ExecutionFilter { dead_letters: true, ..ExecutionFilter::default() };
    let page = runtime::port::store::PageRequest::first(10);
    let dead = house.client().executions(&owner(), &dead, page).await.unwrap().items;
    assert_eq!(dead[0].execution_id, id, "it is a dead letter, and can be driven again");
    assert_eq!(house.run("echo", json!({})).await.status, ExecutionStatus::Completed);
}

/// How long it waited before each further attempt.
fn waits(done: &Execution) -> Vec<Duration> {
    let of = |event_type| done.events.iter().filter(move |event| event.event_type == event_type);
    let starts = of(EventType::ExecutionStarted).skip(1);
    of(EventType::ExecutionRetrying)
        .zip(starts)
        .map(|(failed, begun)| begun.timestamp.since(failed.timestamp))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_handler_and_a_failure_say_when_to_try_again() {
    let house = House::new().await;
    let stoic = house.run("stoic", json!({})).await;
    assert_eq!((stoic.status, stoic.attempt), (ExecutionStatus::Failed, 8));
    let slack = Duration::from_millis(50);
    for (wait, longest) in waits(&stoic).into_iter().zip([10, 20, 40, 40, 40, 40, 40]) {
        let longest = Duration::from_secs(longest);
        assert!(wait >= longest / 2 && wait <= longest + slack, "{wait:?} for at most {longest:?}");
    }
    let patient = house.run("patient", json!({})).await;
    assert_eq!((patient.status, patient.attempt), (ExecutionStatus::Completed, 3));
    for wait in waits(&patient) {
        assert!(wait >= Duration::from_secs(600) && wait <= Duration::from_secs(600) + slack, "{wait:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_jumps_ahead_lets_what_waits_go_on() {
    let house = House::new().await;
    let run_at = Some(house.now().after(Duration::from_secs(3_600)));
    let later = SubmitRequest { timing: Timing { run_at, ..Timing::default() }, ..request("echo", json!({})) };
    let id = house.client().submit(later).await.unwrap().execution_id;
    let running = house.submit("hang", json!({})).await;
    house.until(&execution(&running), EventType::ExecutionStarted).await;
    house.set_clock_wrong(7_200);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(house.client().execution(&owner(), &id).await.unwrap().unwrap().status, ExecutionStatus::Completed);
    let still = house.client().execution(&owner(), &running).await.unwrap().unwrap();
    assert_eq!(still.status, ExecutionStatus::Running, "what runs is measured by a clock that does not jump");
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_jumps_back_loses_and_repeats_nothing() {
    let mut house = House::new().await;
    let before = house.run("steps", json!({})).await;
    let flaky = house.submit("flaky", json!({"times": 2})).await;
    house.until(&execution(&flaky), EventType::ExecutionRetrying).await;
    house.set_clock_wrong(-3_600);
    let after = house.run("steps", json!({})).await;
    assert_eq!((before.status, after.status), (ExecutionStatus::Completed, ExecutionStatus::Completed));
    house.crash_and_start().await;
    // What waits, waits by as much longer.
    assert_eq!(house.done(&flaky).await.status, ExecutionStatus::Completed);
    assert_eq!(house.seen.times("flaky"), 3);
}
