//! Symphainy to be tortured: with intents whose effects are counted outside of it, and told by its environment where to die and
//! which mistake to make. `cargo xtask torture` builds it, runs it and kills it.

use std::{process::ExitCode, sync::Arc};

use agents::{
    LanguageModel,
    model::{ModelError, ModelRequest, Piece, ReplySink},
};
use async_trait::async_trait;
use contract::{
    Code,
    intent::{ApprovalRule, IntentDescriptor},
};
use runtime::{
    ExecutionContext, Failure, Handler, NewArtifact,
    port::store::Object,
    torture::{Bug, CrashPoint, Plan, arm},
};
use rustix::process::{Signal, getpid, kill_process};
use serde::Deserialize;
use serde_json::{Value, json};
use symphainy::wiring::Extras;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    sync::{Mutex, OnceCell, oneshot},
    task::JoinSet,
};

/// `point@arrival`: where this process dies.
const CRASH: &str = "TORTURE_CRASH";
/// The mistake that it makes.
const BUG: &str = "TORTURE_BUG";
/// Where effects are counted.
const EFFECTS: &str = "TORTURE_EFFECTS";
/// The argument that has it say where it can die and which mistakes it can make.
const WORDS: &str = "words";

/// The world outside of the process: it counts how often something was done to it.
struct Outside {
    address: String,
    line: OnceCell<Line>,
}

/// One connection for all, on which answers come in the order of the questions.
struct Line {
    /// Questions are written while the place in the queue is held, so that the two orders are one.
    questions: Mutex<(tokio::net::tcp::OwnedWriteHalf, tokio::sync::mpsc::Sender<oneshot::Sender<u64>>)>,
    /// Hears the answers, for as long as the process lives.
    _listening: JoinSet<()>,
}

/// How many effects wait for their answers.
const MAX_WAITING_EFFECTS: usize = 4_096;

impl Outside {
    /// Has an effect, and answers how often this one has been had by now.
    async fn effect(&self, key: &str, ticket: u64) -> Result<u64, Failure> {
        let line = self.line.get_or_try_init(|| Line::open(&self.address)).await.map_err(|_| unreachable_outside())?;
        let (reply, answer) = oneshot::channel();
        {
            let mut questions = line.questions.lock().await;
            let (writer, waiting) = &mut *questions;
            writer.write_all(format!("{key} {ticket}\n").as_bytes()).await.map_err(|_| unreachable_outside())?;
            waiting.send(reply).await.map_err(|_| unreachable_outside())?;
        }
        answer.await.map_err(|_| unreachable_outside())
    }
}

impl Line {
    async fn open(address: &str) -> std::io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (reader, writer) = stream.into_split();
        let (sender, mut waiting) = tokio::sync::mpsc::channel::<oneshot::Sender<u64>>(MAX_WAITING_EFFECTS);
        let mut listening = JoinSet::new();
        listening.spawn(async move {
            let mut answers = BufReader::new(reader).lines();
            while let Ok(Some(answer)) = answers.next_line().await {
                let Some(reply) = waiting.recv().await else { return };
                // Whoever was cancelled does not want to know.
                let _ = reply.send(answer.parse().unwrap_or_default());
            }
        });
        Ok(Self { questions: Mutex::new((writer, sender)), _listening: listening })
    }
}

fn unreachable_outside() -> Failure {
    Failure::transient(Code::Unavailable, "The world outside does not answer.")
}

/// What an intent of the torture is asked to do.
#[derive(Deserialize)]
struct Asked {
    /// The client's own number of what it asks for.
    ticket: u64,
    #[serde(default)]
    steps: usize,
    #[serde(default)]
    children: usize,
    /// How many attempts fail at first.
    #[serde(default)]
    failures: u32,
    /// Whether it goes on until somebody stops it.
    #[serde(default)]
    hold: bool,
    /// Whether it keeps an artifact with bytes.
    #[serde(default)]
    keep: bool,
}

struct Suffer {
    descriptor: IntentDescriptor,
    outside: Arc<Outside>,
}

impl Suffer {
    fn new(intent_type: &str, approval: ApprovalRule, outside: &Arc<Outside>) -> Self {
        let number = json!({"type": "integer", "minimum": 0});
        let yes_or_no = json!({"type": "boolean"});
        let descriptor = IntentDescriptor {
            intent_type: intent_type.to_owned(),
            realm: "torture".to_owned(),
            description: "Has effects outside, calls itself, fails, waits and keeps, as it is told.".to_owned(),
            parameters: json!({
                "type": "object",
                "properties": {
                    "ticket": number, "steps": number, "children": number, "failures": number,
                    "hold": yes_or_no, "keep": yes_or_no,
                },
                "required": ["ticket"],
                "additionalProperties": false,
            }),
            approval,
            examples: Vec::new(),
        };
        Self { descriptor, outside: Arc::clone(outside) }
    }
}

#[async_trait]
impl Handler for Suffer {
    fn descriptor(&self) -> &IntentDescriptor {
        &self.descriptor
    }

    async fn execute(&self, context: &ExecutionContext, parameters: Object) -> Result<Value, Failure> {
        let asked: Asked = serde_json::from_value(Value::Object(parameters))
            .map_err(|error| Failure::new(Code::ValidationFailed, error.to_string()))?;
        let mut tokens = Vec::with_capacity(asked.steps);
        for step in 1..=asked.steps {
            let name = format!("step{step}");
            let key = context.step_key(&name);
            tokens.push(context.step(&name, async || self.outside.effect(&key, asked.ticket).await).await?);
        }
        let mut children = Vec::with_capacity(asked.children);
        for _ in 0..asked.children {
            let Value::Object(parameters) = json!({"ticket": asked.ticket, "steps": 1}) else { unreachable!() };
            let outcome = context.call("torture", parameters).await?;
            children.push(json!({"execution_id": outcome.execution_id, "result": outcome.result}));
        }
        if context.attempt() <= asked.failures {
            return Err(Failure::transient(Code::ExecutionFailed, "It fails at first."));
        }
        if asked.keep {
            let content = context.write_object(content(asked.ticket).into(), "text/plain", "kept.txt").await?;
            context.keep(
                "kept",
                NewArtifact { artifact_type: "kept".to_owned(), content: Some(content), ..NewArtifact::default() },
            );
        }
        if asked.hold {
            context.cancellation().cancelled().await;
            return Err(Failure::cancelled("It was told to stop."));
        }
        Ok(json!({"ticket": asked.ticket, "tokens": tokens, "children": children}))
    }
}

/// What an artifact of this ticket holds.
fn content(ticket: u64) -> String {
    format!("the bytes of {ticket}\n").repeat(1 + usize::try_from(ticket % 50).unwrap_or_default())
}

/// Says back what it heard, word by word.
struct Echo;

#[async_trait]
impl LanguageModel for Echo {
    fn name(&self) -> &str {
        "echo"
    }

    async fn reply(&self, request: &ModelRequest, sink: &mut dyn ReplySink) -> Result<(), ModelError> {
        sink.take(Piece::Text("heard:".to_owned())).await?;
        for word in request.message.split(' ') {
            sink.take(Piece::Text(format!(" {word}"))).await?;
            tokio::task::yield_now().await;
        }
        Ok(())
    }
}

#[expect(clippy::disallowed_methods, reason = "the torture tells the process by its environment what to suffer")]
fn told(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn plan() -> Plan {
    let crash = told(CRASH).map(|text| {
        let (point, arrival) = text.split_once('@').expect("a crash is `point@arrival`");
        let point = CrashPoint::from_word(point).expect("the crash names a point that there is");
        (point, arrival.parse().expect("an arrival is a number"))
    });
    let bug = told(BUG).map(|word| Bug::from_word(&word).expect("the bug is one that there is"));
    Plan { crash, bug, die }
}

fn die() {
    // Nothing of ours happens after it.
    let _ = kill_process(getpid(), Signal::KILL);
}

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some(WORDS) {
        let points: Vec<_> = CrashPoint::ALL.iter().map(|point| point.as_str()).collect();
        let bugs: Vec<_> = Bug::ALL.iter().map(|bug| bug.as_str()).collect();
        println!("{}", json!({"crash_points": points, "bugs": bugs}));
        return ExitCode::SUCCESS;
    }
    arm(plan());
    let outside = Arc::new(Outside { address: told(EFFECTS).unwrap_or_default(), line: OnceCell::new() });
    symphainy::main_with(Extras {
        handlers: vec![
            Arc::new(Suffer::new("torture", ApprovalRule::None, &outside)),
            Arc::new(Suffer::new("torture_if_approved", ApprovalRule::Owner, &outside)),
        ],
        models: vec![Arc::new(Echo)],
    })
}
