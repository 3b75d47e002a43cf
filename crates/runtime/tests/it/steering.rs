//! Decisions from outside: cancellations and approvals.

use std::time::Duration;

use contract::{
    EventType, Owner,
    approval::{Approval, ApprovalStatus, Decision},
    execution::ExecutionStatus,
    intent::ApprovalRule,
};
use runtime::{
    RuntimeConfig, RuntimeError, SubmitRequest,
    port::store::{Decider, PageRequest},
};
use serde_json::{Value, json};

use crate::house::{House, conversation, execution, message, object, owner, types};

async fn pending(house: &House) -> Approval {
    let page = house.client().approvals(&owner(), Some(ApprovalStatus::Pending), PageRequest::first(10)).await.unwrap();
    assert_eq!(page.items.len(), 1);
    page.items[0].clone()
}

fn word(word: Value) -> Decision {
    serde_json::from_value(word).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_running_execution_is_told_to_stop() {
    let house = House::new().await;
    let id = house.submit("hang", json!({})).await;
    house.until(&execution(&id), EventType::ExecutionStarted).await;
    for _ in 0..2 {
        house.client().cancel(&owner(), &id, "enough").await.unwrap().unwrap();
    }
    let done = house.done(&id).await;
    assert_eq!(done.status, ExecutionStatus::Cancelled);
    assert_eq!(types(&done.events).last(), Some(&"execution.cancelled"));
    let again = house.client().cancel(&owner(), &id, "again").await.unwrap().unwrap();
    assert_eq!(again.error.as_deref(), Some("It was told to stop."));
}

#[tokio::test(start_paused = true)]
async fn one_that_does_not_listen_is_dropped() {
    let house = House::new().await;
    let id = house.submit("stubborn", json!({})).await;
    house.until(&execution(&id), EventType::ExecutionStarted).await;
    house.client().cancel(&owner(), &id, "enough").await.unwrap();
    assert_eq!(house.done(&id).await.error.as_deref(), Some("enough"));
}

#[tokio::test(start_paused = true)]
async fn one_that_waits_for_its_turn_never_runs() {
    let house = House::with(RuntimeConfig { concurrency: 1, ..RuntimeConfig::default() }).await;
    let first = house.submit("hang", json!({})).await;
    let second = house.submit("echo", json!({})).await;
    house.client().cancel(&owner(), &second, "changed my mind").await.unwrap();
    house.client().cancel(&owner(), &first, "go on").await.unwrap();
    assert_eq!(house.done(&second).await.status, ExecutionStatus::Cancelled);
    assert_eq!(house.run("echo", json!({})).await.status, ExecutionStatus::Completed);
    assert_eq!(house.seen.times("echo"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_cancellation_reaches_the_children() {
    let house = House::new().await;
    let id = house.submit("call", json!({"intent": "delete"})).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let approval = pending(&house).await;
    house.client().cancel(&owner(), &id, "enough").await.unwrap();
    assert_eq!(house.done(&id).await.status, ExecutionStatus::Cancelled);
    assert_eq!(house.done(&approval.execution_id).await.status, ExecutionStatus::Cancelled);
    let page = house.client().approvals(&owner(), None, PageRequest::first(10)).await.unwrap();
    assert_eq!(page.items[0].status, ApprovalStatus::Withdrawn);
}

#[tokio::test(start_paused = true)]
async fn an_approval_is_decided_once_with_corrections_that_fit() {
    let house = House::new().await;
    let id = house.submit("delete", json!({"file": "a.csv"})).await;
    let approval = pending(&house).await;
    assert_eq!(approval.proposed.parameters["file"], "a.csv");
    assert_eq!(house.seen.times("delete"), 0);
    let client = house.client();
    let unfit = word(json!({"approved": true, "corrections": {"file": 7}}));
    let refused = client.decide(&owner(), &approval.hook_id, unfit).await;
    assert!(matches!(refused, Err(RuntimeError::InvalidParameters(_))), "{refused:?}");
    let fit = word(json!({"approved": true, "corrections": {"file": "b.csv"}}));
    let decided = client.decide(&owner(), &approval.hook_id, fit.clone()).await.unwrap().unwrap();
    assert_eq!(decided.status, ApprovalStatus::Approved);
    let again = client.decide(&owner(), &approval.hook_id, fit).await;
    assert!(matches!(again, Err(RuntimeError::AlreadyDecided(ApprovalStatus::Approved))), "{again:?}");
    assert_eq!(house.done(&id).await.result, json!({"file": "b.csv"}));
}

#[tokio::test(start_paused = true)]
#[expect(clippy::disallowed_methods, reason = "the test waits for each of them")]
async fn many_words_at_once_are_one_decision() {
    let house = House::new().await;
    let id = house.submit("delete", json!({})).await;
    let hook_id = pending(&house).await.hook_id;
    let words = (0..20).map(|number| {
        let (client, hook_id) = (house.client(), hook_id.clone());
        tokio::spawn(async move { client.decide(&owner(), &hook_id, word(json!({"approved": number % 2 == 0}))).await })
    });
    let mut decided = 0;
    for outcome in futures_util::future::join_all(words).await {
        match outcome.unwrap() {
            Ok(Some(_)) => decided += 1,
            Err(RuntimeError::AlreadyDecided(_)) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(decided, 1);
    assert!(house.done(&id).await.status.has_ended());
}

#[tokio::test(start_paused = true)]
async fn a_refused_proposal_never_happens() {
    let house = House::new().await;
    let id = house.submit("delete", json!({})).await;
    let hook_id = pending(&house).await.hook_id;
    let refusal = word(json!({"approved": false, "rejection_reason": "I need it"}));
    house.client().decide(&owner(), &hook_id, refusal).await.unwrap().unwrap();
    let done = house.done(&id).await;
    assert_eq!(done.status, ExecutionStatus::Cancelled);
    assert_eq!(done.problem.unwrap().code, "approval_rejected");
    assert_eq!(house.seen.times("delete"), 0);
}

#[tokio::test(start_paused = true)]
async fn an_approval_expires_also_over_a_restart() {
    let mut house = House::new().await;
    let id = house.submit("delete", json!({})).await;
    house.crash_and_start().await;
    let done = house.done(&id).await;
    assert_eq!(done.problem.unwrap().code, "approval_expired");
    assert_eq!(
        types(&done.events),
        [
            "execution.accepted",
            "execution.awaiting_approval",
            "approval.pending",
            "approval.expired",
            "execution.cancelled"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_word_that_comes_too_late_is_refused() {
    let house = House::new().await;
    let id = house.submit("delete", json!({})).await;
    let approval = pending(&house).await;
    // The clock goes ahead of the timer that would have ended it.
    house.set_clock_wrong(approval.expires_at.since(house.now()).as_secs().cast_signed() + 1);
    let late = house.client().decide(&owner(), &approval.hook_id, word(json!({"approved": true}))).await;
    assert!(matches!(late, Err(RuntimeError::AlreadyDecided(ApprovalStatus::Expired))), "{late:?}");
    assert_eq!(house.done(&id).await.problem.unwrap().code, "approval_expired");
    assert_eq!(house.seen.times("delete"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_conversation_goes_on_while_a_turn_waits_for_a_word() {
    let house = House::new().await;
    let waits = SubmitRequest {
        intent_type: "call".to_owned(),
        parameters: object(json!({"intent": "echo", "approve": true})),
        ..message("c1", "m1", "delete it")
    };
    let first = house.client().submit(waits).await.unwrap().execution_id;
    house.until(&conversation("c1"), EventType::ApprovalPending).await;
    let second = house.client().submit(message("c1", "m2", "hello")).await.unwrap().execution_id;
    assert_eq!(house.done(&second).await.status, ExecutionStatus::Completed);
    // The key comes back: a third turn runs beside nobody while the first goes on.
    let hook_id = pending(&house).await.hook_id;
    house.client().decide(&owner(), &hook_id, word(json!({"approved": true}))).await.unwrap();
    assert_eq!(house.done(&first).await.status, ExecutionStatus::Completed);
    let third = house.client().submit(message("c1", "m3", "bye")).await.unwrap().execution_id;
    assert_eq!(house.done(&third).await.status, ExecutionStatus::Completed);
    assert_eq!(house.seen.most_concurrent.load(std::sync::atomic::Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_is_stopped_while_it_waits_gives_back_what_it_has_once() {
    let house = House::with(RuntimeConfig { concurrency: 1, ..RuntimeConfig::default() }).await;
    for number in 0..3 {
        let waits = SubmitRequest {
            intent_type: "call".to_owned(),
            parameters: object(json!({"intent": "delete"})),
            ..message("c1", &format!("m{number}"), "delete it")
        };
        let id = house.client().submit(waits).await.unwrap().execution_id;
        house.until(&execution(&id), EventType::ApprovalPending).await;
        house.client().cancel(&owner(), &id, "enough").await.unwrap();
        assert_eq!(house.done(&id).await.status, ExecutionStatus::Cancelled);
    }
    let mut turns = Vec::new();
    for number in 0..3 {
        turns.push(house.client().submit(message("c1", &format!("n{number}"), "hello")).await.unwrap().execution_id);
    }
    for id in turns {
        assert_eq!(house.done(&id).await.status, ExecutionStatus::Completed);
    }
    assert_eq!(house.seen.most_concurrent.load(std::sync::atomic::Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn the_children_of_what_ended_end_too() {
    let house = House::new().await;
    // The time limit of the handlers drops the parent while its child waits for a word.
    let id = house.submit("call", json!({"intent": "delete"})).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let child = pending(&house).await.execution_id;
    assert_eq!(house.done(&id).await.problem.unwrap().code, "timeout");
    let child = house.done(&child).await;
    assert_eq!(child.error.as_deref(), Some("What asked for it has ended."));
}

#[tokio::test(start_paused = true)]
async fn an_agents_call_can_need_approval() {
    let house = House::new().await;
    let id = house.submit("call", json!({"intent": "echo", "approve": true})).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let approval = pending(&house).await;
    assert_eq!(approval.reason, "A test wants it.");
    house.client().decide(&owner(), &approval.hook_id, word(json!({"approved": false}))).await.unwrap();
    assert_eq!(house.done(&id).await.result["status"], "cancelled");
}

fn colleague(name: &str, roles: &[&str]) -> Decider {
    let Owner::User { tenant_id, .. } = owner() else { panic!("the owner is in a tenant") };
    let owner = Owner::User { tenant_id, user_id: name.parse().unwrap() };
    Decider { owner, roles: roles.iter().map(|role| (*role).to_owned()).collect() }
}

#[tokio::test(start_paused = true)]
async fn a_role_decides_in_its_tenant_and_the_owner_does_not() {
    let mut house = House::new().await;
    let id = house.submit("grave", json!({"file": "a.csv"})).await;
    let hook_id = pending(&house).await.hook_id;
    house.crash_and_start().await;
    let client = house.client();
    let yes = || word(json!({"approved": true, "corrections": {"file": "b.csv"}}));
    let refused = client.decide(&owner(), &hook_id, yes()).await;
    assert!(matches!(&refused, Err(RuntimeError::RoleNeeded(role)) if role == "admin"), "{refused:?}");
    assert_eq!(client.decide(colleague("user_2", &["member"]), &hook_id, yes()).await.unwrap(), None);
    let elsewhere = Owner::User { tenant_id: "tenant_2".parse().unwrap(), user_id: "user_3".parse().unwrap() };
    let stranger = Decider { owner: elsewhere, roles: vec!["admin".to_owned()] };
    assert_eq!(client.decide(stranger, &hook_id, yes()).await.unwrap(), None);
    assert_eq!(house.seen.times("grave"), 0);

    let admin = colleague("user_2", &["member", "admin"]);
    let inbox = client.approvals(admin.clone(), Some(ApprovalStatus::Pending), PageRequest::first(10)).await.unwrap();
    assert_eq!(inbox.items.len(), 1);
    let unfit = word(json!({"approved": true, "corrections": {"file": 7}}));
    let refused = client.decide(admin.clone(), &hook_id, unfit).await;
    assert!(matches!(refused, Err(RuntimeError::InvalidParameters(_))), "{refused:?}");
    let decided = client.decide(admin.clone(), &hook_id, yes()).await.unwrap().unwrap();
    assert_eq!(decided.decided_by.as_ref().map(|user_id| user_id.as_str()), Some("user_2"));
    let again = client.decide(admin, &hook_id, yes()).await;
    assert!(matches!(again, Err(RuntimeError::AlreadyDecided(ApprovalStatus::Approved))), "{again:?}");
    assert_eq!(house.done(&id).await.result, json!({"file": "b.csv"}));
}

#[tokio::test(start_paused = true)]
async fn an_approved_one_that_fails_is_tried_again_without_another_word() {
    let policy = [("flaky".to_owned(), ApprovalRule::Owner)].into();
    let mut house = House::with_policy(policy).await;
    let id = house.submit("flaky", json!({"times": 2})).await;
    let hook_id = pending(&house).await.hook_id;
    house.client().decide(&owner(), &hook_id, word(json!({"approved": true}))).await.unwrap().unwrap();
    // The decision is durable before anything runs.
    house.crash_and_start().await;
    let done = house.done(&id).await;
    assert_eq!(done.status, ExecutionStatus::Completed);
    assert_eq!(types(&done.events).iter().filter(|told| **told == "approval.decided").count(), 1);
    assert_eq!(types(&done.events).iter().filter(|told| **told == "execution.retrying").count(), 2);
}
