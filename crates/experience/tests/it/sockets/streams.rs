//! The events of one execution, as Server-Sent Events and over a socket, from every cursor.

use contract::{ConversationId, ExecutionId, MessageId, intent::Timing};
use runtime::{SubmitRequest, UserMessage};
use security_guard::SignedIn;
use serde_json::{Map, json};

use super::message;
use super::server::{Server, seqs, words};

async fn submit(server: &Server, who: &SignedIn, intent_type: &str, turn: Option<(&str, &str)>) -> ExecutionId {
    let parameters = turn.map(|(_, text)| json!({ "text": text, "agent_id": "guide" }));
    let request = SubmitRequest {
        owner: who.caller.owner(),
        authority: contract::Authority::default(),
        session_id: who.session.session_id.clone(),
        intent_type: intent_type.to_owned(),
        parameters: parameters.and_then(|parameters| parameters.as_object().cloned()).unwrap_or_default(),
        metadata: Map::new(),
        intent_id: None,
        idempotency_key: None,
        conversation_id: turn.map(|_| "c1".parse::<ConversationId>().unwrap()),
        message: turn.map(|(id, text)| UserMessage {
            id: id.parse::<MessageId>().unwrap(),
            text: text.to_owned(),
            policy: contract::agent::TurnPolicy::Queue,
        }),
        attachments: Vec::new(),
        timing: Timing::default(),
        quota: None,
        concurrency_key: None,
    };
    server.runtime.submit(request).await.unwrap().execution_id
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_goes_from_any_cursor_until_goodbye() {
    let server = Server::new().await;
    let ada = server.register("ada").await;
    let execution_id = submit(&server, &ada, "two_steps", None).await;
    let path = format!("/api/execution/{execution_id}/stream");
    let mut live = server.connect(&path, &ada).await;
    live.until("execution.step_completed").await;
    server.gate.notify_one();
    let (_, code) = live.until_goodbye().await;
    assert_eq!(code, 1000);

    let (all, code) = server.connect(&path, &ada).await.until_goodbye().await;
    assert_eq!((seqs(&all), code), ((1..=7).collect(), 1000));
    assert_eq!(words(&all)[6], "execution.completed");
    for after in [1, 3, 6, 7, 1_000] {
        let (rest, code) = server.connect(&format!("{path}?after={after}"), &ada).await.until_goodbye().await;
        assert_eq!((&rest[..], code), (&all[after.min(7)..], 1000), "after {after}");
    }
    let bearer = format!("Bearer {}", ada.access_token.0);
    assert_eq!(server.open(&format!("{path}?after=x"), &[("authorization", &bearer)]).await.err(), Some(400));
}

#[tokio::test(flavor = "multi_thread")]
async fn server_sent_events_resume_by_their_ids() {
    let server = Server::new().await;
    let (ada, bob) = (server.register("ada").await, server.register("bob").await);
    let execution_id = submit(&server, &ada, "two_steps", None).await;
    server.gate.notify_one();
    server.runtime.wait(&ada.caller.owner(), &execution_id).await.unwrap();
    let get = |who: &SignedIn, query: &str, headers: &str| {
        format!(
            "GET /api/execution/{execution_id}/events{query} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\
             authorization: Bearer {}\r\n{headers}\r\n",
            server.address, who.access_token.0
        )
    };
    for (query, headers, ids) in [("", "", 1..8), ("?after=4", "", 5..8), ("?after=1", "last-event-id: 5\r\n", 6..8)] {
        let answer = server.raw(&get(&ada, query, headers)).await;
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("text/event-stream"), "{answer}");
        let told: Vec<u64> =
            answer.lines().filter_map(|line| line.strip_prefix("id: ")).map(|id| id.parse().unwrap()).collect();
        assert_eq!(told, ids.collect::<Vec<u64>>(), "{query} {headers}");
    }
    for (request, status) in [
        (get(&bob, "", ""), 404),
        (get(&ada, "?after=-1", ""), 400),
        (get(&ada, "", "last-event-id: x\r\n"), 400),
        // A browser that has seen the end is told not to come back.
        (get(&ada, "", "last-event-id: 7\r\n"), 204),
        (get(&ada, "?after=7", ""), 204),
    ] {
        let answer = server.raw(&request).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_has_its_own_execution_only() {
    let server = Server::new().await;
    let ada = server.register("ada").await;
    let mut client = server.talk(&ada).await;
    client.send(message("m1", "say a b")).await;
    client.until("execution.completed").await;
    client.send(message("m2", "hold")).await;
    let frames = client.until("agent.token").await;
    let held = frames[0]["execution_id"].as_str().unwrap().to_owned();
    let mut stream = server.connect(&format!("/api/execution/{held}/stream"), &ada).await;
    let before = stream.until("agent.token").await;
    client.send(json!({ "type": "agent.cancel", "execution_id": held })).await;
    let (after, code) = stream.until_goodbye().await;
    assert_eq!(code, 1000);
    let all: Vec<_> = before.iter().chain(&after).collect();
    assert!(all.iter().all(|frame| frame["execution_id"] == held.as_str()));
    assert_eq!(all[0]["event_type"], "execution.accepted");
    assert_eq!(all[all.len() - 1]["event_type"], "execution.cancelled");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_has_more_streams_than_they_may() {
    let server = Server::with("[experience.limits]\nstreams_per_user = 1").await;
    let (ada, bob) = (server.register("ada").await, server.register("bob").await);
    let execution_id = submit(&server, &ada, "two_steps", None).await;
    let other_id = submit(&server, &bob, "two_steps", None).await;
    let get = |who: &SignedIn, execution_id: &ExecutionId| {
        format!(
            "GET /api/execution/{execution_id}/events HTTP/1.1\r\nhost: {}\r\nconnection: close\r\nauthorization: Bearer {}\r\n\r\n",
            server.address, who.access_token.0
        )
    };
    let first = server.begin(&get(&ada, &execution_id)).await;
    let refused = server.raw(&get(&ada, &execution_id)).await;
    assert!(refused.starts_with("HTTP/1.1 429") && refused.contains("retry-after: 5"), "{refused}");
    drop(server.begin(&get(&bob, &other_id)).await);

    // Whoever goes away gives the place back, as soon as the server notices.
    drop(first);
    server.gate.notify_one();
    server.gate.notify_one();
    server.runtime.wait(&ada.caller.owner(), &execution_id).await.unwrap();
    let begun = tokio::time::Instant::now();
    loop {
        let answer = server.raw(&get(&ada, &execution_id)).await;
        if answer.starts_with("HTTP/1.1 200") {
            assert!(answer.contains("execution.completed"), "{answer}");
            return;
        }
        assert!(begun.elapsed() < std::time::Duration::from_secs(30), "{answer}");
    }
}
