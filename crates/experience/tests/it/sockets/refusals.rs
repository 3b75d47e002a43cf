//! Who may not come in, and that they learn it as an HTTP answer; and every way in.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Map;

use super::server::Server;

const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

// ASVS 4.4.2: The origin of a WebSocket is checked before the upgrade.
#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_answers_of_http() {
    let server = Server::new().await;
    let (ada, bob) = (server.register("ada").await, server.register("bob").await);
    let anonymous = server.guard.create_anonymous_session(Map::new(), &server.address.ip().into()).await.unwrap();
    let bearer = format!("authorization: Bearer {}", ada.access_token.0);
    let cookie = format!("cookie: symphainy={}", ada.access_token.0);
    let own = format!("/api/runtime/agent?session_id={}", ada.session.session_id);
    let socket =
        format!("connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: {KEY}");
    let old_version = socket.replace("version: 13", "version: 8");
    let bad_key = socket.replace(KEY, "short");
    let stranger = format!("/api/runtime/agent?session_id={}", bob.session.session_id);
    let nobodys = format!("/api/runtime/agent?session_id={}", anonymous.session_id);
    let query = format!("/api/runtime/agent?access_token={}", ada.access_token.0);
    let foreign = "origin: https://evil.example";
    // path, headers → status, code
    for (path, headers, status, code) in [
        (own.as_str(), vec![bearer.as_str()], 426, "upgrade_required"),
        (&own, vec![&bearer, &old_version], 426, "upgrade_required"),
        (&own, vec![&bearer, &bad_key], 400, "bad_request"),
        (&own, vec![&socket], 401, "authentication_required"),
        ("/api/experience/agent", vec![&socket], 401, "authentication_required"),
        (&own, vec!["authorization: Bearer nonsense", &socket], 401, "token_invalid"),
        (&query, vec![&socket], 401, "authentication_required"),
        ("/api/runtime/agent?ticket=symt_made-up", vec![&socket], 401, "token_invalid"),
        (&own, vec!["sec-websocket-protocol: agent.v1, bearer.%%", &socket], 401, "token_invalid"),
        (&own, vec![&bearer, "sec-websocket-protocol: bearer.YWJj", &socket], 400, "conflicting_credentials"),
        (&own, vec![&bearer, &socket, foreign], 403, "foreign_origin"),
        (&own, vec![&bearer, &socket, "origin: null"], 403, "foreign_origin"),
        (&own, vec![&cookie, &socket], 403, "foreign_origin"),
        (&stranger, vec![&bearer, &socket], 404, "not_found"),
        (&nobodys, vec![&bearer, &socket], 404, "not_found"),
        ("/api/runtime/agent?session_id=sess_nowhere", vec![&bearer, &socket], 404, "not_found"),
        ("/api/runtime/agent?session_id=a/b", vec![&bearer, &socket], 404, "not_found"),
        ("/api/execution/exec_nowhere/stream", vec![&bearer, &socket], 404, "not_found"),
        ("/api/execution/exec_nowhere/stream", vec![&socket], 401, "authentication_required"),
    ] {
        let headers = headers.join("\r\n");
        let close = if headers.contains("connection:") { "" } else { "connection: close\r\n" };
        let request = format!("GET {path} HTTP/1.1\r\nhost: {}\r\n{close}{headers}\r\n\r\n", server.address);
        let answer = server.raw_problem(&request).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{path} {headers}: {answer}");
        assert!(answer.contains(&format!("\"error\":\"{code}\"")), "{path} {headers}: {answer}");
        assert!(answer.contains("application/problem+json"), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_in() {
    let server = Server::with("experience.legacy_client = true").await;
    let ada = server.register("ada").await;
    let token = &ada.access_token.0;
    let door = "/api/runtime/agent";
    let own_origin = format!("http://{}", server.address);
    let protocols = format!("agent.v1, bearer.{}", URL_SAFE_NO_PAD.encode(token));
    let (bearer, cookie) = (format!("Bearer {token}"), format!("symphainy={token}"));

    for (path, headers, protocol) in [
        (door.to_owned(), vec![("authorization", bearer.as_str())], None),
        ("/api/experience/agent".to_owned(), vec![("authorization", &bearer)], None),
        (door.to_owned(), vec![("cookie", &cookie), ("origin", &own_origin)], None),
        (door.to_owned(), vec![("sec-websocket-protocol", &protocols)], Some("agent.v1")),
        (format!("{door}?access_token={token}"), vec![], None),
        (format!("{door}?session_token={token}&session_id={}", ada.session.session_id), vec![], None),
    ] {
        let client = server.open(&path, &headers).await.unwrap();
        assert_eq!(client.protocol.as_deref(), protocol, "{path}");
    }

    let asker = security_guard::Asker::User(ada.caller.clone());
    let path = format!("{door}?ticket={}", server.guard.issue_ticket(&asker).unwrap().ticket.0);
    assert!(server.open(&path, &[]).await.is_ok());
    assert_eq!(server.open(&path, &[]).await.err(), Some(401), "a ticket opens once");
}
