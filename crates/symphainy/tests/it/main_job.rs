//! The main job: register, upload, ask, be handed over, get an answer out of the file; and find all of it again after a restart.

use serde_json::{Value, json};

use crate::{
    person::{Person, ends_turn, last, orders, seqs, spoken},
    process::Place,
};

#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_and_done_is_there_after_a_restart() {
    let place = Place::new();
    let server = place.serve(&[]);
    let ada = Person::register(&server.url, "Ada").await;
    let file = ada.upload(&orders()).await;
    assert_eq!(file["lifecycle_state"], "ready");

    let mut socket = ada.socket().await;
    let greeting = socket.turn("c1", "m1", "what can I do here?").await;
    assert_eq!(last(&greeting, "agent.completed")["agent_id"], "guide");
    assert_streamed(&greeting);

    let answer = socket.turn("c1", "m2", "how good is this data?").await;
    let told = last(&answer, "agent.completed");
    assert_eq!((&told["agent_id"], &told["handed_off_from"]), (&json!("liaison.insights"), &json!("guide")));
    assert_eq!(last(&answer, "agent.tool")["intent"], "assess_data_quality");
    assert_streamed(&answer);
    let rows = std::fs::read_to_string(orders()).unwrap().lines().count() - 1;
    assert!(told["response"].as_str().unwrap().contains(&format!("{rows} rows")), "{told}");
    let last_seq = *seqs(&answer).last().unwrap();
    let mut heard = [greeting, answer].concat();

    // Of the turn itself one event is left: its end.
    let end = socket
        .until(|frame| frame["event_type"] == "execution.completed" && frame["seq"].as_u64() > Some(last_seq))
        .await;
    heard.extend(end);
    let execution_id = heard.last().unwrap()["execution_id"].as_str().unwrap().to_owned();
    let execution = ada.get(&format!("/api/execution/{execution_id}/status")).await;
    let events = ada.events(&execution_id).await;
    socket.close().await;
    assert!(server.stop().success(), "{}", place.log());

    let server = place.serve(&[]);
    let ada = ada.at(&server.url);
    let conversation = ada.get("/api/conversations/c1").await;
    let said = conversation["messages"].as_array().unwrap();
    let roles: Vec<&str> = said.iter().map(|message| message["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["user", "assistant", "user", "assistant"]);
    assert_eq!(conversation["cursor"], *seqs(&heard).last().unwrap());
    let id = file["artifact_id"].as_str().unwrap();
    assert_eq!(ada.get(&format!("/api/artifacts/{id}")).await["lifecycle_state"], "ready");
    let content = ada.send(reqwest::Method::GET, &format!("/api/artifacts/{id}/content"), None).await;
    assert_eq!(content.bytes().await.unwrap(), std::fs::read(orders()).unwrap());
    assert_eq!(ada.get(&format!("/api/execution/{execution_id}/status")).await, execution);
    assert_eq!(ada.events(&execution_id).await, events);

    let mut socket = ada.socket().await;
    socket.send(json!({ "type": "agent.resume", "conversation_id": "c1", "after": 0 })).await;
    let last_seq = seqs(&heard).last().copied();
    let replayed = socket.until(|frame| frame["seq"].as_u64() == last_seq).await;
    assert_eq!(replayed, heard, "what is replayed is what was told, event for event");
    assert_eq!(seqs(&replayed), (1..=last_seq.unwrap()).collect::<Vec<_>>());
}

/// The answer came in several pieces, and together they are the answer.
fn assert_streamed(frames: &[Value]) {
    let pieces = frames.iter().filter(|frame| frame["event_type"] == "agent.token").count();
    assert!(pieces > 1, "the answer came in {pieces} pieces");
    assert_eq!(last(frames, "agent.completed")["response"], spoken(frames));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_agrees_has_it_done_and_who_does_not_has_not() {
    let place = Place::new();
    let server = place.serve(&[]);
    let ada = Person::register(&server.url, "Ada").await;
    let file = ada.upload(&orders()).await;
    let path = format!("/api/artifacts/{}", file["artifact_id"].as_str().unwrap());
    let mut socket = ada.socket().await;
    for (message_id, approved, state) in [("m1", false, "ready"), ("m2", true, "deleted")] {
        socket.say("c1", message_id, "delete orders.csv").await;
        let frames = socket.until(|frame| frame["event_type"] == "approval.pending").await;
        let approval = last(&frames, "approval.pending");
        assert_eq!(approval["proposed"]["intent_type"], "delete_file");
        assert_eq!(ada.get(&path).await["lifecycle_state"], "ready", "nothing has happened yet");
        socket.send(json!({ "type": "approval.respond", "hook_id": approval["hook_id"], "approved": approved })).await;
        socket.until(ends_turn).await;
        assert_eq!(ada.get(&path).await["lifecycle_state"], state);
    }
}
