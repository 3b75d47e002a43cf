//! Conversations as clients read them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{AgentId, ConversationId, Event, ExecutionId, MessageId, Timestamp};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    User,
    Assistant,
}

impl Role {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}

/// One message of a conversation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Message {
    pub id: MessageId,
    pub role: Role,
    pub content: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<AgentId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution_id: Option<ExecutionId>,
    /// The event with which it entered the conversation.
    pub seq: u64,
    pub created_at: Timestamp,
}

/// A conversation in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ConversationSummary {
    pub conversation_id: ConversationId,
    /// Who answers at present.
    pub agent_id: Option<AgentId>,
    /// The beginning of the first message, or what it was renamed to.
    pub title: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// The `seq` of its newest event.
    pub cursor: u64,
}

/// The answer of `GET /api/conversations`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ConversationPage {
    pub conversations: Vec<ConversationSummary>,
    pub next_cursor: Option<String>,
}

/// The body of `PATCH /api/conversations/{id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RenameConversation {
    /// 1 to 200 characters in one line.
    pub title: String,
}

/// The answer of `GET /api/conversations/{id}`: the newest messages, oldest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Conversation {
    #[serde(flatten)]
    pub summary: ConversationSummary,
    pub messages: Vec<Message>,
    /// For the messages before these, as `?before=`.
    pub next_cursor: Option<String>,
}

/// The answer of `GET /api/conversations/{id}/events`: events after the cursor, oldest first. An empty page is the end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EventPage {
    pub events: Vec<Event>,
}

/// The body of `POST /api/conversations/{id}/fork`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ForkConversation {
    /// The `seq` of the last event that counts.
    pub at: u64,
}

/// The answer of `POST /api/conversations/{id}/fork`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Forked {
    /// The new conversation.
    pub conversation_id: ConversationId,
    pub forked_from: ConversationId,
    pub at: u64,
    /// How many messages it begins with: the newest ones before the cursor, at most 1,000.
    pub messages: u32,
    /// The `seq` of its newest event.
    pub cursor: u64,
}
