//! What is done by letters, over HTTP.

use serde_json::{Value, json};

use crate::house::{Answer, House, PASSWORD, post};

async fn ask(house: &House, path: &str, body: Value) -> Answer {
    house.ask(post(path).json(&body)).await
}

/// The token of the newest letter to this address.
async fn token(house: &House, to: &str) -> String {
    let guard = &house.experience.plane().guard;
    guard.deliver_letters().await.unwrap();
    let letter = house.mail.take().pop().unwrap();
    assert_eq!(letter.to, to);
    letter.text.lines().find(|line| line.starts_with("symm_")).unwrap().to_owned()
}

#[tokio::test]
async fn a_forgotten_password() {
    let house = House::new().await;
    house.register("ada").await;
    let known = ask(&house, "/api/auth/password/forgot", json!({ "email": "ada@example.com" })).await.expect(202);
    let unknown = ask(&house, "/api/auth/password/forgot", json!({ "email": "eve@example.com" })).await.expect(202);
    assert_eq!(known.body, unknown.body);
    let token = token(&house, "ada@example.com").await;
    let reset = json!({ "token": token, "new_password": "another horse battery" });
    assert_eq!(ask(&house, "/api/auth/password/reset", reset.clone()).await.expect(204).body, "");
    ask(&house, "/api/auth/password/reset", reset).await.refused(403, "forbidden");
    let login = |password: &str| json!({ "email": "ada@example.com", "password": password });
    ask(&house, "/api/auth/login", login(PASSWORD)).await.refused(401, "authentication_failed");
    ask(&house, "/api/auth/login", login("another horse battery")).await.expect(200);
}

#[tokio::test]
async fn an_address_is_confirmed_first() {
    let house = House::with("", "auth.verify_email = \"required\"").await;
    let register = json!({ "name": "Ada", "email": "ada@example.com", "password": PASSWORD });
    let first = ask(&house, "/api/auth/register", register.clone()).await.expect(202);
    assert!(first.json().get("access_token").is_none() && first.cookies().is_empty());
    let login = json!({ "email": "ada@example.com", "password": PASSWORD });
    ask(&house, "/api/auth/login", login.clone()).await.refused(403, "email_not_verified");
    let token = token(&house, "ada@example.com").await;
    ask(&house, "/api/auth/email/confirm", json!({ "token": token })).await.expect(204);
    ask(&house, "/api/auth/email/confirm", json!({ "token": token })).await.refused(403, "forbidden");
    ask(&house, "/api/auth/login", login).await.expect(200);
    let again = ask(&house, "/api/auth/register", register).await.expect(202);
    assert_eq!(first.body, again.body, "a known address is not told from an unknown one");
    let asked = ask(&house, "/api/auth/email/verify", json!({ "email": "ada@example.com" })).await.expect(202);
    let unknown = ask(&house, "/api/auth/email/verify", json!({ "email": "eve@example.com" })).await.expect(202);
    assert_eq!(asked.body, unknown.body);
}

#[tokio::test]
async fn an_invitation_lets_somebody_register() {
    let house = House::with("", "auth.registration = \"open\"").await;
    let ada = house.register("ada").await;
    let invite = json!({ "email": "bob@example.com", "role": "viewer" });
    house.ask(post("/api/tenant/invitations").bearer(&ada).json(&invite)).await.expect(201);
    let invitation = token(&house, "bob@example.com").await;
    let register =
        |email: &str| json!({ "name": "Bob", "email": email, "password": PASSWORD, "invitation": invitation });
    ask(&house, "/api/auth/register", register("eve@example.com")).await.refused(403, "forbidden");
    let bob = ask(&house, "/api/auth/register", register("bob@example.com")).await.expect(200);
    assert_eq!(bob.text("tenant_id"), ada.tenant_id);
    assert_eq!(bob.json()["roles"], json!(["viewer"]));
}
