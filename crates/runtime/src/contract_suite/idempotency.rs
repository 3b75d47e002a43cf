//! A retry gets the first answer, and a quota counts each thing once.

use contract::{Owner, Timestamp};
use futures_util::future::join_all;

use super::scene::{Scene, user};
use crate::port::{
    StoreError,
    store::{Idempotency, Submission, SubmitOutcome},
};

fn named(key: &str, fingerprint: u8) -> Idempotency {
    Idempotency { key: key.to_owned(), fingerprint: [fingerprint; 32], expires_at: None }
}

fn keyed(scene: &Scene<'_>, owner: &Owner, key: &str, fingerprint: u8) -> Submission {
    Submission { idempotency: vec![named(key, fingerprint)], ..scene.submission(scene.header(owner)) }
}

pub(super) async fn a_key_returns_the_first_answer(scene: Scene<'_>) {
    let ada = user("ada");
    let first = keyed(&scene, &ada, "k", 1);
    let header = first.state.header.clone();
    scene.submit(first).await;
    for (fingerprint, same) in [(1, true), (2, false), (1, true)] {
        let outcome = scene.store.submit(keyed(&scene, &ada, "k", fingerprint)).await.unwrap();
        let SubmitOutcome::Known { execution_id, intent_id, created_at, same_request } = outcome else {
            panic!("it should be known: {outcome:?}");
        };
        assert_eq!(execution_id, header.execution_id);
        assert_eq!(intent_id, header.intent_id);
        assert_eq!(created_at, header.created_at);
        assert_eq!(same_request, same);
    }
    assert_eq!(scene.store.unfinished(None, 10).await.unwrap().len(), 1);
}

pub(super) async fn each_of_several_keys_is_known(scene: Scene<'_>) {
    let ada = user("ada");
    let both = vec![named("key:k", 1), named("intent:i", 1)];
    let first = Submission { idempotency: both, ..scene.submission(scene.header(&ada)) };
    let id = first.state.header.execution_id.clone();
    scene.submit(first).await;
    let known =
        |outcome: &SubmitOutcome| matches!(outcome, SubmitOutcome::Known { execution_id, .. } if *execution_id == id);
    for key in ["key:k", "intent:i"] {
        assert!(known(&scene.store.submit(keyed(&scene, &ada, key, 1)).await.unwrap()), "{key}");
        let known = scene.store.recall(&ada, key, scene.now()).await.unwrap().unwrap();
        assert_eq!(known.execution_id, id, "{key}");
    }
    assert!(scene.store.recall(&ada, "key:other", scene.now()).await.unwrap().is_none());
    assert!(scene.store.recall(&user("bob"), "key:k", scene.now()).await.unwrap().is_none());
}

pub(super) async fn a_key_is_its_owners(scene: Scene<'_>) {
    let anonymous = Owner::Anonymous { session_id: super::scene::named("sess_secret") };
    for owner in [user("ada"), user("bob"), anonymous] {
        scene.submit(keyed(&scene, &owner, "k", 1)).await;
        scene.submit(keyed(&scene, &owner, "K", 1)).await;
    }
}

pub(super) async fn of_many_twins_one_is_new(scene: Scene<'_>) {
    let twins = (0..32).map(|_| scene.store.submit(keyed(&scene, &user("ada"), "k", 1)));
    let outcomes = join_all(twins.collect::<Vec<_>>()).await;
    let accepted = outcomes.iter().filter(|outcome| matches!(outcome, Ok(SubmitOutcome::Accepted(_)))).count();
    assert_eq!(accepted, 1);
    let known = |outcome: &_| matches!(outcome, Ok(SubmitOutcome::Known { same_request: true, .. }));
    assert_eq!(outcomes.iter().filter(|outcome| known(outcome)).count(), 31);
}

pub(super) async fn a_quota_counts_what_was_accepted(scene: Scene<'_>) {
    let ada = user("ada");
    let limited = |key: &str| Submission { quota: Some(3), ..keyed(&scene, &ada, key, 1) };
    let reached = |outcome| matches!(outcome, Ok(SubmitOutcome::QuotaReached));
    for key in ["a", "b", "c"] {
        scene.submit(limited(key)).await;
    }
    assert!(reached(scene.store.submit(limited("d")).await));
    let again = scene.store.submit(limited("a")).await.unwrap();
    assert!(matches!(again, SubmitOutcome::Known { same_request: true, .. }), "a retry is nothing new: {again:?}");
    assert!(reached(scene.store.submit(limited("d")).await), "what was refused was not remembered");
    let other = Submission { quota: Some(1), ..keyed(&scene, &user("bob"), "a", 1) };
    scene.submit(other).await;
    scene.submit(keyed(&scene, &ada, "d", 1)).await;
}

fn lasting(scene: &Scene<'_>, key: &str, until: Option<i64>) -> Submission {
    let mut submission = keyed(scene, &user("ada"), key, 1);
    let expires_at = until.map(Timestamp::from_millis);
    for idempotency in &mut submission.idempotency {
        idempotency.expires_at = expires_at;
    }
    submission
}

pub(super) async fn a_key_counts_for_its_time(scene: Scene<'_>) {
    let begin = scene.now().as_millis();
    let first = lasting(&scene, "k", Some(begin + 1_000));
    let id = first.state.header.execution_id.clone();
    scene.submit(first).await;
    let recall = async |at: i64| scene.store.recall(&user("ada"), "k", Timestamp::from_millis(at)).await.unwrap();
    assert_eq!(recall(begin + 999).await.unwrap().execution_id, id);
    assert_eq!(recall(begin + 1_000).await, None);
    assert_eq!(scene.store.recall(&user("bob"), "k", scene.now()).await.unwrap(), None);
    let early = scene.store.submit(lasting(&scene, "k", None)).await.unwrap();
    assert!(matches!(early, SubmitOutcome::Known { .. }), "{early:?}");
    let mut late = lasting(&scene, "k", None);
    late.state.header.created_at = Timestamp::from_millis(begin + 1_000);
    let later_id = late.state.header.execution_id.clone();
    scene.submit(late).await;
    assert_eq!(recall(begin + 1_000_000).await.unwrap().execution_id, later_id, "a lasting one stays");
}

pub(super) async fn a_change_can_remember_a_key(scene: Scene<'_>) {
    let pending = scene.pending(scene.header(&user("ada"))).await;
    let remembering = |state: &crate::machine::State, key: &str| {
        let mut change = scene.decided(state, crate::machine::Command::Start);
        change.idempotency = Some(Idempotency { key: key.to_owned(), fingerprint: [3; 32], expires_at: None });
        change
    };
    scene.submit(keyed(&scene, &user("ada"), "taken", 1)).await;
    let refused = scene.store.commit(remembering(&pending, "taken")).await;
    assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");
    let id = pending.header.execution_id.clone();
    assert_eq!(scene.store.execution(&id).await.unwrap(), Some(pending.clone()), "and nothing has changed");
    scene.store.commit(remembering(&pending, "free")).await.unwrap();
    let known = scene.store.recall(&user("ada"), "free", scene.now()).await.unwrap().unwrap();
    assert_eq!((known.execution_id, known.fingerprint), (id, [3; 32]));
}

pub(super) async fn old_keys_go_in_pieces(scene: Scene<'_>) {
    let begin = scene.now().as_millis();
    for number in 0..10 {
        scene.submit(lasting(&scene, &format!("k{number}"), Some(begin + 100 * (number + 1)))).await;
    }
    scene.submit(lasting(&scene, "lasting", None)).await;
    let forget = async |at: i64| scene.store.forget_keys(Timestamp::from_millis(at), 4).await.unwrap();
    assert_eq!(forget(begin).await, 0);
    assert_eq!((forget(begin + 700).await, forget(begin + 700).await, forget(begin + 700).await), (4, 3, 0));
    assert_eq!((forget(begin + 9_000).await, forget(begin + 9_000).await), (3, 0));
    let kept = scene.store.recall(&user("ada"), "lasting", Timestamp::from_millis(begin + 9_000)).await.unwrap();
    assert!(kept.is_some());
}
