//! A real Runtime over memory, with handlers that do as they are told, and time that moves only when all wait.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use contract::{
    Code, EventType, ExecutionId, Owner, SessionId, TenantId, Timestamp, UserId,
    agent::TurnPolicy,
    event::Event,
    execution::Execution,
    intent::{ApprovalRule, IntentDescriptor, Timing},
};
use runtime::{
    Call, Catalogue, Clock, EverythingAllowed, ExecutionContext, Failure, Handler, NewArtifact, Policy, Retries,
    Runtime, RuntimeClient, RuntimeConfig, SubmitRequest, UserMessage,
    memory::{MemoryObjects, MemoryStore},
    port::store::{Object, StreamKey},
};
use serde_json::{Value, json};
use tokio::{sync::Notify, time::Instant};

/// A clock that goes with tokio's, which stands still in these tests, and chance that counts.
pub(crate) struct TestClock {
    begin: Instant,
    /// By how much somebody has set it wrong, in milliseconds.
    jumped: AtomicI64,
    counter: AtomicU64,
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        let right = Timestamp::from_millis(1_000_000_000).after(self.begin.elapsed());
        Timestamp::from_millis(right.as_millis() + self.jumped.load(Ordering::Relaxed))
    }

    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
        let count = self.counter.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let (into, from) = if bytes.len() >= 8 { (bytes.len() - 8, 0) } else { (0, 8 - bytes.len()) };
        bytes[into..].copy_from_slice(&count[from..]);
    }
}

/// What survives a crash, and what the handlers saw.
pub(crate) struct House {
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) objects: Arc<MemoryObjects>,
    pub(crate) clock: Arc<TestClock>,
    config: RuntimeConfig,
    /// Who has to agree, in place of what the handlers say.
    approvals: BTreeMap<String, ApprovalRule>,
    pub(crate) seen: Arc<Seen>,
    pub(crate) runtime: Option<Runtime>,
    policy: Arc<dyn Policy>,
}

/// What the handlers did, and what holds them.
#[derive(Default)]
pub(crate) struct Seen {
    counts: Mutex<HashMap<String, u32>>,
    pub(crate) gate: Notify,
    pub(crate) concurrent: AtomicU32,
    pub(crate) most_concurrent: AtomicU32,
    /// Ends what spins.
    pub(crate) enough: AtomicBool,
}

impl Seen {
    fn count(&self, what: &str) -> u32 {
        let mut counts = self.counts.lock().unwrap();
        let count = counts.entry(what.to_owned()).or_default();
        *count += 1;
        *count
    }

    pub(crate) fn times(&self, what: &str) -> u32 {
        self.counts.lock().unwrap().get(what).copied().unwrap_or_default()
    }
}

impl House {
    pub(crate) async fn new() -> Self {
        Self::with(RuntimeConfig::default()).await
    }

    pub(crate) async fn with(config: RuntimeConfig) -> Self {
        Self::build(config, BTreeMap::new(), Arc::new(EverythingAllowed)).await
    }

    pub(crate) async fn with_policy(approvals: BTreeMap<String, ApprovalRule>) -> Self {
        Self::build(RuntimeConfig::default(), approvals, Arc::new(EverythingAllowed)).await
    }

    pub(crate) async fn judged_by(config: RuntimeConfig, policy: Arc<dyn Policy>) -> Self {
        Self::build(config, BTreeMap::new(), policy).await
    }

    async fn build(config: RuntimeConfig, approvals: BTreeMap<String, ApprovalRule>, policy: Arc<dyn Policy>) -> Self {
        let mut house = Self {
            store: Arc::default(),
            objects: Arc::default(),
            clock: Arc::new(TestClock { begin: Instant::now(), jumped: AtomicI64::new(0), counter: AtomicU64::new(0) }),
            config,
            approvals,
            seen: Arc::default(),
            runtime: None,
            policy,
        };
        house.start().await;
        house
    }

    pub(crate) async fn start(&mut self) {
        let handlers = TOLD.iter().map(|told| Arc::new(Told::new(told, &self.seen)) as Arc<dyn Handler>);
        let catalogue = Catalogue::new(handlers.collect()).unwrap().with_approvals(self.approvals.clone()).unwrap();
        let catalogue = catalogue.judged_by(Arc::clone(&self.policy));
        let (store, objects, clock) = (self.store.clone(), self.objects.clone(), self.clock.clone());
        self.runtime = Some(Runtime::start(store, objects, clock, catalogue, self.config).await.unwrap());
    }

    /// Leaves everything as it is, as a crash does (a stop writes nothing), and starts anew over what was stored. What ran
    /// goes on running in the old process, like a stalled worker.
    pub(crate) async fn crash_and_start(&mut self) {
        self.runtime.take().unwrap().stop(Duration::ZERO).await;
        self.start().await;
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Sets the clock wrong from now on.
    pub(crate) fn set_clock_wrong(&self, seconds: i64) {
        self.clock.jumped.store(seconds * 1_000, Ordering::Relaxed);
    }

    pub(crate) fn client(&self) -> RuntimeClient {
        self.runtime.as_ref().unwrap().client()
    }

    pub(crate) async fn submit(&self, intent_type: &str, parameters: Value) -> ExecutionId {
        self.client().submit(request(intent_type, parameters)).await.unwrap().execution_id
    }

    pub(crate) async fn done(&self, id: &ExecutionId) -> Execution {
        let patience = Duration::from_secs(3_600 * 48);
        tokio::time::timeout(patience, self.client().wait(&owner(), id)).await.unwrap().unwrap().unwrap()
    }

    pub(crate) async fn run(&self, intent_type: &str, parameters: Value) -> Execution {
        let id = self.submit(intent_type, parameters).await;
        self.done(&id).await
    }

    pub(crate) async fn events(&self, key: &StreamKey) -> Vec<Event> {
        let events = self.client().events(key, 0, 1_000).await.unwrap().unwrap();
        events.iter().map(|event| event.event()).collect()
    }

    /// Waits until the stream has an event of this type.
    pub(crate) async fn until(&self, key: &StreamKey, event_type: EventType) {
        let mut watch = self.client().watch(key, 0).await.unwrap().unwrap();
        while !watch.next().await.unwrap().iter().any(|event| event.event_type == event_type) {}
    }
}

pub(crate) fn owner() -> Owner {
    Owner::User { tenant_id: "tenant_1".parse::<TenantId>().unwrap(), user_id: "user_1".parse::<UserId>().unwrap() }
}

pub(crate) fn request(intent_type: &str, parameters: Value) -> SubmitRequest {
    SubmitRequest {
        owner: owner(),
        authority: contract::Authority::default(),
        session_id: "sess_1".parse::<SessionId>().unwrap(),
        intent_type: intent_type.to_owned(),
        parameters: object(parameters),
        metadata: Object::new(),
        intent_id: None,
        idempotency_key: None,
        conversation_id: None,
        message: None,
        attachments: Vec::new(),
        timing: Timing::default(),
        quota: None,
        concurrency_key: None,
    }
}

pub(crate) fn object(value: Value) -> Object {
    let Value::Object(object) = value else { panic!("it is an object") };
    object
}

pub(crate) fn message(conversation: &str, id: &str, text: &str) -> SubmitRequest {
    SubmitRequest {
        conversation_id: Some(conversation.parse().unwrap()),
        message: Some(UserMessage { id: id.parse().unwrap(), text: text.to_owned(), policy: TurnPolicy::Queue }),
        ..request("say", json!({"words": ["I ", "heard ", text]}))
    }
}

/// A message to an agent that takes ten seconds to answer.
pub(crate) fn turn(conversation: &str, id: &str, text: &str, policy: TurnPolicy) -> SubmitRequest {
    SubmitRequest {
        conversation_id: Some(conversation.parse().unwrap()),
        message: Some(UserMessage { id: id.parse().unwrap(), text: text.to_owned(), policy }),
        ..request("answer", json!({"text": text}))
    }
}

pub(crate) fn execution(id: &ExecutionId) -> StreamKey {
    StreamKey::Execution(id.clone())
}

pub(crate) fn conversation(id: &str) -> StreamKey {
    StreamKey::Conversation(owner(), id.parse().unwrap())
}

pub(crate) fn types(events: &[Event]) -> Vec<&'static str> {
    events.iter().map(|event| event.event_type.as_str()).collect()
}

/// The intents that the tests can ask for.
const TOLD: &[&str] = &[
    "abandons",
    "answer",
    "block",
    "breaks_after_a_step",
    "call",
    "delete",
    "echo",
    "flaky",
    "grave",
    "greedy",
    "hang",
    "hear",
    "huge",
    "huge_answer",
    "huge_artifact",
    "huge_event",
    "huge_step",
    "huge_token",
    "insists",
    "keep",
    "one_by_one",
    "panic",
    "patient",
    "say",
    "slow",
    "spin",
    "steps",
    "stoic",
    "stubborn",
];

struct Told {
    descriptor: IntentDescriptor,
    seen: Arc<Seen>,
}

impl Told {
    fn new(intent_type: &str, seen: &Arc<Seen>) -> Self {
        let descriptor = IntentDescriptor {
            intent_type: intent_type.to_owned(),
            realm: "content".to_owned(),
            description: String::new(),
            parameters: json!({
                "type": "object",
                "properties": {
                    "times": {"type": "integer"},
                    "words": {"type": "array", "items": {"type": "string"}},
                    "intent": {"type": "string"},
                    "agent": {"type": "string"},
                    "approve": {"type": "boolean"},
                    "file": {"type": "string"},
                    "hold": {"type": "boolean"},
                    "text": {"type": "string", "maxLength": 100},
                    "agent_id": {"type": "string"},
                },
                "additionalProperties": false,
            }),
            approval: match intent_type {
                "delete" => ApprovalRule::Owner,
                "grave" => ApprovalRule::Role("admin".to_owned()),
                _ => ApprovalRule::None,
            },
            examples: Vec::new(),
        };
        Self { descriptor, seen: Arc::clone(seen) }
    }

    async fn steps(&self, context: &ExecutionContext, parameters: &Object) -> Result<Value, Failure> {
        let first: u32 = context.step("first", || async { Ok(self.seen.count("first")) }).await?;
        if parameters.get("hold") == Some(&json!(true)) && context.attempt() == 1 {
            self.seen.gate.notified().await;
        }
        let second: u32 = context.step("second", || async { Ok(self.seen.count("second")) }).await?;
        Ok(json!([first, second]))
    }

    async fn say(&self, context: &ExecutionContext, parameters: &Object) -> Result<Value, Failure> {
        let concurrent = self.seen.concurrent.fetch_add(1, Ordering::SeqCst) + 1;
        self.seen.most_concurrent.fetch_max(concurrent, Ordering::SeqCst);
        let words: Vec<String> = serde_json::from_value(parameters["words"].clone()).unwrap();
        for word in &words {
            context.token(word, &Object::new()).await?;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let answer = words.concat();
        let data = json!({"response": answer});
        context.answer("guide".parse().unwrap(), answer, EventType::AgentCompleted, data.clone());
        self.seen.concurrent.fetch_sub(1, Ordering::SeqCst);
        Ok(data)
    }

    async fn call(&self, context: &ExecutionContext, parameters: &Object) -> Result<Value, Failure> {
        let intent = parameters.get("intent").and_then(Value::as_str).unwrap_or("echo");
        if let Some(agent_id) = parameters.get("agent").and_then(Value::as_str) {
            context.act_as(&agent_id.parse().unwrap());
        }
        let outcome = if parameters.get("approve") == Some(&json!(true)) {
            context.call_with_approval(intent, Object::new(), "A test wants it.".to_owned()).await?
        } else {
            context.call(intent, Object::new()).await?
        };
        Ok(json!({"child": outcome.execution_id, "status": outcome.status, "result": outcome.result}))
    }
}

/// An agent that takes ten seconds to answer, and keeps what it has said when it is stopped.
async fn answer(context: &ExecutionContext, parameters: &Object) -> Result<Value, Failure> {
    context.token("I think ", &Object::new()).await?;
    tokio::select! {
        () = tokio::time::sleep(Duration::from_secs(10)) => {
            let said = format!("about {}", parameters["text"].as_str().unwrap());
            let data = json!({"response": said});
            context.answer("guide".parse().unwrap(), said, EventType::AgentCompleted, data.clone());
            Ok(data)
        }
        () = context.cancellation().cancelled() => {
            let data = json!({"response": "I think "});
            context.answer("guide".parse().unwrap(), "I think ".to_owned(), EventType::AgentCancelled, data);
            Err(Failure::cancelled("It was told to stop."))
        }
    }
}

#[async_trait]
impl Handler for Told {
    fn descriptor(&self) -> &IntentDescriptor {
        &self.descriptor
    }

    fn time_limit(&self) -> Duration {
        match self.descriptor.intent_type.as_str() {
            "spin" => Duration::from_millis(200),
            _ => Duration::from_secs(7_200),
        }
    }

    fn retries(&self) -> Option<Retries> {
        (self.descriptor.intent_type == "stoic").then_some(Retries {
            max_attempts: 8,
            first_delay: Duration::from_secs(10),
            max_delay: Duration::from_secs(40),
        })
    }

    async fn execute(&self, context: &ExecutionContext, parameters: Object) -> Result<Value, Failure> {
        let times = self.seen.count(&self.descriptor.intent_type);
        match self.descriptor.intent_type.as_str() {
            "echo" | "delete" | "grave" => Ok(Value::Object(parameters)),
            "answer" => answer(context, &parameters).await,
            "steps" => self.steps(context, &parameters).await,
            "flaky" if u64::from(times) <= parameters["times"].as_u64().unwrap() => {
                Err(Failure::transient(Code::Unavailable, "It is not there just now."))
            }
            "flaky" => Ok(json!(times)),
            "panic" => panic!("as told"),
            "huge" => Ok(json!("x".repeat(100 * 1024 * 1024))),
            "huge_step" => {
                context.step("huge", || async { Ok("x".repeat(100 * 1024 * 1024)) }).await.map(Value::String)
            }
            "huge_answer" => {
                let data = json!({"response": "much"});
                let much = "x".repeat(100 * 1024 * 1024);
                context.answer("guide".parse().unwrap(), much, EventType::AgentCompleted, data);
                Ok(Value::Null)
            }
            "huge_artifact" => {
                let payload = object(json!({"text": "x".repeat(100 * 1024 * 1024)}));
                let kept = NewArtifact {
                    artifact_type: "note".to_owned(),
                    semantic_payload: payload,
                    ..NewArtifact::default()
                };
                Ok(json!(context.keep("note", kept).artifact_id))
            }
            "huge_event" => {
                let much = json!({"text": "x".repeat(100 * 1024 * 1024)});
                context.emit(EventType::AgentTool, &much).await.map(|()| Value::Null)
            }
            "huge_token" => context.token(&"x".repeat(100 * 1024 * 1024), &Object::new()).await.map(|()| Value::Null),
            "abandons" => {
                let slow = Call { intent_type: "slow".to_owned(), parameters: Object::new(), approval: None };
                let begun = context.begin(vec![slow]).await?.pop().unwrap()?;
                if times <= 2 {
                    return Err(Failure::new(Code::ExecutionFailed, "It broke and left a child behind."));
                }
                let outcome = context.outcome(begun).await?;
                Ok(json!({"child": outcome.execution_id, "status": outcome.status}))
            }
            "greedy" => {
                let much = vec![1_u8; 256 * 1024 * 1024];
                // More than there can be.
                let too_much: Vec<u64> = Vec::with_capacity(usize::MAX / 16 + much.len());
                Ok(json!(too_much.capacity()))
            }
            "block" => {
                #[expect(clippy::disallowed_methods, reason = "it is what a bad handler does")]
                std::thread::sleep(Duration::from_millis(300));
                Ok(json!(times))
            }
            "spin" => {
                let seen = Arc::clone(&self.seen);
                context
                    .compute(move || {
                        while !seen.enough.load(Ordering::Relaxed) {
                            std::hint::spin_loop();
                        }
                        Ok(Value::Null)
                    })
                    .await
            }
            "patient" if times <= 2 => Err(Failure::transient(Code::Unavailable, "Come back in ten minutes.")
                .retry_after(Duration::from_secs(600))),
            "stoic" => Err(Failure::transient(Code::Unavailable, "It is not there just now.")),
            "patient" => Ok(json!(times)),
            "hang" => {
                context.cancellation().cancelled().await;
                Err(Failure::cancelled("It was told to stop."))
            }
            "slow" => {
                tokio::select! {
                    () = tokio::time::sleep(Duration::from_secs(10)) => Ok(json!(times)),
                    () = context.cancellation().cancelled() => Err(Failure::cancelled("It was told to stop.")),
                }
            }
            "stubborn" => std::future::pending().await,
            "say" => self.say(context, &parameters).await,
            "call" => self.call(context, &parameters).await,
            "breaks_after_a_step" => {
                context.step("first", || async { Ok(self.seen.count("first")) }).await?;
                let breaks = parameters.get("times").and_then(Value::as_u64).unwrap_or(1);
                if u64::from(times) <= breaks {
                    return Err(Failure::new(Code::ExecutionFailed, "It broke."));
                }
                Ok(json!(times))
            }
            "insists" => {
                let outcome = self.call(context, &parameters).await?;
                if outcome["status"] == "completed" {
                    return Ok(outcome);
                }
                Err(Failure::new(Code::ExecutionFailed, "What it called failed."))
            }
            "keep" => {
                let kept = NewArtifact {
                    artifact_type: "note".to_owned(),
                    search_text: Some("a quick brown fox".to_owned()),
                    ..NewArtifact::default()
                };
                Ok(json!(context.keep("note", kept).artifact_id))
            }
            "one_by_one" => {
                for number in 0..50 {
                    context.emit(EventType::AgentTool, &json!({ "number": number })).await?;
                }
                Ok(Value::Null)
            }
            "hear" => {
                let heard = context.history(10).await?;
                Ok(heard.into_iter().map(|message| Value::String(message.content)).collect())
            }
            other => panic!("{other} is not told"),
        }
    }
}
