//! How many durable writes a second the store takes on this machine, from one task and from many. Every figure counts
//! what was acknowledged; p50 is of the whole run of what its line names.

#![expect(clippy::disallowed_methods, reason = "a bench measures real time")]
#![expect(clippy::unwrap_used, reason = "a bench that cannot go on has failed")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use contract::{EventType, ExecutionId, IntentId, Owner, Timestamp, intent::Timing};
use public_works::{Database, SqliteStore};
use runtime::{
    Store,
    machine::{self, Command, Header, State},
    port::store::{Change, Fence, Idempotency, NewEvent, Object, Submission, SubmitOutcome},
};
use serde_json::{Value, json};

/// How long each figure is measured.
const DURATION: Duration = Duration::from_secs(3);

/// The events of a turn of fifty chunks, besides its acceptance and its end.
const TURN_EVENTS: usize = 50;

#[tokio::main]
async fn main() {
    println!("{:<44} {:>6} {:>12} {:>12}", "durable, acknowledged", "tasks", "a second", "p50");
    for tasks in [1, 16, 64] {
        measure("submit", tasks, 1, async |bench, _| drop(bench.submit(None).await)).await;
    }
    for tasks in [1, 64] {
        measure("submit, start, complete", tasks, 1, async |bench, _| {
            let state = bench.submit(None).await;
            let state = bench.decide(&state, Command::Start).await;
            bench.decide(&state, complete()).await;
        })
        .await;
    }
    for tasks in [1, 100] {
        let name = "events of turns, one commit for each event";
        measure(name, tasks, TURN_EVENTS as u64 + 3, async |bench, task| {
            let state = bench.submit(Some(task)).await;
            let state = bench.decide(&state, Command::Start).await;
            for _ in 0..TURN_EVENTS {
                bench.tell(&state, 1).await;
            }
            bench.decide(&state, complete()).await;
        })
        .await;
        let name = "events of turns, ten commits for a turn";
        measure(name, tasks, TURN_EVENTS as u64 + 3, async |bench, task| {
            let state = bench.submit(Some(task)).await;
            let state = bench.decide(&state, Command::Start).await;
            for _ in 0..8 {
                bench.tell(&state, TURN_EVENTS / 8 + 1).await;
            }
            bench.decide(&state, complete()).await;
        })
        .await;
    }
}

/// Runs `work` in as many tasks for a while, each run counting for `weight`, and prints what came of it.
async fn measure<Work>(name: &str, tasks: usize, weight: u64, work: Work)
where
    Work: AsyncFn(&Bench, usize),
{
    let directory = tempfile::tempdir().unwrap();
    let bench = Bench {
        store: Arc::new(SqliteStore::new(Database::open(directory.path()).unwrap())),
        next: AtomicI64::new(0),
        done: AtomicU64::new(0),
    };
    let begin = Instant::now();
    let runs = (0..tasks).map(async |task| {
        let mut times = Vec::new();
        while begin.elapsed() < DURATION {
            let run = Instant::now();
            work(&bench, task).await;
            times.push(run.elapsed());
            bench.done.fetch_add(weight, Ordering::Relaxed);
        }
        times
    });
    let mut times = futures_util::future::join_all(runs.collect::<Vec<_>>()).await.concat();
    let elapsed = begin.elapsed().as_secs_f64();
    times.sort();
    #[expect(clippy::cast_precision_loss, reason = "a rate is not exact")]
    let rate = bench.done.load(Ordering::Relaxed) as f64 / elapsed;
    println!("{name:<44} {tasks:>6} {rate:>12.0} {:>12.2?}", times[times.len() / 2]);
}

struct Bench {
    store: Arc<dyn Store>,
    next: AtomicI64,
    done: AtomicU64,
}

impl Bench {
    async fn submit(&self, conversation: Option<usize>) -> State {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let now = Timestamp::from_millis(1_800_000_000_000 + number);
        let owner = Owner::User { tenant_id: "tenant_1".parse().unwrap(), user_id: "user_1".parse().unwrap() };
        let header = Header {
            execution_id: ExecutionId::from_parts(now, [0; 10]),
            intent_id: IntentId::from_parts(now, [0; 10]),
            intent_type: "profile_data".to_owned(),
            parameters: Object::from_iter([("artifact_id".to_owned(), Value::from("art_0123456789abcdef"))]),
            metadata: Object::new(),
            owner,
            authority: None,
            session_id: "sess_0123456789abcdef".parse().unwrap(),
            conversation_id: conversation.map(|number| format!("conv_{number}").parse().unwrap()),
            parent: None,
            depth: 0,
            attachments: Vec::new(),
            concurrency_key: None,
            supersedes: false,
            timing: Timing::default(),
            created_at: now,
        };
        let decision = machine::accept(header, None, None, now);
        let state = decision.next.clone();
        let submission = Submission {
            state: decision.next,
            events: decision.events,
            carries_out: None,
            idempotency: vec![Idempotency { key: number.to_string(), fingerprint: [1; 32], expires_at: None }],
            approval: None,
            message: None,
            quota: None,
            gate: None,
        };
        let outcome = self.store.submit(submission).await.unwrap();
        assert!(matches!(outcome, SubmitOutcome::Accepted(_)), "{outcome:?}");
        state
    }

    async fn decide(&self, state: &State, command: Command) -> State {
        let decision = machine::decide(state, command, state.header.created_at).unwrap();
        let mut change = Change::new(state.header.execution_id.clone(), Fence::Revision(state.revision));
        change.next = Some(decision.next.clone());
        change.events = decision.events;
        self.store.commit(change).await.unwrap();
        decision.next
    }

    async fn tell(&self, state: &State, count: usize) {
        let header = &state.header;
        let mut change = Change::new(header.execution_id.clone(), Fence::Attempt(state.attempt()));
        let data =
            json!({"token": "some words of it ", "agent_id": "guide", "conversation_id": header.conversation_id});
        change.events = (0..count)
            .map(|_| NewEvent::new(EventType::AgentToken, &header.execution_id, header.created_at, &data))
            .collect();
        self.store.commit(change).await.unwrap();
    }
}

fn complete() -> Command {
    Command::Complete { result: json!({"rows": 3}), artifacts: Default::default() }
}
