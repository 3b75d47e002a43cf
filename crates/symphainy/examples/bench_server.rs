//! Symphainy with two intents and a model that do nothing, so that a load on it measures the house and not a realm. It is
//! also the shortest example of a program that brings intents and models of its own.

use std::{process::ExitCode, sync::Arc};

use agents::{
    LanguageModel,
    model::{ModelError, ModelRequest, Piece, ReplySink},
};
use async_trait::async_trait;
use contract::intent::{ApprovalRule, IntentDescriptor};
use runtime::{ExecutionContext, Failure, Handler, port::store::Object};
use serde_json::{Value, json};
use symphainy::wiring::Extras;

/// How many pieces the model's answer has.
const PIECES: usize = 50;

/// Records as many steps as it is made with, and answers nothing.
struct Steps {
    names: Vec<String>,
    descriptor: IntentDescriptor,
}

impl Steps {
    fn new(intent_type: &str, steps: usize) -> Self {
        let descriptor = IntentDescriptor {
            intent_type: intent_type.to_owned(),
            realm: "bench".to_owned(),
            description: format!("Records {steps} steps and does nothing in them."),
            parameters: json!({"type": "object", "additionalProperties": false}),
            approval: ApprovalRule::None,
            examples: Vec::new(),
        };
        Self { names: (1..=steps).map(|step| format!("step {step}")).collect(), descriptor }
    }
}

#[async_trait]
impl Handler for Steps {
    fn descriptor(&self) -> &IntentDescriptor {
        &self.descriptor
    }

    async fn execute(&self, context: &ExecutionContext, _: Object) -> Result<Value, Failure> {
        for name in &self.names {
            context.step(name, async || Ok(())).await?;
        }
        Ok(Value::Null)
    }
}

/// Says the same to everybody, in pieces.
struct Chatter;

#[async_trait]
impl LanguageModel for Chatter {
    fn name(&self) -> &str {
        "chatter"
    }

    async fn reply(&self, _: &ModelRequest, sink: &mut dyn ReplySink) -> Result<(), ModelError> {
        for _ in 0..PIECES {
            sink.take(Piece::Text("a word or two ".to_owned())).await?;
        }
        Ok(())
    }
}

fn main() -> ExitCode {
    symphainy::main_with(Extras {
        handlers: vec![Arc::new(Steps::new("bench_nothing", 0)), Arc::new(Steps::new("bench_two_steps", 2))],
        models: vec![Arc::new(Chatter)],
    })
}
