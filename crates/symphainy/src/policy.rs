//! The policy between two rooms: the guard judges, the Runtime asks. Here a file becomes rules, against the intents and agents that
//! this house has.

use std::{fs, path::Path};

use agents::Directory;
use contract::{Authority, intent::IntentDescriptor};
use runtime::Catalogue;
use security_guard::policy::{self, KnownNames, Policy, Question};

use crate::{
    exit::{Complaint, Exit},
    servers::agent_id,
};

/// The guard's policy as the Runtime asks it.
pub(crate) struct Judge(pub(crate) Policy);

impl runtime::Policy for Judge {
    fn decide(&self, intent: &IntentDescriptor, authority: &Authority) -> runtime::Ruling {
        let question = Question { intent_type: &intent.intent_type, realm: &intent.realm, authority };
        match self.0.decide(question) {
            policy::Ruling::Allowed => runtime::Ruling::Allowed,
            policy::Ruling::NeedsApproval(reason) => runtime::Ruling::NeedsApproval(reason),
            policy::Ruling::Refused(reason) => runtime::Ruling::Refused(reason),
        }
    }
}

/// What a policy of this house can speak of: what is there, and the realms and liaisons of servers that are not there now.
pub(crate) fn known_names(catalogue: &Catalogue, directory: &Directory, servers: &[String]) -> KnownNames {
    let mut realms: Vec<String> = catalogue.descriptors().map(|intent| intent.realm.clone()).collect();
    realms.extend(servers.iter().cloned());
    realms.sort();
    realms.dedup();
    let mut agents: Vec<String> = directory.iter().map(|agent| agent.agent_id.to_string()).collect();
    agents.extend(servers.iter().map(|server| agent_id(server).to_string()));
    agents.sort();
    agents.dedup();
    KnownNames { intents: catalogue.descriptors().map(|intent| intent.intent_type.clone()).collect(), realms, agents }
}

/// The default, or this file laid over it.
pub(crate) fn read(file: Option<&Path>, known: &KnownNames) -> Result<Policy, Complaint> {
    let Some(file) = file else { return Ok(Policy::builtin()) };
    let wrong = |problem: String| Complaint::new(Exit::Config, format!("{}, {problem}.", file.display()));
    let text = fs::read_to_string(file).map_err(|error| {
        Complaint::new(Exit::Config, format!("{} cannot be read ({error}). Correct policy.file.", file.display()))
    })?;
    Policy::read(&text, known).map_err(|bad| wrong(bad.to_string()))
}
