//! Budgets over a real store and a provider that counts its requests: a call that would go over is not made, also after a restart.

use std::sync::Arc;

use agents::{
    Budgets, BuiltinConfig, BuiltinModel, Directory, Models,
    budget::{LONGEST_WINDOW, Limit, Scope, Unit},
};
use contract::{
    Authority, Owner,
    agent::TurnPolicy,
    execution::{Execution, ExecutionStatus},
    intent::Timing,
};
use public_works::{Database, SqliteStore, models::Provider as Form, sqlite::SqliteLedger};
use runtime::{Catalogue, Runtime, RuntimeConfig, SubmitRequest, UserMessage, memory::MemoryObjects};
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use super::{
    house::{Counter, config, model},
    provider::{Answer, Provider, Request},
};

/// What every answer of the provider is said to have cost.
const TOKENS_OF_AN_ANSWER: u64 = 6_000;

fn script(_: usize, _: &Request) -> Answer {
    Answer::stream([
        "data: {\"choices\":[{\"delta\":{\"content\":\"Hello.\"},\"finish_reason\":\"stop\"}]}\n\n",
        "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":5000,\"completion_tokens\":1000}}\n\ndata: [DONE]\n\n",
    ])
}

fn limit(scope: Scope, unit: Unit, most: u64) -> Limit {
    Limit { scope, unit, most, window: LONGEST_WINDOW, text: "so much".to_owned() }
}

/// What outlives a process.
struct World {
    folder: TempDir,
    provider: Provider,
    clock: Arc<Counter>,
}

/// A process: everything in it ends with it, and the folder stays.
struct Life {
    database: Database,
    runtime: Runtime,
}

impl Life {
    async fn begin(world: &World, limits: Vec<Limit>, falls_back: bool) -> Self {
        let database = Database::open(world.folder.path()).unwrap();
        let mut settings = config(Form::Openai, &world.provider);
        (settings.max_output_tokens, settings.price_input, settings.price_output) = (200, 1.0, 4.0);
        let ledger = Arc::new(SqliteLedger::new(database.clone()));
        let mut models = Models::new(BuiltinModel::new(BuiltinConfig::default()))
            .with(Arc::new(model(settings)))
            .with_default("mine")
            .with_budgets(Budgets::new(ledger, limits));
        if falls_back {
            models = models.with_fallback("mine", "builtin");
        }
        let catalogue = Catalogue::new(agents::handlers(Arc::new(Directory::builtin()), models)).unwrap();
        let store = Arc::new(SqliteStore::new(database.clone()));
        let (objects, clock) = (Arc::new(MemoryObjects::default()), Arc::clone(&world.clock));
        let runtime = Runtime::start(store, objects, clock, catalogue, RuntimeConfig::default()).await.unwrap();
        Self { database, runtime }
    }

    async fn end(self) {
        drop(self.runtime);
        self.database.close().await;
    }

    /// One turn of this user in a conversation of its own, to its end.
    async fn ask(&self, user: &str, conversation: &str) -> Execution {
        let owner = Owner::User { tenant_id: "tenant_1".parse().unwrap(), user_id: user.parse().unwrap() };
        let text = "Hello there.";
        let Value::Object(parameters) = json!({ "agent_id": "guide", "text": text, "message_id": "m1" }) else {
            panic!()
        };
        let request = SubmitRequest {
            owner: owner.clone(),
            authority: Authority::default(),
            session_id: "sess_1".parse().unwrap(),
            intent_type: "agent_invoke".to_owned(),
            parameters,
            metadata: Map::new(),
            intent_id: None,
            idempotency_key: None,
            conversation_id: Some(conversation.parse().unwrap()),
            message: Some(UserMessage { id: "m1".parse().unwrap(), text: text.to_owned(), policy: TurnPolicy::Queue }),
            attachments: Vec::new(),
            timing: Timing::default(),
            quota: None,
            concurrency_key: None,
        };
        let client = self.runtime.client();
        let id = client.submit(request).await.unwrap().execution_id;
        client.wait(&owner, &id).await.unwrap().unwrap()
    }
}

fn assert_refused(execution: &Execution) {
    assert_eq!(execution.status, ExecutionStatus::Failed, "{execution:?}");
    let told = serde_json::to_string(execution).unwrap();
    assert!(told.contains("budget_exhausted") && told.contains("The budget of this user (so much)"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_would_go_over_is_not_made_not_even_after_a_restart() {
    let provider = Provider::start(script).await;
    let world = World { folder: tempfile::tempdir().unwrap(), provider, clock: Arc::default() };
    let asked = || world.provider.requests().len();
    let limits = vec![limit(Scope::User, Unit::Tokens, TOKENS_OF_AN_ANSWER)];
    let life = Life::begin(&world, limits.clone(), false).await;
    let first = life.ask("user_1", "c1").await;
    assert_eq!(first.status, ExecutionStatus::Completed, "{first:?}");
    assert_eq!(first.result["usage"]["cost_micros"], 5_000 + 4 * 1_000);
    assert_refused(&life.ask("user_1", "c2").await);
    assert_eq!(asked(), 1, "it was stopped before it was made");
    life.end().await;

    let life = Life::begin(&world, limits, false).await;
    assert_refused(&life.ask("user_1", "c3").await);
    assert_eq!(asked(), 1);
    let other = life.ask("user_2", "c1").await;
    assert_eq!(other.status, ExecutionStatus::Completed, "another user has a budget of their own: {other:?}");
    life.end().await;

    // Money is held against the same calls; what stands in for the model costs none of it.
    let life = Life::begin(&world, vec![limit(Scope::Tenant, Unit::Money, 18_100)], true).await;
    let free = life.ask("user_1", "c4").await;
    assert_eq!(free.status, ExecutionStatus::Completed, "{free:?}");
    assert_eq!((&free.result["usage"]["model"], &free.result["usage"]["cost_micros"]), (&json!("builtin"), &json!(0)));
    assert_eq!(asked(), 2);
    life.end().await;
}

#[tokio::test]
async fn the_ledger_keeps_its_contract() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(folder.path()).unwrap();
    agents::budget::ledger_contract(&SqliteLedger::new(database)).await;
}
