//! Approvals: what waits for somebody's word, and the word.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::{ConversationId, ExecutionId, HookId, Timestamp, UserId};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalKind {
    /// Somebody should look, and may correct.
    Review,
    /// Somebody has to agree.
    Approval,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalStatus {
    Pending,
    Approved,
    Rejected,
    Expired,
    /// The execution was cancelled before anybody decided.
    Withdrawn,
}

impl ApprovalStatus {
    pub const ALL: [Self; 5] = [Self::Pending, Self::Approved, Self::Rejected, Self::Expired, Self::Withdrawn];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::Withdrawn => "withdrawn",
        }
    }

    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }
}

/// Something that waits, or waited, for a decision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Approval {
    pub hook_id: HookId,
    pub execution_id: ExecutionId,
    pub conversation_id: Option<ConversationId>,
    pub kind: ApprovalKind,
    pub status: ApprovalStatus,
    /// Why it is asked.
    pub reason: String,
    /// Whose word it takes: somebody of the tenant with this role. Absent: the owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    pub proposed: Proposal,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<Timestamp>,
    /// Who decided it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<UserId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejection_reason: Option<String>,
}

/// What would be done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Proposal {
    pub intent_type: String,
    pub parameters: Map<String, Value>,
}

/// The body of `POST /api/approvals/{hook_id}`, and the decision in a socket frame.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    pub approved: bool,
    /// `review`, `approval` or `retry`; kept for clients that send it.
    #[serde(default)]
    pub response_type: Option<String>,
    #[serde(default)]
    pub rejection_reason: Option<String>,
    /// Merged into the proposed parameters, and validated again, when approved.
    #[serde(default)]
    pub corrections: Map<String, Value>,
}

/// The answer of `GET /api/approvals`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ApprovalPage {
    pub approvals: Vec<Approval>,
    pub next_cursor: Option<String>,
}
