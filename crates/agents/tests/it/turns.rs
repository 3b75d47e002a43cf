//! Turns through a Runtime in memory: what the journal tells, what the conversation keeps, and how a turn ends when something goes
//! wrong. The built-in model serves, and one that says what a test tells it to say.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use agents::{
    AgentDefinition, BuiltinConfig, BuiltinModel, Directory, LanguageModel, Models,
    model::{HAND_OFF, ModelError, ModelRequest, Piece, ReplySink, ToolCall, Usage},
};
use async_trait::async_trait;
use contract::{
    Event, EventType, Owner, SessionId, Timestamp,
    approval::Decision,
    execution::{Execution, ExecutionStatus},
    intent::{ApprovalRule, IntentDescriptor, Timing},
};
use runtime::{
    Catalogue, Clock, ExecutionContext, Failure, Handler, NewArtifact, Runtime, RuntimeClient, RuntimeConfig,
    SubmitRequest, UserMessage,
    memory::{MemoryObjects, MemoryStore},
    port::store::StreamKey,
};
use serde_json::{Map, Value, json};

use crate::house::descriptors;

/// A clock that moves a millisecond each time it is read, and chance that counts.
#[derive(Default)]
struct Counter(AtomicU64);

impl Clock for Counter {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_700_000_000_000 + self.0.fetch_add(1, Ordering::Relaxed) as i64)
    }

    fn fill(&self, bytes: &mut [u8]) {
        let count = self.0.fetch_add(1, Ordering::Relaxed).to_le_bytes();
        bytes.iter_mut().zip(count.iter().cycle()).for_each(|(byte, chance)| *byte = *chance);
    }
}

/// Stands for a realm's intent: answers a sentence with its name, keeps an artifact, or fails where it is told to.
struct Likeness {
    descriptor: IntentDescriptor,
}

#[async_trait]
impl Handler for Likeness {
    fn descriptor(&self) -> &IntentDescriptor {
        &self.descriptor
    }

    async fn execute(&self, context: &ExecutionContext, parameters: Map<String, Value>) -> Result<Value, Failure> {
        let name = &self.descriptor.intent_type;
        if parameters.get("file") == Some(&json!("broken.csv")) {
            return Err(Failure::new(contract::Code::UnreadableFile, "Line 3 has no closing quote."));
        }
        let artifact = NewArtifact { artifact_type: name.clone(), ..NewArtifact::default() };
        context.keep(name, artifact);
        Ok(json!({ "summary": format!("**{name}** was done.") }))
    }
}

/// What the scripted model does when it is asked.
pub(crate) enum Line {
    Say(Vec<Piece>),
    Fail(ModelError),
    /// Says this and then never ends.
    Hang(&'static str),
}

/// Says what it is told to, and forgets it.
struct Scripted(Mutex<VecDeque<Line>>);

#[async_trait]
impl LanguageModel for Scripted {
    fn name(&self) -> &str {
        "scripted"
    }

    async fn reply(&self, _: &ModelRequest, sink: &mut dyn ReplySink) -> Result<(), ModelError> {
        let line = self.0.lock().unwrap().pop_front().expect("the script is long enough");
        match line {
            Line::Say(pieces) => {
                for piece in pieces {
                    sink.take(piece).await?;
                }
                Ok(())
            }
            Line::Fail(error) => Err(error),
            Line::Hang(text) => {
                sink.take(Piece::Text(text.to_owned())).await?;
                std::future::pending().await
            }
        }
    }
}

/// A Runtime with all intents and agents.
pub(crate) struct House {
    client: RuntimeClient,
    _runtime: Runtime,
}

impl House {
    pub(crate) async fn new(script: Vec<Line>) -> Self {
        let specialist = "agent_id = \"specialist.script\"\nkind = \"specialist\"\ndescription = \"Speaks by heart.\"\n\
             instructions = \"\"\nmodel = \"scripted\"\nintents = [\"list_files\", \"profile_data\"]\n\
             approval = [\"profile_data\"]\n[budget]\nmax_steps = 3\n";
        let specialist = AgentDefinition::from_toml("script.toml", specialist).unwrap();
        let directory = Arc::new(Directory::builtin_and(vec![specialist]).unwrap());
        let models = Models::new(BuiltinModel::new(BuiltinConfig::default()))
            .with(Arc::new(Scripted(Mutex::new(script.into()))));
        assert!(models.missing(&directory).is_empty());
        let mut handlers = agents::handlers(directory, models);
        for descriptor in descriptors() {
            handlers.push(Arc::new(Likeness { descriptor }));
        }
        let config = RuntimeConfig {
            coalesce: Duration::ZERO,
            max_attempts: 2,
            retry_delay: Duration::from_millis(1),
            ..RuntimeConfig::default()
        };
        let runtime = Runtime::start(
            Arc::new(MemoryStore::default()),
            Arc::new(MemoryObjects::default()),
            Arc::new(Counter::default()),
            Catalogue::new(handlers).unwrap(),
            config,
        )
        .await
        .unwrap();
        Self { client: runtime.client(), _runtime: runtime }
    }

    pub(crate) async fn submit(
        &self,
        intent_type: &str,
        parameters: Value,
        message: Option<&str>,
    ) -> contract::ExecutionId {
        let Value::Object(parameters) = parameters else { panic!("parameters are an object") };
        let request = SubmitRequest {
            owner: owner(),
            authority: contract::Authority::default(),
            session_id: session(),
            intent_type: intent_type.to_owned(),
            parameters,
            metadata: Map::new(),
            intent_id: None,
            idempotency_key: None,
            conversation_id: Some("conv".parse().unwrap()),
            message: message.map(|text| UserMessage {
                id: text.len().to_string().parse().unwrap(),
                text: text.to_owned(),
                policy: contract::agent::TurnPolicy::Queue,
            }),
            attachments: Vec::new(),
            timing: Timing::default(),
            quota: None,
            concurrency_key: None,
        };
        self.client.submit(request).await.unwrap().execution_id
    }

    pub(crate) async fn say(&self, agent_id: &str, text: &str) -> contract::ExecutionId {
        self.submit("agent_invoke", json!({ "agent_id": agent_id, "text": text, "message_id": "m1" }), Some(text)).await
    }

    pub(crate) async fn end(&self, id: &contract::ExecutionId) -> Execution {
        self.client.wait(&owner(), id).await.unwrap().unwrap()
    }

    /// Watches the conversation until an event of this type, and answers all of them.
    async fn events_until(&self, last: EventType) -> Vec<Event> {
        let key = StreamKey::Conversation(owner(), "conv".parse().unwrap());
        let mut watch = self.client.watch(&key, 0).await.unwrap().unwrap();
        let mut events: Vec<Event> = Vec::new();
        while events.iter().all(|event| event.event_type != last) {
            events.extend(watch.next().await.unwrap().iter().map(|event| event.event()));
        }
        events
    }
}

fn owner() -> Owner {
    Owner::User { tenant_id: "tenant_1".parse().unwrap(), user_id: "user_1".parse().unwrap() }
}

fn session() -> SessionId {
    "sess_1".parse().unwrap()
}

fn of_type(events: &[Event], event_type: EventType) -> Vec<&Event> {
    events.iter().filter(|event| event.event_type == event_type).collect()
}

fn text(text: &str) -> Piece {
    Piece::Text(text.to_owned())
}

fn call(name: &str, arguments: Value) -> Piece {
    let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
    Piece::ToolCall(ToolCall { id: "c".to_owned(), name: name.to_owned(), arguments, ..ToolCall::default() })
}

#[tokio::test]
async fn the_guide_hands_over_and_the_answer_is_the_results() {
    let house = House::new(Vec::new()).await;
    let id = house.say("guide", "how good is orders.csv?").await;
    let execution = house.end(&id).await;
    assert_eq!(execution.status, ExecutionStatus::Completed, "{execution:?}");
    assert_eq!(execution.result["agent_id"], "liaison.insights");
    assert_eq!(execution.result["handed_off_from"], "guide");
    assert_eq!(execution.result["intent_analysis"]["intent_type"], "assess_data_quality");
    assert!(execution.result["artifacts"]["assess_data_quality"]["artifact_id"].is_string());

    let events = house.events_until(EventType::AgentCompleted).await;
    let started = of_type(&events, EventType::AgentStarted);
    assert_eq!(started.len(), 2);
    assert_eq!(started[0].data["agent_id"], "guide");
    assert_eq!(started[1].data["routing"]["rule"], "hand_off");
    assert_eq!(started[1].data["reply_to"], "m1");
    let states: Vec<&Value> = of_type(&events, EventType::AgentTool).iter().map(|event| &event.data["state"]).collect();
    assert_eq!(states, ["started", "completed"]);
    let tokens = of_type(&events, EventType::AgentToken);
    assert!(tokens.len() > 2, "an answer comes in pieces");
    let said: String = tokens.iter().map(|event| event.data["token"].as_str().unwrap()).collect();
    let completed = of_type(&events, EventType::AgentCompleted);
    assert_eq!(completed[0].data["response"], json!(said));
    assert!(said.starts_with("**assess_data_quality** was done."), "{said}");
}

#[tokio::test]
async fn a_failed_tool_is_told_in_its_own_words_and_ends_the_plan() {
    let house = House::new(Vec::new()).await;
    let id = house.say("liaison.content", "parse broken.csv and then tell me how good it is").await;
    let execution = house.end(&id).await;
    let response = execution.result["response"].as_str().unwrap();
    assert!(response.contains("Line 3 has no closing quote."), "{response}");
    assert!(response.contains("did not go on"), "{response}");
    assert!(!response.contains("assess_data_quality** was done"), "{response}");
}

#[tokio::test]
async fn parts_for_two_realms_go_there_and_back() {
    let house = House::new(Vec::new()).await;
    let id = house.say("liaison.content", "parse orders.csv and then tell me how good it is").await;
    let execution = house.end(&id).await;
    let response = execution.result["response"].as_str().unwrap();
    assert!(response.contains("**parse_content** was done.\n\n**assess_data_quality** was done."), "{response}");
    let events = house.events_until(EventType::AgentCompleted).await;
    let rules: Vec<&Value> =
        of_type(&events, EventType::AgentStarted).iter().map(|event| &event.data["routing"]["rule"]).collect();
    assert_eq!(rules, ["named", "hand_back", "hand_off"]);
}

#[tokio::test]
async fn a_refused_approval_does_not_end_the_turn() {
    let house = House::new(Vec::new()).await;
    let id = house.say("guide", "delete orders.csv").await;
    let events = house.events_until(EventType::ApprovalPending).await;
    let pending = of_type(&events, EventType::ApprovalPending)[0].data.clone();
    assert_eq!(pending["proposed"]["parameters"]["file"], "orders.csv");
    let decision = Decision {
        approved: false,
        response_type: None,
        rejection_reason: Some("Keep it.".to_owned()),
        corrections: Map::new(),
    };
    let hook_id = pending["hook_id"].as_str().unwrap().parse().unwrap();
    house.client.decide(&owner(), &hook_id, decision).await.unwrap().unwrap();
    let execution = house.end(&id).await;
    assert_eq!(execution.status, ExecutionStatus::Completed);
    let response = execution.result["response"].as_str().unwrap();
    assert!(response.contains("did not delete file") && response.contains("Nothing of it was done."), "{response}");
}

#[tokio::test]
async fn an_agents_own_approval_list_asks_too() {
    let script = vec![
        Line::Say(vec![text("Let me see."), call("profile_data", json!({}))]),
        Line::Say(vec![text("Done."), Piece::Usage(Usage { input_tokens: 5, output_tokens: 2 })]),
    ];
    let house = House::new(script).await;
    let id = house.say("specialist.script", "go").await;
    let events = house.events_until(EventType::ApprovalPending).await;
    let hook_id = of_type(&events, EventType::ApprovalPending)[0].data["hook_id"].as_str().unwrap().parse().unwrap();
    let decision = Decision { approved: true, response_type: None, rejection_reason: None, corrections: Map::new() };
    house.client.decide(&owner(), &hook_id, decision).await.unwrap().unwrap();
    let execution = house.end(&id).await;
    assert_eq!(execution.result["response"], "Let me see.\n\nDone.");
    assert_eq!(execution.result["usage"]["output_tokens"], 2);
}

#[tokio::test]
async fn what_an_agent_may_not_do_is_not_done() {
    let script = vec![
        Line::Say(vec![call("delete_file", json!({})), call(HAND_OFF, json!({ "agent_id": "guide" }))]),
        Line::Say(vec![call("list_files", json!({ "no_such": 1 }))]),
        Line::Say(vec![text("Well.")]),
    ];
    let house = House::new(script).await;
    let id = house.say("specialist.script", "go").await;
    let execution = house.end(&id).await;
    assert_eq!(execution.result["response"], "Well.");
    assert_eq!(execution.result["artifacts"], json!({}));
    let events = house.events_until(EventType::AgentCompleted).await;
    let states: Vec<&Value> = of_type(&events, EventType::AgentTool).iter().map(|event| &event.data["state"]).collect();
    assert_eq!(states, ["started", "failed"]);
    assert_eq!(of_type(&events, EventType::AgentStarted).len(), 1);
}

#[tokio::test]
async fn a_model_that_never_stops_is_stopped() {
    let again = || Line::Say(vec![call("list_files", json!({}))]);
    let house = House::new(vec![again(), again(), again()]).await;
    let execution = house.end(&house.say("specialist.script", "go").await).await;
    let response = execution.result["response"].as_str().unwrap();
    assert!(response.starts_with("I stop here"), "{response}");
}

#[tokio::test]
async fn a_failing_model_ends_the_turn_and_keeps_what_was_said() {
    let house = House::new(vec![Line::Fail(ModelError::Final("The key is not accepted.".to_owned()))]).await;
    let execution = house.end(&house.say("specialist.script", "go").await).await;
    assert_eq!(execution.status, ExecutionStatus::Failed);
    let events = house.events_until(EventType::AgentFailed).await;
    let failed = of_type(&events, EventType::AgentFailed)[0];
    assert_eq!(failed.data["error"], "The key is not accepted.");
    assert_eq!(failed.data["code"], "model_unavailable");
}

#[tokio::test]
async fn a_turn_that_starts_again_repeats_nothing_that_was_recorded() {
    let script = vec![
        Line::Say(vec![text("Let me see."), call("list_files", json!({}))]),
        Line::Fail(ModelError::Transient("The model is overloaded.".to_owned())),
        Line::Say(vec![text("Done.")]),
    ];
    let house = House::new(script).await;
    let execution = house.end(&house.say("specialist.script", "go").await).await;
    assert_eq!(execution.result["response"], "Let me see.\n\nDone.");
    let events = house.events_until(EventType::AgentCompleted).await;
    let attempts: Vec<&Value> =
        of_type(&events, EventType::AgentStarted).iter().map(|event| &event.data["attempt"]).collect();
    assert_eq!(attempts, [1, 2]);
    assert!(of_type(&events, EventType::AgentFailed).is_empty());
    let children: std::collections::BTreeSet<String> = of_type(&events, EventType::AgentTool)
        .iter()
        .filter_map(|event| event.data.get("tool_execution_id"))
        .map(ToString::to_string)
        .collect();
    assert_eq!(children.len(), 1, "the tool was called once");
    let second = events.iter().rposition(|event| event.event_type == EventType::AgentStarted).unwrap();
    let said: String = of_type(&events[second..], EventType::AgentToken)
        .iter()
        .map(|event| event.data["token"].as_str().unwrap())
        .collect();
    assert_eq!(said, "Let me see.\n\nDone.");
}

#[tokio::test]
async fn a_cancelled_turn_keeps_what_was_said() {
    let house = House::new(vec![Line::Hang("Once upon a time")]).await;
    let id = house.say("specialist.script", "tell").await;
    house.events_until(EventType::AgentToken).await;
    house.client.cancel(&owner(), &id, "Enough.").await.unwrap();
    let execution = house.end(&id).await;
    assert_eq!(execution.status, ExecutionStatus::Cancelled);
    let events = house.events_until(EventType::AgentCancelled).await;
    assert_eq!(of_type(&events, EventType::AgentCancelled)[0].data["response"], "Once upon a time");
}

#[tokio::test]
async fn an_analysis_executes_nothing() {
    let house = House::new(Vec::new()).await;
    let id = house.submit("analyze_user_intent", json!({ "message": "how good is orders.csv?" }), None).await;
    let analysis = house.end(&id).await.result["intent_analysis"].clone();
    assert_eq!(analysis["agent_id"], "liaison.insights");
    assert_eq!(analysis["intent_type"], "assess_data_quality");
    assert_eq!(analysis["parameters"]["file"], "orders.csv");
    assert_eq!(analysis["needs_clarification"], false);
    let events = house.events_until(EventType::ExecutionCompleted).await;
    assert!(of_type(&events, EventType::AgentTool).is_empty());
}

#[tokio::test]
async fn an_unknown_agent_is_told() {
    let house = House::new(Vec::new()).await;
    let execution = house.end(&house.say("liaison.nobody", "go").await).await;
    assert_eq!(execution.problem.unwrap().code, "unknown_agent");
    assert_eq!(descriptors().iter().filter(|intent| intent.approval == ApprovalRule::Owner).count(), 2);
}
