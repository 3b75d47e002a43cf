//! A second message while the agent still answers, over a real socket.

use serde_json::{Value, json};

use crate::{
    person::{Person, Socket, ends_turn, last},
    process::Place,
};

/// Says something with a policy of its own.
async fn say(socket: &mut Socket, message_id: &str, policy: &str) {
    let context = json!({ "conversation_id": "c1" });
    let payload = json!({ "text": "what can I do here?", "turn_policy": policy, "context": context });
    socket.send(json!({ "type": "agent.message", "id": message_id, "payload": payload })).await;
}

fn is_error(frame: &Value) -> bool {
    frame["type"] == "error"
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_says_what_becomes_of_the_one_before_it() {
    let place = Place::new();
    // Slow enough to be interrupted in the middle.
    place.set("[agents]\ncoalesce = \"0ms\"\n[agents.builtin]\npace = \"20ms\"\n");
    let server = place.serve(&[]);
    let ada = Person::register(&server.url, "Ada").await;
    let mut socket = ada.socket().await;
    socket.say("c1", "m1", "what can I do here?").await;
    socket.until(|frame| frame["event_type"] == "agent.token").await;

    say(&mut socket, "m2", "reject").await;
    let refused = socket.until(is_error).await.pop().unwrap();
    assert_eq!((&refused["code"], &refused["reply_to"]), (&json!("turn_in_progress"), &json!("m2")), "{refused}");
    say(&mut socket, "m3", "shout").await;
    let refused = socket.until(is_error).await.pop().unwrap();
    assert!(refused["error"].as_str().unwrap().contains("`interrupt`"), "{refused}");

    say(&mut socket, "m4", "interrupt").await;
    let cancelled = socket.until(ends_turn).await.pop().unwrap();
    assert_eq!((&cancelled["event_type"], &cancelled["data"]["reply_to"]), (&json!("agent.cancelled"), &json!("m1")));
    let kept = cancelled["data"]["response"].as_str().unwrap();
    assert!(!kept.is_empty(), "what was said is kept");
    let answered = socket.until(ends_turn).await;
    assert_eq!(last(&answered, "agent.completed")["reply_to"], "m4");

    let conversation = ada.get("/api/conversations/c1").await;
    let said: Vec<&str> =
        conversation["messages"].as_array().unwrap().iter().map(|said| said["content"].as_str().unwrap()).collect();
    assert_eq!(said.len(), 4, "two questions, a part of an answer, and an answer: {said:?}");
    assert_eq!(said[2], kept);
}
