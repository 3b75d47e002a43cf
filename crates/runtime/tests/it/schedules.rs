//! What is done again and again: each time once, whatever happens in between.

use std::time::Duration;

use contract::{
    Authority,
    execution::{ExecutionStatus, ExecutionSummary},
    schedule::{CreateSchedule, MissedRuns, Schedule},
};
use runtime::{
    RuntimeError,
    port::store::{ExecutionFilter, PageRequest, Store},
};
use serde_json::{Value, json};

use crate::house::{House, owner};

const MINUTE: Duration = Duration::from_secs(60);

fn every(cron: &str, missed: MissedRuns) -> CreateSchedule {
    let body = json!({ "intent_type": "echo", "session_id": "sess_1", "cron": cron, "missed_runs": missed });
    serde_json::from_value(body).unwrap()
}

async fn create(house: &House, cron: &str, missed: MissedRuns) -> Schedule {
    house.client().create_schedule(&owner(), Authority::default(), every(cron, missed)).await.unwrap()
}

/// What was submitted, oldest first.
async fn fired(house: &House) -> Vec<ExecutionSummary> {
    let filter = ExecutionFilter { intent_type: Some("echo".to_owned()), ..ExecutionFilter::default() };
    let mut fired = house.client().executions(&owner(), &filter, PageRequest::first(200)).await.unwrap().items;
    fired.reverse();
    fired
}

async fn read(house: &House, schedule: &Schedule) -> Schedule {
    house.client().schedule(&owner(), &schedule.schedule_id).await.unwrap().unwrap()
}

#[tokio::test(start_paused = true)]
async fn it_is_done_at_each_of_its_times() {
    let house = House::new().await;
    let schedule = create(&house, "*/5 * * * *", MissedRuns::RunOnce).await;
    tokio::time::sleep(16 * MINUTE).await;
    let fired = fired(&house).await;
    assert_eq!(fired.len(), 3, "{fired:?}");
    for one in &fired {
        assert_eq!(one.status, ExecutionStatus::Completed);
        assert!(one.created_at.as_millis() % 300_000 < 1_000, "at its time: {}", one.created_at);
    }
    let now = read(&house, &schedule).await;
    assert_eq!(now.last_execution_id.as_ref(), Some(&fired[2].execution_id));
    assert_eq!(now.next_at.unwrap().since(now.last_at.unwrap()), 5 * MINUTE);
}

#[tokio::test(start_paused = true)]
async fn what_was_missed_is_made_up_for_as_it_is_wanted() {
    for (missed, expected) in [(MissedRuns::Skip, 0), (MissedRuns::RunOnce, 1), (MissedRuns::RunAll, 4)] {
        let mut house = House::new().await;
        let schedule = create(&house, "0 * * * *", missed).await;
        house.runtime.take().unwrap().stop(Duration::ZERO).await;
        // Until ten minutes after the fourth time.
        let first = schedule.next_at.unwrap().since(house.now());
        tokio::time::sleep(first + 190 * MINUTE).await;
        house.start().await;
        tokio::time::sleep(MINUTE).await;
        assert_eq!(fired(&house).await.len(), expected, "{missed:?}");
        tokio::time::sleep(60 * MINUTE).await;
        assert_eq!(fired(&house).await.len(), expected + 1, "{missed:?}: it goes on");
    }
}

#[tokio::test(start_paused = true)]
async fn a_crash_between_firing_and_going_on_fires_nothing_twice() {
    let mut house = House::new().await;
    let schedule = create(&house, "0 * * * *", MissedRuns::RunAll).await;
    let before = house.store.schedule(&owner(), &schedule.schedule_id).await.unwrap().unwrap();
    tokio::time::sleep(61 * MINUTE).await;
    assert_eq!(fired(&house).await.len(), 1);
    // As if the process had gone after the submission: the schedule is where it was.
    house.runtime.take().unwrap().stop(Duration::ZERO).await;
    let after = house.store.schedule(&owner(), &schedule.schedule_id).await.unwrap().unwrap();
    let revision = after.revision;
    let back = runtime::port::store::StoredSchedule { revision: revision + 1, ..before };
    house.store.put_schedule(back, Some(revision)).await.unwrap();
    house.start().await;
    tokio::time::sleep(MINUTE).await;
    let fired = fired(&house).await;
    assert_eq!(fired.len(), 1, "{fired:?}");
    let now = read(&house, &schedule).await;
    assert_eq!((now.last_execution_id, now.next_at), (Some(fired[0].execution_id.clone()), after.schedule.next_at));
}

#[tokio::test(start_paused = true)]
async fn what_is_paused_or_deleted_is_not_done() {
    let house = House::new().await;
    let paused = create(&house, "0 * * * *", MissedRuns::RunAll).await;
    let deleted = create(&house, "0 * * * *", MissedRuns::RunAll).await;
    let client = house.client();
    let now = client.pause_schedule(&owner(), &paused.schedule_id, true).await.unwrap().unwrap();
    assert_eq!((now.paused, now.next_at), (true, None));
    assert!(client.delete_schedule(&owner(), &deleted.schedule_id).await.unwrap());
    tokio::time::sleep(180 * MINUTE).await;
    assert_eq!(fired(&house).await, []);
    client.pause_schedule(&owner(), &paused.schedule_id, false).await.unwrap().unwrap();
    tokio::time::sleep(60 * MINUTE).await;
    assert_eq!(fired(&house).await.len(), 1, "what passed in the pause is not missed");
    let strange = contract::Owner::Anonymous { session_id: "sess_2".parse().unwrap() };
    assert_eq!(client.schedule(&strange, &paused.schedule_id).await.unwrap(), None);
    assert_eq!(client.pause_schedule(&strange, &paused.schedule_id, true).await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn what_makes_no_sense_is_refused_by_its_field() {
    let house = House::new().await;
    let good = json!({ "intent_type": "echo", "session_id": "sess_1", "cron": "0 9 * * *" });
    for (field, value, refused) in [
        ("cron", json!("soon"), "cron"),
        ("cron", json!("0 0 31 4 *"), "cron"),
        ("time_zone", json!("Europe/Atlantis"), "time_zone"),
        ("parameters", json!({"times": "many"}), "parameters.times"),
    ] {
        let mut body = good.clone();
        body[field] = value;
        let new: CreateSchedule = serde_json::from_value::<Value>(body).and_then(serde_json::from_value).unwrap();
        let outcome = house.client().create_schedule(&owner(), Authority::default(), new).await.unwrap_err();
        let RuntimeError::InvalidParameters(errors) = outcome else { panic!("{outcome:?}") };
        assert_eq!(errors[0].field, refused);
    }
}
