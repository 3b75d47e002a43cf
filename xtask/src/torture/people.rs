//! Accounts, refreshes, uploads, and anonymous sessions that become somebody's.

use std::time::Duration;

use rand::RngExt;
use serde_json::{Value, json};

use super::{
    client::{Account, Client, Issued, PASSWORD, body},
    http::Request,
    known::{Asked, Known, Promise, Seen},
};

/// Longer than a replayed refresh token is forgiven; the torture's settings say one second.
const PAST_THE_WINDOW: Duration = Duration::from_millis(1_200);

impl Client {
    /// Registers; where the answer was lost and the registration was not, signs in.
    pub(super) async fn register(&mut self) {
        let email = self.account.email.clone();
        let name = format!("Client {}", self.name());
        let body = json!({"name": name, "email": email, "password": PASSWORD});
        let mut answer = self.insist(&Request::json("POST", "/api/auth/register", &body)).await;
        if answer.status == 409 {
            answer = self.sign_in(&email).await;
        }
        if self.must("a registration that was not acknowledged can be made or is there", &answer) {
            self.world.acknowledge();
            self.account = account(email, &answer.json());
            self.world.register();
        }
    }

    async fn sign_in(&mut self, email: &str) -> super::http::Answer {
        let body = json!({"email": email, "password": PASSWORD});
        self.insist(&Request::json("POST", "/api/auth/login", &body)).await
    }

    /// Gets new tokens, with the old ones as often as it takes.
    pub(super) async fn refresh(&mut self) {
        let request = refresh_with(&self.account.refresh_token);
        let answer = self.insist(&request).await;
        if !self.must("nobody is signed out by a lost answer", &answer) || self.is_over() {
            return;
        }
        self.world.acknowledge();
        let renewed = account(self.account.email.clone(), &answer.json());
        if self.flips(4) {
            // Another tab, or a reply that came twice.
            let again = self.insist(&request).await;
            let same = again.json()["refresh_token"].as_str() == Some(&renewed.refresh_token);
            self.world.check("a replayed refresh token has one successor", same || self.is_over(), || {
                format!("{} {}", again.status, again.text())
            });
        }
        let session_id = std::mem::take(&mut self.account.session_id);
        self.account = Account { session_id, ..renewed };
    }

    /// A token that was replayed too late ends its sign-in, and that one alone.
    pub(super) async fn end_a_family(&mut self) {
        if self.is_over() {
            return;
        }
        let email = self.account.email.clone();
        let first = self.sign_in(&email).await;
        if !self.must("a registered user can sign in", &first) {
            return;
        }
        let mut tokens = vec![text(&first.json()["refresh_token"])];
        for _ in 0..2 {
            let answer = self.insist(&refresh_with(&tokens[tokens.len() - 1])).await;
            self.must("nobody is signed out by a lost answer", &answer);
            tokens.push(text(&answer.json()["refresh_token"]));
        }
        tokio::time::sleep(PAST_THE_WINDOW).await;
        for (token, why) in [(&tokens[0], "a late replay is refused"), (&tokens[2], "a late replay ends its family")] {
            let answer = self.insist(&refresh_with(token)).await;
            self.world
                .check(why, answer.status == 401 || self.is_over(), || format!("{} {}", answer.status, answer.text()));
        }
        self.refresh().await;
    }

    pub(super) async fn upload_something(&mut self) {
        let session_id = self.account.session_id.clone();
        let ticket = self.ticket();
        let (name, bytes) = self.file(ticket);
        let request =
            Request::upload(&name, &bytes, Some(&session_id)).header("idempotency-key", &format!("file-{ticket}"));
        let request = self.authorized(request);
        let answer = self.insist(&request).await;
        if !self.must("an upload is taken in", &answer) || self.is_over() {
            return;
        }
        self.world.acknowledge();
        self.uploads += 1;
        let id = text(&answer.json()["artifact_id"]);
        self.artifacts.insert(id.clone(), bytes);
        if self.flips(3) {
            let again = self.insist(&request).await;
            let holds = again.json()["artifact_id"].as_str() == Some(&id) || self.is_over();
            self.world.check("the same key gives the same answer", holds, || again.text());
        }
        if self.flips(2) {
            self.look_at_artifact(&id).await;
        }
    }

    fn file(&mut self, ticket: u64) -> (String, Vec<u8>) {
        let lines = self.chance.random_range(1..400);
        let bytes: String = (0..lines).map(|line| format!("{ticket},{line}\n")).collect();
        (format!("file{ticket}.txt"), bytes.into_bytes())
    }

    /// Works in an anonymous session, and then takes it over with all that it has.
    pub(super) async fn claim_something(&mut self) {
        let created = self.insist(&Request::json("POST", "/api/session/create-anonymous", &json!({}))).await;
        if !self.must("an anonymous session is made", &created) || self.is_over() {
            return;
        }
        self.world.acknowledge();
        let session_id = text(&created.json()["session_id"]);
        let mut taken = Vec::new();
        for _ in 0..self.chance.random_range(1..4) {
            let asked = Asked { steps: 1, ..Asked::default() };
            let ticket = self.ticket();
            self.issued.insert(ticket, Issued { asked, is_certain: true });
            let request = Request::json("POST", "/api/intent/submit", &body("torture", &session_id, ticket, asked));
            let answer = self.insist(&request.header("idempotency-key", &format!("key-{ticket}"))).await;
            if !self.must("a submission is accepted", &answer) || self.is_over() {
                return;
            }
            self.world.acknowledge();
            let execution_id = text(&answer.json()["execution_id"]);
            taken.push(Known { execution_id, ticket, asked, promise: Promise::Completed, seen: Seen::default() });
        }
        let ticket = self.ticket();
        let (name, bytes) = self.file(ticket);
        let upload =
            Request::upload(&name, &bytes, Some(&session_id)).header("idempotency-key", &format!("file-{ticket}"));
        let uploaded = self.insist(&upload).await;
        if !self.must("an upload is taken in", &uploaded) || self.is_over() {
            return;
        }
        self.world.acknowledge();
        self.uploads += 1;
        let path = format!("/api/session/{session_id}/upgrade");
        let claimed = self.insist_authorized(Request::json("PATCH", path, &json!({}))).await;
        if !self.must("a session is claimed", &claimed) || self.is_over() {
            return;
        }
        self.world.acknowledge();
        let first = self.known.len();
        self.known.extend(taken);
        let id = text(&uploaded.json()["artifact_id"]);
        self.artifacts.insert(id.clone(), bytes);
        self.look_at_artifact(&id).await;
        self.look_at(first).await;
        let nobody = body("torture", &session_id, self.number_of_nobody(), Asked::default());
        let refused = self.insist(&Request::json("POST", "/api/intent/submit", &nobody)).await;
        self.world.check("a claimed session's id opens nothing", matches!(refused.status, 401 | 403 | 404), || {
            format!("{} {}", refused.status, refused.text())
        });
    }

    /// A ticket that was never issued: whatever is done for it is a phantom.
    fn number_of_nobody(&self) -> u64 {
        self.name() << 32
    }
}

fn refresh_with(token: &str) -> Request {
    Request::json("POST", "/api/auth/refresh", &json!({"refresh_token": token}))
}

fn account(email: String, answer: &Value) -> Account {
    Account {
        email,
        access_token: text(&answer["access_token"]),
        refresh_token: text(&answer["refresh_token"]),
        session_id: text(&answer["session_id"]),
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
