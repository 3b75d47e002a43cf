//! The machine under random commands from a seed: whatever comes in whatever order, the invariants hold.

use std::time::Duration;

use contract::{
    Code, EventType, ExecutionId, HookId, IntentId, MessageId, Owner, SessionId, Timestamp,
    approval::{Approval, ApprovalStatus},
    conversation::Role,
    execution::ExecutionStatus,
    intent::Timing,
};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::Value;

use super::{Asked, Command, Decision, Header, Phase, RedriveRefusal, Refusal, RetryPolicy, State, accept, decide};
use crate::port::store::{NewMessage, Object};

const SEEDS: u64 = 2_000;
const COMMANDS: usize = 40;

#[test]
fn any_order_of_commands_keeps_the_invariants() {
    for seed in 0..SEEDS {
        let mut chance = StdRng::seed_from_u64(seed);
        let mut story = Story::begin(&mut chance);
        for _ in 0..COMMANDS {
            story.advance(&mut chance);
            story.check(seed);
        }
    }
}

#[test]
fn a_state_survives_its_storage() {
    for seed in 0..200 {
        let mut chance = StdRng::seed_from_u64(seed);
        let mut story = Story::begin(&mut chance);
        for _ in 0..COMMANDS {
            story.advance(&mut chance);
            let stored = serde_json::to_string(&story.state).unwrap();
            assert_eq!(serde_json::from_str::<State>(&stored).unwrap(), story.state, "seed {seed}");
        }
    }
}

#[test]
fn an_ended_execution_refuses_everything() {
    let decision = accept(header(), None, None, at(0));
    let cancelled = decide(&decision.next, cancel(None), at(1)).unwrap().next;
    for command in [Command::Start, Command::Recover, cancel(None), complete()] {
        assert_eq!(decide(&cancelled, command, at(2)).unwrap_err(), Refusal::HasEnded);
    }
}

#[test]
fn a_message_joins_only_what_has_not_begun() {
    let pending = accept(header(), None, None, at(0)).next;
    let joined = decide(&pending, join(1), at(1)).unwrap();
    assert_eq!(joined.events[0].event_type, EventType::ExecutionMerged);
    assert_eq!(joined.next.header.parameters["text"], 1);
    assert_eq!(joined.next.phase, pending.phase);
    let running = decide(&joined.next, Command::Start, at(2)).unwrap().next;
    assert_eq!(decide(&running, join(2), at(3)).unwrap_err(), Refusal::NotNow);
    let again = decide(&running, fail(Some(2)), at(4)).unwrap().next;
    assert_eq!(decide(&again, join(2), at(5)).unwrap_err(), Refusal::NotNow, "it was begun once");
    let awaiting = accept(header(), Some(hook(at(100))), None, at(0)).next;
    assert_eq!(decide(&awaiting, join(2), at(1)).unwrap_err(), Refusal::NotNow, "somebody agrees to what was shown");
}

#[test]
fn what_failed_for_good_is_driven_again_for_another_round() {
    let mut header = header();
    header.timing.deadline = Some(at(1_000_000));
    let mut state = accept(header, None, None, at(0)).next;
    for round in 1..=3 {
        assert_eq!(decide(&state, Command::Redrive, at(1)).unwrap_err(), Refusal::NotNow);
        for now in [1, 100_000] {
            state = decide(&state, Command::Start, at(now)).unwrap().next;
            state = decide(&state, fail(Some(2)), at(now)).unwrap().next;
        }
        assert!(matches!(state.phase, Phase::Failed { .. }), "two attempts a round: {state:?}");
        assert_eq!(state.attempt(), round * 2);
        let redriven = decide(&state, Command::Redrive, at(100_000)).unwrap();
        assert_eq!(redriven.events[0].event_type, EventType::ExecutionRedriven);
        state = redriven.next;
        assert_eq!((state.redrives(), state.tries()), (round, 0));
    }
    state = decide(&state, Command::Start, at(100_001)).unwrap().next;
    state = decide(&state, fail(None), at(100_002)).unwrap().next;
    let late = state.can_be_redriven(at(1_000_000)).unwrap_err();
    assert_eq!(late, RedriveRefusal::DeadlinePassed(at(1_000_000)));
    state = decide(&state, Command::Redrive, at(100_003)).unwrap().next;
    let cancelled = decide(&state, cancel(None), at(100_004)).unwrap().next;
    let refused = cancelled.can_be_redriven(at(100_005)).unwrap_err();
    assert_eq!(refused, RedriveRefusal::NotFailed(ExecutionStatus::Cancelled));
}

#[test]
fn a_retry_waits_for_its_time() {
    let pending = accept(header(), None, None, at(0)).next;
    let running = decide(&pending, Command::Start, at(1)).unwrap().next;
    let failed = decide(&running, fail(Some(2)), at(2)).unwrap();
    assert_eq!(failed.events[0].event_type, EventType::ExecutionRetrying);
    assert_eq!(decide(&failed.next, Command::Start, at(2)).unwrap_err(), Refusal::NotNow);
    let again = decide(&failed.next, Command::Start, at(60_002)).unwrap().next;
    assert_eq!(again.attempt(), 2);
    let ended = decide(&again, fail(Some(2)), at(60_003)).unwrap().next;
    assert!(matches!(ended.phase, Phase::Failed { attempt: 2, .. }));
}

#[test]
fn a_failure_after_a_cancellation_is_not_begun_again() {
    let pending = accept(header(), None, None, at(0)).next;
    let running = decide(&pending, Command::Start, at(1)).unwrap().next;
    let asked = decide(&running, cancel(None), at(2)).unwrap().next;
    let ended = decide(&asked, fail(Some(5)), at(3)).unwrap().next;
    assert!(matches!(&ended.phase, Phase::Cancelled { problem, .. } if problem.message == "enough"));
}

#[test]
fn a_deadline_ends_what_waits_and_leaves_a_run_to_its_worker() {
    let mut header = header();
    header.timing.deadline = Some(at(100));
    let pending = accept(header.clone(), None, None, at(0)).next;
    let overdue = Command::Overdue { approval: None };
    assert_eq!(decide(&pending, overdue.clone(), at(99)).unwrap_err(), Refusal::NotNow);
    let running = decide(&pending, Command::Start, at(1)).unwrap().next;
    assert_eq!(decide(&running, overdue.clone(), at(100)).unwrap_err(), Refusal::NotNow);
    let ended = decide(&pending, overdue, at(100)).unwrap();
    assert!(matches!(&ended.next.phase, Phase::Failed { problem, .. } if problem.code == "timeout"));
    // A retry that could only begin after it is none.
    let failed = decide(&running, fail(Some(2)), at(2)).unwrap().next;
    assert!(matches!(failed.phase, Phase::Failed { .. }));
    let waiting = accept(header, Some(hook(at(200))), None, at(0));
    let overdue = Command::Overdue { approval: waiting.approval };
    let ended = decide(&waiting.next, overdue, at(100)).unwrap();
    assert_eq!(ended.approval.unwrap().status, ApprovalStatus::Withdrawn);
}

#[test]
fn nothing_happens_before_somebody_agrees() {
    let waiting = accept(header(), Some(hook(at(100))), None, at(0));
    let approval = waiting.approval.clone().unwrap();
    assert_eq!(decide(&waiting.next, Command::Start, at(1)).unwrap_err(), Refusal::NotNow);
    let corrected: Object = serde_json::from_str(r#"{"file":"b.csv"}"#).unwrap();
    let command = Command::Approve { parameters: corrected.clone(), approval: approval.clone() };
    let approved = decide(&waiting.next, command.clone(), at(2)).unwrap();
    assert_eq!(approved.next.header.parameters, corrected);
    assert_eq!(approved.approval.unwrap().status, ApprovalStatus::Approved);
    // The same word again finds nothing to decide.
    assert_eq!(decide(&approved.next, command, at(3)).unwrap_err(), Refusal::NotNow);
    let early = Command::Expire { approval };
    assert_eq!(decide(&waiting.next, early.clone(), at(99)).unwrap_err(), Refusal::NotNow);
    let expired = decide(&waiting.next, early, at(100)).unwrap();
    assert!(matches!(expired.next.phase, Phase::Cancelled { .. }));
}

/// One execution, as the store would see it.
struct Story {
    state: State,
    approval: Option<Approval>,
    events: Vec<EventType>,
    now: i64,
    revisions: Vec<u64>,
}

impl Story {
    fn begin(chance: &mut StdRng) -> Self {
        let approval = chance.random_bool(0.3).then(|| hook(at(50)));
        let mut header = header();
        header.timing.run_at = chance.random_bool(0.2).then(|| at(chance.random_range(0..100)));
        header.timing.deadline = chance.random_bool(0.2).then(|| at(chance.random_range(0..300)));
        let Decision { next, events, approval } = accept(header, approval, None, at(0));
        let events = events.iter().map(|event| event.event_type).collect();
        Self { revisions: vec![next.revision], state: next, approval, events, now: 0 }
    }

    fn advance(&mut self, chance: &mut StdRng) {
        self.now += chance.random_range(0..20);
        let command = self.any_command(chance);
        let ended = self.state.has_ended();
        match decide(&self.state, command, at(self.now)) {
            Ok(decision) => {
                let redriven = decision.next.redrives() > self.state.redrives();
                assert_eq!(ended, redriven, "an ended execution stays as it ended, unless it is driven again");
                self.events.extend(decision.events.iter().map(|event| event.event_type));
                self.approval = decision.approval.or(self.approval.take());
                self.revisions.push(decision.next.revision);
                self.state = decision.next;
            }
            Err(refusal) => assert_eq!(refusal == Refusal::HasEnded, ended),
        }
    }

    fn any_command(&self, chance: &mut StdRng) -> Command {
        match (chance.random_range(0..12), self.approval.clone()) {
            (11, _) => join(chance.random_range(0..1_000)),
            (10, _) => Command::Redrive,
            (0 | 1, _) => Command::Start,
            (2, _) => Command::Recover,
            (3, _) => complete(),
            (4, _) => fail(chance.random_bool(0.7).then_some(3)),
            (5, approval) => cancel(approval.filter(|approval| approval.status == ApprovalStatus::Pending)),
            (6, Some(approval)) => Command::Approve { parameters: Object::new(), approval },
            (7, Some(approval)) => Command::Reject { reason: None, approval },
            (8, Some(approval)) => Command::Expire { approval },
            (9, approval) => {
                Command::Overdue { approval: approval.filter(|approval| approval.status == ApprovalStatus::Pending) }
            }
            _ => Command::Cancelled { code: Code::Cancelled, reason: "stopped".to_owned() },
        }
    }

    fn check(&self, seed: u64) {
        let ends = self.events.iter().filter(|event| event.ends_execution()).count();
        let redrives = self.events.iter().filter(|event| **event == EventType::ExecutionRedriven).count();
        assert_eq!(redrives, self.state.redrives() as usize, "seed {seed}");
        let expected = redrives + usize::from(self.state.has_ended());
        assert_eq!(ends, expected, "one end a round, seed {seed}: {:?}", self.events);
        for pair in self.events.windows(2).filter(|pair| pair[0].ends_execution()) {
            assert_eq!(pair, [EventType::ExecutionFailed, EventType::ExecutionRedriven], "seed {seed}");
        }
        assert!(self.revisions.is_sorted_by(|earlier, later| earlier < later), "seed {seed}");
        let starts = self.events.iter().filter(|event| **event == EventType::ExecutionStarted).count();
        assert_eq!(starts, self.state.attempt() as usize, "each attempt is told once, seed {seed}");
        let pending = self.approval.as_ref().is_some_and(|approval| approval.status == ApprovalStatus::Pending);
        let awaits = matches!(self.state.phase, Phase::AwaitingApproval { .. });
        assert_eq!(pending, awaits, "an approval waits exactly while its execution does, seed {seed}");
        if self.state.header.timing.run_at.is_some_and(|run_at| at(self.now) < run_at) {
            assert_eq!(starts, 0, "nothing runs before its time, seed {seed}");
        }
        if awaits {
            assert_eq!(starts, 0, "nothing of a proposal has happened, seed {seed}");
        }
    }
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn hook(expires_at: Timestamp) -> Asked {
    let hook_id = HookId::from_parts(at(0), [7; 10]);
    Asked { hook_id, reason: "It deletes something.".to_owned(), role: None, expires_at }
}

fn cancel(approval: Option<Approval>) -> Command {
    Command::Cancel { reason: "enough".to_owned(), approval }
}

fn join(number: u32) -> Command {
    let parameters = serde_json::json!({ "text": number }).as_object().cloned().unwrap_or_default();
    let message = NewMessage {
        id: MessageId::from_parts(at(0), [5; 10]),
        at_event: 0,
        role: Role::User,
        content: "and this".to_owned(),
        agent_id: None,
        created_at: at(0),
    };
    Command::Join { parameters, message, metadata: Object::new() }
}

fn complete() -> Command {
    Command::Complete { result: Value::Null, artifacts: Default::default() }
}

fn fail(max_attempts: Option<u32>) -> Command {
    let retry = max_attempts.map(|max_attempts| RetryPolicy { max_attempts, delay: Duration::from_secs(60) });
    Command::Fail { code: Code::ExecutionFailed, message: "It broke.".to_owned(), details: None, retry }
}

fn header() -> Header {
    Header {
        execution_id: ExecutionId::from_parts(at(0), [1; 10]),
        intent_id: IntentId::from_parts(at(0), [2; 10]),
        intent_type: "delete_file".to_owned(),
        parameters: Object::new(),
        metadata: Object::new(),
        owner: Owner::Anonymous { session_id: SessionId::from_random([3; 16]) },
        authority: None,
        session_id: SessionId::from_random([3; 16]),
        conversation_id: None,
        parent: None,
        depth: 0,
        attachments: Vec::new(),
        concurrency_key: None,
        supersedes: false,
        timing: Timing::default(),
        created_at: at(0),
    }
}
