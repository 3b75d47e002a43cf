//! Sockets outlive requests: what happens to them when a token ends, when a sign-in is ended, and when a fresh token comes.

use std::time::Duration;

use security_guard::Peer;
use serde_json::json;
use tokio::time::Instant;

use super::server::Server;

#[tokio::test(flavor = "multi_thread")]
async fn a_token_ends_unless_a_fresh_one_comes() {
    let server = Server::with("auth.access_token_ttl = \"4s\"").await;
    let (bob, ada) = (server.register("bob").await, server.register("ada").await);
    let (mut stays, mut leaves) = (server.talk(&ada).await, server.talk(&ada).await);
    for client in [&mut stays, &mut leaves] {
        let notice = client.next().await;
        assert_eq!(notice["event_type"], "auth.expiring");
        assert!(notice["data"]["expires_at"].is_string());
    }
    stays.send(json!({ "type": "auth.refresh", "access_token": bob.access_token.0 })).await;
    assert_eq!(stays.next().await["code"], "token_invalid");
    assert_eq!(leaves.close_code().await, 4401);
    let later = server.register("eve").await;
    let mut another = server.talk(&later).await;
    another.until("auth.expiring").await;
    let fresh = server.guard.refresh(&later.refresh_token.0, &Peer::default()).await.unwrap();
    another.send(json!({ "type": "auth.refresh", "access_token": fresh.access_token.0 })).await;
    another.until("auth.refreshed").await;
    assert_eq!(another.until("auth.expiring").await.len(), 1, "the new token is watched like the first");
    assert_eq!(stays.close_code().await, 4401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_out_closes_the_sockets_of_its_sign_in_alone() {
    let server = Server::new().await;
    let (ada, bob) = (server.register("ada").await, server.register("bob").await);
    let (mut gone, mut stays) = (server.talk(&ada).await, server.talk(&bob).await);
    server.guard.logout(&ada.caller, &Peer::default()).await.unwrap();
    assert_eq!(gone.close_code().await, 4403);
    stays.send(json!({ "type": "ping" })).await;
    assert_eq!(stays.next().await["type"], "pong");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replayed_refresh_token_closes_the_sockets_of_its_family() {
    let server = Server::with("auth.refresh_reuse_window = \"0s\"").await;
    let ada = server.register("ada").await;
    let mut client = server.talk(&ada).await;
    let second = server.guard.refresh(&ada.refresh_token.0, &Peer::default()).await.unwrap();
    server.guard.refresh(&second.refresh_token.0, &Peer::default()).await.unwrap();
    // A registration takes longer than the millisecond in which a replay may still be a lost reply.
    server.register("bob").await;
    assert!(server.guard.refresh(&ada.refresh_token.0, &Peer::default()).await.is_err());
    assert_eq!(client.close_code().await, 4403);
}

#[tokio::test(flavor = "multi_thread")]
async fn ending_a_sign_in_elsewhere_closes_its_sockets_within_a_second() {
    let server = Server::new().await;
    let ada = server.register("ada").await;
    let mut on_the_phone = server.talk(&ada).await;
    let tablet = server.sign_in("ada").await;
    let mut on_the_tablet = server.talk(&tablet).await;
    let began = Instant::now();
    server.guard.end_other_sign_ins(&tablet.caller, &Peer::default()).await.unwrap();
    assert_eq!(on_the_phone.close_code().await, 4403);
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    on_the_tablet.send(json!({ "type": "ping" })).await;
    assert_eq!(on_the_tablet.next().await["type"], "pong");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_closes_its_sockets_alone() {
    let server = Server::new().await;
    let ada = server.register("ada").await;
    let mut stays = server.talk(&ada).await;
    let request = contract::key::CreateApiKey { name: "a program".to_owned(), ..Default::default() };
    let made = server.guard.create_key(&ada.caller, request).await.unwrap();
    let bearer = format!("Bearer {}", made.key.0);
    let mut gone = server.open("/api/runtime/agent", &[("authorization", &bearer)]).await.unwrap();
    gone.send(super::message("m1", "hello")).await;
    gone.until("agent.completed").await;
    let asked = Instant::now();
    server.guard.revoke_key(&ada.caller, None, &made.api_key.key_id).await.unwrap();
    assert_eq!(gone.close_code().await, 4403);
    assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
    stays.send(json!({ "type": "ping" })).await;
    assert_eq!(stays.next().await["type"], "pong");
    assert_eq!(server.open("/api/runtime/agent", &[("authorization", &bearer)]).await.err(), Some(401));
}
