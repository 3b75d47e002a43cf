//! Executions of one concurrency key: found while they have not ended, and held back by a gate.

use futures_util::future::join_all;

use super::scene::{Scene, user};
use crate::{
    machine::{Command, Header},
    port::store::{Gate, Submission, SubmitOutcome},
};

fn keyed(scene: &Scene<'_>, key: &str) -> Header {
    Header { concurrency_key: Some(key.to_owned()), ..scene.header(&user("ada")) }
}

fn gated(scene: &Scene<'_>, key: &str, gate: Gate) -> Submission {
    Submission { gate: Some(gate), ..scene.submission(keyed(scene, key)) }
}

pub(super) async fn unfinished_ones_are_found_by_their_key(scene: Scene<'_>) {
    let first = scene.running(keyed(&scene, "k")).await;
    let second = scene.pending(keyed(&scene, "k")).await;
    scene.pending(keyed(&scene, "other")).await;
    scene.pending(scene.header(&user("ada"))).await;
    let found = async |limit| scene.store.unfinished_of_key("k", limit).await.unwrap();
    assert_eq!(found(10).await, [first.clone(), second.clone()]);
    assert_eq!(found(1).await, std::slice::from_ref(&first));
    scene.complete(&first).await;
    assert_eq!(found(10).await, [second]);
    assert_eq!(scene.store.unfinished_of_key("nothing", 10).await.unwrap(), []);
}

pub(super) async fn a_gate_holds_whoever_comes_together(scene: Scene<'_>) {
    let together = (0..32).map(|_| scene.store.submit(gated(&scene, "k", Gate::AtMost(0))));
    let outcomes = join_all(together.collect::<Vec<_>>()).await;
    let count =
        |wanted: fn(&SubmitOutcome) -> bool| outcomes.iter().flatten().filter(|outcome| wanted(outcome)).count();
    assert_eq!(count(|outcome| matches!(outcome, SubmitOutcome::Accepted(_))), 1);
    assert_eq!(count(|outcome| matches!(outcome, SubmitOutcome::Held)), 31);

    let held = async |key: &str, gate| match scene.store.submit(gated(&scene, key, gate)).await.unwrap() {
        SubmitOutcome::Accepted(_) => false,
        SubmitOutcome::Held => true,
        other => panic!("{other:?}"),
    };
    assert!(!held("elsewhere", Gate::AtMost(0)).await, "another key is free");
    assert!(!held("k", Gate::AtMost(1)).await);
    assert!(held("k", Gate::AtMost(1)).await, "two have not ended");
    assert!(held("k", Gate::NoneWaiting).await);
    let unfinished = scene.store.unfinished_of_key("k", 10).await.unwrap();
    assert_eq!(unfinished.len(), 2, "what was held left nothing");
    let running = scene.advance(&unfinished[0], Command::Start).await;
    let other = scene.advance(&unfinished[1], Command::Start).await;
    assert!(!held("k", Gate::NoneWaiting).await, "none of them waits any more");
    scene.complete(&running).await;
    scene.complete(&other).await;
    assert!(!held("k", Gate::AtMost(1)).await);
}
