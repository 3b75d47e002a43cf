//! Costs do not grow with history: the steps that SQLite takes for a turn are counted, early and late.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use contract::{ExecutionId, IntentId, MessageId, Timestamp, conversation::Role, intent::Timing};
use runtime::{
    machine::{self, Command, Decision, Header, decide},
    port::store::{ExecutionFilter, Fence, Idempotency, NewMessage, Object},
};
use rusqlite::Transaction;
use serde_json::json;

use super::*;
use crate::sqlite::{connect, migrate};

/// A store's connection that counts its steps.
struct Bench {
    connection: Connection,
    steps: Arc<AtomicU64>,
    /// The directory lives as long as the connection.
    _directory: tempfile::TempDir,
}

fn owner() -> Owner {
    Owner::User { tenant_id: "tenant_1".parse().unwrap(), user_id: "user_1".parse().unwrap() }
}

impl Bench {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("test.db");
        let mut connection = connect::writer(&path).unwrap();
        migrate::migrate(&path, &mut connection, migrate::MIGRATIONS).unwrap();
        connection.pragma_update(None, "synchronous", "off").unwrap();
        Self { connection, steps: Arc::default(), _directory: directory }
    }

    /// Counts from here on.
    fn count(&mut self) {
        let steps = Arc::clone(&self.steps);
        let every_step = move || {
            steps.fetch_add(1, Ordering::Relaxed);
            false
        };
        self.connection.progress_handler(1, Some(every_step)).unwrap();
    }

    fn count_no_more(&mut self) {
        self.connection.progress_handler(0, None::<fn() -> bool>).unwrap();
    }

    fn write<T>(&mut self, job: impl FnOnce(&Transaction<'_>) -> T) -> T {
        let transaction = self.connection.transaction().unwrap();
        let done = job(&transaction);
        transaction.commit().unwrap();
        done
    }

    fn commit(&mut self, id: &ExecutionId, revision: u64, decision: Decision, message: Option<NewMessage>) -> State {
        let mut change = Change::new(id.clone(), Fence::Revision(revision));
        change.events = decision.events;
        change.next = Some(decision.next.clone());
        change.message = message;
        let prepared = executions::PreparedChange::new(change);
        self.write(|transaction| executions::commit(transaction, &prepared)).unwrap();
        decision.next
    }

    /// A turn from its submission to its end, and what is read for it and by whoever looks at it. Answers its steps.
    fn turn(&mut self, conversation: Option<&str>, number: i64) -> u64 {
        self.count();
        let before = self.steps.load(Ordering::Relaxed);
        let now = Timestamp::from_millis(1_800_000_000_000 + number);
        let id = ExecutionId::from_parts(now, [0; 10]);
        let message = |role| NewMessage {
            id: MessageId::from_parts(now, [0; 10]),
            at_event: 0,
            role,
            content: "hello".to_owned(),
            agent_id: None,
            created_at: now,
        };
        let asked = message(Role::User);
        let decision = machine::accept(header(id.clone(), conversation, now), None, Some(&asked), now);
        let state = decision.next.clone();
        let submission = executions::PreparedSubmission::new(Submission {
            state: decision.next,
            events: decision.events,
            carries_out: None,
            idempotency: vec![Idempotency { key: number.to_string(), fingerprint: [1; 32], expires_at: None }],
            gate: None,
            approval: None,
            message: conversation.map(|_| asked),
            quota: None,
        });
        self.write(|transaction| executions::submit(transaction, &submission)).unwrap();
        let started = self.commit(&id, state.revision, decide(&state, Command::Start, now).unwrap(), None);
        let end = Command::Complete { result: json!({}), artifacts: Default::default() };
        let said = conversation.map(|_| message(Role::Assistant));
        self.commit(&id, started.revision, decide(&started, end, now).unwrap(), said);
        self.look(conversation, &id);
        self.count_no_more();
        self.steps.load(Ordering::Relaxed) - before
    }

    fn look(&self, conversation: Option<&str>, id: &ExecutionId) {
        let (connection, owner) = (&self.connection, owner());
        let position = journal::stream(connection, &StreamKey::Execution(id.clone())).unwrap().unwrap();
        if let Some(conversation) = conversation.map(|id| id.parse().unwrap()) {
            conversations::get(connection, &owner, &conversation).unwrap().unwrap();
            assert!(!conversations::messages(connection, &owner, &conversation, None, 8).unwrap().is_empty());
        }
        executions::get(connection, id).unwrap().unwrap();
        assert_eq!(journal::events(connection, position.stream, position.head - 1, None, 10).unwrap().len(), 1);
        assert_eq!(journal::events(connection, position.stream, 0, Some(id), 10).unwrap().len(), 3);
        let window = Window::of(&PageRequest::first(10)).unwrap();
        execution_list::list(connection, &owner, &ExecutionFilter::default(), &window).unwrap();
    }
}

fn header(execution_id: ExecutionId, conversation: Option<&str>, now: Timestamp) -> Header {
    Header {
        execution_id,
        intent_id: IntentId::from_parts(now, [0; 10]),
        intent_type: "agent_invoke".to_owned(),
        parameters: Object::new(),
        metadata: Object::new(),
        owner: owner(),
        session_id: "sess_1".parse().unwrap(),
        conversation_id: conversation.map(|id| id.parse().unwrap()),
        parent: None,
        depth: 0,
        attachments: Vec::new(),
        authority: None,
        supersedes: false,
        concurrency_key: None,
        timing: Timing::default(),
        created_at: now,
    }
}

/// Within a fifth: a page more of an index is a step or two.
fn assert_no_dearer(first: u64, later: u64) {
    assert!(first > 100 && later * 10 <= first * 12, "{first} steps at first, and {later} later");
}

#[test]
fn the_thousandth_turn_costs_what_the_first_did() {
    let mut bench = Bench::new();
    // From here on lists are as long as they will be.
    for number in 0..20 {
        bench.turn(Some("c1"), number);
    }
    let first = bench.turn(Some("c1"), 20);
    for number in 21..1_000 {
        bench.turn(Some("c1"), number);
    }
    assert_no_dearer(first, bench.turn(Some("c1"), 1_000));
}

#[test]
fn the_hundred_thousandth_execution_costs_what_the_first_did() {
    let mut bench = Bench::new();
    for number in 0..20 {
        bench.turn(None, number);
    }
    let first = bench.turn(None, 20);
    bench.write(|transaction| multiply(transaction, 100_000)).unwrap();
    assert_no_dearer(first, bench.turn(None, 21));
}

/// Makes so many copies of the newest execution, with streams, events and keys of their own.
fn multiply(transaction: &Transaction<'_>, copies: u32) -> Result<(), DatabaseError> {
    let copy = |table: &str, which: &str, changed: &[(&str, &str)]| -> Result<(), DatabaseError> {
        let mut statement = transaction.prepare("SELECT name FROM pragma_table_info(?1)")?;
        let names = statement.query_map([table], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
        let value = |name: &String| {
            let change = changed.iter().find(|(changed, _)| changed == name);
            change.map_or_else(|| format!("one.{name}"), |(_, value)| (*value).to_owned())
        };
        let values: Vec<String> = names.iter().map(value).collect();
        transaction.execute(
            &format!(
                "WITH RECURSIVE copies (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM copies WHERE i < ?1)
                 INSERT INTO {table} ({}) SELECT {} FROM copies, (SELECT * FROM {table} WHERE {which}) AS one",
                names.join(", "),
                values.join(", ")
            ),
            [copies],
        )?;
        Ok(())
    };
    let newest = "(SELECT max(number) FROM executions WHERE id NOT LIKE 'exec_copy%')";
    let stream = format!("(SELECT stream FROM executions WHERE number = {newest})");
    let id = format!("(SELECT id FROM executions WHERE number = {newest})");
    copy("streams", &format!("number = {stream}"), &[("number", "one.number + 1000 + i")])?;
    copy(
        "journal",
        &format!("stream = {stream}"),
        &[("number", "NULL"), ("stream", "one.stream + 1000 + i"), ("execution", "one.execution + 1000 + i")],
    )?;
    copy(
        "idempotency",
        &format!("execution_id = {id}"),
        &[("key", "'copy' || i"), ("execution_id", "'exec_copy' || i")],
    )?;
    copy(
        "executions",
        &format!("number = {newest}"),
        &[("number", "one.number + 1000 + i"), ("id", "'exec_copy' || i"), ("stream", "one.stream + 1000 + i")],
    )
}
