//! The policy between two rooms: the guard judges, the Runtime asks. Here a file becomes rules, against the intents and agents that
//! this house has.

use std::{fs, path::Path};

use agents::Directory;
use contract::{Authority, intent::IntentDescriptor};
use runtime::Catalogue;
use security_guard::policy::{self, KnownNames, Policy, Question};

use crate::exit::{Complaint, Exit};

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

/// What a policy of this house can speak of.
pub(crate) fn known_names(catalogue: &Catalogue, directory: &Directory) -> KnownNames {
    let mut realms: Vec<String> = catalogue.descriptors().map(|intent| intent.realm.clone()).collect();
    realms.sort();
    realms.dedup();
    KnownNames {
        intents: catalogue.descriptors().map(|intent| intent.intent_type.clone()).collect(),
        realms,
        agents: directory.iter().map(|agent| agent.agent_id.to_string()).collect(),
    }
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
