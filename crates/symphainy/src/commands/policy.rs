//! `symphainy policy`: shows the default rules, checks a file of one's own, and explains a decision. It changes nothing.

use contract::{AgentId, Authority};
use security_guard::policy::{DEFAULT, Policy, Question, Ruling};
use serde_json::{Value, json};

use super::load_config;
use crate::{
    cli::{PolicyArguments, PolicyCheck, PolicyVerb},
    exit::{Complaint, Exit},
    output::show_line,
    policy, servers, wiring,
};

pub(crate) async fn policy(arguments: PolicyArguments) -> Result<Exit, Complaint> {
    match arguments.verb {
        PolicyVerb::Default => {
            show_line(DEFAULT.trim_end());
            Ok(Exit::Success)
        }
        PolicyVerb::Check(check) => self::check(&check).await,
    }
}

async fn check(check: &PolicyCheck) -> Result<Exit, Complaint> {
    let config = load_config(&check.house.flags())?;
    let voices = wiring::voices(&config, Vec::new(), servers::open(&config).await)?;
    let servers: Vec<String> = voices.guests.names().map(str::to_owned).collect();
    let directory = std::sync::Arc::clone(&voices.directory);
    let catalogue = wiring::catalogue(voices, Vec::new())?;
    let known = policy::known_names(&catalogue, &directory, &servers);
    let file = check.file.as_deref().or(config.policy.file.as_deref());
    let rules = policy::read(file, &known)?;
    let differences = Policy::builtin().differences(&rules);
    let Some(intent_type) = &check.intent else {
        show_line(&if check.json {
            json!({ "valid": true, "differences": differences }).to_string()
        } else if differences.is_empty() {
            "It holds together, and changes nothing of the default.".to_owned()
        } else {
            format!("It holds together. What it changes of the default:\n  {}", differences.join("\n  "))
        });
        return Ok(Exit::Success);
    };
    let intent = catalogue.descriptors().find(|intent| intent.intent_type == *intent_type).ok_or_else(|| {
        Complaint::new(Exit::Data, format!("There is no intent {intent_type}. There are {}.", known.intents.join(", ")))
    })?;
    let agents =
        check.agent.iter().map(|agent| agent.parse::<AgentId>()).collect::<Result<_, _>>().map_err(|_| {
            Complaint::new(Exit::Data, format!("That is no agent. There are {}.", known.agents.join(", ")))
        })?;
    let authority = Authority { roles: check.role.clone(), agents, ..Authority::default() };
    let ruling = rules.decide(Question { intent_type, realm: &intent.realm, authority: &authority });
    show_line(&said(&ruling, check.json));
    Ok(match ruling {
        Ruling::Allowed | Ruling::NeedsApproval(_) => Exit::Success,
        Ruling::Refused(_) => Exit::Failed,
    })
}

fn said(ruling: &Ruling, as_json: bool) -> String {
    let (word, reason) = match ruling {
        Ruling::Allowed => ("allowed", None),
        Ruling::NeedsApproval(reason) => ("needs approval", Some(reason)),
        Ruling::Refused(reason) => ("refused", Some(reason)),
    };
    match (as_json, reason) {
        (true, reason) => {
            json!({ "ruling": word, "reason": reason.map_or(Value::Null, |reason| json!(reason)) }).to_string()
        }
        (false, Some(reason)) => format!("{word}: {reason}"),
        (false, None) => word.to_owned(),
    }
}
