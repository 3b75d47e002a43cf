//! A kill in the middle of a turn loses nothing that was told.

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
    let begun = after.iter().rposition(|frame| frame["event_type"] == "agent.started").unwrap();
    let response = last(&after, "agent.completed")["response"].as_str().unwrap();
    assert!(!response.is_empty());
    assert_eq!(spoken(&after[begun..]), response);

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
