//! The whole Runtime over a store that forgets and tears, from a seed: lives that end in the middle of writes, a last one that does
//! not, and then everything that was acknowledged is looked for. `cargo xtask torture --only simulation` runs many more seeds.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use contract::{
    EventType, ExecutionId, Timestamp,
    approval::{ApprovalStatus, Decision},
    conversation::Role,
    event::Event,
    execution::ExecutionStatus,
    intent::{ApprovalRule, IntentDescriptor},
};
use futures_util::future::join_all;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use runtime::{
    Catalogue, Clock, ExecutionContext, Failure, Handler, Runtime, RuntimeClient, RuntimeConfig, RuntimeError, Store,
    SubmitRequest,
    memory::{Faults, MemoryObjects, MemoryStore},
    port::store::{ExecutionFilter, Object, PageRequest, StreamKey},
};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::house::{conversation, message, owner, request};

/// How many seeds a test run has.
const SEEDS: u64 = 200;

/// How many lives end in a crash at most.
const MOST_CRASHES: u64 = 4;

/// How many writes a life has at most.
const MOST_WRITES: u64 = 60;

/// Longer than anything here takes; time moves when all wait.
const PATIENCE: Duration = Duration::from_secs(48 * 3_600);

/// How long to wait before something is asked again that found no space.
const NOT_NOW: Duration = Duration::from_millis(10);

#[test]
fn whatever_is_lost_at_a_crash_nothing_acknowledged_is() {
    let seeds = told("SIMULATION_SEEDS").unwrap_or(SEEDS);
    let first = told("SIMULATION_FIRST_SEED").unwrap_or(1);
    for seed in first..first + seeds {
        Simulation::new(seed).run();
    }
}

/// A disk that is full for a while delays an execution, and does not leave it lying.
#[test]
fn an_execution_whose_start_found_no_space_is_taken_up_again() {
    for full in 1..12 {
        let mut simulation = Simulation::new(full);
        simulation.store.faults().unwrap().live_for(None);
        simulation.wishes.push(Wish::new(request("do", json!({"steps": 2, "children": 1})), Kind::Steps));
        simulation.full_after_acceptance = Some(full);
        simulation.live();
    }
}

#[expect(clippy::disallowed_methods, reason = "a longer run of the same test is told so by its environment")]
fn told(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// What one seed goes through.
struct Simulation {
    seed: u64,
    chance: StdRng,
    store: Arc<MemoryStore>,
    objects: Arc<MemoryObjects>,
    outside: Arc<Outside>,
    wishes: Vec<Wish>,
    elapsed: Duration,
    /// From where ids are counted, so that none comes again.
    count: u64,
    full_after_acceptance: Option<u64>,
}

/// Something that is asked for until it is acknowledged.
struct Wish {
    request: SubmitRequest,
    kind: Kind,
    acknowledged: Option<ExecutionId>,
    /// The decision about its approval that was acknowledged.
    decided: Option<ApprovalStatus>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Steps,
    Turn,
    Approved,
}

/// The steps that were done, in their order, by execution.
#[derive(Default)]
struct Outside(Mutex<HashMap<ExecutionId, Vec<usize>>>);

impl Outside {
    /// Answers how often the step has been done by now.
    fn effect(&self, id: &ExecutionId, step: usize) -> usize {
        let mut done = self.0.lock().unwrap();
        let done = done.entry(id.clone()).or_default();
        done.push(step);
        done.iter().filter(|one| **one == step).count()
    }

    fn of(&self, id: &ExecutionId) -> Vec<usize> {
        self.0.lock().unwrap().get(id).cloned().unwrap_or_default()
    }
}

struct SimulatedClock {
    begin: Instant,
    earlier: Duration,
    counter: AtomicU64,
}

impl Clock for SimulatedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_000_000).after(self.earlier + self.begin.elapsed())
    }

    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
        let count = self.counter.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let length = bytes.len().min(count.len());
        let (into, from) = (bytes.len() - length, count.len() - length);
        bytes[into..].copy_from_slice(&count[from..]);
    }
}

/// Does steps and calls, or says what it is told.
struct Does {
    descriptor: IntentDescriptor,
    outside: Arc<Outside>,
}

#[async_trait]
impl Handler for Does {
    fn descriptor(&self) -> &IntentDescriptor {
        &self.descriptor
    }

    async fn execute(&self, context: &ExecutionContext, parameters: Object) -> Result<Value, Failure> {
        if let Some(words) = parameters.get("words").and_then(Value::as_array) {
            let said: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
            for word in &said {
                context.token(word, &Object::new()).await?;
            }
            let data = json!({"response": said.concat()});
            context.answer("guide".parse().unwrap(), said.concat(), EventType::AgentCompleted, data);
            return Ok(Value::Null);
        }
        let number = |name: &str| parameters.get(name).and_then(Value::as_u64).unwrap_or_default();
        let mut counts = Vec::new();
        for step in 1..=usize::try_from(number("steps")).unwrap() {
            let effect = async || Ok(self.outside.effect(context.execution_id(), step));
            counts.push(context.step(&format!("step {step}"), effect).await?);
        }
        let mut children = Vec::new();
        for _ in 0..number("children") {
            let Value::Object(child) = json!({"steps": 1}) else { unreachable!() };
            let outcome = context.call("do", child).await?;
            children.push(json!({"id": outcome.execution_id, "counts": outcome.result["counts"]}));
        }
        Ok(json!({"counts": counts, "children": children}))
    }
}

fn handlers(outside: &Arc<Outside>) -> Vec<Arc<dyn Handler>> {
    let does = |intent_type: &str, approval| {
        let descriptor = IntentDescriptor {
            intent_type: intent_type.to_owned(),
            realm: "content".to_owned(),
            description: "Does what it is told.".to_owned(),
            parameters: json!({"type": "object"}),
            approval,
            examples: Vec::new(),
        };
        Arc::new(Does { descriptor, outside: Arc::clone(outside) }) as Arc<dyn Handler>
    };
    vec![does("do", ApprovalRule::None), does("do_if_approved", ApprovalRule::Owner), does("say", ApprovalRule::None)]
}

impl Simulation {
    fn new(seed: u64) -> Self {
        Self {
            seed,
            chance: StdRng::seed_from_u64(seed),
            store: Arc::new(MemoryStore::with_faults(Faults::from_seed(seed))),
            objects: Arc::default(),
            outside: Arc::default(),
            wishes: Vec::new(),
            elapsed: Duration::ZERO,
            count: 0,
            full_after_acceptance: None,
        }
    }

    fn run(mut self) {
        for _ in 0..self.chance.random_range(1..=MOST_CRASHES) {
            self.store.faults().unwrap().live_for(Some(self.chance.random_range(1..=MOST_WRITES)));
            self.wish();
            self.live();
        }
        self.store.faults().unwrap().live_for(None);
        self.wish();
        self.live();
    }

    /// A process: an executor that is dropped with all that it runs.
    fn live(&mut self) {
        let mut executor = tokio::runtime::Builder::new_current_thread();
        let executor = executor.enable_time().start_paused(true).build().unwrap();
        let store = Arc::clone(&self.store);
        executor.block_on(async {
            let begin = Instant::now();
            tokio::select! {
                biased;
                () = store.faults().unwrap().died() => {}
                () = self.work() => {}
            }
            self.elapsed += begin.elapsed() + Duration::from_secs(1);
        });
        self.count += 1_000_000;
    }

    async fn work(&mut self) {
        let (begin, counter) = (Instant::now(), AtomicU64::new(self.count));
        let clock = Arc::new(SimulatedClock { begin, earlier: self.elapsed, counter });
        let catalogue = Catalogue::new(handlers(&self.outside)).unwrap();
        let config = RuntimeConfig { max_attempts: 1_000, ..RuntimeConfig::default() };
        let (store, objects) = (Arc::clone(&self.store), Arc::clone(&self.objects));
        let runtime = Runtime::start(store, objects, clock, catalogue, config).await.unwrap();
        let client = runtime.client();
        let faults = self.store.faults().unwrap();
        if self.full_after_acceptance.is_none() && self.chance.random_range(0..3) == 0 {
            faults.fill_for(self.chance.random_range(1..12));
        }
        let seed = self.seed;
        join_all(self.wishes.iter_mut().map(|wish| wish.pursue(&client, seed))).await;
        if let Some(writes) = self.full_after_acceptance {
            faults.fill_for(writes);
        }
        // Who gets here was not killed while it had wishes; a last life always gets here.
        self.check(&client).await;
    }

    /// Wishes for a few things more.
    fn wish(&mut self) {
        for _ in 0..self.chance.random_range(1..8) {
            let number = self.wishes.len();
            let keyed = |request| SubmitRequest { idempotency_key: Some(format!("key-{number}")), ..request };
            let (request, kind) = match self.chance.random_range(0..6) {
                0..3 => {
                    let children = self.chance.random_range(0..3_u64).saturating_sub(1);
                    let steps = self.chance.random_range(0..4);
                    (keyed(request("do", json!({"steps": steps, "children": children}))), Kind::Steps)
                }
                3 => (keyed(request("do_if_approved", json!({"steps": 1}))), Kind::Approved),
                // A message's id is a key too.
                _ => (message("c1", &format!("m{number}"), &format!("word {number}")), Kind::Turn),
            };
            self.wishes.push(Wish::new(request, kind));
        }
    }

    /// Everything that was acknowledged is there, has ended as it should, and was told without a hole.
    async fn check(&self, client: &RuntimeClient) {
        let seed = self.seed;
        for wish in &self.wishes {
            let id = wish.acknowledged.as_ref().expect("it was pursued until it was acknowledged");
            let ended = tokio::time::timeout(PATIENCE, client.wait(&owner(), id)).await;
            let ended = ended.unwrap_or_else(|_| panic!("seed {seed}: {id} does not end")).unwrap().unwrap();
            let wanted: &[ExecutionStatus] = match (wish.kind, wish.decided) {
                (Kind::Approved, None) => &[ExecutionStatus::Completed, ExecutionStatus::Cancelled],
                (_, None | Some(ApprovalStatus::Approved)) => &[ExecutionStatus::Completed],
                (_, Some(_)) => &[ExecutionStatus::Cancelled],
            };
            assert!(wanted.contains(&ended.status), "seed {seed}: {:?} was decided: {ended:?}", wish.decided);
            if ended.status == ExecutionStatus::Completed && wish.kind != Kind::Turn {
                self.check_steps(id, &ended.result["counts"]);
                for child in ended.result["children"].as_array().unwrap() {
                    self.check_steps(&child["id"].as_str().unwrap().parse().unwrap(), &child["counts"]);
                }
            }
            let events = events(client, &StreamKey::Execution(id.clone())).await;
            let ends = events.iter().filter(|event| event.event_type.ends_execution()).count();
            assert_eq!(ends, 1, "seed {seed}: {id} ends once");
            if wish.kind != Kind::Turn {
                assert!(
                    events.iter().map(|event| event.seq).eq(1..=events.len() as u64),
                    "seed {seed}: {id} has a hole"
                );
            }
        }
        self.check_conversation(client).await;
        assert_eq!(self.roots().await, self.wishes.len(), "seed {seed}: nothing is there that nobody asked for");
    }

    /// A step's record says how often it had been done by then: that often it was done in all.
    fn check_steps(&self, id: &ExecutionId, counts: &Value) {
        let done = self.outside.of(id);
        let seed = self.seed;
        assert!(done.is_sorted(), "seed {seed}: {id} did recorded steps again: {done:?}");
        for (count, step) in counts.as_array().unwrap().iter().zip(1..) {
            let times = done.iter().filter(|one| **one == step).count();
            assert_eq!(*count, json!(times), "seed {seed}: {id} did step {step} after it was recorded: {done:?}");
        }
    }

    async fn check_conversation(&self, client: &RuntimeClient) {
        let seed = self.seed;
        let turns = self.wishes.iter().filter(|wish| wish.kind == Kind::Turn);
        let mut said: Vec<String> = turns.map(|wish| wish.request.message.as_ref().unwrap().text.clone()).collect();
        if said.is_empty() {
            return;
        }
        let events = events(client, &conversation("c1")).await;
        let told: BTreeMap<u64, EventType> = events.iter().map(|event| (event.seq, event.event_type)).collect();
        assert!(events.iter().map(|event| event.seq).eq(1..=events.len() as u64), "seed {seed}: a hole: {told:?}");
        let held = client.conversation(&owner(), &"c1".parse().unwrap(), None, 1_000).await.unwrap().unwrap();
        let of = |role| held.messages.iter().filter(move |message| message.role == role);
        let mut kept: Vec<String> = of(Role::User).map(|message| message.content.clone()).collect();
        kept.sort();
        said.sort();
        assert_eq!(kept, said, "seed {seed}: each message once");
        assert_eq!(of(Role::Assistant).count(), said.len(), "seed {seed}: each answer once");
        for message in &held.messages {
            let wanted = match message.role {
                Role::User => EventType::ExecutionAccepted,
                Role::Assistant => EventType::AgentCompleted,
            };
            assert_eq!(told.get(&message.seq), Some(&wanted), "seed {seed}: a message has its event");
        }
    }

    /// How many executions there are that no other one called.
    async fn roots(&self) -> usize {
        let mut roots = 0;
        let mut page = PageRequest::first(1_000);
        loop {
            let listed = self.store.executions(&owner(), &ExecutionFilter::default(), page.clone()).await.unwrap();
            roots += listed.items.iter().filter(|state| state.header.parent.is_none()).count();
            match listed.next_cursor {
                Some(cursor) => page.cursor = Some(cursor),
                None => return roots,
            }
        }
    }
}

impl Wish {
    fn new(request: SubmitRequest, kind: Kind) -> Self {
        Self { request, kind, acknowledged: None, decided: None }
    }

    /// Asks until it is acknowledged, and in each life again: the answer stays the same.
    async fn pursue(&mut self, client: &RuntimeClient, seed: u64) {
        loop {
            match client.submit(self.request.clone()).await {
                Ok(submitted) => {
                    let first = self.acknowledged.get_or_insert_with(|| submitted.execution_id.clone());
                    // Without a key each answer is another execution, and it is asked for once.
                    assert_eq!(*first, submitted.execution_id, "seed {seed}: the same key is the same execution");
                    break;
                }
                Err(RuntimeError::StorageFull | RuntimeError::Unavailable) => tokio::time::sleep(NOT_NOW).await,
                Err(error) => panic!("seed {seed}: {error:?}"),
            }
        }
        if self.kind == Kind::Approved {
            self.decide(client, seed).await;
        }
    }

    /// Agrees and refuses at the same time.
    async fn decide(&mut self, client: &RuntimeClient, seed: u64) {
        let id = self.acknowledged.clone().expect("it was acknowledged");
        let all = client.approvals(&owner(), None, PageRequest::first(1_000)).await.unwrap();
        let approval = all.items.into_iter().find(|approval| approval.execution_id == id);
        let approval = approval.unwrap_or_else(|| panic!("seed {seed}: {id} has no approval"));
        if let Some(decided) = self.decided {
            assert_eq!(approval.status, decided, "seed {seed}: an approval stays as it was decided");
        }
        if approval.status != ApprovalStatus::Pending {
            return;
        }
        let decide = async |approved: bool| {
            let word: Decision = serde_json::from_value(json!({"approved": approved})).unwrap();
            client.decide(&owner(), &approval.hook_id, word).await
        };
        loop {
            let (agreed, refused) = tokio::join!(decide(true), decide(false));
            let won: Vec<_> =
                [&agreed, &refused].into_iter().filter_map(|answer| answer.as_ref().ok()?.as_ref()).collect();
            assert!(won.len() <= 1, "seed {seed}: {id} was decided twice");
            if let Some(approval) = won.first() {
                self.decided = Some(approval.status);
                return;
            }
            if [&agreed, &refused].into_iter().any(|answer| matches!(answer, Err(RuntimeError::AlreadyDecided(_)))) {
                return;
            }
            tokio::time::sleep(NOT_NOW).await;
        }
    }
}

async fn events(client: &RuntimeClient, key: &StreamKey) -> Vec<Event> {
    let mut all: Vec<Event> = Vec::new();
    loop {
        let after = all.last().map_or(0, |event| event.seq);
        let page = client.events(key, after, 1_000).await.unwrap().unwrap();
        if page.is_empty() {
            return all;
        }
        all.extend(page.iter().map(|event| event.event()));
    }
}
