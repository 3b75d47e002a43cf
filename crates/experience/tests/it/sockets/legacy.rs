//! The dialect of today's front end, word for word.

use serde_json::{Value, json};

use super::message;
use super::server::{Client, Server, seqs, words};

fn intent(text: &str, agent_type: &str, pillar: &str) -> Value {
    json!({
        "type": "intent",
        "intent": text,
        "session_id": "c1",
        "agent_type": agent_type,
        "metadata": { "conversation_id": "c1", "pillar": pillar },
    })
}

async fn connect(server: &Server) -> Client {
    let ada = server.register("ada").await;
    let path = format!("/api/runtime/agent?access_token={}&session_id={}", ada.access_token.0, ada.session.session_id);
    server.open(&path, &[]).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_turn_in_the_words_of_the_old_client() {
    let server = Server::with("experience.legacy_client = true").await;
    let mut client = connect(&server).await;
    assert_eq!(client.next().await["event_type"], "CONNECTION_ESTABLISHED");

    client.send(intent("say a b", "liaison", "operations")).await;
    let frames = client.until("EXECUTION_COMPLETED").await;
    assert_eq!(words(&frames), ["EXECUTION_STARTED", "AGENT_RESPONSE", "EXECUTION_COMPLETED"]);
    assert_eq!(seqs(&frames).len(), 3);
    let data = &frames[1]["data"];
    for (field, value) in [
        ("message", json!("a b")),
        ("content", json!("a b")),
        ("response", json!("a b")),
        ("agent_type", json!("liaison")),
        ("agent_id", json!("liaison.journey")),
        ("pillar", json!("operations")),
        ("conversation_id", json!("c1")),
        ("intent", json!({ "primary_intent": "dangerous", "target_domain": "journey", "confidence": 0.75 })),
    ] {
        assert_eq!(data[field], value, "{field}");
    }
    assert!(data["execution_id"].is_string() && data["data"].is_object());
    assert_eq!(data["reasoning"], "The client asked for liaison.journey.");

    client.send(intent("say c", "guide", "content")).await;
    let frames = client.until("AGENT_RESPONSE").await;
    assert_eq!(frames.last().unwrap()["data"]["agent_id"], "guide");
}

#[tokio::test(flavor = "multi_thread")]
async fn approvals_in_the_words_of_the_old_client() {
    let server = Server::with("experience.legacy_client = true").await;
    let mut client = connect(&server).await;
    for (approved, expected, said) in [
        (true, vec!["STEP_COMPLETED", "AGENT_RESPONSE", "EXECUTION_COMPLETED"], "It is done."),
        (false, vec!["SAFETY_HALTED", "STEP_COMPLETED", "AGENT_RESPONSE", "EXECUTION_COMPLETED"], "It was not done."),
    ] {
        client.send(intent("ask", "liaison", "content")).await;
        let before = client.until("SAFETY_APPROVAL_PENDING").await;
        let pending = before.last().unwrap();
        assert!(words(&before).ends_with(&["STEP_STARTED", "SAFETY_APPROVAL_PENDING"]), "{:?}", words(&before));
        client
            .send(json!({
                "type": "safety_response",
                "hook_id": pending["data"]["hook_id"],
                "response_type": "approval",
                "approved": approved,
                "corrections": {},
            }))
            .await;
        let after = client.until("EXECUTION_COMPLETED").await;
        assert_eq!(words(&after), expected);
        assert_eq!(after[after.len() - 2]["data"]["message"], said);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_goes_wrong_is_an_execution_failed() {
    let server = Server::with("experience.legacy_client = true").await;
    let mut client = connect(&server).await;
    client.next().await;
    for (frame, said) in [
        (intent("", "guide", ""), "empty"),
        (json!({ "type": "intent" }), "is required"),
        (json!({ "type": "intent", "intent": "a", "metadata": { "conversation_id": "a b" } }), "no id"),
        (json!({ "type": "safety_response", "hook_id": "hook_nowhere", "approved": true }), "no such approval"),
        (json!({ "type": "safety_response" }), "is required"),
    ] {
        client.send(frame.clone()).await;
        let answer = client.next().await;
        assert_eq!(answer["event_type"], "EXECUTION_FAILED", "{frame}");
        assert!(answer["data"]["error"].as_str().unwrap().contains(said), "{answer}");
        assert_eq!(answer["data"]["error"], answer["data"]["message"]);
    }
    client.send(intent("fail", "guide", "")).await;
    let frames = client.until("EXECUTION_FAILED").await;
    assert_eq!(words(&frames), ["EXECUTION_STARTED", "EXECUTION_FAILED"]);
    assert_eq!(frames[1]["data"]["conversation_id"], "c1");
    // It is told once: the next frame is the pong.
    client.send(json!({ "type": "ping" })).await;
    assert_eq!(client.next().await["type"], "pong");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_turn_is_told_in_the_dialect_in_which_it_was_asked() {
    let server = Server::new().await;
    let ada = server.register("ada").await;
    let mut client = server.talk(&ada).await;
    client.send(intent("say a", "guide", "content")).await;
    client.until("EXECUTION_COMPLETED").await;
    client.send(message("m2", "say b")).await;
    assert_eq!(client.until("execution.completed").await[0]["event_type"], "execution.accepted");
    client.send(intent("say c", "guide", "content")).await;
    assert_eq!(words(&client.until("EXECUTION_COMPLETED").await)[0], "EXECUTION_STARTED");
}
