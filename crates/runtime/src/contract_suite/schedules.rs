//! Schedules are kept with the time at which they are due.

use contract::{
    Authority, Owner, ScheduleId, Timestamp,
    intent::Priority,
    schedule::{MissedRuns, Schedule},
};

use super::scene::{Scene, named, user};
use crate::port::{
    StoreError,
    store::{Object, PageRequest, StoredSchedule},
};

fn due_at(scene: &Scene<'_>, owner: &Owner, next_at: Option<i64>) -> StoredSchedule {
    let created_at = scene.now();
    let schedule = Schedule {
        schedule_id: ScheduleId::from_parts(created_at, [0; 10]),
        intent_type: "profile_data".to_owned(),
        session_id: named("sess_1"),
        parameters: Object::new(),
        metadata: Object::new(),
        cron: "0 9 * * *".to_owned(),
        time_zone: "UTC".to_owned(),
        missed_runs: MissedRuns::RunAll,
        priority: Priority::Low,
        paused: next_at.is_none(),
        next_at: next_at.map(Timestamp::from_millis),
        last_at: None,
        last_execution_id: None,
        last_problem: None,
        created_at,
    };
    let authority = Some(Authority { roles: vec!["member".to_owned()], ..Authority::default() });
    StoredSchedule { owner: owner.clone(), authority, schedule, revision: 1 }
}

pub(super) async fn a_schedule_changes_behind_its_fence(scene: Scene<'_>) {
    let ada = user("ada");
    let first = due_at(&scene, &ada, Some(100));
    let id = &first.schedule.schedule_id;
    let put = async |schedule: &StoredSchedule, revision| scene.store.put_schedule(schedule.clone(), revision).await;
    assert!(matches!(put(&first, Some(1)).await, Err(StoreError::Conflict)), "it is not there yet");
    put(&first, None).await.unwrap();
    assert!(matches!(put(&first, None).await, Err(StoreError::Conflict)), "it is there already");
    let mut second = StoredSchedule { revision: 2, ..first.clone() };
    second.schedule.next_at = None;
    put(&second, Some(1)).await.unwrap();
    assert!(matches!(put(&second, Some(1)).await, Err(StoreError::Conflict)), "somebody was faster");
    assert_eq!(scene.store.schedule(&ada, id).await.unwrap(), Some(second));
    assert_eq!(scene.store.next_schedule().await.unwrap(), None);
    assert!(scene.store.delete_schedule(&ada, id).await.unwrap());
    assert!(!scene.store.delete_schedule(&ada, id).await.unwrap());
    assert_eq!(scene.store.schedule(&ada, id).await.unwrap(), None);
}

pub(super) async fn the_longest_due_come_first(scene: Scene<'_>) {
    for next_at in [Some(300), Some(100), None, Some(200), Some(400)] {
        scene.store.put_schedule(due_at(&scene, &user("ada"), next_at), None).await.unwrap();
    }
    let due = async |now, limit| -> Vec<i64> {
        let due = scene.store.due_schedules(Timestamp::from_millis(now), limit).await.unwrap();
        due.iter().map(|stored| stored.schedule.next_at.unwrap().as_millis()).collect()
    };
    assert_eq!(due(99, 10).await, [] as [i64; 0]);
    assert_eq!(due(300, 10).await, [100, 200, 300]);
    assert_eq!(due(1_000, 2).await, [100, 200]);
    assert_eq!(scene.store.next_schedule().await.unwrap(), Some(Timestamp::from_millis(100)));
}

pub(super) async fn schedules_are_their_owners(scene: Scene<'_>) {
    let (ada, bob) = (user("ada"), user("bob"));
    let mut expected = Vec::new();
    for _ in 0..5 {
        let schedule = due_at(&scene, &ada, Some(100));
        scene.store.put_schedule(schedule.clone(), None).await.unwrap();
        expected.insert(0, schedule);
    }
    let first = scene.store.schedules(&ada, PageRequest::first(3)).await.unwrap();
    assert_eq!(first.items, expected[..3]);
    let next = PageRequest { cursor: first.next_cursor, ..PageRequest::first(3) };
    let second = scene.store.schedules(&ada, next).await.unwrap();
    assert_eq!((second.items.as_slice(), second.next_cursor), (&expected[3..], None));
    let id = &expected[0].schedule.schedule_id;
    assert_eq!(scene.store.schedules(&bob, PageRequest::first(3)).await.unwrap().items, []);
    assert_eq!(scene.store.schedule(&bob, id).await.unwrap(), None);
    assert!(!scene.store.delete_schedule(&bob, id).await.unwrap());
    assert!(scene.store.schedule(&ada, id).await.unwrap().is_some());
}
