//! What every route answers to bad input. The routes are those of the OpenAPI document, so that a new one is tried without a word
//! here.

use serde_json::{Value, json};

use crate::house::{Ask, House, ask, get, post};

/// One operation of the document.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub(crate) method: String,
    pub(crate) path: String,
    /// Whether it refuses whoever brings no credential in the head.
    pub(crate) needs_credential: bool,
    pub(crate) takes_json: bool,
    pub(crate) is_socket: bool,
}

/// Every operation of the document.
pub(crate) fn operations() -> Vec<Operation> {
    let document = serde_json::to_value(experience::http::document()).unwrap();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            operations.push(Operation {
                method: method.to_uppercase(),
                path: path.clone(),
                needs_credential: operation.get("security").is_none(),
                takes_json: operation["requestBody"]["content"].get("application/json").is_some(),
                is_socket: operation["responses"].get("101").is_some(),
            });
        }
    }
    assert!(operations.len() > 30, "the document has lost its routes");
    operations
}

impl Operation {
    /// The operation with something in place of each parameter of the path.
    fn ask(&self) -> Ask {
        let parts = self.path.split('/').map(|part| if part.starts_with('{') { "nobody" } else { part });
        ask(&self.method, &parts.collect::<Vec<_>>().join("/"))
    }
}

// ASVS 8.2.1: Every route but those that say otherwise wants a credential.
#[tokio::test]
async fn no_credential() {
    let house = House::new().await;
    for operation in operations().into_iter().filter(|operation| operation.needs_credential && !operation.is_socket) {
        let bodies = house_bodies(&operation);
        let answer = house.ask(operation.ask().json(&bodies)).await;
        assert_eq!(answer.status, 401, "{operation:?}: {answer:?}");
        answer.refused(401, "authentication_required");
    }
}

/// A body that fits, where the credential is looked for in the body.
fn house_bodies(operation: &Operation) -> Value {
    match operation.path.as_str() {
        "/api/artifact/resolve" => json!({ "artifact_id": "art_1" }),
        "/api/intent/pending/create" => json!({ "intent_type": "echo", "target_artifact_id": "art_1" }),
        "/api/tenants/switch" => json!({ "to": "tenant_1" }),
        "/api/v1/guide-agent/chat" => json!({ "message": "hello", "session_id": "sess_1" }),
        "/api/v1/guide-agent/analyze-intent" => json!({ "message": "hello" }),
        _ => json!({}),
    }
}

#[tokio::test]
async fn bad_credentials() {
    let house = House::new().await;
    for (value, code) in [
        ("Bearer nonsense", "token_invalid"),
        ("Bearer", "token_invalid"),
        ("Bearer ", "token_invalid"),
        ("Basic YTpi", "token_invalid"),
        ("Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1c2VyXzEifQ.", "token_invalid"),
    ] {
        for operation in operations().into_iter().filter(|operation| operation.needs_credential && !operation.is_socket)
        {
            let answer =
                house.ask(operation.ask().header("authorization", value).json(&house_bodies(&operation))).await;
            assert_eq!(answer.status, 401, "{operation:?}: {answer:?}");
            answer.refused(401, code);
        }
    }
}

#[tokio::test]
async fn bad_bodies() {
    let house = House::new().await;
    let ada = house.register("ada").await;
    let large = format!("{{\"x\":\"{}\"}}", "x".repeat(2 * 1024 * 1024));
    for operation in operations().into_iter().filter(|operation| operation.takes_json) {
        for (content_type, body, status, code) in [
            ("application/json", "{", 400, "malformed_json"),
            ("application/json", "\u{feff}{}", 400, "malformed_json"),
            ("application/json; charset=utf-8", "[]", 422, "validation_failed"),
            ("application/json", "{\"no_such_field\":1}", 422, "validation_failed"),
            ("text/plain", "{}", 415, "unsupported_media_type"),
            ("application/x-www-form-urlencoded", "a=b", 415, "unsupported_media_type"),
            ("application/json", large.as_str(), 413, "payload_too_large"),
        ] {
            let answer = house.ask(operation.ask().bearer(&ada).body(content_type, body.to_owned())).await;
            assert_eq!(answer.status, status, "{operation:?} {content_type} {:.40}: {answer:?}", body);
            let answer = answer.refused(status, code);
            if body.contains("no_such_field") {
                assert_eq!(answer.json()["errors"][0]["field"], "no_such_field", "{operation:?}");
            }
        }
    }
}

#[tokio::test]
async fn bodies_of_sign_in_are_small() {
    let house = House::new().await;
    let body = json!({ "email": "a@example.com", "password": "x".repeat(17 * 1024) });
    house.ask(post("/api/auth/login").json(&body)).await.refused(413, "payload_too_large");
}

#[tokio::test]
async fn wrong_methods_and_paths() {
    let house = House::new().await;
    for operation in operations() {
        let answer = house.ask(Operation { method: "PUT".to_owned(), ..operation.clone() }.ask()).await;
        let answer = answer.refused(405, "method_not_allowed");
        let allow = answer.headers["allow"].to_str().unwrap();
        assert!(allow.contains(&operation.method), "{operation:?}: {allow}");
    }
    for path in [
        "/api",
        "/nothing",
        "/api/nothing",
        "/api/session",
        "/metrics",
        "/docs/nothing",
        "/api/artifacts/a/b/c",
        "/%ff",
    ] {
        house.ask(get(path)).await.refused(404, "not_found");
    }
}

#[tokio::test]
async fn request_ids_are_kept_where_they_are_sane() {
    let house = House::new().await;
    let sent = house.ask(get("/health").header("x-request-id", "abc-1.2:3_4")).await.expect(200);
    assert_eq!(sent.headers["x-request-id"], "abc-1.2:3_4");
    for insane in ["a b", "a\"b", &"x".repeat(65)] {
        let made = house.ask(get("/nothing").header("x-request-id", insane)).await.expect(404);
        assert!(made.headers["x-request-id"].to_str().unwrap().starts_with("req_"));
    }
}

// ASVS 3.4.2: CORS answers the configured origins and no other.
#[tokio::test]
async fn other_sites_are_let_in_by_name_only() {
    let house = House::with("origins = [\"https://app.example.com\"]", "").await;
    let preflight = |origin: &str| {
        ask("OPTIONS", "/api/intent/submit").header("origin", origin).header("access-control-request-method", "POST")
    };
    let allowed = house.ask(preflight("https://app.example.com")).await.expect(204);
    assert_eq!(allowed.headers["access-control-allow-origin"], "https://app.example.com");
    assert_eq!(allowed.headers["access-control-allow-credentials"], "true");
    for foreign in ["https://evil.example", "null", "https://app.example.com.evil.example"] {
        let answer = house.ask(preflight(foreign)).await.expect(405);
        assert!(!answer.headers.contains_key("access-control-allow-origin"), "{foreign}");
    }
    let refused = house.ask(get("/api/agents").header("origin", "https://app.example.com")).await.expect(401);
    assert_eq!(refused.headers["access-control-allow-origin"], "https://app.example.com");
}
