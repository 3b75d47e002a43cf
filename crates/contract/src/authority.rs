//! With whose rights something is executed. It is recorded with each execution when it is accepted, and judged by the policy then; no
//! client can send or change it.

use serde::{Deserialize, Serialize};

use crate::{AgentId, UserId};

/// Who asks, as far as the policy cares: the person's roles at that time, what their credential leaves of them, and who acts for them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authority {
    /// In the tenant of the owner; `anonymous` for a session of nobody.
    pub roles: Vec<String>,
    /// The only intents that the credential is for; absent: no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intents: Option<Vec<String>>,
    /// A service account that acts for the owner (RFC 8693, `act`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<UserId>,
    /// The agents through whom it was asked for, the first one first. Intents that they ask for inherit them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub agents: Vec<AgentId>,
}

impl Authority {
    /// The same through one more agent.
    pub fn through(&self, agent_id: &AgentId) -> Self {
        let mut authority = self.clone();
        if !authority.agents.contains(agent_id) {
            authority.agents.push(agent_id.clone());
        }
        authority
    }
}
