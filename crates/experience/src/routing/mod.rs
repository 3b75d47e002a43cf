//! Which agent answers. Deterministic, explained, and without any I/O: the same words give the same choice.

use contract::{
    AgentId,
    agent::{AgentKind, AgentSummary, RoutingReason, RoutingRule, Surface},
};

use crate::{Refusal, turn::unknown_agent};

/// The chosen agent, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    pub agent_id: AgentId,
    pub routing: RoutingReason,
}

/// Chooses by the first rule that decides: the named agent, the conversation's present one, the surface, the guide.
pub fn choose(
    agents: &[AgentSummary],
    named: Option<&AgentId>,
    present: Option<&AgentId>,
    surface: Surface,
) -> Result<Choice, Refusal> {
    let find = |id: &AgentId| agents.iter().find(|agent| agent.agent_id == *id && agent.kind != AgentKind::Specialist);
    if let Some(named) = named {
        let agent = find(named).ok_or_else(|| unknown_agent(named))?;
        return Ok(choice(agent, RoutingRule::Named, "The client named this agent.".to_owned()));
    }
    let of_surface = agents.iter().find(|agent| agent.kind == AgentKind::Liaison && agent.surfaces.contains(&surface));
    if let Some(agent) = present.and_then(find) {
        if of_surface.is_none_or(|other| other.agent_id == agent.agent_id) {
            return Ok(choice(agent, RoutingRule::Present, format!("{} is in this conversation.", agent.agent_id)));
        }
    }
    if let Some(agent) = of_surface {
        return Ok(choice(agent, RoutingRule::Surface, format!("The message came from {surface}.")));
    }
    let guide = agents.iter().find(|agent| agent.kind == AgentKind::Guide);
    let guide = guide.ok_or_else(|| Refusal::internal("no agent of kind guide is declared"))?;
    Ok(choice(guide, RoutingRule::Guide, "No other rule decided.".to_owned()))
}

fn choice(agent: &AgentSummary, rule: RoutingRule, reason: String) -> Choice {
    Choice { agent_id: agent.agent_id.clone(), routing: RoutingReason { rule, reason } }
}
