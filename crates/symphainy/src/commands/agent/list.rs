//! `symphainy agent list`: who is there, by which model, and from which file.

use std::collections::BTreeMap;

use agents::AgentDefinition;
use serde_json::json;

use crate::{
    agent_files,
    cli::HouseArguments,
    commands::load_config,
    exit::{Complaint, Exit},
    output::show_line,
    servers::{self, Guests},
    wiring,
};

/// Where an agent comes from that no file says.
const BUILT_IN: &str = "part of the binary";

pub(super) fn list(house: &HouseArguments, as_json: bool) -> Result<Exit, Complaint> {
    let config = load_config(&house.flags())?;
    let files = match config.agents_folder() {
        Some(folder) => agent_files::read(&folder)?,
        None => Vec::new(),
    };
    let sources: BTreeMap<_, _> =
        files.iter().map(|(path, agent)| (agent.agent_id.clone(), path.display().to_string())).collect();
    let voices = wiring::voices(&config, Vec::new(), Guests::default())?;
    let model = |agent: &AgentDefinition| voices.models.name_for(agent).to_owned();
    if as_json {
        let rows = voices.directory.iter().map(|agent| {
            json!({
                "agent_id": agent.agent_id, "kind": agent.kind, "realm": agent.realm, "model": model(agent),
                "intents": agent.intents, "file": sources.get(&agent.agent_id),
            })
        });
        show_line(&json!({ "agents": rows.collect::<Vec<_>>() }).to_string());
        return Ok(Exit::Success);
    }
    for agent in voices.directory.iter() {
        let realm = agent.realm.as_ref().map(|realm| format!(", realm {realm}")).unwrap_or_default();
        let intents = if agent.intents.is_empty() { "none".to_owned() } else { agent.intents.join(", ") };
        show_line(&format!("{}  ({}{realm})", agent.agent_id, agent.kind.as_str()));
        show_line(&format!("  model    {}", model(agent)));
        show_line(&format!("  intents  {intents}"));
        show_line(&format!("  file     {}", sources.get(&agent.agent_id).map_or(BUILT_IN, String::as_str)));
    }
    for server in config.mcp.keys() {
        let agent_id = servers::agent_id(server);
        if voices.directory.get(&agent_id).is_none() {
            show_line(&format!("{agent_id}  (made at the start, of the tools that the server {server} has then)"));
        }
    }
    Ok(Exit::Success)
}
