//! An execution as clients read it.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::{ConversationId, Event, ExecutionId, IntentId, SessionId, Timestamp};

/// Where an execution stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExecutionStatus {
    Pending,
    Running,
    AwaitingApproval,
    Completed,
    Failed,
    Cancelled,
}

impl ExecutionStatus {
    pub const ALL: [Self; 6] =
        [Self::Pending, Self::Running, Self::AwaitingApproval, Self::Completed, Self::Failed, Self::Cancelled];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::AwaitingApproval => "awaiting_approval",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }

    pub const fn has_ended(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }
}

impl fmt::Display for ExecutionStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The answer of `GET /api/execution/{id}/status`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Execution {
    pub execution_id: ExecutionId,
    pub intent_id: IntentId,
    pub intent_type: String,
    pub status: ExecutionStatus,
    pub session_id: SessionId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation_id: Option<ConversationId>,
    /// By key (`file`, `parsed_file`, …): the artifact with its `semantic_payload`, and the payload's fields beside it.
    pub artifacts: Map<String, Value>,
    /// What the handler answered; null until it completed.
    pub result: Value,
    /// The execution's own events, the newest 1,000.
    pub events: Vec<Event>,
    /// One sentence, or null.
    pub error: Option<String>,
    /// The same for programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<ExecutionProblem>,
    pub created_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<Timestamp>,
    /// How often it was begun; 0 while it waits for its first attempt.
    pub attempt: u32,
    /// The execution that called it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_execution_id: Option<ExecutionId>,
    /// How often it was driven again after it had failed for good.
    #[serde(default)]
    pub redrives: u32,
}

/// An execution as `GET /api/executions` lists it: without its events, artifacts and result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ExecutionSummary {
    pub execution_id: ExecutionId,
    pub intent_id: IntentId,
    pub intent_type: String,
    pub status: ExecutionStatus,
    pub session_id: SessionId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation_id: Option<ConversationId>,
    /// The execution that called it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_execution_id: Option<ExecutionId>,
    /// Why it failed or was cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<ExecutionProblem>,
    pub created_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<Timestamp>,
    /// How often it was begun; 0 while it waits for its first attempt.
    pub attempt: u32,
    /// How often it was driven again after it had failed for good.
    pub redrives: u32,
}

/// The answer of `GET /api/executions`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ExecutionPage {
    pub executions: Vec<ExecutionSummary>,
    pub next_cursor: Option<String>,
}

/// Why an execution failed or was cancelled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExecutionProblem {
    pub code: String,
    /// One sentence for a person.
    pub message: String,
    /// Where in a file, for example `{line, column}`; whatever helps a program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object)]
    pub details: Option<ProblemDetails>,
}

/// A place in a file, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProblemDetails {
    pub line: u64,
    pub column: u64,
}

/// The body of `POST /api/execution/{id}/cancel`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelExecution {
    /// Up to 500 characters.
    #[serde(default)]
    pub reason: Option<String>,
}
