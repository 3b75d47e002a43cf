//! The agent of these tests: it does what the message says, word for word, through the same doors as a real one.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use contract::{
    AgentId, Code, EventType,
    intent::{ApprovalRule, IntentDescriptor},
};
use runtime::{ExecutionContext, Failure, Handler, port::store::Object};
use serde_json::{Value, json};
use tokio::sync::Notify;

/// How long a piece of a flood is, in bytes.
const FLOOD_PIECE_BYTES: usize = 32 * 1024;

/// The pause between two pieces of a flood: a model that says 16 MB in a second is fast enough.
const FLOOD_PAUSE: Duration = Duration::from_millis(2);

/// `agent_invoke`. The first word of the message says what to do:
/// `say …` says the words one by one · `hold` says one word and waits for its cancellation · `ask` calls an intent that needs approval ·
/// `fail` fails · `flood` talks until it is cancelled.
pub(crate) struct TestAgent {
    descriptor: IntentDescriptor,
}

/// An intent that does nothing, when somebody agrees.
pub(crate) struct Dangerous {
    descriptor: IntentDescriptor,
}

/// An intent without a conversation: one step, and another one when the gate opens.
pub(crate) struct TwoSteps {
    descriptor: IntentDescriptor,
    gate: Arc<Notify>,
}

pub(crate) fn handlers(gate: Arc<Notify>) -> Vec<Arc<dyn Handler>> {
    vec![
        Arc::new(TestAgent { descriptor: descriptor("agent_invoke", ApprovalRule::None) }),
        Arc::new(Dangerous { descriptor: descriptor("dangerous", ApprovalRule::Owner) }),
        Arc::new(TwoSteps { descriptor: descriptor("two_steps", ApprovalRule::None), gate }),
    ]
}

fn descriptor(intent_type: &str, approval: ApprovalRule) -> IntentDescriptor {
    IntentDescriptor {
        intent_type: intent_type.to_owned(),
        realm: "content".to_owned(),
        description: "For tests.".to_owned(),
        parameters: json!({ "type": "object" }),
        approval,
        examples: Vec::new(),
    }
}

#[async_trait]
impl Handler for TestAgent {
    fn descriptor(&self) -> &IntentDescriptor {
        &self.descriptor
    }

    fn is_offered(&self) -> bool {
        false
    }

    async fn execute(&self, context: &ExecutionContext, parameters: Object) -> Result<Value, Failure> {
        let text = parameters["text"].as_str().unwrap_or_default().to_owned();
        let about = about(context, &parameters);
        let mut started = about.clone();
        started.insert("agent_type".to_owned(), json!("liaison"));
        started.insert("reply_to".to_owned(), parameters["message_id"].clone());
        started.insert("routing".to_owned(), parameters["routing"].clone());
        started.insert("attempt".to_owned(), json!(context.attempt()));
        context.emit(EventType::AgentStarted, &Value::Object(started)).await?;
        let talk = Talk { context, about };
        match text.split_once(' ').unwrap_or((&text, "")) {
            ("hold", _) => talk.hold().await,
            ("ask", _) => talk.ask().await,
            ("fail", _) => talk.fail(),
            ("flood", _) => talk.flood().await,
            (_, words) => talk.say(words).await,
        }
    }
}

fn about(context: &ExecutionContext, parameters: &Object) -> Object {
    let Value::Object(about) = json!({
        "agent_id": parameters["agent_id"],
        "conversation_id": context.conversation_id(),
        "execution_id": context.execution_id(),
    }) else {
        unreachable!("the macro was given an object");
    };
    about
}

struct Talk<'a> {
    context: &'a ExecutionContext,
    about: Object,
}

impl Talk<'_> {
    async fn say(&self, words: &str) -> Result<Value, Failure> {
        for word in words.split_inclusive(' ') {
            self.context.token(word, &self.about).await?;
        }
        Ok(self.complete(words))
    }

    async fn hold(&self) -> Result<Value, Failure> {
        self.context.token("one", &self.about).await?;
        self.context.cancellation().cancelled().await;
        self.answer("one", EventType::AgentCancelled, json!({ "response": "one" }));
        Err(Failure::cancelled("It was cancelled."))
    }

    async fn ask(&self) -> Result<Value, Failure> {
        self.context.step("think", || async { Ok(1) }).await?;
        self.tool("started").await?;
        let outcome = self.context.call("dangerous", Object::new()).await?;
        let (state, said) = if outcome.status == contract::execution::ExecutionStatus::Completed {
            ("completed", "It is done.")
        } else {
            ("failed", "It was not done.")
        };
        self.tool(state).await?;
        Ok(self.complete(said))
    }

    async fn tool(&self, state: &str) -> Result<(), Failure> {
        let mut data = self.about.clone();
        data.insert("intent".to_owned(), json!("dangerous"));
        data.insert("state".to_owned(), json!(state));
        self.context.emit(EventType::AgentTool, &Value::Object(data)).await
    }

    fn fail(&self) -> Result<Value, Failure> {
        let said = "The model does not answer. Try again later.";
        self.answer(said, EventType::AgentFailed, json!({ "error": said, "code": "model_unavailable" }));
        Err(Failure::new(Code::ModelUnavailable, said))
    }

    async fn flood(&self) -> Result<Value, Failure> {
        let piece = "x".repeat(FLOOD_PIECE_BYTES);
        while !self.context.cancellation().is_cancelled() {
            self.context.token(&piece, &self.about).await?;
            tokio::time::sleep(FLOOD_PAUSE).await;
        }
        Err(Failure::cancelled("It was cancelled."))
    }

    fn complete(&self, said: &str) -> Value {
        let data = json!({
            "response": said,
            "usage": {},
            "artifacts": {},
            "intent_analysis": { "intent_type": "dangerous", "confidence": 0.75 },
        });
        self.answer(said, EventType::AgentCompleted, data);
        json!({ "response": said })
    }

    fn answer(&self, said: &str, event_type: EventType, data: Value) {
        let mut all = self.about.clone();
        if let Value::Object(data) = data {
            all.extend(data);
        }
        let agent_id: AgentId = all["agent_id"].as_str().unwrap().parse().unwrap();
        self.context.answer(agent_id, said.to_owned(), event_type, Value::Object(all));
    }
}

#[async_trait]
impl Handler for Dangerous {
    fn descriptor(&self) -> &IntentDescriptor {
        &self.descriptor
    }

    async fn execute(&self, _context: &ExecutionContext, _parameters: Object) -> Result<Value, Failure> {
        Ok(json!({ "deleted": true }))
    }
}

#[async_trait]
impl Handler for TwoSteps {
    fn descriptor(&self) -> &IntentDescriptor {
        &self.descriptor
    }

    async fn execute(&self, context: &ExecutionContext, _parameters: Object) -> Result<Value, Failure> {
        context.step("first", || async { Ok(1) }).await?;
        self.gate.notified().await;
        context.step("second", || async { Ok(2) }).await?;
        Ok(json!({}))
    }
}
