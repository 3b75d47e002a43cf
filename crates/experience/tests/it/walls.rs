//! Two users in two tenants: one walks every route of the document with the ids of the other's things, and finds no way across.

use serde_json::{Value, json};

use crate::{
    house::{Answer, Ask, House, Person, ask, form, get, post},
    problems::{Operation, operations},
};

/// What Ada has.
pub(crate) struct Things {
    pub(crate) ada: Person,
    execution_id: String,
    waiting_id: String,
    hook_id: String,
    artifact_id: String,
    sign_in_id: String,
    schedule_id: String,
    key_id: String,
    invitation_id: String,
}

impl Things {
    pub(crate) async fn make(house: &House) -> Self {
        let ada = house.register("ada").await;
        let chat = json!({ "message": "a secret plan", "session_id": ada.session_id });
        house.ask(post("/api/v1/guide-agent/chat").bearer(&ada).json(&chat)).await.expect(200);
        let execution_id = house.submit(&ada, "echo", json!({ "text": "a secret plan" })).await;
        let waiting_id = house.submit(&ada, "careful", json!({})).await;
        let approvals = house.ask(get("/api/approvals").bearer(&ada)).await.expect(200).json();
        let hook_id = approvals["approvals"][0]["hook_id"].as_str().unwrap().to_owned();
        let artifact_id = house.upload(&ada).await["artifact_id"].as_str().unwrap().to_owned();
        let me = house.ask(get("/api/auth/me").bearer(&ada)).await.expect(200).json();
        let sign_in_id = me["session"]["sign_in_id"].as_str().unwrap().to_owned();
        let body = json!({ "intent_type": "echo", "session_id": ada.session_id, "cron": "0 9 * * *" });
        let schedule_id =
            house.ask(post("/api/schedules").bearer(&ada).json(&body)).await.expect(201).text("schedule_id");
        let key = house.ask(post("/api/auth/keys").bearer(&ada).json(&json!({ "name": "a secret plan" }))).await;
        let key_id = key.expect(201).json()["api_key"]["key_id"].as_str().unwrap().to_owned();
        let invite = json!({ "email": "someone@example.com", "role": "viewer" });
        let invited = house.ask(post("/api/tenant/invitations").bearer(&ada).json(&invite)).await.expect(201).json();
        let invitation_id = invited["invitation"]["invitation_id"].as_str().unwrap().to_owned();
        Self { ada, execution_id, waiting_id, hook_id, artifact_id, sign_in_id, schedule_id, key_id, invitation_id }
    }

    /// The path with Ada's things in it. A route with a new kind of parameter has to be taught here.
    fn path(&self, operation: &Operation) -> String {
        let path = operation.path.as_str();
        let id = match path {
            _ if !path.contains('{') => "",
            _ if path.starts_with("/api/session/") => &self.ada.session_id,
            _ if path.starts_with("/api/execution/") => &self.waiting_id,
            _ if path.starts_with("/api/tenant/members/") => &self.ada.user_id,
            _ if path.starts_with("/api/tenant/invitations/") => &self.invitation_id,
            _ if path.starts_with("/api/auth/keys/") => &self.key_id,
            _ if path.starts_with("/api/approvals/") => &self.hook_id,
            _ if path.starts_with("/api/auth/sign-ins/") => &self.sign_in_id,
            _ if path.starts_with("/api/schedules/") => &self.schedule_id,
            _ if path.starts_with("/api/artifacts/") => &self.artifact_id,
            // A conversation with the guide has its session's id.
            _ if path.starts_with("/api/conversations/") => &self.ada.session_id,
            _ if path.starts_with("/api/v1/guide-agent/history/") => &self.ada.session_id,
            _ => panic!("which of Ada's things belongs into {path}?"),
        };
        path.split('/').map(|part| if part.starts_with('{') { id } else { part }).collect::<Vec<_>>().join("/")
    }

    /// The request with Ada's things wherever a body takes ids. A route with a new body has to be taught here.
    pub(crate) fn ask(&self, operation: &Operation) -> Ask {
        let ask = ask(&operation.method, &self.path(operation));
        let session_id = &self.ada.session_id;
        let body = match operation.path.as_str() {
            "/api/files" => return ask.form(form(&[("session_id", None, session_id), ("file", Some("a.csv"), "x")])),
            "/api/auth/register" | "/api/auth/login" | "/api/auth/refresh" => json!({}),
            "/api/auth/password/forgot" | "/api/auth/email/verify" => json!({ "email": "ada@example.com" }),
            "/api/auth/password/reset" => json!({ "token": "symm_made-up", "new_password": "staple battery horse" }),
            "/api/auth/email/confirm" => json!({ "token": "symm_made-up" }),
            "/api/auth/second-factor" => json!({ "password": "x" }),
            "/api/auth/second-factor/confirm" => json!({ "code": "000000" }),
            "/api/auth/second-factor/remove" => json!({ "password": "x", "code": "000000" }),
            "/api/auth/keys" if operation.method == "POST" => json!({ "name": "mine", "user_id": self.ada.user_id }),
            "/api/auth/delegate" => json!({ "actor": self.ada.user_id }),
            "/api/tenants/switch" => json!({ "to": self.ada.tenant_id }),
            "/api/tenants/join" => json!({ "token": "symi_made-up" }),
            "/api/tenant/members/{user_id}" if operation.method == "PATCH" => json!({ "role": "viewer" }),
            "/api/tenant/transfer" => json!({ "new_owner": self.ada.user_id }),
            "/api/tenant/service-accounts" => json!({ "name": "mine" }),
            "/api/tenant/invitations" if operation.method == "POST" => {
                json!({ "email": "mallory@example.com", "role": "viewer" })
            }
            "/api/auth/password" => json!({ "current_password": "x", "new_password": "staple battery horse" }),
            "/api/auth/ticket" => json!({ "session_id": session_id }),
            "/api/session/create-anonymous" => json!({}),
            "/api/session/create" => json!({ "tenant_id": self.ada.tenant_id, "user_id": self.ada.user_id }),
            "/api/session/{id}/upgrade" | "/api/execution/{id}/cancel" | "/api/execution/{id}/redrive" => json!({}),
            "/api/intent/submit" => json!({ "intent_type": "echo", "session_id": session_id }),
            "/api/intent/pending/create" => json!({ "intent_type": "echo", "target_artifact_id": self.artifact_id }),
            "/api/intent/pending/list" => json!({ "target_artifact_id": self.artifact_id }),
            "/api/schedules" if operation.takes_json => {
                json!({ "intent_type": "echo", "session_id": session_id, "cron": "0 9 * * *" })
            }
            "/api/schedules/{id}" if operation.takes_json => json!({ "paused": true }),
            "/api/conversations/{id}/fork" => json!({ "at": 1 }),
            "/api/approvals/{hook_id}" => json!({ "approved": true }),
            "/api/conversations/{id}" => json!({ "title": "his" }),
            "/api/artifact/list" => json!({ "session_id": session_id }),
            "/api/artifact/resolve" => json!({ "artifact_id": self.artifact_id }),
            "/api/v1/guide-agent/chat" => json!({ "message": "hello", "session_id": session_id }),
            "/api/v1/guide-agent/analyze-intent" => json!({ "message": "hello", "session_id": session_id }),
            path if operation.takes_json => panic!("which of Ada's things belong into the body of {path}?"),
            _ => return ask,
        };
        ask.json(&body)
    }

    /// Nothing of Ada's is in an answer for somebody of another tenant.
    fn check(&self, operation: &Operation, answer: &Answer) {
        let ada = &self.ada;
        self.check_shared(operation, answer);
        let body = String::from_utf8_lossy(&answer.body);
        for secret in [&ada.user_id, &ada.tenant_id, "ada@example.com", &self.invitation_id] {
            assert!(!body.contains(secret), "{operation:?} tells {secret}: {body}");
        }
    }

    /// Nothing of what Ada keeps is in an answer for anybody else, in her tenant or not.
    fn check_shared(&self, operation: &Operation, answer: &Answer) {
        assert!(answer.status < 500, "{operation:?}: {answer:?}");
        if operation.path.contains('{') {
            assert!((400..500).contains(&answer.status), "{operation:?}: {answer:?}");
        }
        let body = String::from_utf8_lossy(&answer.body);
        let ada = &self.ada;
        for secret in [
            &self.execution_id,
            &self.waiting_id,
            &self.hook_id,
            &self.artifact_id,
            &self.sign_in_id,
            &self.schedule_id,
            &self.key_id,
            &ada.session_id,
            "a secret plan",
        ] {
            assert!(!body.contains(secret), "{operation:?} tells {secret}: {body}");
        }
    }

    /// Everything is as Ada left it.
    pub(crate) async fn check_untouched(&self, house: &House) {
        let read = async |path: String| -> Value { house.ask(get(&path).bearer(&self.ada)).await.expect(200).json() };
        assert_eq!(read(format!("/api/session/{}", self.ada.session_id)).await["user_id"], self.ada.user_id.as_str());
        assert_eq!(read(format!("/api/execution/{}/status", self.waiting_id)).await["status"], "awaiting_approval");
        assert_eq!(read("/api/approvals".to_owned()).await["approvals"][0]["status"], "pending");
        assert_eq!(read(format!("/api/artifacts/{}", self.artifact_id)).await["lifecycle_state"], "ready");
        let members = read("/api/tenant/members".to_owned()).await;
        assert_eq!(
            (&members["members"][0]["user_id"], &members["members"][0]["role"]),
            (&json!(self.ada.user_id), &json!("owner"))
        );
        let keys = read("/api/auth/keys".to_owned()).await;
        assert_eq!(keys["keys"].as_array().unwrap().len(), 1);
        let messages = read(format!("/api/conversations/{}", self.ada.session_id)).await["messages"].clone();
        assert_eq!(messages.as_array().unwrap().len(), 2);
    }
}

// ASVS 8.2.2: No route tells or changes what is another user's.
// ASVS 8.4.1: No route crosses from one tenant into another.
#[tokio::test]
async fn another_user_finds_no_way_across() {
    let house = House::new().await;
    let things = Things::make(&house).await;
    let eve = house.register("eve").await;
    for operation in operations().into_iter().filter(|operation| operation.path != "/api/auth/logout") {
        let answer = house.ask(things.ask(&operation).bearer(&eve)).await;
        things.check(&operation, &answer);
    }
    things.check_untouched(&house).await;
}

// ASVS 8.2.2: Nor what is another member's of the same tenant, in any role.
#[tokio::test]
async fn another_member_finds_no_way_across_in_any_role() {
    for role in ["viewer", "member", "admin"] {
        let house = House::new().await;
        let things = Things::make(&house).await;
        let eve = house.member(&things.ada, "eve", role).await;
        for operation in operations().into_iter().filter(|operation| operation.path != "/api/auth/logout") {
            let answer = house.ask(things.ask(&operation).bearer(&eve)).await;
            let manages = operation.path.starts_with("/api/tenant/") && operation.path != "/api/tenant/transfer";
            if (manages || operation.path == "/api/audit") && role == "admin" {
                assert!(answer.status < 500, "{operation:?}: {answer:?}");
                continue;
            }
            things.check_shared(&operation, &answer);
            let writes_for_ada = operation.path == "/api/auth/keys" && operation.method == "POST";
            if manages || writes_for_ada || operation.path == "/api/tenant/transfer" {
                assert!((400..500).contains(&answer.status), "{role} {operation:?}: {answer:?}");
            }
        }
        things.check_untouched(&house).await;
    }
}

#[tokio::test]
async fn nobody_finds_no_way_in() {
    let house = House::new().await;
    let things = Things::make(&house).await;
    for operation in operations() {
        let answer = house.ask(things.ask(&operation)).await;
        things.check(&operation, &answer);
    }
    things.check_untouched(&house).await;
}

#[tokio::test]
async fn an_anonymous_session_finds_no_way_across() {
    let house = House::legacy().await;
    let things = Things::make(&house).await;
    let stranger = house.anonymous_session().await;
    for path in ["/api/artifact/resolve", "/api/artifact/list"] {
        let body = match path {
            "/api/artifact/resolve" => json!({ "artifact_id": things.artifact_id, "session_id": stranger }),
            _ => json!({ "session_id": stranger }),
        };
        let answer = house.ask(post(path).json(&body)).await;
        assert!(!String::from_utf8_lossy(&answer.body).contains(&things.artifact_id), "{answer:?}");
    }
    things.check_untouched(&house).await;
}
