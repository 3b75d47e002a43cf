//! The front end of today, step by step, against `--legacy-client`: a small client that speaks its dialect and knows no other.

use std::time::Duration;

use reqwest::Client;
use serde_json::{Value, json};
use tokio::time::{interval, timeout};

use crate::{
    person::{PASSWORD, Socket, http, orders},
    process::{PATIENCE, Place},
};

/// How often that front end asks for an execution's status; faster here.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// The client: no header, no cookie; it puts its token where its code puts it.
struct LegacyClient {
    http: Client,
    url: String,
}

impl LegacyClient {
    async fn post(&self, path: &str, body: Value) -> Value {
        let answer = self.http.post(format!("{}{path}", self.url)).json(&body).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer.json().await.unwrap()
    }

    /// Submits without a header and polls without one.
    async fn execute(&self, intent_type: &str, session_id: &Value, parameters: Value) -> Value {
        let body =
            json!({ "intent_type": intent_type, "session_id": session_id, "parameters": parameters, "metadata": {} });
        let submitted = self.post("/api/intent/submit", body).await;
        assert_eq!(submitted["status"], "accepted");
        let path = format!("{}/api/execution/{}/status", self.url, submitted["execution_id"].as_str().unwrap());
        let poll = async {
            let mut interval = interval(POLL_INTERVAL);
            loop {
                interval.tick().await;
                let answer = self.http.get(&path).send().await.unwrap();
                assert_eq!(answer.status(), 200);
                let execution: Value = answer.json().await.unwrap();
                if ["completed", "failed", "cancelled"].contains(&execution["status"].as_str().unwrap()) {
                    return execution;
                }
            }
        };
        timeout(PATIENCE, poll).await.expect("the execution ends")
    }
}

/// Says something as the front end does, and hears until this event.
async fn say(socket: &mut Socket, text: &str, agent_type: &str, pillar: Option<&str>, last: &str) -> Vec<Value> {
    let conversation_id = format!("conversation-{}", pillar.unwrap_or("none"));
    let metadata = json!({ "conversation_id": conversation_id, "pillar": pillar });
    let frame = json!({ "type": "intent", "intent": text, "session_id": conversation_id, "agent_type": agent_type, "metadata": metadata });
    socket.send(frame).await;
    socket.until(|frame| frame["event_type"] == last || frame["event_type"] == "EXECUTION_FAILED").await
}

fn data<'frames>(frames: &'frames [Value], event_type: &str) -> &'frames Value {
    let found = frames.iter().find(|frame| frame["event_type"] == event_type);
    &found.unwrap_or_else(|| panic!("no {event_type} in {frames:#?}"))["data"]
}

#[tokio::test(flavor = "multi_thread")]
async fn the_front_end_of_today_runs_unchanged() {
    let place = Place::new();
    let server = place.serve(&["--legacy-client"]);
    let client = LegacyClient { http: http(), url: server.url.clone() };

    // An anonymous session, in which something is done before anybody signs in.
    let session = client.post("/api/session/create-anonymous", json!({})).await;
    assert_eq!((&session["tenant_id"], &session["user_id"]), (&Value::Null, &Value::Null));
    let session_id = &session["session_id"];
    let bytes: String = std::fs::read(orders()).unwrap().iter().map(|byte| format!("{byte:02x}")).collect();
    let file = json!({ "file_content": bytes, "filename": "orders.csv", "ui_name": "orders.csv", "mime_type": "text/csv", "keep": true });
    let ingested = client.execute("ingest_file", session_id, file).await;
    assert_eq!(ingested["status"], "completed", "{ingested}");
    assert!(ingested["artifacts"]["file"]["artifact_id"].is_string(), "{ingested}");

    // Register, sign in, and take the session along.
    let account = json!({ "name": "Ada", "email": "ada@example.com", "password": PASSWORD });
    let registered = client.post("/api/auth/register", account).await;
    assert_eq!(registered["success"], true);
    let signed_in = client.post("/api/auth/login", json!({ "email": "ada@example.com", "password": PASSWORD })).await;
    let token = signed_in["access_token"].as_str().unwrap();
    let upgrade = json!({ "access_token": token, "user_id": signed_in["user_id"], "tenant_id": signed_in["tenant_id"], "metadata": {} });
    let path = format!("{}/api/session/{}/upgrade", server.url, session_id.as_str().unwrap());
    let upgraded = client.http.patch(path).json(&upgrade).send().await.unwrap();
    assert_eq!(upgraded.status(), 200);
    assert_eq!(upgraded.json::<Value>().await.unwrap()["user_id"], signed_in["user_id"]);

    // What was done before is there, without a header.
    let parsed = client
        .execute("parse_content", session_id, json!({ "file_id": ingested["artifacts"]["file"]["artifact_id"] }))
        .await;
    assert_eq!(parsed["status"], "completed", "{parsed}");

    let query = format!("access_token={token}&session_id={}", session_id.as_str().unwrap());
    let mut socket = Socket::open(&server.url, &query).await;
    assert_eq!(socket.next().await.unwrap()["event_type"], "CONNECTION_ESTABLISHED");

    // The guide and the four pillars, each answered in the client's own words.
    for (text, agent_type, pillar, agent_id) in [
        ("what can I do here?", "guide", None, "guide"),
        ("which files do I have?", "liaison", Some("content"), "liaison.content"),
        ("how good is this data?", "liaison", Some("insights"), "liaison.insights"),
        ("what can you do?", "liaison", Some("operations"), "liaison.journey"),
        ("what can you do?", "liaison", Some("business_outcomes"), "liaison.outcomes"),
    ] {
        let frames = say(&mut socket, text, agent_type, pillar, "EXECUTION_COMPLETED").await;
        data(&frames, "EXECUTION_STARTED");
        let response = data(&frames, "AGENT_RESPONSE");
        assert_eq!(response["agent_id"], agent_id, "{text}");
        assert_eq!(response["agent_type"], agent_type);
        assert_eq!(response["pillar"], json!(pillar));
        for key in ["message", "content", "response"] {
            assert!(response[key].as_str().is_some_and(|said| !said.is_empty()), "{key} in {response}");
        }
        assert!(response["intent"]["confidence"].is_number() && response["reasoning"].is_string());
    }

    // Refused, and then agreed to.
    for (approved, event) in [(false, Some("SAFETY_HALTED")), (true, None)] {
        let frames = say(&mut socket, "delete orders.csv", "liaison", Some("content"), "SAFETY_APPROVAL_PENDING").await;
        let hook_id = data(&frames, "SAFETY_APPROVAL_PENDING")["hook_id"].clone();
        let reply = json!({ "type": "safety_response", "hook_id": hook_id, "response_type": "approval", "approved": approved,
            "rejection_reason": (!approved).then_some("not now"), "corrections": {} });
        socket.send(reply).await;
        let frames = socket.until(|frame| frame["event_type"] == "EXECUTION_COMPLETED").await;
        data(&frames, "AGENT_RESPONSE");
        if let Some(event) = event {
            assert_eq!(data(&frames, event)["hook_id"], hook_id);
        }
        assert_eq!(frames.iter().any(|frame| frame["event_type"] == "SAFETY_HALTED"), !approved);
    }
    socket.close().await;
    assert!(server.stop().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_flag_its_doors_are_shut() {
    let place = Place::new();
    let server = place.serve(&[]);
    let client = LegacyClient { http: http(), url: server.url.clone() };
    let account = json!({ "name": "Ada", "email": "ada@example.com", "password": PASSWORD });
    let registered = client.post("/api/auth/register", account).await;
    let body = json!({ "intent_type": "list_files", "session_id": registered["session_id"], "parameters": {} });
    let submitted = client.http.post(format!("{}/api/intent/submit", server.url)).json(&body).send().await.unwrap();
    assert_eq!(submitted.status(), 401);
    let token = registered["access_token"].as_str().unwrap();
    let url = format!("{}/api/runtime/agent?access_token={token}", server.url.replacen("http", "ws", 1));
    let refused = tokio_tungstenite::connect_async(url).await.unwrap_err();
    let tokio_tungstenite::tungstenite::Error::Http(answer) = refused else { panic!("{refused}") };
    assert_eq!(answer.status(), 401);
}
