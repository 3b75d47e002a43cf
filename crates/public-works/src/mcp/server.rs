//! One server: what it offers, and a call of one of its tools, each within a bound of time and of places.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Duration,
};

use runtime::Failure;
use serde_json::{Map, Value, json};
use tokio::sync::Semaphore;

use super::{
    answer,
    command::Programs,
    config::McpConfig,
    fault::{Fault, quoted},
    http::Remote,
    message::request,
    tool::{MAX_TOOLS, Tool},
};

/// How many pages a list of tools may have.
const MAX_PAGES: usize = 20;

/// The longest word with which a server asks for the next page, in bytes.
const MAX_CURSOR_BYTES: usize = 4 * 1024;

/// A server of tools.
pub struct Server {
    name: String,
    config: McpConfig,
    link: Link,
    places: Semaphore,
    /// The id of the next message; each connection begins with 0.
    next_id: AtomicU64,
}

enum Link {
    Program(Box<Programs>),
    Remote(Box<Remote>),
}

/// What a server offers.
#[derive(Debug, Default, PartialEq)]
pub struct Offer {
    pub tools: Vec<Tool>,
    /// What it has beside that and is not offered, each with the reason.
    pub left_out: Vec<String>,
}

impl Server {
    /// `config` has been checked.
    pub fn new(name: &str, config: McpConfig) -> Result<Self, Fault> {
        let link = match &config.command {
            Some(command) => Link::Program(Box::new(Programs::new(name, command, &config))),
            None => Link::Remote(Box::new(Remote::new(&config)?)),
        };
        let places = Semaphore::new(config.parallel);
        Ok(Self { name: name.to_owned(), config, link, places, next_id: AtomicU64::new(1) })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn config(&self) -> &McpConfig {
        &self.config
    }

    /// Asks the server what it has.
    pub async fn offer(&self) -> Result<Offer, Fault> {
        let mut offer = Offer::default();
        let patience = self.config.start_timeout;
        let sent = AtomicBool::new(false);
        within(patience, self.list(&mut offer, &sent)).await?;
        Ok(offer)
    }

    async fn list(&self, offer: &mut Offer, sent: &AtomicBool) -> Result<(), Fault> {
        let mut cursor = None;
        let mut names = BTreeSet::new();
        for _ in 0..MAX_PAGES {
            let params = cursor.map_or_else(|| json!({}), |cursor: String| json!({ "cursor": cursor }));
            let page = self.ask("tools/list", &params, sent).await?;
            let Some(entries) = page.get("tools").and_then(Value::as_array) else {
                return Err(Fault::Garbage("its list of tools is none".to_owned()));
            };
            for entry in entries {
                if offer.tools.len() + offer.left_out.len() >= MAX_TOOLS {
                    offer.left_out.push(format!("all after the first {MAX_TOOLS}"));
                    return Ok(());
                }
                self.take(entry, offer, &mut names);
            }
            cursor = page.get("nextCursor").and_then(Value::as_str).map(str::to_owned);
            if cursor.as_ref().is_none_or(|cursor| cursor.len() > MAX_CURSOR_BYTES) {
                break;
            }
        }
        Ok(())
    }

    fn take(&self, entry: &Value, offer: &mut Offer, names: &mut BTreeSet<String>) {
        let name = entry.get("name").and_then(Value::as_str).unwrap_or("?");
        if !self.config.tools.is_empty() && self.config.tools.iter().all(|wanted| wanted != name) {
            return;
        }
        match Tool::read(&self.name, &self.config, entry) {
            Ok(tool) if names.insert(tool.descriptor.intent_type.clone()) => offer.tools.push(tool),
            Ok(_) => offer.left_out.push(format!("{}: another one has its name", quoted(name))),
            Err(reason) => offer.left_out.push(format!("{}: {reason}", quoted(name))),
        }
    }

    /// Calls a tool. `key` is the same each time that this call is made.
    pub async fn call(&self, tool: &Tool, arguments: &Map<String, Value>, key: &str) -> Result<Value, Failure> {
        let params = json!({ "name": tool.name, "arguments": arguments, "_meta": { "idempotency_key": key } });
        let sent = AtomicBool::new(false);
        let asked = async {
            // The semaphore is never closed.
            let _place = self.places.acquire().await;
            self.ask("tools/call", &params, &sent).await
        };
        let answer = within(self.config.timeout, asked).await;
        answer
            .and_then(|answer| answer::result(&self.name, &answer))
            .map_err(|fault| fault.told(&self.name, sent.load(Ordering::Relaxed) && !tool.may_be_repeated))
    }

    async fn ask(&self, method: &str, params: &Value, sent: &AtomicBool) -> Result<Value, Fault> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let message = request(id, method, params);
        match &self.link {
            Link::Program(programs) => programs.ask(id, &message, sent).await,
            Link::Remote(remote) => remote.ask(id, &message, sent).await,
        }
    }
}

async fn within<T>(patience: Duration, work: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    tokio::time::timeout(patience, work).await.unwrap_or(Err(Fault::Silent(patience)))
}
