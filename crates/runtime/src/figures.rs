//! What the Runtime has done since its start and what it holds just now, in numbers for whoever watches over it. Counting takes no
//! lock, and what is counted is bounded by the catalogue.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use crate::machine::{Phase, State};

/// Upper bounds of the buckets of durations, in milliseconds; what takes longer than the last has a bucket of its own.
pub const DURATION_BOUNDS_MS: [u64; 11] = [2, 5, 10, 25, 100, 250, 1_000, 5_000, 30_000, 300_000, 3_600_000];

/// How much there is of everything, at the moment of asking.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// By intent; those that were never asked for are there too.
    pub intents: BTreeMap<String, IntentFigures>,
    /// Events committed to the journal.
    pub events: u64,
    /// Executions that have a place to run.
    pub running: u64,
    /// Executions that wait in memory for a place or for their key.
    pub queued: u64,
}

/// What has become of the executions of one intent since the start of the process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IntentFigures {
    pub accepted: u64,
    pub retried: u64,
    pub completed: u64,
    pub failed: u64,
    pub cancelled: u64,
    /// From acceptance to the end: how many took at most each of [`DURATION_BOUNDS_MS`] and more than the one before, and how many took longer.
    pub durations: [u64; DURATION_BOUNDS_MS.len() + 1],
    /// Of all that ended.
    pub total: Duration,
}

/// Counts what passes.
pub(crate) struct Counters {
    intents: BTreeMap<String, IntentCounters>,
    events: AtomicU64,
}

#[derive(Default)]
struct IntentCounters {
    accepted: AtomicU64,
    retried: AtomicU64,
    completed: AtomicU64,
    failed: AtomicU64,
    cancelled: AtomicU64,
    durations: [AtomicU64; DURATION_BOUNDS_MS.len() + 1],
    total_ms: AtomicU64,
}

impl Counters {
    pub(crate) fn new<'name>(intent_types: impl Iterator<Item = &'name str>) -> Self {
        let intents = intent_types.map(|name| (name.to_owned(), IntentCounters::default())).collect();
        Self { intents, events: AtomicU64::new(0) }
    }

    pub(crate) fn count_accepted(&self, state: &State, events: usize) {
        self.count_events(events);
        if let Some(intent) = self.of(state) {
            intent.accepted.fetch_add(1, Relaxed);
        }
    }

    pub(crate) fn count_events(&self, events: usize) {
        self.events.fetch_add(events as u64, Relaxed);
    }

    /// What there is to count of a decision, once it is durable.
    pub(crate) fn weigh(&self, next: &State) -> Option<Decided<'_>> {
        let intent = self.of(next)?;
        let (counter, completed_at) = match &next.phase {
            Phase::Pending { attempts: 0, .. } | Phase::AwaitingApproval { .. } | Phase::Running { .. } => return None,
            Phase::Pending { .. } => return Some(Decided { intent, counter: &intent.retried, took: None }),
            Phase::Completed { completed_at, .. } => (&intent.completed, completed_at),
            Phase::Failed { completed_at, .. } => (&intent.failed, completed_at),
            Phase::Cancelled { completed_at, .. } => (&intent.cancelled, completed_at),
        };
        Some(Decided { intent, counter, took: Some(completed_at.since(next.header.created_at)) })
    }

    /// An intent that only an older version knew is counted nowhere.
    fn of(&self, state: &State) -> Option<&IntentCounters> {
        self.intents.get(&state.header.intent_type)
    }

    pub(crate) fn read(&self, running: u64, queued: u64) -> Figures {
        let intents = self.intents.iter().map(|(name, counters)| (name.clone(), counters.read())).collect();
        Figures { intents, events: self.events.load(Relaxed), running, queued }
    }
}

/// A decision on its way into the store.
pub(crate) struct Decided<'counters> {
    intent: &'counters IntentCounters,
    counter: &'counters AtomicU64,
    /// From acceptance, where it is the end.
    took: Option<Duration>,
}

impl Decided<'_> {
    /// It is durable now.
    pub(crate) fn count(self) {
        self.counter.fetch_add(1, Relaxed);
        let Some(took) = self.took else { return };
        let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let bucket = DURATION_BOUNDS_MS.partition_point(|bound_ms| *bound_ms < took_ms);
        self.intent.durations[bucket].fetch_add(1, Relaxed);
        self.intent.total_ms.fetch_add(took_ms, Relaxed);
    }
}

impl IntentCounters {
    fn read(&self) -> IntentFigures {
        let read = |counter: &AtomicU64| counter.load(Relaxed);
        IntentFigures {
            accepted: read(&self.accepted),
            retried: read(&self.retried),
            completed: read(&self.completed),
            failed: read(&self.failed),
            cancelled: read(&self.cancelled),
            durations: self.durations.each_ref().map(read),
            total: Duration::from_millis(read(&self.total_ms)),
        }
    }
}
