//! A turn with tools against a provider, over a real store: it dies at every boundary of a step and goes on, and nothing that was
//! recorded is asked or done again.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use agents::{
    BuiltinConfig, BuiltinModel, Directory, LanguageModel, Models,
    model::{ModelError, ModelRequest, ReplySink},
};
use async_trait::async_trait;
use contract::{
    Authority, Event, EventType, ExecutionId,
    agent::TurnPolicy,
    execution::{Execution, ExecutionStatus},
    intent::{IntentDescriptor, Timing},
};
use public_works::{Database, RemoteModel, SqliteStore, models::Provider as Form};
use runtime::{
    Catalogue, ExecutionContext, Failure, Handler, Runtime, RuntimeClient, RuntimeConfig, SubmitRequest, UserMessage,
    memory::MemoryObjects, port::store::StreamKey,
};
use serde_json::{Map, Value, json};
use tokio::sync::{Barrier, Notify};

use super::{
    house::{Counter, config, descriptor, model, owner},
    provider::{Answer, Provider, Request},
};

/// Where a life ends: at the point of this number, counted over all that is passed.
#[derive(Default)]
struct Fate {
    passed: Mutex<Vec<String>>,
    dies_at: usize,
    died: Notify,
}

impl Fate {
    /// Goes on, or never again.
    async fn point(&self, name: String) {
        let number = {
            let mut passed = self.passed.lock().unwrap();
            passed.push(name);
            passed.len() - 1
        };
        if number == self.dies_at {
            self.died.notify_one();
            std::future::pending::<()>().await;
        }
    }
}

/// A model that may die before it is asked, and after it answered.
struct Mortal {
    inner: RemoteModel,
    fate: Arc<Fate>,
}

#[async_trait]
impl LanguageModel for Mortal {
    fn name(&self) -> &str {
        self.inner.name()
    }

    async fn reply(&self, request: &ModelRequest, sink: &mut dyn ReplySink) -> Result<(), ModelError> {
        self.fate.point(format!("answer {} is wanted", request.rounds.len())).await;
        self.inner.reply(request, sink).await?;
        self.fate.point(format!("answer {} is there", request.rounds.len())).await;
        Ok(())
    }
}

/// A tool whose effect is counted.
struct Tool {
    descriptor: IntentDescriptor,
    fate: Arc<Fate>,
    effects: Arc<Mutex<BTreeMap<String, usize>>>,
    meeting: Option<Arc<Barrier>>,
}

#[async_trait]
impl Handler for Tool {
    fn descriptor(&self) -> &IntentDescriptor {
        &self.descriptor
    }

    async fn execute(&self, _: &ExecutionContext, _: Map<String, Value>) -> Result<Value, Failure> {
        let name = &self.descriptor.intent_type;
        self.fate.point(format!("{name} begins")).await;
        *self.effects.lock().unwrap().entry(name.clone()).or_default() += 1;
        if let Some(meeting) = &self.meeting {
            meeting.wait().await;
        }
        self.fate.point(format!("{name} is done")).await;
        Ok(json!({ "summary": format!("{name} was done.") }))
    }
}

/// What outlives a life.
struct Remains {
    store: Arc<SqliteStore>,
    objects: Arc<MemoryObjects>,
    clock: Arc<Counter>,
    effects: Arc<Mutex<BTreeMap<String, usize>>>,
}

impl Remains {
    fn new(database: Database) -> Self {
        Self {
            store: Arc::new(SqliteStore::new(database)),
            objects: Arc::default(),
            clock: Arc::default(),
            effects: Arc::default(),
        }
    }

    async fn live(&self, provider: &Provider, fate: &Arc<Fate>, meeting: Option<Arc<Barrier>>) -> Runtime {
        let mortal = Mortal { inner: model(config(Form::Openai, provider)), fate: Arc::clone(fate) };
        let models =
            Models::new(BuiltinModel::new(BuiltinConfig::default())).with(Arc::new(mortal)).with_default("mine");
        let mut handlers = agents::handlers(Arc::new(Directory::builtin()), models);
        for name in ["parse_content", "list_files", "archive_file"] {
            let meeting = meeting.clone().filter(|_| name != "archive_file");
            let (fate, effects) = (Arc::clone(fate), Arc::clone(&self.effects));
            handlers.push(Arc::new(Tool { descriptor: descriptor(name), fate, effects, meeting }));
        }
        let config = RuntimeConfig { retry_delay: Duration::from_millis(1), ..RuntimeConfig::default() };
        let (store, objects, clock) = (self.store.clone(), self.objects.clone(), self.clock.clone());
        Runtime::start(store, objects, clock, Catalogue::new(handlers).unwrap(), config).await.unwrap()
    }
}

fn turn() -> SubmitRequest {
    let text = "Read both files, then put the first away.";
    let Value::Object(parameters) = json!({ "agent_id": "liaison.content", "text": text, "message_id": "m1" }) else {
        panic!()
    };
    SubmitRequest {
        owner: owner("tenant_1"),
        authority: Authority::default(),
        session_id: "sess_1".parse().unwrap(),
        intent_type: "agent_invoke".to_owned(),
        parameters,
        metadata: Map::new(),
        intent_id: None,
        idempotency_key: None,
        conversation_id: Some("conv".parse().unwrap()),
        message: Some(UserMessage { id: "m1".parse().unwrap(), text: text.to_owned(), policy: TurnPolicy::Queue }),
        attachments: Vec::new(),
        timing: Timing::default(),
        quota: None,
        concurrency_key: None,
    }
}

async fn end(client: &RuntimeClient, id: &ExecutionId) -> Execution {
    client.wait(&owner("tenant_1"), id).await.unwrap().unwrap()
}

async fn events(client: &RuntimeClient) -> Vec<Event> {
    let key = StreamKey::Conversation(owner("tenant_1"), "conv".parse().unwrap());
    let events = client.events(&key, 0, 1_000).await.unwrap().unwrap();
    events.iter().map(|event| event.event()).collect()
}

/// Which answer of the turn a request asks for: as many as stand in it already.
fn round(request: &Request) -> usize {
    let messages = request.body["messages"].as_array().unwrap();
    messages.iter().filter(|message| message["role"] == "assistant").count()
}

/// Two tools at once, then one, then the last word.
fn script(_: usize, request: &Request) -> Answer {
    let call = |index: usize, name: &str| json!({ "index": index, "id": format!("call_{name}"), "function": { "name": name, "arguments": "{}" } });
    let (text, calls) = match round(request) {
        0 => ("Let me see.", vec![call(0, "parse_content"), call(1, "list_files")]),
        1 => ("Now the first.", vec![call(0, "archive_file")]),
        _ => ("All done.", Vec::new()),
    };
    let event = |delta: Value, end: Value| {
        format!("data: {}\n\n", json!({ "choices": [{ "delta": delta, "finish_reason": end }] }))
    };
    Answer::stream([
        event(json!({ "content": text }), Value::Null),
        event(json!({ "tool_calls": calls }), Value::Null),
        event(json!({}), json!("stop")),
        "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":2}}\n\ndata: [DONE]\n\n"
            .to_owned(),
    ])
}

fn executor() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// One turn that dies at the point of this number, and what came of it; `None` where it had fewer points.
fn die_and_go_on(dies_at: usize) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(folder.path()).unwrap();
    let remains = Remains::new(database);
    let outside = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let provider = outside.block_on(Provider::start(script));

    let fate = Arc::new(Fate { dies_at, ..Fate::default() });
    let first = executor();
    let id = first.block_on(async {
        let runtime = remains.live(&provider, &fate, None).await;
        let client = runtime.client();
        let id = client.submit(turn()).await.unwrap().execution_id;
        let has_died = tokio::select! {
            () = fate.died.notified() => true,
            _ = end(&client, &id) => false,
        };
        has_died.then_some(id)
    });
    // Whatever ran is gone in the midst of it, as in a process that was killed.
    drop(first);
    let id = id?;

    let endless = Arc::new(Fate { dies_at: usize::MAX, ..Fate::default() });
    executor().block_on(async {
        let runtime = remains.live(&provider, &endless, None).await;
        let execution = end(&runtime.client(), &id).await;
        assert_eq!(execution.status, ExecutionStatus::Completed, "{execution:?}");
        assert_eq!(execution.result["response"], "Let me see.\n\nNow the first.\n\nAll done.");
        assert_eq!(execution.result["usage"]["output_tokens"], 6, "each answer is paid for once");
    });

    let place = fate.passed.lock().unwrap()[dies_at].clone();
    let mut asked = BTreeMap::<String, usize>::new();
    for request in provider.requests() {
        *asked.entry(format!("answer {}", round(&request))).or_default() += 1;
    }
    assert_eq!(asked.len(), 3);
    asked.extend(remains.effects.lock().unwrap().clone());
    for (what, times) in asked {
        // What was done and not yet recorded is done again; nothing else is.
        let unrecorded = place == format!("{what} is there") || place == format!("{what} is done");
        let running = place.starts_with("parse_content") && what == "list_files"
            || place.starts_with("list_files") && what == "parse_content";
        let most = if unrecorded || running { 2 } else { 1 };
        assert!((1..=most).contains(&times), "{what} {times} times after a death where {place}");
        if unrecorded {
            assert_eq!(times, 2, "{what} after a death where {place}");
        }
    }
    Some(place)
}

#[test]
fn a_turn_that_dies_anywhere_repeats_nothing_that_was_recorded() {
    let places: Vec<String> = (0..).map_while(die_and_go_on).collect();
    assert_eq!(places.len(), 12, "{places:?}");
    for answer in 0..3 {
        assert!(places.contains(&format!("answer {answer} is there")), "{places:?}");
    }
}

#[tokio::test]
async fn tools_of_one_answer_are_used_at_the_same_time() {
    let folder = tempfile::tempdir().unwrap();
    let remains = Remains::new(Database::open(folder.path()).unwrap());
    let provider = Provider::start(script).await;
    let endless = Arc::new(Fate { dies_at: usize::MAX, ..Fate::default() });
    // Each of the two waits for the other in its midst: one after the other they would never end.
    let runtime = remains.live(&provider, &endless, Some(Arc::new(Barrier::new(2)))).await;
    let client = runtime.client();
    let id = client.submit(turn()).await.unwrap().execution_id;
    let execution = tokio::time::timeout(Duration::from_secs(30), end(&client, &id)).await.expect("they meet");
    assert_eq!(execution.status, ExecutionStatus::Completed, "{execution:?}");
    let told: Vec<(Value, Value)> = events(&client)
        .await
        .iter()
        .filter(|event| event.event_type == EventType::AgentTool)
        .map(|event| (event.data["intent"].clone(), event.data["state"].clone()))
        .collect();
    assert_eq!(told[0], (json!("parse_content"), json!("started")));
    assert_eq!(told[1], (json!("list_files"), json!("started")));
    assert_eq!(told.len(), 6);
}
