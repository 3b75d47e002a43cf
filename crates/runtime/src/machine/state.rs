//! Where an execution stands, with exactly what each stand has.

use contract::{
    Authority, ConversationId, ExecutionId, HookId, IntentId, Owner, SessionId, Timestamp,
    execution::{ExecutionProblem, ExecutionStatus},
    intent::Timing,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::port::store::{ArtifactKeys, Object, StoredObject};

/// The version of the stored form of [`State`]. A field with a default leaves it as it is; whatever an earlier version of the program
/// would read wrongly makes a new one. Stores write it beside the state and hand nobody a state of a later one.
pub const STATE_VERSION: u32 = 1;

/// An execution as the journal keeps it. Serialised as JSON; fields are only ever added, with defaults.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    pub header: Header,
    pub phase: Phase,
    /// Counts the decisions; the fence against two deciders.
    pub revision: u64,
    /// That it was driven again after it had failed for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redriven: Option<Redriven>,
}

/// The latest of the times that somebody drove a failed execution again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redriven {
    /// How often by now.
    pub times: u32,
    pub at: Timestamp,
    /// How many attempts it had had: retries are counted from here.
    pub attempts: u32,
}

/// What never changes, but for the parameters that an approval corrects and the owner that claims the session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    pub execution_id: ExecutionId,
    pub intent_id: IntentId,
    pub intent_type: String,
    pub parameters: Object,
    #[serde(default, skip_serializing_if = "Object::is_empty")]
    pub metadata: Object,
    pub owner: Owner,
    /// With whose rights; absent in what was accepted before there was a policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority: Option<Authority>,
    pub session_id: SessionId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation_id: Option<ConversationId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<ExecutionId>,
    /// How many ancestors it has; bounds how deep intents can call intents.
    #[serde(default)]
    pub depth: u32,
    /// Uploaded bytes that came with it. No client can name them in its parameters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<StoredObject>,
    /// Executions with the same key run one after the other, in the order of their acceptance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency_key: Option<String>,
    /// Those of its key that were accepted before it are to be cancelled.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub supersedes: bool,
    #[serde(default)]
    pub timing: Timing,
    pub created_at: Timestamp,
}

/// The stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "snake_case")]
pub enum Phase {
    /// Waits for a worker, after `attempts` earlier ones; not before `not_before` where that is given.
    Pending {
        attempts: u32,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        not_before: Option<Timestamp>,
    },
    /// Waits for somebody's word. Nothing of it has happened.
    AwaitingApproval {
        hook_id: HookId,
        expires_at: Timestamp,
    },
    Running {
        /// 1 for the first. It is the fencing token too: a worker of an earlier attempt can write no more.
        attempt: u32,
        started_at: Timestamp,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cancel_requested: Option<String>,
    },
    Completed {
        attempt: u32,
        started_at: Timestamp,
        completed_at: Timestamp,
        result: Value,
        artifacts: ArtifactKeys,
    },
    Failed {
        attempt: u32,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        started_at: Option<Timestamp>,
        completed_at: Timestamp,
        problem: ExecutionProblem,
    },
    Cancelled {
        attempt: u32,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        started_at: Option<Timestamp>,
        completed_at: Timestamp,
        problem: ExecutionProblem,
    },
}

impl State {
    pub fn status(&self) -> ExecutionStatus {
        match &self.phase {
            Phase::Pending { .. } => ExecutionStatus::Pending,
            Phase::AwaitingApproval { .. } => ExecutionStatus::AwaitingApproval,
            Phase::Running { .. } => ExecutionStatus::Running,
            Phase::Completed { .. } => ExecutionStatus::Completed,
            Phase::Failed { .. } => ExecutionStatus::Failed,
            Phase::Cancelled { .. } => ExecutionStatus::Cancelled,
        }
    }

    pub fn has_ended(&self) -> bool {
        self.status().has_ended()
    }

    /// Whether nothing of it has been begun, nor has to be agreed on first.
    pub fn waits_for_its_first_attempt(&self) -> bool {
        matches!(self.phase, Phase::Pending { attempts: 0, .. })
    }

    /// Whether its time is over, unless it has ended.
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.header.timing.deadline.is_some_and(|deadline| deadline <= now)
    }

    /// How often it was begun since somebody last wanted it: since it was accepted, or driven again.
    pub fn tries(&self) -> u32 {
        self.attempt() - self.redriven.map_or(0, |redriven| redriven.attempts)
    }

    /// How often it was driven again.
    pub fn redrives(&self) -> u32 {
        self.redriven.map_or(0, |redriven| redriven.times)
    }

    /// How often it was begun.
    pub fn attempt(&self) -> u32 {
        match &self.phase {
            Phase::Pending { attempts, .. } => *attempts,
            Phase::AwaitingApproval { .. } => 0,
            Phase::Running { attempt, .. }
            | Phase::Completed { attempt, .. }
            | Phase::Failed { attempt, .. }
            | Phase::Cancelled { attempt, .. } => *attempt,
        }
    }
}
