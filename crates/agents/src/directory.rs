//! All agents of the house, by their ids. It knows who may hand over to whom, and nothing of how they think.

use std::{collections::BTreeMap, sync::Arc};

use contract::{
    AgentId,
    agent::{AgentKind, AgentSummary},
};

use crate::definition::AgentDefinition;

/// The definitions that are part of the binary.
const BUILTIN: [(&str, &str); 5] = [
    ("guide.toml", include_str!("../definitions/guide.toml")),
    ("liaison.content.toml", include_str!("../definitions/liaison.content.toml")),
    ("liaison.insights.toml", include_str!("../definitions/liaison.insights.toml")),
    ("liaison.journey.toml", include_str!("../definitions/liaison.journey.toml")),
    ("liaison.outcomes.toml", include_str!("../definitions/liaison.outcomes.toml")),
];

/// The agents that there are. There is always a guide.
#[derive(Clone, Debug)]
pub struct Directory {
    agents: BTreeMap<AgentId, Arc<AgentDefinition>>,
    guide: Arc<AgentDefinition>,
}

/// Why a set of agents cannot be a directory.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DirectoryError {
    #[error("two agents are named {0}; give one of them another agent_id")]
    Twice(AgentId),
    #[error("there is no agent of kind guide; add one with agent_id = \"guide\"")]
    NoGuide,
}

impl Directory {
    pub fn new(definitions: Vec<AgentDefinition>) -> Result<Self, DirectoryError> {
        let mut agents = BTreeMap::new();
        for definition in definitions {
            let agent_id = definition.agent_id.clone();
            if agents.insert(agent_id.clone(), Arc::new(definition)).is_some() {
                return Err(DirectoryError::Twice(agent_id));
            }
        }
        let guide = agents.values().find(|agent| agent.kind == AgentKind::Guide).cloned();
        Ok(Self { guide: guide.ok_or(DirectoryError::NoGuide)?, agents })
    }

    /// The guide and the four liaisons.
    pub fn builtin() -> Self {
        Self::builtin_and(Vec::new()).expect("the definitions in the binary fit together, as a test shows")
    }

    /// The same and `more`. One of `more` with the id of a built-in agent takes its place.
    pub fn builtin_and(more: Vec<AgentDefinition>) -> Result<Self, DirectoryError> {
        let mut definitions: Vec<AgentDefinition> = BUILTIN
            .iter()
            .map(|(name, text)| {
                AgentDefinition::from_toml(name, text).expect("a definition in the binary is read by a test")
            })
            .collect();
        definitions.retain(|builtin| more.iter().all(|other| other.agent_id != builtin.agent_id));
        definitions.extend(more);
        Self::new(definitions)
    }

    pub fn get(&self, agent_id: &AgentId) -> Option<&Arc<AgentDefinition>> {
        self.agents.get(agent_id)
    }

    pub fn guide(&self) -> &Arc<AgentDefinition> {
        &self.guide
    }

    /// In the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<AgentDefinition>> {
        self.agents.values()
    }

    pub fn summaries(&self) -> Vec<AgentSummary> {
        self.agents.values().map(|agent| agent.summary()).collect()
    }

    /// Those that `agent` may hand the conversation to: the guide to every liaison, every other one back to the guide.
    pub fn hand_off_targets(&self, agent: &AgentDefinition) -> Vec<AgentId> {
        match agent.kind {
            AgentKind::Guide => {
                let liaisons = self.agents.values().filter(|other| other.kind == AgentKind::Liaison);
                liaisons.map(|liaison| liaison.agent_id.clone()).collect()
            }
            AgentKind::Liaison => vec![self.guide.agent_id.clone()],
            AgentKind::Specialist => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definition(id: &str, kind: &str) -> AgentDefinition {
        let text = format!(
            "agent_id = \"{id}\"\nkind = \"{kind}\"\nrealm = \"content\"\ndescription = \"Ours.\"\ninstructions = \"\"\n"
        );
        AgentDefinition::from_toml("test", &text).unwrap()
    }

    #[test]
    fn the_builtin_agents_fit_together() {
        let directory = Directory::builtin();
        let ids: Vec<String> = directory.summaries().iter().map(|agent| agent.agent_id.to_string()).collect();
        assert_eq!(ids, ["guide", "liaison.content", "liaison.insights", "liaison.journey", "liaison.outcomes"]);
        assert_eq!(directory.hand_off_targets(directory.guide()).len(), 4);
    }

    #[test]
    fn ones_own_agent_takes_the_place_of_a_builtin_one() {
        let directory = Directory::builtin_and(vec![definition("liaison.content", "liaison")]).unwrap();
        assert_eq!(directory.get(&"liaison.content".parse().unwrap()).unwrap().description, "Ours.");
        assert_eq!(directory.iter().count(), 5);
    }

    #[test]
    fn two_of_a_name_or_no_guide_is_refused() {
        let twice = vec![definition("liaison.content", "liaison"), definition("liaison.content", "liaison")];
        assert!(matches!(Directory::builtin_and(twice), Err(DirectoryError::Twice(_))));
        assert!(matches!(Directory::new(Vec::new()), Err(DirectoryError::NoGuide)));
    }
}
