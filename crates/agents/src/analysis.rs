//! What a message was taken to mean, in the shape of the contract's `intent_analysis`.

use contract::AgentId;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// `intent_analysis` of the guide's HTTP door, and of every turn's result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IntentAnalysis {
    /// Who would answer.
    pub agent_id: AgentId,
    /// Null where the message asks for nothing that can be executed.
    pub intent_type: Option<String>,
    pub parameters: Map<String, Value>,
    /// From 0 to 1.
    pub confidence: f64,
    /// Whether the person has to be asked back first.
    pub needs_clarification: bool,
    /// Other readings, best first.
    pub alternatives: Vec<Alternative>,
}

/// Another reading of the same message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alternative {
    pub agent_id: AgentId,
    pub intent_type: String,
    pub confidence: f64,
}
