//! What failed for good: found, looked at, and driven again.

use std::time::Duration;

use contract::{EventType, ExecutionId, execution::ExecutionStatus};
use futures_util::future::join_all;
use runtime::{
    RuntimeConfig, RuntimeError, SubmitRequest,
    machine::RedriveRefusal,
    port::store::{ExecutionFilter, PageRequest},
};
use serde_json::json;

use crate::house::{House, execution, owner, request, types};

async fn dead(house: &House) -> Vec<ExecutionId> {
    let filter = ExecutionFilter { dead_letters: true, ..ExecutionFilter::default() };
    let listing = house.client().executions(&owner(), &filter, PageRequest::first(100)).await.unwrap();
    listing.items.into_iter().map(|summary| summary.execution_id).collect()
}

fn once() -> RuntimeConfig {
    RuntimeConfig { max_attempts: 1, ..RuntimeConfig::default() }
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_goes_on_from_its_recorded_steps() {
    let mut house = House::with(once()).await;
    let failed = house.run("breaks_after_a_step", json!({"times": 2})).await;
    assert_eq!(failed.status, ExecutionStatus::Failed);
    let id = failed.execution_id;
    assert_eq!(dead(&house).await, std::slice::from_ref(&id));
    house.crash_and_start().await;
    assert_eq!(house.client().redrive(&owner(), &id).await.unwrap().unwrap().redrives, 1);
    assert_eq!(house.done(&id).await.status, ExecutionStatus::Failed, "it was to break twice");
    house.client().redrive(&owner(), &id).await.unwrap().unwrap();
    let done = house.done(&id).await;
    assert_eq!((done.status, done.attempt, done.redrives), (ExecutionStatus::Completed, 3, 2));
    assert_eq!(house.seen.times("first"), 1, "the recorded step did not run again");
    assert_eq!(dead(&house).await, []);
    let told = types(&done.events);
    assert_eq!(told.iter().filter(|told| **told == "execution.redriven").count(), 2, "{told:?}");
    assert_eq!(told.last(), Some(&"execution.completed"));
}

#[tokio::test(start_paused = true)]
#[expect(clippy::disallowed_methods, reason = "the test waits for each of them")]
async fn many_who_want_it_again_are_one_round() {
    let house = House::with(once()).await;
    let id = house.run("breaks_after_a_step", json!({"times": 1})).await.execution_id;
    let asked = (0..20).map(|_| {
        let (client, id) = (house.client(), id.clone());
        tokio::spawn(async move { client.redrive(&owner(), &id).await })
    });
    for outcome in join_all(asked).await {
        match outcome.unwrap() {
            Ok(Some(_)) => {}
            // It had completed by then.
            Err(RuntimeError::NotRedrivable(RedriveRefusal::NotFailed(ExecutionStatus::Completed))) => {}
            other => panic!("{other:?}"),
        }
    }
    let done = house.done(&id).await;
    assert_eq!((done.status, done.attempt, done.redrives), (ExecutionStatus::Completed, 2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_child_is_driven_again_with_the_one_that_called_it() {
    let house = House::with(once()).await;
    let id = house.run("insists", json!({"intent": "breaks_after_a_step"})).await.execution_id;
    assert_eq!(dead(&house).await, std::slice::from_ref(&id), "a called one is no dead letter of its own");
    let children = ExecutionFilter { parent: Some(id.clone()), ..ExecutionFilter::default() };
    let children = house.client().executions(&owner(), &children, PageRequest::first(10)).await.unwrap().items;
    let child = &children[0].execution_id;
    let refused = house.client().redrive(&owner(), child).await.unwrap_err();
    assert!(matches!(&refused, RuntimeError::NotRedrivable(RedriveRefusal::IsCalled(parent)) if *parent == id));
    house.client().redrive(&owner(), &id).await.unwrap().unwrap();
    let done = house.done(&id).await;
    assert_eq!((done.status, &done.result["child"]), (ExecutionStatus::Completed, &json!(child)));
    let child = house.client().execution(&owner(), child).await.unwrap().unwrap();
    assert_eq!((child.status, child.attempt, child.redrives), (ExecutionStatus::Completed, 2, 1));
    assert_eq!(house.seen.times("first"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_child_that_was_left_behind_is_begun_anew() {
    let mut house = House::new().await;
    let id = house.run("abandons", json!({})).await.execution_id;
    let of_parent = ExecutionFilter { parent: Some(id.clone()), ..ExecutionFilter::default() };
    let children = async |house: &House| {
        let page = PageRequest::first(10);
        house.client().executions(&owner(), &of_parent, page).await.unwrap().items
    };
    for round in 1..=2 {
        let left = children(&house).await;
        assert_eq!(left.len(), round);
        for child in &left {
            assert_eq!(house.done(&child.execution_id).await.status, ExecutionStatus::Cancelled);
        }
        house.client().redrive(&owner(), &id).await.unwrap().unwrap();
        if round == 2 {
            // In the last round its child takes ten seconds: the next process finds that child, and begins no other.
            house.until(&execution(&id), EventType::ExecutionRedriven).await;
            tokio::time::sleep(Duration::from_secs(1)).await;
            house.crash_and_start().await;
        }
        house.done(&id).await;
    }
    let done = house.done(&id).await;
    assert_eq!(done.status, ExecutionStatus::Completed);
    let all = children(&house).await;
    assert_eq!(all.len(), 3, "one for each round");
    let completed: Vec<_> = all.iter().filter(|child| child.status == ExecutionStatus::Completed).collect();
    assert_eq!(completed.len(), 1);
    assert_eq!(done.result["child"], json!(completed[0].execution_id));
}

#[tokio::test(start_paused = true)]
async fn what_has_not_failed_is_not_driven_again() {
    let house = House::new().await;
    let redrive = async |id: &ExecutionId| house.client().redrive(&owner(), id).await;
    let completed = house.run("echo", json!({})).await.execution_id;
    let waiting = house.submit("delete", json!({})).await;
    for (id, status) in [(&completed, ExecutionStatus::Completed), (&waiting, ExecutionStatus::AwaitingApproval)] {
        let refused = redrive(id).await.unwrap_err();
        let RuntimeError::NotRedrivable(RedriveRefusal::NotFailed(found)) = refused else { panic!("{refused:?}") };
        assert_eq!(found, status);
    }
    let stranger = SubmitRequest {
        owner: contract::Owner::Anonymous { session_id: "sess_2".parse().unwrap() },
        ..request("panic", json!({}))
    };
    let foreign = house.client().submit(stranger).await.unwrap().execution_id;
    assert_eq!(redrive(&foreign).await.unwrap(), None, "what is another owner's is not there");
}
