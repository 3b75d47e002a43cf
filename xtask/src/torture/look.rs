//! The checks of executions, artifacts and approvals: what was acknowledged is there, ends as it was promised, and is shown as it
//! was shown before.

use rand::RngExt;
use serde_json::{Value, json};

use super::{
    client::Client,
    http::Request,
    known::{Promise, Shown, server_sent},
};

/// Artifacts, approvals and conversations on one page of a list.
const PAGE: usize = 200;

impl Client {
    /// Follows an execution to its end, from the beginning or from an event that was seen.
    pub(super) async fn look_at(&mut self, index: usize) {
        let head = self.known[index].seen.head();
        let after = if self.flips(2) { 0 } else { self.chance.random_range(0..=head) };
        self.follow(index, after).await;
        if self.flips(4) {
            self.look_at_status(index).await;
        }
    }

    pub(super) async fn look_at_all_of(&mut self, index: usize) {
        self.follow(index, 0).await;
        let asked = self.known[index].asked;
        if asked.steps + asked.children > 0 || asked.keep || self.flips(4) {
            self.look_at_status(index).await;
        }
    }

    async fn follow(&mut self, index: usize, after: u64) {
        let mut after = after;
        loop {
            let execution_id = &self.known[index].execution_id;
            let request = Request::get(format!("/api/execution/{execution_id}/events?after={after}"));
            let request = self.authorized(request);
            let answer = match self.connection.read(&request).await {
                Ok(answer) => answer,
                Err(lost) => {
                    self.world.lost(lost, request.path()).await;
                    if self.is_over() {
                        return;
                    }
                    continue;
                }
            };
            if self.world.is_not_now(answer.status) {
                self.world.back().await;
                continue;
            }
            if !self.must("what was acknowledged is there", &answer) {
                self.world.find("what was acknowledged is there", format!("{}: {}", request.path(), answer.status));
                return;
            }
            let shown = server_sent(&answer.body);
            self.shown(index, after, &shown);
            after += shown.len() as u64;
            if answer.is_whole {
                let known = &self.known[index];
                let holds = known.seen.end.is_some() || self.is_over();
                self.world.check("what was acknowledged ends", holds, || {
                    format!("the events of {} are over at {}", known.execution_id, known.seen.head())
                });
                return;
            }
            if self.is_over() {
                return;
            }
            self.world.back().await;
        }
    }

    fn shown(&mut self, index: usize, after: u64, shown: &[Shown]) {
        let known = &mut self.known[index];
        let taken = known.seen.take_all(after, shown);
        self.world.check("a stream is the same for all and has no hole", taken.is_ok(), || {
            format!("{}: {taken:?}", known.execution_id)
        });
        for event in shown {
            if let Some(end) = &known.seen.end {
                let holds = event.seq <= known.seen.head() && (!event.ends_execution() || *end == event.event_type);
                self.world.check("an execution ends once", holds, || {
                    format!("{}: {} after {end}", known.execution_id, event.event_type)
                });
            } else if event.ends_execution() {
                known.seen.end = Some(event.event_type.clone());
            }
        }
    }

    /// Holds what an execution came to against its promise, and its steps against what happened outside.
    async fn look_at_status(&mut self, index: usize) {
        let known = self.known[index].clone();
        let answer =
            self.insist_authorized(Request::get(format!("/api/execution/{}/status", known.execution_id))).await;
        if !self.must("what was acknowledged is there", &answer) || self.is_over() {
            return;
        }
        let execution = answer.json();
        let status = execution["status"].as_str().unwrap_or_default();
        let holds = match known.promise {
            Promise::Completed => status == "completed",
            Promise::Cancelled => status == "cancelled",
            Promise::Either => matches!(status, "completed" | "cancelled"),
        };
        self.world.check("an execution ends as promised", holds, || {
            format!("{:?}, and it is {status}: {execution}", known.promise)
        });
        if status == "completed" {
            self.look_at_result(&known.execution_id, known.ticket, &execution["result"], known.asked.steps);
            let children = execution["result"]["children"].as_array().cloned().unwrap_or_default();
            self.world.check("every child is there", children.len() == known.asked.children, || execution.to_string());
            for child in &children {
                let id = child["execution_id"].as_str().unwrap_or_default();
                self.look_at_result(id, known.ticket, &child["result"], 1);
            }
            if known.asked.keep {
                self.look_at_kept(&execution, known.ticket).await;
            }
        }
        let went_back = self.world.effects.of(&known.execution_id).went_back();
        self.world.check("a recorded step never runs again", !went_back, || {
            format!("{}: steps {:?}", known.execution_id, self.world.effects.of(&known.execution_id).steps)
        });
    }

    /// A step's record says how often its effect had been had by then: that often it was had in all.
    fn look_at_result(&self, execution_id: &str, ticket: u64, result: &Value, steps: usize) {
        let done = self.world.effects.of(execution_id);
        let tokens = result["tokens"].as_array().map(Vec::as_slice).unwrap_or_default();
        let holds = result["ticket"] == json!(ticket)
            && tokens.len() == steps
            && tokens.iter().zip(1..).all(|(token, step)| *token == json!(done.times(step)));
        self.world.check("a recorded step never runs again", holds, || {
            format!("{execution_id} says {result}; outside there were the steps {:?}", done.steps)
        });
    }

    async fn look_at_kept(&mut self, execution: &Value, ticket: u64) {
        let Some(id) = execution["artifacts"]["kept"]["artifact_id"].as_str() else {
            self.world.find("what was kept is there", execution.to_string());
            return;
        };
        let bytes = format!("the bytes of {ticket}\n").repeat(1 + usize::try_from(ticket % 50).unwrap_or_default());
        self.artifacts.insert(id.to_owned(), bytes.into_bytes());
        self.look_at_artifact(id).await;
    }

    pub(super) async fn look_at_artifact(&mut self, id: &str) {
        let answer = self.insist_authorized(Request::get(format!("/api/artifacts/{id}/content"))).await;
        let bytes = &self.artifacts[id];
        let holds = (answer.status == 200 && answer.body == *bytes) || self.is_over();
        self.world.check("what was kept is there", holds, || {
            format!("{id}: {} with {} bytes of {}", answer.status, answer.body.len(), bytes.len())
        });
    }

    /// Everything that can be listed is what was acknowledged, and nothing else.
    pub(super) async fn look_at_lists(&mut self) {
        if self.is_over() {
            return;
        }
        let artifacts = self.list("artifacts", "artifact_id", |cursor| {
            let mut body = json!({"limit": PAGE});
            if let Some(cursor) = cursor {
                body["cursor"] = json!(cursor);
            }
            Request::json("POST", "/api/artifact/list", &body)
        });
        let artifacts = artifacts.await;
        for id in self.artifacts.keys() {
            let holds = artifacts.iter().any(|(listed, _)| listed == id);
            self.world.check("what was kept is listed", holds, || format!("{id} is not listed"));
        }
        let wanted = self.artifacts.len();
        self.world.check("nothing is there that nobody asked for", artifacts.len() == wanted, || {
            format!("{} artifacts were made and {} are listed", wanted, artifacts.len())
        });
        let approvals = self
            .list("approvals", "hook_id", |cursor| {
                let cursor = cursor.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
                Request::get(format!("/api/approvals?status=all&limit={PAGE}{cursor}"))
            })
            .await;
        for (hook_id, status) in &self.approvals {
            let listed =
                approvals.iter().find(|(listed, _)| listed == hook_id).map(|(_, approval)| &approval["status"]);
            let holds = match (listed, status) {
                (Some(listed), Some(status)) => listed == status,
                (Some(_), None) => true,
                (None, _) => false,
            };
            self.world.check("an approval stays as it was decided", holds, || {
                format!("{hook_id}: acknowledged {status:?}, listed {listed:?}")
            });
        }
        let wanted = self.approvals.len();
        self.world.check("nothing is there that nobody asked for", approvals.len() == wanted, || {
            format!("{} approvals were asked for and {} are listed", wanted, approvals.len())
        });
    }

    /// All pages of a list, by their ids.
    async fn list(
        &mut self,
        items: &'static str,
        id: &'static str,
        page: impl Fn(Option<&str>) -> Request,
    ) -> Vec<(String, Value)> {
        let mut listed = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let answer = self.insist_authorized(page(cursor.as_deref())).await;
            if !self.must("a list can be read", &answer) || self.is_over() {
                return listed;
            }
            let body = answer.json();
            let on_page = body[items].as_array().map(Vec::as_slice).unwrap_or_default();
            listed.extend(on_page.iter().map(|item| (item[id].as_str().unwrap_or_default().to_owned(), item.clone())));
            match body["next_cursor"].as_str() {
                Some(next) => cursor = Some(next.to_owned()),
                None => return listed,
            }
        }
    }
}
