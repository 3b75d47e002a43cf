//! Which agent answers. Deterministic, explained in one sentence, and without any I/O: the same words give the same choice.

mod standing;

use contract::{
    AgentId,
    agent::{AgentKind, AgentSummary, RoutingReason, RoutingRule, Surface, TurnPolicy},
};

use crate::{Refusal, turn::unknown_agent};

pub use standing::{Standing, standing};

/// The chosen agent, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    pub agent_id: AgentId,
    pub routing: RoutingReason,
}

/// Chooses by the first rule that decides.
///
/// 1. **Named**: the agent that the client names. A specialist, or one that is not there, is refused rather than replaced.
/// 2. **Present**: the conversation's present agent, until the surface changes. It changes when the message comes from a surface
///    with a liaison of its own, other than the one that the conversation's last message came from. The general surface is nobody's, so
///    that it never changes anything; and an agent to whom a conversation was handed keeps it on the surface where that happened.
/// 3. **Surface**: the liaison of the surface.
/// 4. **Guide**.
pub fn choose(
    agents: &[AgentSummary],
    named: Option<&AgentId>,
    conversation: &Standing,
    surface: Surface,
) -> Result<Choice, Refusal> {
    let find = |id: &AgentId| agents.iter().find(|agent| agent.agent_id == *id && agent.kind != AgentKind::Specialist);
    if let Some(named) = named {
        let agent = find(named).ok_or_else(|| unknown_agent(named))?;
        return Ok(choice(agent, RoutingRule::Named, format!("The client asked for {}.", agent.agent_id)));
    }
    let of_surface = liaison_of(agents, surface);
    let moved = conversation.last_surface.is_some_and(|last| last != surface);
    let present = conversation.present_agent.as_ref().and_then(find);
    match (present, of_surface) {
        (Some(present), Some(liaison)) if moved && liaison.agent_id != present.agent_id => {
            Ok(choice(liaison, RoutingRule::Surface, format!("The conversation has moved to {surface}.")))
        }
        (Some(present), _) => Ok(choice(
            present,
            RoutingRule::Present,
            format!("{} is answering in this conversation.", present.agent_id),
        )),
        (None, Some(liaison)) => Ok(choice(liaison, RoutingRule::Surface, format!("The message came from {surface}."))),
        (None, None) => {
            let guide = agents.iter().find(|agent| agent.kind == AgentKind::Guide);
            let guide = guide.ok_or_else(|| Refusal::internal("no agent of kind guide is declared"))?;
            Ok(choice(
                guide,
                RoutingRule::Guide,
                "No agent was named, and the message came from no particular surface.".to_owned(),
            ))
        }
    }
}

/// The liaison that speaks for a surface.
pub fn liaison_of(agents: &[AgentSummary], surface: Surface) -> Option<&AgentSummary> {
    agents.iter().find(|agent| agent.kind == AgentKind::Liaison && agent.surfaces.contains(&surface))
}

/// What becomes of a message to an agent that still answers, where the message does not say.
pub fn policy_of(agents: &[AgentSummary], agent_id: &AgentId) -> TurnPolicy {
    agents.iter().find(|agent| agent.agent_id == *agent_id).map(|agent| agent.turn_policy).unwrap_or_default()
}

/// Whom today's front end means by its `agent_type`: the guide, or the liaison of the pillar that it names. Anything else names
/// nobody, and the other rules decide.
pub fn named_by_type(agents: &[AgentSummary], agent_type: Option<&str>, pillar: Surface) -> Option<AgentId> {
    let agent = match agent_type? {
        "guide" => agents.iter().find(|agent| agent.kind == AgentKind::Guide),
        "liaison" => liaison_of(agents, pillar),
        _ => None,
    };
    agent.map(|agent| agent.agent_id.clone())
}

fn choice(agent: &AgentSummary, rule: RoutingRule, reason: String) -> Choice {
    Choice { agent_id: agent.agent_id.clone(), routing: RoutingReason { rule, reason } }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agents() -> Vec<AgentSummary> {
        let agent = |id: &str, kind, surface: Option<Surface>| AgentSummary {
            agent_id: id.parse().unwrap(),
            kind,
            realm: None,
            surfaces: surface.into_iter().collect(),
            description: String::new(),
            intents: Vec::new(),
            turn_policy: TurnPolicy::Queue,
        };
        vec![
            agent("guide", AgentKind::Guide, Some(Surface::General)),
            agent("liaison.content", AgentKind::Liaison, Some(Surface::Content)),
            agent("liaison.insights", AgentKind::Liaison, Some(Surface::Insights)),
            agent("liaison.journey", AgentKind::Liaison, Some(Surface::Journey)),
            agent("specialist.tables", AgentKind::Specialist, Some(Surface::Insights)),
        ]
    }

    #[test]
    fn the_first_rule_that_decides() {
        use RoutingRule::{Guide, Named, Present, Surface as OfSurface};
        use Surface::{Content, General, Insights, Outcomes};
        // named, present agent, last surface, surface → agent, rule
        for (named, present, last, surface, agent, rule) in [
            ("", "", None, General, "guide", Guide),
            ("", "", None, Content, "liaison.content", OfSurface),
            ("", "", None, Outcomes, "guide", Guide),
            ("guide", "", None, Content, "guide", Named),
            ("liaison.journey", "liaison.content", Some(Content), Content, "liaison.journey", Named),
            ("", "guide", Some(General), General, "guide", Present),
            ("", "liaison.content", Some(Content), Content, "liaison.content", Present),
            // Handed over on this surface: it keeps the conversation.
            ("", "liaison.insights", Some(Content), Content, "liaison.insights", Present),
            ("", "guide", Some(Content), Content, "guide", Present),
            // The general surface is nobody's.
            ("", "liaison.insights", Some(Insights), General, "liaison.insights", Present),
            // The surface has changed.
            ("", "liaison.insights", Some(Content), Insights, "liaison.insights", Present),
            ("", "liaison.insights", Some(Insights), Content, "liaison.content", OfSurface),
            ("", "guide", Some(General), Content, "liaison.content", OfSurface),
            // Nobody knows where the conversation came from: no reason to take it away.
            ("", "guide", None, Content, "guide", Present),
            // A surface without a liaison takes it from nobody.
            ("", "liaison.content", Some(Content), Outcomes, "liaison.content", Present),
            // The present agent is not there any more.
            ("", "liaison.gone", Some(Content), Content, "liaison.content", OfSurface),
            ("", "specialist.tables", Some(General), General, "guide", Guide),
        ] {
            let id = |text: &str| (!text.is_empty()).then(|| text.parse::<AgentId>().unwrap());
            let conversation = Standing { present_agent: id(present), last_surface: last };
            let choice = choose(&agents(), id(named).as_ref(), &conversation, surface).unwrap();
            assert_eq!(
                (choice.agent_id.as_str(), choice.routing.rule),
                (agent, rule),
                "{named} {present} {last:?} {surface}"
            );
            assert!(choice.routing.reason.ends_with('.'));
        }
    }

    #[test]
    fn specialists_and_strangers_cannot_be_named() {
        for name in ["specialist.tables", "liaison.nobody"] {
            let refusal = choose(&agents(), Some(&name.parse().unwrap()), &Standing::default(), Surface::General);
            assert_eq!(refusal.unwrap_err().code(), contract::Code::UnknownAgent, "{name}");
        }
    }

    #[test]
    fn the_words_of_the_old_client() {
        for (agent_type, pillar, agent) in [
            (Some("guide"), "content", Some("guide")),
            (Some("liaison"), "content", Some("liaison.content")),
            (Some("liaison"), "operations", Some("liaison.journey")),
            (Some("liaison"), "", None),
            (Some("specialist"), "content", None),
            (None, "content", None),
        ] {
            let named = named_by_type(&agents(), agent_type, Surface::from_word(pillar));
            assert_eq!(named.as_ref().map(AgentId::as_str), agent, "{agent_type:?} {pillar}");
        }
    }
}
