//! What users and attackers send to the doors of sign-in, and the answer that each gets. What every route answers alike stands in
//! `problems.rs`, sockets in `sockets/`, tokens that look like ours with the guard.

use futures_util::future::join_all;
use serde_json::json;

use crate::house::{House, PASSWORD, ask, get, post};

const JSON: &str = "application/json";

#[tokio::test]
async fn bodies_of_sign_in() {
    let house = House::new().await;
    house.register("ada").await;
    let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
    let deep = format!(r#"{{"email":"ada@example.com","password":{deep}}}"#);
    let login = |email: &str, password: &str| json!({ "email": email, "password": password }).to_string();
    let register = |name: &str, email: &str, password: &str| {
        json!({ "name": name, "email": email, "password": password }).to_string()
    };
    let host = format!("{}.example", "b".repeat(63));
    let longest = format!("{}@{}", "a".repeat(64), [host.as_str(), &host, "c"].join("."));
    let rows: Vec<(&str, &str, Vec<u8>, u16, &str)> = vec![
        ("login", JSON, Vec::new(), 400, "malformed_json"),
        ("login", JSON, b"null".to_vec(), 422, "validation_failed"),
        ("login", JSON, b"[\"ada@example.com\",\"x\"]".to_vec(), 422, "validation_failed"),
        ("login", JSON, b"{\"email\":1,\"password\":{}}".to_vec(), 422, "validation_failed"),
        ("login", JSON, deep.into_bytes(), 422, "validation_failed"),
        (
            "login",
            JSON,
            b"{\"email\":\"a@b.c\",\"email\":\"d@e.f\",\"password\":\"x\"}".to_vec(),
            422,
            "validation_failed",
        ),
        ("login", JSON, b"{\"email\":\"\xff\xfe\",\"password\":\"x\"}".to_vec(), 400, "malformed_json"),
        ("login", JSON, b"{\"email\":\"\\ud800\",\"password\":\"x\"}".to_vec(), 400, "malformed_json"),
        ("login", "text/plain", login("ada@example.com", PASSWORD).into_bytes(), 415, "unsupported_media_type"),
        ("login", "application/x-www-form-urlencoded", b"email=a&password=b".to_vec(), 415, "unsupported_media_type"),
        ("login", JSON, login("", "x").into_bytes(), 422, "validation_failed"),
        ("login", JSON, login("ada", "x").into_bytes(), 422, "validation_failed"),
        ("login", JSON, login("ada@example.com", "").into_bytes(), 422, "validation_failed"),
        ("login", JSON, login("ada@example.com", &"x".repeat(1_024)).into_bytes(), 401, "authentication_failed"),
        ("login", JSON, login("ada@example.com", &"x".repeat(1_025)).into_bytes(), 422, "validation_failed"),
        ("login", JSON, login("ada@example.com' OR 1=1 --", "x").into_bytes(), 422, "validation_failed"),
        ("login", JSON, login("ada@example.com", "' OR '1'='1").into_bytes(), 401, "authentication_failed"),
        ("login", JSON, login("ada@example.com\u{0}", "x").into_bytes(), 422, "validation_failed"),
        ("login", JSON, login(&longest, "x").into_bytes(), 401, "authentication_failed"),
        ("register", JSON, register("", "eve@example.com", PASSWORD).into_bytes(), 422, "validation_failed"),
        (
            "register",
            JSON,
            register(&"x".repeat(101), "eve@example.com", PASSWORD).into_bytes(),
            422,
            "validation_failed",
        ),
        (
            "register",
            JSON,
            register("Eve\r\nBcc: all", "eve@example.com", PASSWORD).into_bytes(),
            422,
            "validation_failed",
        ),
        (
            "register",
            JSON,
            register("Eve", "eve@example.com\r\nBcc:a@b.c", PASSWORD).into_bytes(),
            422,
            "validation_failed",
        ),
        ("register", JSON, register("Eve", &format!("a{longest}"), PASSWORD).into_bytes(), 422, "validation_failed"),
        ("register", JSON, register("Eve", "eve@example.com", "short").into_bytes(), 422, "validation_failed"),
        ("register", JSON, register("Eve", "eve@example.com", "password123").into_bytes(), 422, "validation_failed"),
        (
            "register",
            JSON,
            register("Eve", "eve@example.com", "eve@example.com").into_bytes(),
            422,
            "validation_failed",
        ),
        ("register", JSON, register("Eve", "ADA@Example.com ", PASSWORD).into_bytes(), 409, "email_taken"),
        ("refresh", JSON, json!({ "refresh_token": "" }).to_string().into_bytes(), 401, "token_invalid"),
        ("refresh", JSON, json!({ "refresh_token": "x".repeat(5_000) }).to_string().into_bytes(), 401, "token_invalid"),
        ("refresh", JSON, json!({ "refresh_token": null }).to_string().into_bytes(), 401, "authentication_required"),
        ("refresh", JSON, json!({ "refresh_token": ["x"] }).to_string().into_bytes(), 422, "validation_failed"),
    ];
    for (path, content_type, body, status, code) in rows {
        let said = String::from_utf8_lossy(&body).chars().take(120).collect::<String>();
        let answer = house.ask(post(&format!("/api/auth/{path}")).body(content_type, body)).await;
        assert_eq!(answer.status, status, "{path} {said}: {answer:?}");
        let answer = answer.refused(status, code);
        assert!(
            !String::from_utf8_lossy(&answer.body).contains(PASSWORD),
            "{path} {said}: the answer tells the password"
        );
    }
}

// ASVS 2.3.3: Registration is one transaction: of fifty at once one wins, and the others change nothing.
#[tokio::test]
async fn fifty_registrations_at_once() {
    let house = House::new().await;
    let body = json!({ "name": "Ada", "email": "ada@example.com", "password": PASSWORD });
    let answers = join_all((0..50).map(|_| house.ask(post("/api/auth/register").json(&body)))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    assert_eq!(answers.iter().filter(|answer| answer.status == 409).count(), 49);
}

// ASVS 6.3.1: Tries to sign in are limited by address, whatever the headers say the address is.
#[tokio::test]
async fn two_hundred_guesses_from_one_address() {
    let house = House::with("", "limits = { register = \"1000/1s\" }").await;
    house.register("ada").await;
    let mut statuses = Vec::new();
    for number in 0..200 {
        let body = json!({ "email": "ada@example.com", "password": format!("guess number {number}") });
        let forged = format!("198.51.100.{number}");
        let guess = post("/api/auth/login").header("x-forwarded-for", &forged).header("x-real-ip", &forged).json(&body);
        let answer = house.ask(guess).await;
        answer.check();
        statuses.push(answer.status);
    }
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 5, "{statuses:?}");
    assert!(statuses[5..].iter().all(|status| *status == 429));
}

// ASVS 8.2.2: Who is asking comes from the credential alone.
#[tokio::test]
async fn identity_headers_mean_nothing() {
    let house = House::new().await;
    let (ada, eve) = (house.register("ada").await, house.register("eve").await);
    for name in
        ["x-user-id", "x-tenant-id", "x-forwarded-user", "remote-user", "x-original-url", "x-http-method-override"]
    {
        for value in [ada.user_id.as_str(), ada.tenant_id.as_str(), "DELETE", "/api/audit"] {
            let me = house.ask(get("/api/auth/me").bearer(&eve).header(name, value)).await.expect(200).json();
            assert_eq!(me["user"]["id"], eve.user_id.as_str(), "{name}: {value}");
            house.ask(get("/api/auth/me").header(name, value)).await.refused(401, "authentication_required");
        }
    }
    let upgrade = |person| ask("PATCH", &format!("/api/session/{}/upgrade", ada.session_id)).bearer(person);
    house.ask(upgrade(&eve)).await.refused(404, "not_found");
    let both = upgrade(&eve).json(&json!({ "access_token": ada.token }));
    house.ask(both).await.refused(400, "conflicting_credentials");
}
