//! The policy is asked before anything is accepted: from outside, from other intents, and through agents.

use std::{sync::Arc, time::Duration};

use contract::{Authority, Code, execution::ExecutionStatus, intent::IntentDescriptor, schedule::CreateSchedule};
use runtime::{
    Policy, Ruling, RuntimeConfig, RuntimeError, SubmitRequest,
    port::store::{PageRequest, Store, StoredSchedule},
};
use serde_json::{Value, json};

use crate::house::{House, owner, request};

/// `echo` is not for viewers and not for the agent `guide`, and `steps` needs a word from everybody.
struct Rules;

impl Policy for Rules {
    fn decide(&self, intent: &IntentDescriptor, authority: &Authority) -> Ruling {
        let is_viewer = authority.roles == ["viewer"];
        let through_guide = authority.agents.iter().any(|agent| agent.as_str() == "guide");
        match intent.intent_type.as_str() {
            "echo" if is_viewer || through_guide => Ruling::Refused("Not echo.".to_owned()),
            "steps" => Ruling::NeedsApproval("Steps need a word.".to_owned()),
            _ => Ruling::Allowed,
        }
    }
}

async fn house() -> House {
    House::judged_by(RuntimeConfig::default(), Arc::new(Rules)).await
}

fn asked(role: &str, intent_type: &str, parameters: Value) -> SubmitRequest {
    let authority = Authority { roles: vec![role.to_owned()], ..Authority::default() };
    SubmitRequest { authority, ..request(intent_type, parameters) }
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_leaves_no_trace() {
    let house = house().await;
    let refused = house.client().submit(asked("viewer", "echo", json!({}))).await;
    assert!(matches!(refused, Err(RuntimeError::Refused(reason)) if reason == "Not echo."));
    assert_eq!(house.seen.times("echo"), 0);
    let page = house.client().executions(&owner(), &Default::default(), PageRequest::first(10)).await.unwrap();
    assert!(page.items.is_empty());
    house.client().submit(asked("member", "echo", json!({}))).await.unwrap();
}

// ASVS 8.3.3: What is done for somebody has their rights, however many intents and agents are between.
#[tokio::test(start_paused = true)]
async fn what_an_intent_calls_has_the_rights_of_whoever_asked() {
    let house = house().await;
    let nested = json!({ "intent": "call" });
    for (role, status, times) in [("viewer", ExecutionStatus::Failed, 0), ("member", ExecutionStatus::Completed, 1)] {
        for parameters in [json!({ "intent": "echo" }), nested.clone()] {
            let id = house.client().submit(asked(role, "call", parameters.clone())).await.unwrap().execution_id;
            let done = house.done(&id).await;
            if parameters == nested {
                // The grandchild is refused; its parent fails, and the call as such completes.
                assert_eq!(done.result["status"], if times == 0 { "failed" } else { "completed" }, "{role}");
            } else {
                assert_eq!(done.status, status, "{role}: {done:?}");
            }
        }
        let problem_times = house.seen.times("echo");
        assert_eq!(problem_times, times * 2, "{role}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_an_agent_asks_for_is_the_agents_wish_too() {
    let house = house().await;
    for (agent, intent, refused) in [
        ("guide", "echo", true),
        ("liaison.content", "echo", false),
        ("guide", "call", true),
        ("liaison.content", "call", false),
    ] {
        let parameters = json!({ "intent": intent, "agent": agent });
        let id = house.client().submit(asked("member", "call", parameters)).await.unwrap().execution_id;
        let done = house.done(&id).await;
        let echoed = done.status == ExecutionStatus::Completed && done.result["status"] == "completed";
        assert_eq!(echoed, !refused, "{agent} {intent}: {done:?}");
        if intent == "echo" && refused {
            let problem = done.problem.unwrap();
            assert_eq!((problem.code.as_str(), problem.message.as_str()), (Code::PolicyRefused.as_str(), "Not echo."));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_scheduled_has_the_rights_of_whoever_scheduled_it() {
    let house = house().await;
    let body = json!({ "intent_type": "echo", "session_id": "sess_1", "cron": "* * * * *" });
    let every: CreateSchedule = serde_json::from_value(body.clone()).unwrap();
    let viewer = Authority { roles: vec!["viewer".to_owned()], ..Authority::default() };
    let refused = house.client().create_schedule(&owner(), viewer.clone(), every.clone()).await;
    assert!(matches!(refused, Err(RuntimeError::Refused(reason)) if reason == "Not echo."));
    let member = Authority { roles: vec!["member".to_owned()], ..Authority::default() };
    let schedule = house.client().create_schedule(&owner(), member, every).await.unwrap();
    // It is asked again each time, with what was kept.
    let kept = house.store.schedule(&owner(), &schedule.schedule_id).await.unwrap().unwrap();
    let revision = kept.revision;
    let weaker = StoredSchedule { authority: Some(viewer), revision: revision + 1, ..kept };
    house.store.put_schedule(weaker, Some(revision)).await.unwrap();
    tokio::time::sleep(Duration::from_secs(61)).await;
    let after = house.client().schedule(&owner(), &schedule.schedule_id).await.unwrap().unwrap();
    assert_eq!(after.last_problem.as_deref(), Some("The policy refuses it: Not echo."));
    assert_eq!(house.seen.times("echo"), 0);
}

#[tokio::test(start_paused = true)]
async fn the_policy_can_want_a_word() {
    let house = house().await;
    let id = house.client().submit(asked("owner", "steps", json!({}))).await.unwrap().execution_id;
    let page = house.client().approvals(&owner(), None, PageRequest::first(10)).await.unwrap();
    assert_eq!((page.items[0].reason.as_str(), house.seen.times("steps")), ("Steps need a word.", 0));
    let word = serde_json::from_value(json!({ "approved": true })).unwrap();
    house.client().decide(&owner(), &page.items[0].hook_id, word).await.unwrap().unwrap();
    assert_eq!(house.done(&id).await.status, ExecutionStatus::Completed);
}
