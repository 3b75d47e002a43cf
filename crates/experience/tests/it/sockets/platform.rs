//! The platform's dialect: a turn, its events, and every way to say, stop, decide and resume.

use serde_json::json;

use super::message;
use super::server::{Server, seqs, words};

#[tokio::test(flavor = "multi_thread")]
async fn a_turn_is_told_as_it_is_journaled() {
    let server = Server::new().await;
    let ada = server.register("ada").await;
    let mut client = server.talk(&ada).await;
    client.send(message("m1", "say a b c")).await;
    let frames = client.until("execution.completed").await;
    assert_eq!(
        words(&frames),
        [
            "execution.accepted",
            "execution.started",
            "agent.started",
            "agent.token",
            "agent.token",
            "agent.token",
            "agent.completed",
            "execution.completed",
        ]
    );
    assert_eq!(seqs(&frames), (1..=8).collect::<Vec<u64>>());
    assert!(frames.iter().all(|frame| frame["type"] == "runtime_event"));
    let started = &frames[2]["data"];
    assert_eq!(started["agent_id"], "liaison.content");
    assert_eq!(started["routing"]["rule"], "surface");
    assert_eq!(started["reply_to"], "m1");
    assert_eq!(frames[6]["data"]["response"], "a b c");

    // The second turn goes on where the first one ended, and to the same agent.
    client.send(message("m2", "say d")).await;
    let frames = client.until("execution.completed").await;
    assert_eq!(seqs(&frames), (9..=14).collect::<Vec<u64>>());
    assert_eq!(frames[2]["data"]["routing"]["rule"], "present");

    // From another surface, its liaison.
    let mut moved = message("m3", "say e");
    moved["payload"]["context"]["surface"] = json!("journey_pillar");
    client.send(moved).await;
    let frames = client.until("execution.completed").await;
    assert_eq!(frames[2]["data"]["agent_id"], "liaison.journey");
    assert_eq!(frames[2]["data"]["routing"]["rule"], "surface");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_id_is_one_turn_on_every_socket() {
    let server = Server::new().await;
    let ada = server.register("ada").await;
    let (mut one, mut two) = (server.talk(&ada).await, server.talk(&ada).await);
    tokio::join!(one.send(message("m1", "say a b")), two.send(message("m1", "say a b")));
    let (seen_by_one, seen_by_two) = tokio::join!(one.until("execution.completed"), two.until("execution.completed"));
    assert_eq!(seen_by_one, seen_by_two);
    assert_eq!(seqs(&seen_by_one), (1..=7).collect::<Vec<u64>>());

    // A third socket repeats it afterwards, and is told the turn from its beginning.
    let mut three = server.talk(&ada).await;
    three.send(message("m1", "say a b")).await;
    assert_eq!(three.until("execution.completed").await, seen_by_one);

    three.send(message("m1", "say something else")).await;
    let error = three.next().await;
    assert_eq!((error["code"].as_str(), error["reply_to"].as_str()), (Some("idempotency_mismatch"), Some("m1")));

    // The same words of another user are another conversation.
    let bob = server.register("bob").await;
    let mut other = server.talk(&bob).await;
    other.send(message("m1", "say z")).await;
    assert_eq!(seqs(&other.until("execution.completed").await), (1..=6).collect::<Vec<u64>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_cursor_gives_the_rest_once_and_then_goes_on() {
    let server = Server::new().await;
    let ada = server.register("ada").await;
    let mut talker = server.talk(&ada).await;
    talker.send(message("m1", "say a b c d e")).await;
    let all = talker.until("execution.completed").await;
    let head = all.len();
    let mut reader = server.talk(&ada).await;
    for after in 0..head {
        reader.send(json!({ "type": "agent.resume", "conversation_id": "c1", "after": after })).await;
        assert_eq!(reader.until("execution.completed").await, all[after..], "after {after}");
    }
    // At the head there is nothing to replay: the next event is the next turn's first.
    reader.send(json!({ "type": "agent.resume", "conversation_id": "c1", "after": head })).await;
    reader.send(json!({ "type": "ping" })).await;
    assert_eq!(reader.next().await["type"], "pong");
    talker.send(message("m2", "say f")).await;
    let told = reader.until("execution.completed").await;
    assert_eq!(told, talker.until("execution.completed").await);
    assert_eq!(told[0]["seq"], head + 1);

    for (conversation_id, after, code) in [("c1", 1_000, "bad_cursor"), ("nowhere", 0, "not_found")] {
        reader.send(json!({ "type": "agent.resume", "conversation_id": conversation_id, "after": after })).await;
        assert_eq!(reader.next().await["code"], code);
    }
    let bob = server.register("bob").await;
    let mut other = server.talk(&bob).await;
    other.send(json!({ "type": "agent.resume", "conversation_id": "c1" })).await;
    assert_eq!(other.next().await["code"], "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelling_keeps_what_was_said() {
    let server = Server::new().await;
    let ada = server.register("ada").await;
    let mut client = server.talk(&ada).await;
    client.send(message("m1", "hold")).await;
    let frames = client.until("agent.token").await;
    let execution_id = frames[0]["execution_id"].clone();

    let bob = server.register("bob").await;
    let mut other = server.talk(&bob).await;
    other.send(json!({ "type": "agent.cancel", "execution_id": execution_id })).await;
    assert_eq!(other.next().await["code"], "not_found");

    for _ in 0..2 {
        client.send(json!({ "type": "agent.cancel", "execution_id": execution_id })).await;
    }
    let frames = client.until("execution.cancelled").await;
    assert_eq!(words(&frames), ["agent.cancelled", "execution.cancelled"]);
    assert_eq!(frames[0]["data"]["response"], "one");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_is_decided_once_from_any_socket_of_its_owner() {
    let server = Server::new().await;
    let (ada, bob) = (server.register("ada").await, server.register("bob").await);
    for (number, approved, said) in [(1, true, "It is done."), (2, false, "It was not done.")] {
        let mut client = server.talk(&ada).await;
        client.send(message(&format!("m{number}"), "ask")).await;
        let pending = client.until("approval.pending").await.pop().unwrap();
        assert_eq!(pending["data"]["proposed"]["intent_type"], "dangerous");
        let word = json!({ "type": "approval.respond", "hook_id": pending["data"]["hook_id"], "approved": approved });

        let mut stranger = server.talk(&bob).await;
        stranger.send(word.clone()).await;
        assert_eq!(stranger.next().await["code"], "not_found");

        let mut elsewhere = server.talk(&ada).await;
        elsewhere.send(word.clone()).await;
        let frames = client.until("agent.completed").await;
        assert_eq!(frames.last().unwrap()["data"]["response"], said);
        elsewhere.send(word).await;
        assert_eq!(elsewhere.next().await["code"], "already_decided");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_goes_wrong_is_told_and_the_socket_stays_open() {
    let server = Server::new().await;
    let ada = server.register("ada").await;
    let mut client = server.talk(&ada).await;
    let named = |agent: &str| {
        let mut frame = message("m1", "say a");
        frame["payload"]["agent_id"] = json!(agent);
        frame
    };
    let long = message("m1", &"x".repeat(32_001));
    for (frame, code) in [
        (json!("nonsense"), "bad_frame"),
        (json!({ "type": "agent.shout" }), "bad_frame"),
        (json!({ "type": "agent.message", "id": "m1" }), "bad_frame"),
        (message("m1", ""), "validation_failed"),
        (long, "validation_failed"),
        (named("specialist.tables"), "unknown_agent"),
        (named("nobody"), "unknown_agent"),
        (json!({ "type": "agent.cancel", "execution_id": "exec_nowhere" }), "not_found"),
        (json!({ "type": "approval.respond", "hook_id": "hook_nowhere", "approved": true }), "not_found"),
        (json!({ "type": "auth.refresh", "access_token": "nonsense" }), "token_invalid"),
    ] {
        client.send(frame.clone()).await;
        let error = client.next().await;
        assert_eq!((error["type"].as_str(), error["code"].as_str()), (Some("error"), Some(code)), "{frame}");
        assert!(error["error"].is_string() && error["timestamp"].is_string());
    }
    client.send(message("m1", "fail")).await;
    let frames = client.until("execution.failed").await;
    assert!(words(&frames).contains(&"agent.failed"));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_ids_the_server_chooses_them_and_goes_on_where_it_was() {
    let server = Server::new().await;
    let ada = server.register("ada").await;
    let mut client = server.talk(&ada).await;
    let mut conversations = Vec::new();
    for _ in 0..2 {
        client.send(json!({ "type": "agent.message", "payload": { "text": "say a" } })).await;
        let frames = client.until("execution.completed").await;
        let started = frames.iter().find(|frame| frame["event_type"] == "agent.started").unwrap();
        assert_eq!(started["data"]["agent_id"], "guide");
        conversations.push(started["data"]["conversation_id"].as_str().unwrap().to_owned());
    }
    assert!(conversations[0].starts_with("conv_"));
    assert_eq!(conversations[0], conversations[1]);
    client.send(message("m1", "say a")).await;
    let frames = client.until("agent.completed").await;
    assert!(frames.iter().all(|frame| frame["data"]["conversation_id"] != json!(conversations[0])));
}
