//! Credentials: how one gets them, where they travel, and what opens what.

use serde_json::json;

use crate::house::{Answer, Ask, House, PASSWORD, Person, ask, get, post};

fn login(email: &str, password: &str) -> Ask {
    post("/api/auth/login").json(&json!({ "email": email, "password": password }))
}

#[tokio::test]
async fn from_registration_to_sign_out() {
    let house = House::new().await;
    let ada = house.register("ada").await;
    let me = house.ask(get("/api/auth/me").bearer(&ada)).await.expect(200).json();
    assert_eq!(me["user"]["email"], "ada@example.com");
    assert_eq!(me["tenant"]["id"], ada.tenant_id.as_str());
    let twice = json!({ "name": "Ada", "email": "ada@example.com", "password": PASSWORD });
    house.ask(post("/api/auth/register").json(&twice)).await.refused(409, "email_taken");
    house.ask(login("ada@example.com", "wrong")).await.refused(401, "authentication_failed");
    house.ask(login("nobody@example.com", "wrong")).await.refused(401, "authentication_failed");
    let again = house.ask(login("ada@example.com", PASSWORD)).await.expect(200);
    assert_eq!(again.text("user_id"), ada.user_id);
    let refresh = json!({ "refresh_token": ada.refresh_token });
    let refreshed = house.ask(post("/api/auth/refresh").json(&refresh)).await.expect(200);
    assert_ne!(refreshed.text("refresh_token"), ada.refresh_token);
    house.ask(post("/api/auth/logout").bearer(&ada)).await.expect(204);
    house.ask(get("/api/auth/me").bearer(&ada)).await.refused(401, "token_invalid");
    let other = Person { token: again.text("access_token"), ..ada };
    house.ask(post("/api/auth/logout?all=true").bearer(&other)).await.expect(204);
    house.ask(post("/api/auth/refresh")).await.refused(401, "authentication_required");
}

#[tokio::test]
async fn limits_say_what_they_are() {
    let house = House::with("", "limits = { login = \"2/1m\", register = \"1/5m\" }").await;
    house.register("ada").await;
    let body = json!({ "name": "Eve", "email": "eve@example.com", "password": PASSWORD });
    let answer = house.ask(post("/api/auth/register").json(&body)).await.refused(429, "too_many_requests");
    assert_eq!(
        (&answer.headers["x-ratelimit-limit"], &answer.headers["x-ratelimit-window"]),
        (&"1".parse().unwrap(), &"300".parse().unwrap())
    );
    for _ in 0..2 {
        house.ask(login("ada@example.com", "wrong")).await.expect(401);
    }
    house.ask(login("ada@example.com", PASSWORD)).await.refused(429, "too_many_requests");
}

// ASVS 3.3.2: Session cookies say `SameSite`.
// ASVS 3.3.4: Cookies with tokens are `HttpOnly`.
// ASVS 3.5.1: A cookie alone proves nothing: `Origin`, Fetch-Metadata and, where it is sent or asked for, a token.
#[tokio::test]
async fn cookies_are_asked_for() {
    let house = House::new().await;
    house.register("ada").await;
    assert!(house.ask(login("ada@example.com", PASSWORD)).await.expect(200).cookies().is_empty());
    let body = json!({ "email": "ada@example.com", "password": PASSWORD });
    let signed_in = house.ask(post("/api/auth/login?mode=cookie").json(&body)).await.expect(200);
    assert!(signed_in.json().get("access_token").is_none() && signed_in.json().get("refresh_token").is_none());
    let [access, refresh, csrf] = signed_in.cookies().try_into().unwrap();
    assert!(access.starts_with("symphainy=") && access.contains("HttpOnly") && access.contains("SameSite=Lax"));
    assert!(refresh.starts_with("symphainy-refresh=") && refresh.contains("Path=/api/auth"));
    assert!(refresh.contains("HttpOnly") && refresh.contains("SameSite=Strict"));
    assert!(csrf.starts_with("symphainy-csrf=") && !csrf.contains("HttpOnly") && csrf.contains("SameSite=Strict"));
    assert!(csrf.contains(&signed_in.text("csrf_token")), "the page may read it in either place");
    let pair = |cookie: &str| cookie.split(';').next().unwrap().to_owned();
    let (access, refresh) = (pair(&access), pair(&refresh));

    house.ask(get("/api/auth/me").header("cookie", &access)).await.expect(200);
    // What another site can make a browser send.
    let create = || post("/api/session/create").header("cookie", &access).json(&json!({}));
    house.ask(create()).await.refused(403, "foreign_origin");
    house.ask(create().header("origin", "https://evil.example")).await.refused(403, "foreign_origin");
    house.ask(create().header("sec-fetch-site", "cross-site")).await.refused(403, "foreign_origin");
    house.ask(create().header("sec-fetch-site", "same-origin")).await.expect(200);
    let own = || create().header("origin", "http://localhost:8000");
    house.ask(own().header("sec-fetch-site", "cross-site")).await.refused(403, "foreign_origin");
    house.ask(own().header("x-csrf-token", &signed_in.text("csrf_token"))).await.expect(200);
    house.ask(own().header("x-csrf-token", "nonsense")).await.refused(403, "csrf_token_invalid");
    house.ask(create().header("origin", "http://localhost:8000")).await.expect(200);

    let refresh = || post("/api/auth/refresh").header("cookie", &refresh);
    house.ask(refresh()).await.refused(403, "foreign_origin");
    let refreshed = house.ask(refresh().header("origin", "http://localhost:8000")).await.expect(200);
    assert!(refreshed.json().get("refresh_token").is_none());
    assert_eq!(refreshed.cookies().len(), 3);
    let out = post("/api/auth/logout").header("cookie", &access).header("origin", "http://localhost:8000");
    assert!(house.ask(out).await.expect(204).cookies().iter().all(|cookie| cookie.contains("Max-Age=0")));
    house.ask(post("/api/auth/login?mode=token").json(&body)).await.refused(400, "bad_request");
    let in_the_open = post("/api/auth/login?mode=cookie").host("10.0.0.1:8000").json(&body);
    house.ask(in_the_open).await.refused(400, "bad_request");
}

/// A browser's cookies.
#[derive(Default)]
struct Jar(Vec<(String, String)>);

impl Jar {
    fn take(&mut self, answer: &Answer) {
        for cookie in answer.cookies() {
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            self.0.retain(|(known, _)| known != name);
            if !cookie.contains("Max-Age=0") {
                self.0.push((name.to_owned(), value.to_owned()));
            }
        }
    }

    fn send(&self, ask: Ask) -> Ask {
        let pairs: Vec<String> = self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        ask.header("cookie", &pairs.join("; ")).header("origin", "http://localhost:8000")
    }
}

#[tokio::test]
async fn a_page_lives_on_cookies_alone() {
    let house = House::with("csrf_token = \"required\"", "").await;
    house.register("ada").await;
    let mut jar = Jar::default();
    let body = json!({ "email": "ada@example.com", "password": PASSWORD });
    let signed_in = house.ask(post("/api/auth/login?mode=cookie").json(&body)).await.expect(200);
    jar.take(&signed_in);
    let mut csrf_token = signed_in.text("csrf_token");
    for _ in 0..3 {
        let refreshed = house.ask(jar.send(post("/api/auth/refresh"))).await.expect(200);
        jar.take(&refreshed);
        assert!(!String::from_utf8_lossy(&refreshed.body).contains("symr_"));
        csrf_token = refreshed.text("csrf_token");
        house.ask(jar.send(get("/api/auth/me"))).await.expect(200);
    }
    let create = || jar.send(post("/api/session/create")).json(&json!({}));
    house.ask(create()).await.refused(403, "csrf_token_invalid");
    let stranger = house.register("eve").await;
    let hers = json!({ "email": "eve@example.com", "password": PASSWORD });
    let hers = house.ask(post("/api/auth/login?mode=cookie").json(&hers)).await.expect(200).text("csrf_token");
    house.ask(create().header("x-csrf-token", &hers)).await.refused(403, "csrf_token_invalid");
    house.ask(create().header("x-csrf-token", &csrf_token)).await.expect(200);
    house.ask(post("/api/session/create").bearer(&stranger).json(&json!({}))).await.expect(200);
    let out = house.ask(jar.send(post("/api/auth/logout")).header("x-csrf-token", &csrf_token)).await.expect(204);
    jar.take(&out);
    assert!(jar.0.is_empty());
}

#[tokio::test]
async fn a_password_is_changed_by_who_knows_it() {
    let house = House::new().await;
    let ada = house.register("ada").await;
    let change = |current: &str| {
        let body = json!({ "current_password": current, "new_password": "staple battery horse" });
        post("/api/auth/password").bearer(&ada).json(&body)
    };
    house.ask(change("wrong")).await.refused(403, "forbidden");
    house.ask(change(PASSWORD)).await.expect(204);
    house.ask(login("ada@example.com", PASSWORD)).await.refused(401, "authentication_failed");
    house.ask(login("ada@example.com", "staple battery horse")).await.expect(200);
}

#[tokio::test]
async fn two_credentials_have_to_agree() {
    let house = House::new().await;
    let (ada, eve) = (house.register("ada").await, house.register("eve").await);
    let me = || get("/api/auth/me").bearer(&ada);
    house.ask(me().bearer(&ada)).await.refused(400, "conflicting_credentials");
    house.ask(me().header("cookie", &format!("symphainy={}", ada.token))).await.expect(200);
    house.ask(me().header("cookie", &format!("symphainy={}", eve.token))).await.refused(400, "conflicting_credentials");
    house.ask(me().header("cookie", "symphainy=stale")).await.expect(200);
    let session_id = house.anonymous_session().await;
    let upgrade = |token: &str| {
        ask("PATCH", &format!("/api/session/{session_id}/upgrade")).json(&json!({ "access_token": token }))
    };
    house.ask(upgrade(&eve.token).bearer(&ada)).await.refused(400, "conflicting_credentials");
    house.ask(upgrade("nonsense")).await.refused(401, "token_invalid");
    house.ask(upgrade(&ada.token)).await.expect(200);
}

#[tokio::test]
async fn an_anonymous_session_is_claimed_once() {
    let house = House::new().await;
    let (ada, eve) = (house.register("ada").await, house.register("eve").await);
    let session_id = house.anonymous_session().await;
    let path = format!("/api/session/{session_id}");
    let session = house.ask(get(&path)).await.expect(200).json();
    assert_eq!((&session["tenant_id"], &session["is_anonymous"]), (&json!(null), &json!(true)));
    assert!(session["state"]["realm_state"]["insights"].is_object());
    let upgrade = |person: &Person| ask("PATCH", &format!("{path}/upgrade")).bearer(person);
    let claimed = house.ask(upgrade(&ada).json(&json!({ "metadata": { "a": 1 } }))).await.expect(200).json();
    assert_eq!(claimed["user_id"], ada.user_id.as_str());
    house.ask(upgrade(&ada)).await.expect(200);
    house.ask(upgrade(&eve)).await.refused(404, "not_found");
    house.ask(get(&path)).await.refused(401, "authentication_required");
    house.ask(get(&path).bearer(&eve)).await.refused(404, "not_found");
    house.ask(get(&path).bearer(&ada)).await.expect(200);
    house.ask(ask("DELETE", &path)).await.refused(401, "authentication_required");
    house.ask(ask("DELETE", &path).bearer(&ada)).await.expect(204);
    house.ask(get(&path).bearer(&ada)).await.refused(404, "not_found");
}

#[tokio::test]
async fn sessions_are_created_in_several_words() {
    let house = House::new().await;
    let ada = house.register("ada").await;
    let create = |body| post("/api/session/create").json(&body);
    let old_words = json!({ "tenant_id": "", "user_id": "", "metadata": {}, "execution_contract": {} });
    assert_eq!(house.ask(create(old_words.clone())).await.expect(200).json()["is_anonymous"], true);
    assert_eq!(house.ask(create(old_words).bearer(&ada)).await.expect(200).json()["user_id"], ada.user_id.as_str());
    let own = json!({ "tenant_id": ada.tenant_id, "user_id": ada.user_id });
    house.ask(create(own.clone()).bearer(&ada)).await.expect(200);
    house.ask(create(own)).await.refused(401, "authentication_required");
    house.ask(create(json!({ "tenant_id": "tenant_other" })).bearer(&ada)).await.refused(403, "forbidden");
    let typed = json!({ "credentials": { "email": "ada@example.com", "password": PASSWORD } });
    assert_eq!(house.ask(create(typed)).await.expect(200).json()["user_id"], ada.user_id.as_str());
}

#[tokio::test]
async fn tickets_are_for_whoever_asks() {
    let house = House::new().await;
    let ada = house.register("ada").await;
    let session_id = house.anonymous_session().await;
    let ticket = |session_id: &str| post("/api/auth/ticket").json(&json!({ "session_id": session_id }));
    assert_eq!(house.ask(ticket(&session_id)).await.expect(200).json()["expires_in"], 30);
    house.ask(post("/api/auth/ticket").bearer(&ada)).await.expect(200);
    house.ask(ticket(&ada.session_id)).await.refused(401, "authentication_required");
    house.ask(post("/api/auth/ticket")).await.refused(401, "authentication_required");
}

#[tokio::test]
async fn the_old_client_has_its_doors() {
    let (strict, open) = (House::new().await, House::legacy().await);
    for (house, status) in [(&strict, 401), (&open, 200)] {
        let ada = house.register("ada").await;
        let execution_id = house.submit(&ada, "echo", json!({ "text": "hello" })).await;
        let submit = json!({ "intent_type": "echo", "session_id": ada.session_id });
        house.ask(post("/api/intent/submit").json(&submit)).await.expect(status);
        house.ask(get(&format!("/api/execution/{execution_id}/status"))).await.expect(status);
        house.ask(post("/api/artifact/list").json(&json!({ "session_id": ada.session_id }))).await.expect(status);
        house.ask(post("/api/artifact/list").json(&json!({}))).await.expect(401);
        house.ask(get("/api/agents")).await.expect(401);
        house.ask(get("/api/execution/exec_nobody/status")).await.expect(401);
    }
    let body = json!({ "email": "ada@example.com", "password": PASSWORD });
    let signed_in = open.ask(post("/api/auth/login").json(&body)).await.expect(200);
    assert!(!signed_in.text("access_token").is_empty());
    assert_eq!(signed_in.cookies().len(), 3);
}
