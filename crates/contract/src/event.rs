//! What happened, as the journal tells it. An event has a `seq` in its stream: the conversation's, or the
//! execution's own where there is no conversation.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{ExecutionId, Timestamp};

/// One event of the journal as clients read it, over REST, SSE and sockets alike.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Event {
    /// Position in the stream: begins at 1, strictly increasing, no holes.
    pub seq: u64,
    pub event_type: EventType,
    pub execution_id: ExecutionId,
    pub timestamp: Timestamp,
    pub data: Value,
}

macro_rules! event_types {
    ($($(#[$doc:meta])* $name:ident = $text:tt,)*) => {
        /// Every kind of event. The words are a promise to clients.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
        pub enum EventType {
            $($(#[$doc])* #[serde(rename = $text)] $name,)*
            /// Told by another version of the program. The event itself is passed on as it is.
            #[serde(rename = "unknown", other)]
            Unknown,
        }

        impl EventType {
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* Self::Unknown => "unknown" }
            }
        }
    };
}

event_types! {
    /// The intent is durable and will be executed. `data`: `{intent_type, intent_id, session_id, message?}`.
    ExecutionAccepted = "execution.accepted",
    /// Another message joined the turn while it waited; both are answered at once. `data`: `{message}`.
    ExecutionMerged = "execution.merged",
    /// An attempt began. `data`: `{attempt}`.
    ExecutionStarted = "execution.started",
    /// `data`: `{step}`.
    StepStarted = "execution.step_started",
    /// The step's result is recorded and it will not run again. `data`: `{step}`.
    StepCompleted = "execution.step_completed",
    /// An attempt failed in a way that may pass. `data`: `{attempt, error, code, retry_at}`.
    ExecutionRetrying = "execution.retrying",
    /// `data`: the approval.
    ExecutionAwaitingApproval = "execution.awaiting_approval",
    /// `data`: `{artifacts}` with the ids by key.
    ExecutionCompleted = "execution.completed",
    /// `data`: `{error, code}`.
    ExecutionFailed = "execution.failed",
    /// `data`: `{reason}`.
    ExecutionCancelled = "execution.cancelled",
    /// It had failed for good and is tried once more; its recorded steps stay. `data`: `{redrives, attempts}`.
    ExecutionRedriven = "execution.redriven",
    /// An agent took the turn. `data`: `{agent_id, agent_type, conversation_id, reply_to, routing:{rule, reason}, attempt, definition}`; `definition`
    /// is a digest of the agent's.
    AgentStarted = "agent.started",
    /// A piece of the answer. `data`: `{token, agent_id, conversation_id}`.
    AgentToken = "agent.token",
    /// `data`: `{intent, state: started|completed|failed, …}`.
    AgentTool = "agent.tool",
    /// `data`: `{response, usage, artifacts, agent_id, conversation_id}`.
    AgentCompleted = "agent.completed",
    /// `data`: `{error, code, agent_id, conversation_id}`.
    AgentFailed = "agent.failed",
    /// `data`: `{response}`: what had been said.
    AgentCancelled = "agent.cancelled",
    /// `data`: the approval.
    ApprovalPending = "approval.pending",
    /// `data`: `{hook_id, approved, decided_at}`.
    ApprovalDecided = "approval.decided",
    /// `data`: `{hook_id}`.
    ApprovalExpired = "approval.expired",
    /// The events up to this one are older than they are kept, and gone. `data`: `{first_seq, last_seq}`.
    HistoryRemoved = "history.removed",
    /// The conversation begins with what was said in another one. `data`: `{conversation_id, forked_from, at}`.
    ConversationForked = "conversation.forked",
    /// A message that was said in another conversation. `data`: `{conversation_id, message:{id, role, content, agent_id?}, said_at}`.
    ConversationMessage = "conversation.message",
}

impl EventType {
    /// Whether the execution that this event belongs to has ended with it. After `execution.failed` it can only go on with
    /// `execution.redriven`.
    pub const fn ends_execution(self) -> bool {
        matches!(self, Self::ExecutionCompleted | Self::ExecutionFailed | Self::ExecutionCancelled)
    }
}
