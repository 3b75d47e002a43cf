//! Submissions: with keys and without, twice at a time, cancelled and approved.

use rand::RngExt;
use serde_json::{Value, json};

use super::{
    client::{Client, Issued, body},
    http::{Answer, Lost, Request},
    known::{Asked, Known, Promise, Seen},
};

const SUBMIT: &str = "/api/intent/submit";
const PLAIN: &str = "torture";
const IF_APPROVED: &str = "torture_if_approved";

impl Client {
    pub(super) async fn submit_something(&mut self) {
        let asked = match self.chance.random_range(0..20) {
            0..8 => Asked::default(),
            8..15 => Asked { steps: 2, ..Asked::default() },
            15 => Asked { steps: 4, ..Asked::default() },
            16 => Asked { steps: 1, children: 2, ..Asked::default() },
            17 => Asked { children: 1, failures: 1, ..Asked::default() },
            18 => Asked { steps: 1, failures: 2, ..Asked::default() },
            _ => Asked { keep: true, ..Asked::default() },
        };
        match self.chance.random_range(0..16) {
            0..5 => self.submit_without_key(asked).await,
            5 => self.submit_twins(asked).await,
            _ => {
                self.submit(PLAIN, asked, Promise::Completed).await;
            }
        }
    }

    /// One of each kind.
    pub(super) async fn submit_each(&mut self) {
        for asked in [
            Asked { steps: 2, ..Asked::default() },
            Asked { steps: 1, children: 1, ..Asked::default() },
            Asked { failures: 1, ..Asked::default() },
            Asked { keep: true, ..Asked::default() },
        ] {
            self.submit(PLAIN, asked, Promise::Completed).await;
        }
    }

    fn issue(&mut self, asked: Asked, is_certain: bool) -> u64 {
        let ticket = self.ticket();
        self.issued.insert(ticket, Issued { asked, is_certain });
        ticket
    }

    fn request(&self, intent_type: &str, ticket: u64, asked: Asked) -> Request {
        let body = body(intent_type, &self.account.session_id, ticket, asked);
        self.authorized(Request::json("POST", SUBMIT, &body))
    }

    /// Submits with a key until it is acknowledged. Answers its place among those that are known.
    async fn submit(&mut self, intent_type: &str, asked: Asked, promise: Promise) -> Option<usize> {
        let ticket = self.issue(asked, true);
        let key = format!("key-{ticket}");
        let request = self.request(intent_type, ticket, asked).header("idempotency-key", &key);
        let answer = self.insist(&request).await;
        let index = self.acknowledged(&answer, ticket, asked, promise)?;
        if self.flips(8) {
            let again = self.insist(&request).await;
            self.world.check("the same key gives the same answer", again.body == answer.body || self.is_over(), || {
                format!("{key}: first {}, then {}", answer.text(), again.text())
            });
        }
        if self.flips(16) {
            let other = Asked { steps: asked.steps + 1, ..asked };
            let other = self.request(intent_type, ticket, other).header("idempotency-key", &key);
            let refused = self.insist(&other).await;
            self.world.check("a key does not serve another request", refused.status == 422 || self.is_over(), || {
                format!("{key}: {} {}", refused.status, refused.text())
            });
        }
        Some(index)
    }

    /// Submits without a key: an answer that was lost is never asked for again.
    async fn submit_without_key(&mut self, asked: Asked) {
        // What an execution keeps that nobody was told of could not be told from a phantom.
        let asked = Asked { keep: false, ..asked };
        let ticket = self.issue(asked, false);
        let request = self.request(PLAIN, ticket, asked);
        match self.ask(&request).await {
            Ok(answer) if self.world.is_not_now(answer.status) => {}
            Ok(answer) => {
                self.issued.insert(ticket, Issued { asked, is_certain: true });
                self.acknowledged(&answer, ticket, asked, Promise::Completed);
            }
            Err(lost) => self.world.lost(lost, request.path()).await,
        }
    }

    /// Submits the same with the same key twice at a time.
    async fn submit_twins(&mut self, asked: Asked) {
        let ticket = self.issue(asked, true);
        let request = self.request(PLAIN, ticket, asked).header("idempotency-key", &format!("twins-{ticket}"));
        let (one, other) = self.insist_twice(&request, &request).await;
        // A twin may be told to wait; then the other one tells.
        let (answer, twin) = if one.status == 200 { (one, other) } else { (other, one) };
        self.acknowledged(&answer, ticket, asked, Promise::Completed);
        let holds = twin.body == answer.body || twin.status == 409 || self.is_over();
        self.world.check("twins are one execution", holds, || {
            format!("twins-{ticket}: {} and {}", answer.text(), twin.text())
        });
    }

    fn acknowledged(&mut self, answer: &Answer, ticket: u64, asked: Asked, promise: Promise) -> Option<usize> {
        if !self.must("a submission is accepted", answer) || self.is_over() {
            return None;
        }
        self.world.acknowledge();
        let execution_id = answer.json()["execution_id"].as_str().unwrap_or_default().to_owned();
        self.known.push(Known { execution_id, ticket, asked, promise, seen: Seen::default() });
        Some(self.known.len() - 1)
    }

    /// Has something executed that would go on for ever, or that is about to end, and stops it.
    pub(super) async fn cancel_something(&mut self) {
        let asked = match self.chance.random_range(0..3) {
            0 => Asked { hold: true, ..Asked::default() },
            1 => Asked { steps: 3, ..Asked::default() },
            _ => Asked::default(),
        };
        let promise = if asked.hold { Promise::Cancelled } else { Promise::Either };
        let Some(index) = self.submit(PLAIN, asked, promise).await else { return };
        let path = format!("/api/execution/{}/cancel", self.known[index].execution_id);
        let answer = self.insist_authorized(Request::json("POST", path, &json!({}))).await;
        if self.must("a cancellation is accepted", &answer) {
            self.world.acknowledge();
        }
        if self.flips(2) {
            self.look_at(index).await;
        }
    }

    /// Has something wait for approval, and decides twice at a time, once, or not at all.
    pub(super) async fn approve_something(&mut self) {
        let asked = Asked { steps: 1, ..Asked::default() };
        let Some(index) = self.submit(IF_APPROVED, asked, Promise::Either).await else { return };
        let path = format!("/api/execution/{}/status", self.known[index].execution_id);
        let status = self.insist_authorized(Request::get(path)).await.json();
        let events = status["events"].as_array().map(Vec::as_slice).unwrap_or_default();
        let Some(hook_id) = events.iter().find_map(|event| event["data"]["hook_id"].as_str()).map(str::to_owned) else {
            let holds = self.is_over();
            self.world.check("an approval is pending", holds, || status.to_string());
            return;
        };
        self.approvals.insert(hook_id.clone(), None);
        match self.chance.random_range(0..5) {
            // It expires.
            0 => self.known[index].promise = Promise::Cancelled,
            1..4 => {
                let first = self.chance.random_range(0..2) == 0;
                let (one, other) = (self.decision(&hook_id, first), self.decision(&hook_id, !first));
                let answers = tokio::join!(self.connection.ask(&one), self.second.ask(&other));
                self.decided(index, &hook_id, &[(first, answers.0), (!first, answers.1)]);
            }
            _ => {
                let approved = self.chance.random_range(0..2) == 0;
                let decision = self.decision(&hook_id, approved);
                let answer = self.ask(&decision).await;
                self.decided(index, &hook_id, &[(approved, answer)]);
            }
        }
    }

    fn decision(&self, hook_id: &str, approved: bool) -> Request {
        self.authorized(Request::json("POST", format!("/api/approvals/{hook_id}"), &json!({"approved": approved})))
    }

    fn decided(&mut self, index: usize, hook_id: &str, answers: &[(bool, Result<Answer, Lost>)]) {
        let won: Vec<(bool, Value)> = answers
            .iter()
            .filter_map(|(approved, answer)| {
                Some((*approved, answer.as_ref().ok().filter(|answer| answer.status == 200)?.json()))
            })
            .collect();
        self.world.check("an approval is decided once", won.len() <= 1, || format!("{hook_id}: {answers:?}"));
        let Some((approved, approval)) = won.first() else { return };
        self.world.acknowledge();
        let status = approval["status"].as_str().unwrap_or_default().to_owned();
        let wanted = if *approved { "approved" } else { "rejected" };
        // A decision that comes too late is told so.
        let holds = status == wanted || status == "expired";
        self.world.check("a decision is what was decided", holds, || format!("{hook_id}: {approval}"));
        self.known[index].promise = if status == "approved" { Promise::Completed } else { Promise::Cancelled };
        self.approvals.insert(hook_id.to_owned(), Some(status));
    }
}
