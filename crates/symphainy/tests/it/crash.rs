//! A kill in the middle of a turn loses nothing that was told.

use rustix::process::Signal;
use serde_json::json;

use crate::{
    person::{Person, ends_turn, last, seqs, spoken},
    process::Place,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_turn_completes_after_the_restart_without_a_hole() {
    let place = Place::new();
    // Slow enough to be killed in the middle.
    place.set("[agents]\ncoalesce = \"0ms\"\n[agents.builtin]\npace = \"20ms\"\n");
    let server = place.serve(&[]);
    let ada = Person::register(&server.url, "Ada").await;
    let mut socket = ada.socket().await;
    socket.say("c1", "m1", "what can I do here?").await;
    let mut before = Vec::new();
    for _ in 0..5 {
        before.extend(socket.until(|frame| frame["event_type"] == "agent.token").await);
    }
    assert!(!before.iter().any(ends_turn));
    server.kill();
    // What was under way reached us or did not; either way it is before the cursor or after it.
    while let Some(frame) = socket.next().await {
        before.push(frame);
    }
    let cursor = *seqs(&before).last().unwrap();
    assert!(!before.iter().any(ends_turn), "it was to be killed in the middle");

    place.set("[agents]\ncoalesce = \"0ms\"\n");
    let server = place.serve(&[]);
    let ada = ada.at(&server.url);
    let mut socket = ada.socket().await;
    socket.send(json!({ "type": "agent.resume", "conversation_id": "c1", "after": cursor })).await;
    let after = socket.until(|frame| frame["event_type"] == "execution.completed").await;

    let all = [before, after.clone()].concat();
    assert_eq!(seqs(&all), (1..=all.len() as u64).collect::<Vec<_>>(), "no hole, nothing twice");
    let again = last(&after, "agent.started");
    assert_eq!((&again["attempt"], &again["reply_to"]), (&json!(2), &json!("m1")));
    let response = last(&after, "agent.completed")["response"].as_str().unwrap();
    assert!(!response.is_empty());
    assert_eq!(spoken_last(&after), response);

    let conversation = ada.get("/api/conversations/c1").await;
    let messages = conversation["messages"].as_array().unwrap();
    assert_eq!(messages.len(), 2, "one question, one answer: {messages:#?}");
    assert_eq!(messages[1]["content"], response);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_drains_says_so_and_ends_well() {
    let place = Place::new();
    let server = place.serve(&[]);
    let ada = Person::register(&server.url, "Ada").await;
    let mut socket = ada.socket().await;
    let url = server.url.clone();
    let stopped = tokio::task::spawn_blocking(move || server.stop());
    assert!(socket.next().await.is_none(), "the socket is told to come back later");
    assert!(stopped.await.unwrap().success(), "{}", place.log());
    assert!(crate::person::http().get(format!("{url}/health")).send().await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_it_at_once_and_nothing_is_lost() {
    let place = Place::new();
    // Slower than anybody waits.
    place.set("[agents.builtin]\npace = \"5s\"\n[server]\ndrain_patience = \"10m\"\n");
    let server = place.serve(&[]);
    server.signal(Signal::HUP);
    let ada = Person::register(&server.url, "Ada").await;
    let mut socket = ada.socket().await;
    socket.say("c1", "m1", "what can I do here?").await;
    socket.until(|frame| frame["event_type"] == "agent.token").await;
    server.signal(Signal::TERM);
    // The socket is told to go when the draining has begun.
    while socket.next().await.is_some() {}
    assert_eq!(server.stop().code(), Some(130), "{}", place.log());

    place.set("");
    let server = place.serve(&[]);
    let mut socket = ada.at(&server.url).socket().await;
    socket.send(json!({ "type": "agent.resume", "conversation_id": "c1", "after": 0 })).await;
    let frames = socket.until(ends_turn).await;
    assert_eq!(spoken_last(&frames), last(&frames, "agent.completed")["response"]);
}

/// The tokens since the agent began for the last time.
fn spoken_last(frames: &[serde_json::Value]) -> String {
    let begun = frames.iter().rposition(|frame| frame["event_type"] == "agent.started").unwrap();
    spoken(&frames[begun..])
}
