//! What a client may not do to a socket, and that it costs nobody else anything.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;

use super::message;
use super::server::Server;

#[tokio::test(flavor = "multi_thread")]
async fn bad_manners_have_their_codes() {
    let server = Server::new().await;
    let ada = server.register("ada").await;
    for (messages, code) in [
        (vec![Message::binary(vec![1, 2, 3])], 1003),
        (vec![Message::text("x".repeat(64 * 1024 + 1))], 1009),
        (vec![Message::text("{"); 20], 1008),
        (vec![Message::text("{\"type\":\"ping\"}"); 100], 4429),
    ] {
        let mut client = server.talk(&ada).await;
        for message in messages {
            client.try_send(message).await;
        }
        assert_eq!(client.close_code().await, code);
    }
    // The longest message that fits is only too long for a person.
    let mut client = server.talk(&ada).await;
    client.send(message("m1", &"x".repeat(64 * 1024 - 200))).await;
    assert_eq!(client.next().await["code"], "validation_failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_sockets_are_refused_before_they_open() {
    for (limit, status) in [("sockets", 503), ("sockets_per_user", 429), ("sockets_per_address", 429)] {
        let server = Server::with(&format!("[experience.limits]\n{limit} = 2")).await;
        let ada = server.register("ada").await;
        let bearer = format!("Bearer {}", ada.access_token.0);
        let headers = [("authorization", bearer.as_str())];
        let _first = server.talk(&ada).await;
        let second = server.talk(&ada).await;
        assert_eq!(server.open("/api/runtime/agent", &headers).await.err(), Some(status), "{limit}");
        second.close().await;
        assert!(server.open("/api/runtime/agent", &headers).await.is_ok(), "{limit}: a place is free again");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_read_is_let_go_and_nobody_else_is_harmed() {
    let server = Server::with("[experience.limits]\npong_timeout = \"200ms\"").await;
    let ada = server.register("ada").await;
    let mut slow = server.talk(&ada).await;
    slow.send(message("m1", "flood")).await;
    let started = slow.until("agent.started").await;
    let execution_id = started[0]["execution_id"].clone();

    let mut other = server.talk(&ada).await;
    other.send(json!({ "type": "agent.resume", "conversation_id": "c1" })).await;
    // More than any system keeps for a connection that is not read.
    for expected in 1..=500 {
        assert_eq!(other.next().await["seq"], expected, "nobody else misses anything");
    }
    other.read_for(Duration::from_millis(500)).await;
    assert_eq!(slow.close_code().await, 1013);

    // The run went on all the while.
    other.send(json!({ "type": "agent.cancel", "execution_id": execution_id })).await;
    other.until("execution.cancelled").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_is_noticed() {
    let server = Server::with("[experience.limits]\nping_interval = \"100ms\"\npong_timeout = \"2s\"").await;
    let ada = server.register("ada").await;
    // A client that reads answers pings by itself and stays.
    let mut alive = server.talk(&ada).await;
    // One that does nothing at all is dropped without a word.
    let dead = server.talk(&ada).await;
    let began = Instant::now();
    while server.sockets.len() > 1 {
        assert!(began.elapsed() < Duration::from_secs(30), "nobody noticed");
        alive.read_for(Duration::from_millis(100)).await;
    }
    alive.send(json!({ "type": "ping" })).await;
    assert_eq!(alive.next().await["type"], "pong");
    drop(dead);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_says_goodbye_to_everybody() {
    let server = Server::with("[experience.limits]\nsockets_per_user = 100").await;
    let ada = server.register("ada").await;
    let mut clients = Vec::new();
    for _ in 0..40 {
        clients.push(server.talk(&ada).await);
    }
    let goodbyes = async {
        for client in &mut clients {
            assert_eq!(client.close_code().await, 1012);
        }
    };
    tokio::join!(server.stop(), goodbyes);
}
