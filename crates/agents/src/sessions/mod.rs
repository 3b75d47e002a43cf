//! What clients ask about conversations and sessions by intents: histories, states, what to do next, and a message to a realm's
//! liaison. They read what is there and compute the rest; no model is asked but by the liaison itself.

mod get_conversation_history;
mod get_journey_guidance;
mod get_session_details;
mod send_message_to_pillar_agent;
mod state;

use std::sync::Arc;

use contract::{
    AgentId, Code,
    intent::{ApprovalRule, IntentDescriptor},
};
use runtime::{Failure, Handler, port::store::Object};
use serde_json::{Value, json};

use crate::{REALM, directory::Directory};

pub(crate) fn handlers(directory: &Arc<Directory>) -> Vec<Arc<dyn Handler>> {
    vec![
        Arc::new(get_conversation_history::GetConversationHistory::whole()),
        Arc::new(get_conversation_history::GetConversationHistory::of_pillar(Arc::clone(directory))),
        Arc::new(send_message_to_pillar_agent::SendMessageToPillarAgent::new(Arc::clone(directory))),
        Arc::new(get_session_details::GetSessionDetails::details()),
        Arc::new(get_session_details::GetSessionDetails::state()),
        Arc::new(get_journey_guidance::GetJourneyGuidance::new()),
    ]
}

fn descriptor(intent_type: &str, description: &str, properties: Value, required: &[&str]) -> IntentDescriptor {
    IntentDescriptor {
        intent_type: intent_type.to_owned(),
        realm: REALM.to_owned(),
        description: description.to_owned(),
        parameters: json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": false,
        }),
        approval: ApprovalRule::None,
        examples: Vec::new(),
    }
}

/// The property by which a client names a realm, in any of its words.
fn pillar_property() -> Value {
    json!({ "type": "string", "minLength": 1, "maxLength": 60, "description": "The realm: content, insights, journey (or operations), outcomes (or business_outcomes)." })
}

/// The liaison of the realm that the parameters name.
fn liaison(directory: &Directory, parameters: &Object) -> Result<AgentId, Failure> {
    let named = ["pillar", "agent_id"].iter().find_map(|key| parameters.get(*key)?.as_str()).unwrap_or_default();
    let word = named.trim().trim_start_matches("liaison.").trim_end_matches("_pillar");
    let realm = match word {
        "operations" => "journey",
        "business_outcomes" => "outcomes",
        other => other,
    };
    let agent = directory.iter().find(|agent| agent.realm.as_deref() == Some(realm));
    agent.map(|agent| agent.agent_id.clone()).ok_or_else(|| {
        Failure::new(Code::UnknownAgent, "There is no such pillar; there is content, insights, journey and outcomes.")
    })
}
