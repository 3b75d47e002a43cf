//! Symphainy with intents and models that do nothing, so that a load on it measures the house and not a realm. It is
//! also the shortest example of a program that brings intents and models of its own.

use std::{process::ExitCode, sync::Arc, time::Duration};

use agents::{
    LanguageModel,
    model::{ModelError, ModelRequest, Piece, ReplySink},
};
use async_trait::async_trait;
use contract::intent::{ApprovalRule, IntentDescriptor};
use runtime::{ExecutionContext, Failure, Handler, port::store::Object};
use serde_json::{Value, json};
use symphainy::wiring::Extras;

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

/// Waits until it is told to stop.
struct Waiting(IntentDescriptor);

impl Waiting {
    fn new() -> Self {
        let descriptor = Steps::new("bench_wait", 0).descriptor;
        Self(IntentDescriptor { description: "Waits until it is cancelled.".to_owned(), ..descriptor })
    }
}

#[async_trait]
impl Handler for Waiting {
    fn descriptor(&self) -> &IntentDescriptor {
        &self.0
    }

    async fn execute(&self, context: &ExecutionContext, _: Object) -> Result<Value, Failure> {
        context.cancellation().cancelled().await;
        Err(Failure::cancelled("It was told to stop."))
    }
}

/// Says the same to everybody, in pieces.
struct Chatter {
    name: &'static str,
    pieces: usize,
    /// From one piece to the next.
    pause: Duration,
}

#[async_trait]
impl LanguageModel for Chatter {
    fn name(&self) -> &str {
        self.name
    }

    async fn reply(&self, _: &ModelRequest, sink: &mut dyn ReplySink) -> Result<(), ModelError> {
        if self.pause.is_zero() {
            for _ in 0..self.pieces {
                sink.take(Piece::Text("a word or two ".to_owned())).await?;
            }
            return Ok(());
        }
        let mut pace = tokio::time::interval(self.pause);
        for _ in 0..self.pieces {
            pace.tick().await;
            sink.take(Piece::Text("a word ".to_owned())).await?;
        }
        Ok(())
    }
}

fn main() -> ExitCode {
    symphainy::main_with(Extras {
        handlers: vec![
            Arc::new(Steps::new("bench_nothing", 0)),
            Arc::new(Steps::new("bench_two_steps", 2)),
            Arc::new(Waiting::new()),
        ],
        models: vec![
            Arc::new(Chatter { name: "chatter", pieces: 50, pause: Duration::ZERO }),
            Arc::new(Chatter { name: "streamer", pieces: 1_000, pause: Duration::from_millis(20) }),
        ],
    })
}
