//! `symphainy replay --routing`: who would answer by the agents of the present configuration, where the journal says who did.

use std::io;

use contract::{
    AgentId, ConversationId, Event, EventType, Timestamp,
    agent::{AgentSummary, RoutingReason, RoutingRule, Surface},
};
use experience::routing::{self, Standing};
use public_works::sqlite::Past;
use serde::Serialize;
use serde_json::json;

use super::{agent_id, complaint};
use crate::{
    cli::ReplayArguments,
    commands::load_config,
    exit::{Complaint, Exit},
    output::show_line,
    paint::Paint,
    servers, wiring,
};

/// A choice as it was made.
#[derive(Clone, Debug, PartialEq)]
struct Made {
    at: Timestamp,
    seq: u64,
    agent_id: AgentId,
    routing: RoutingReason,
    /// What it was made from.
    named: Option<AgentId>,
    standing: Standing,
    surface: Surface,
}

/// A choice that would be another one now.
#[derive(Debug, Serialize)]
struct Difference {
    conversation_id: ConversationId,
    seq: u64,
    at: Timestamp,
    surface: Surface,
    was: Answerer,
    /// Nobody, where the named agent is not there any more.
    would_be: Option<Answerer>,
    /// Why nobody would answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<String>,
}

#[derive(Debug, Serialize)]
struct Answerer {
    agent_id: AgentId,
    rule: RoutingRule,
    reason: String,
}

pub(super) async fn replay(arguments: &ReplayArguments) -> Result<Exit, Complaint> {
    let config = load_config(&arguments.house.flags())?;
    let agents = wiring::voices(&config, Vec::new(), servers::open(&config).await)?.directory.summaries();
    let wanted = arguments.id.as_deref().map(super::parse::<ConversationId>).transpose()?;
    let user = arguments.user.clone();
    let compare = tokio::task::spawn_blocking(move || compare(&config.server.data_dir, &agents, wanted.as_ref(), user));
    let compared = compare.await.map_err(|error| Complaint::internal(format!("Reading the data broke ({error}).")))?;
    let (choices, differences) = compared?;
    show_line(&if arguments.json {
        json!({ "choices": choices, "differences": differences }).to_string()
    } else {
        text(choices, &differences)
    });
    Ok(if differences.is_empty() { Exit::Success } else { Exit::Failed })
}

fn compare(
    data_dir: &std::path::Path,
    agents: &[AgentSummary],
    wanted: Option<&ConversationId>,
    user: Option<String>,
) -> Result<(usize, Vec<Difference>), Complaint> {
    let past = Past::open(data_dir).map_err(|error| complaint(&error))?;
    let mut choices = 0;
    let mut differences = Vec::new();
    for held in past.conversations(wanted).map_err(|error| complaint(&error))? {
        if user.as_ref().is_some_and(|user| super::owner_word(&held.owner) != *user) {
            continue;
        }
        for made in choices_of(&past.conversation(&held).map_err(|error| complaint(&error))?) {
            choices += 1;
            differences.extend(difference(agents, &held.conversation_id, made));
        }
    }
    Ok((choices, differences))
}

/// The choices that were made in a conversation, and what each was made from: nothing but what the journal says.
fn choices_of(events: &[Event]) -> Vec<Made> {
    let mut made: Vec<Made> = Vec::new();
    let mut standing = Standing::default();
    // Turns that were accepted and whose agent has not been told yet.
    let mut open = Vec::new();
    for event in events {
        match event.event_type {
            EventType::ExecutionAccepted if event.data["message"].is_object() => {
                let word = event.data["message"]["metadata"]["surface"].as_str().unwrap_or_default();
                let surface = Surface::from_word(word);
                open.push((event.execution_id.clone(), standing.clone(), surface, event.seq));
                standing.last_surface = Some(surface);
            }
            EventType::AgentStarted => {
                let Some(index) = open.iter().position(|(id, ..)| *id == event.execution_id) else { continue };
                let (_, standing, surface, seq) = open.remove(index);
                let routing = serde_json::from_value::<RoutingReason>(event.data["routing"].clone());
                let (Some(agent_id), Ok(routing)) = (agent_id(event), routing) else { continue };
                let named = (routing.rule == RoutingRule::Named).then(|| agent_id.clone());
                made.push(Made { at: event.timestamp, seq, agent_id, routing, named, standing, surface });
            }
            EventType::AgentCompleted | EventType::AgentFailed | EventType::AgentCancelled => {
                standing.present_agent = agent_id(event);
            }
            _ => {}
        }
    }
    made
}

fn difference(agents: &[AgentSummary], conversation_id: &ConversationId, made: Made) -> Option<Difference> {
    let chosen = routing::choose(agents, made.named.as_ref(), &made.standing, made.surface);
    let (would_be, refusal) = match chosen {
        Ok(choice) if choice.agent_id == made.agent_id => return None,
        Ok(choice) => (Some(answerer(choice.agent_id, choice.routing)), None),
        Err(refusal) => (None, Some(refusal.reason().detail.to_string())),
    };
    let was = answerer(made.agent_id, made.routing);
    let (seq, at, surface) = (made.seq, made.at, made.surface);
    Some(Difference { conversation_id: conversation_id.clone(), seq, at, surface, was, would_be, refusal })
}

fn answerer(agent_id: AgentId, routing: RoutingReason) -> Answerer {
    Answerer { agent_id, rule: routing.rule, reason: routing.reason }
}

fn text(choices: usize, differences: &[Difference]) -> String {
    if differences.is_empty() {
        return format!("{choices} choices were made again, and each is the same.");
    }
    let paint = Paint::of(&io::stdout());
    let mut lines = vec![format!("{choices} choices were made again, and {} are other ones:", differences.len())];
    for difference in differences {
        let Difference { conversation_id, seq, at, was, would_be, refusal, .. } = difference;
        lines.push(format!("\n{}", paint.dim(&format!("{conversation_id}, event {seq}, {at}"))));
        lines.push(format!("  was       {}: {}", paint.name(was.agent_id.as_str()), was.reason));
        lines.push(match would_be {
            Some(agent) => format!("  would be  {}: {}", paint.name(agent.agent_id.as_str()), agent.reason),
            None => format!("  would be  {}: {}", paint.bad("nobody"), refusal.as_deref().unwrap_or_default()),
        });
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn event(seq: u64, event_type: EventType, execution: &str, data: Value) -> Event {
        let timestamp = Timestamp::from_millis(1_800_000_000_000);
        Event { seq, event_type, execution_id: execution.parse().unwrap(), timestamp, data }
    }

    fn agents(of_content: &str) -> Vec<AgentSummary> {
        let agent = |id: &str, kind, surface| AgentSummary {
            agent_id: id.parse().unwrap(),
            kind,
            realm: None,
            surfaces: vec![surface],
            description: String::new(),
            intents: Vec::new(),
            turn_policy: contract::agent::TurnPolicy::default(),
        };
        vec![
            agent("guide", contract::agent::AgentKind::Guide, Surface::General),
            agent(of_content, contract::agent::AgentKind::Liaison, Surface::Content),
        ]
    }

    #[test]
    fn a_choice_is_made_again_from_what_was_known() {
        use EventType::*;
        let said = |surface: &str| json!({"message": {"content": "x", "metadata": {"surface": surface}}});
        let started = |agent: &str, rule: &str| json!({"agent_id": agent, "routing": {"rule": rule, "reason": "So."}});
        let events = [
            event(1, ExecutionAccepted, "exec_1", said("content_pillar")),
            event(2, AgentStarted, "exec_1", started("liaison.content", "surface")),
            event(3, AgentStarted, "exec_1", started("guide", "hand_back")),
            event(4, AgentCompleted, "exec_1", json!({"agent_id": "guide"})),
            event(5, ExecutionAccepted, "exec_2", said("content_pillar")),
            event(6, AgentStarted, "exec_2", started("guide", "present")),
            event(7, ExecutionAccepted, "exec_3", said("general")),
            event(8, AgentStarted, "exec_3", started("liaison.content", "named")),
        ];
        let made = choices_of(&events);
        assert_eq!(made.iter().map(|made| made.seq).collect::<Vec<_>>(), [1, 5, 7]);
        assert_eq!(made[1].standing.present_agent.as_ref().unwrap().as_str(), "guide");
        assert_eq!(made[1].standing.last_surface, Some(Surface::Content));
        let conversation_id = "c1".parse().unwrap();
        let again = |agents: &[AgentSummary]| -> Vec<(u64, Option<String>)> {
            let differences = made.iter().cloned().filter_map(|made| difference(agents, &conversation_id, made));
            differences.map(|one| (one.seq, one.would_be.map(|agent| agent.agent_id.to_string()))).collect()
        };
        assert_eq!(again(&agents("liaison.content")), []);
        assert_eq!(again(&agents("liaison.files")), [(1, Some("liaison.files".to_owned())), (7, None)]);
    }
}
