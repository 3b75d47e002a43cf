//! Agents, realms and surfaces as everybody names them.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::AgentId;

/// What an agent is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AgentKind {
    /// The one that people meet first; it may hand a conversation to a liaison.
    Guide,
    /// The voice of one realm.
    Liaison,
    /// Called by other agents, never chosen by routing.
    Specialist,
}

impl AgentKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Guide => "guide",
            Self::Liaison => "liaison",
            Self::Specialist => "specialist",
        }
    }
}

/// Which screen a message came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub enum Surface {
    #[serde(rename = "content_pillar")]
    Content,
    #[serde(rename = "insights_pillar")]
    Insights,
    #[serde(rename = "journey_pillar")]
    Journey,
    #[serde(rename = "outcomes_pillar")]
    Outcomes,
    #[default]
    #[serde(rename = "general")]
    General,
}

impl Surface {
    /// A client's word for a surface; what we do not know is the general one. Knows the words of today's front end
    /// (`operations`, `business_outcomes`) too.
    pub fn from_word(word: &str) -> Self {
        match word {
            "content_pillar" | "content" => Self::Content,
            "insights_pillar" | "insights" => Self::Insights,
            "journey_pillar" | "journey" | "operations" | "operations_pillar" => Self::Journey,
            "outcomes_pillar" | "outcomes" | "business_outcomes" | "business_outcomes_pillar" => Self::Outcomes,
            _ => Self::General,
        }
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Content => "content_pillar",
            Self::Insights => "insights_pillar",
            Self::Journey => "journey_pillar",
            Self::Outcomes => "outcomes_pillar",
            Self::General => "general",
        }
    }
}

impl fmt::Display for Surface {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Surface {
    type Err = std::convert::Infallible;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Ok(Self::from_word(word))
    }
}

/// What becomes of a message that comes while an earlier turn of its conversation has not ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TurnPolicy {
    /// It waits for its turn.
    #[default]
    Queue,
    /// It takes the place of all that came before it: they are cancelled, and what had been said of an answer is kept.
    Interrupt,
    /// It joins the turn that waits, where there is one: what is said meanwhile is answered at once.
    Merge,
    /// It is refused with `turn_in_progress`.
    Reject,
}

/// An agent as clients and routing see it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AgentSummary {
    pub agent_id: AgentId,
    pub kind: AgentKind,
    /// The realm it speaks for; the guide speaks for none.
    pub realm: Option<String>,
    pub surfaces: Vec<Surface>,
    pub description: String,
    /// The intents it may use.
    pub intents: Vec<String>,
    /// What becomes of a message that comes while it still answers, where the message does not say.
    #[serde(default)]
    pub turn_policy: TurnPolicy,
}

/// The answer of `GET /api/agents`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AgentList {
    pub agents: Vec<AgentSummary>,
}

/// Why an agent was chosen; part of `agent.started`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RoutingReason {
    pub rule: RoutingRule,
    /// One sentence for a person.
    pub reason: String,
}

/// The rule that decided, in the order in which they are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RoutingRule {
    /// The client named the agent.
    Named,
    /// The conversation's present agent goes on.
    Present,
    /// The surface that the message came from.
    Surface,
    /// The guide answers when no other rule decides.
    Guide,
    /// Another agent handed the conversation over.
    HandOff,
    /// The agent handed the conversation back to the guide.
    HandBack,
}
