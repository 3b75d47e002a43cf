//! The intents that this Runtime can execute: their handlers, the check of their parameters, and the policy that says for whom.

use std::{collections::BTreeMap, sync::Arc};

use contract::{
    Authority,
    intent::{ApprovalRule, IntentDescriptor},
    problem::FieldError,
};
use serde_json::Value;

use crate::{
    handler::Handler,
    port::{EverythingAllowed, Policy, Ruling, store::Object},
    schema::Schema,
};

/// The registered handlers by intent type.
pub struct Catalogue {
    intents: BTreeMap<String, Entry>,
    policy: Arc<dyn Policy>,
}

struct Entry {
    handler: Arc<dyn Handler>,
    /// The handler's own, but for what a policy says otherwise.
    descriptor: IntentDescriptor,
    schema: Schema,
}

/// Why a set of handlers cannot be a catalogue; a mistake of ours or of whoever declared them.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    #[error("two handlers want to execute {0}")]
    Twice(String),
    #[error("there is no intent {0} for which somebody could have to agree")]
    NoSuchIntent(String),
    #[error("the schema of {intent_type} is no JSON Schema: {reason}")]
    BadSchema { intent_type: String, reason: String },
}

impl Catalogue {
    pub fn new(handlers: Vec<Arc<dyn Handler>>) -> Result<Self, CatalogueError> {
        let mut intents = BTreeMap::new();
        for handler in handlers {
            let descriptor = handler.descriptor();
            let intent_type = descriptor.intent_type.clone();
            let schema = Schema::compile(&descriptor.parameters)
                .map_err(|reason| CatalogueError::BadSchema { intent_type: intent_type.clone(), reason })?;
            let descriptor = descriptor.clone();
            if intents.insert(intent_type.clone(), Entry { handler, descriptor, schema }).is_some() {
                return Err(CatalogueError::Twice(intent_type));
            }
        }
        Ok(Self { intents, policy: Arc::new(EverythingAllowed) })
    }

    /// With somebody who says what may be executed for whom; without, everything may.
    pub fn judged_by(self, policy: Arc<dyn Policy>) -> Self {
        Self { policy, ..self }
    }

    /// Whether an intent may be executed with these rights. `None` where there is no such intent.
    pub(crate) fn decide(&self, intent_type: &str, authority: &Authority) -> Option<Ruling> {
        let entry = self.intents.get(intent_type)?;
        Some(self.policy.decide(&entry.descriptor, authority))
    }

    /// The same with a policy on who has to agree to which intents, in place of what their handlers say.
    pub fn with_approvals(mut self, policy: BTreeMap<String, ApprovalRule>) -> Result<Self, CatalogueError> {
        for (intent_type, rule) in policy {
            match self.intents.get_mut(&intent_type) {
                Some(entry) => entry.descriptor.approval = rule,
                None => return Err(CatalogueError::NoSuchIntent(intent_type)),
            }
        }
        Ok(self)
    }

    pub(crate) fn descriptor(&self, intent_type: &str) -> Option<&IntentDescriptor> {
        self.intents.get(intent_type).map(|entry| &entry.descriptor)
    }

    pub(crate) fn handler(&self, intent_type: &str) -> Option<&Arc<dyn Handler>> {
        self.intents.get(intent_type).map(|entry| &entry.handler)
    }

    /// What clients may ask for, in the order of the names.
    pub(crate) fn offered(&self) -> impl Iterator<Item = &IntentDescriptor> {
        self.intents.values().filter(|entry| entry.handler.is_offered()).map(|entry| entry.handler.descriptor())
    }

    /// In the order of their names.
    pub fn descriptors(&self) -> impl Iterator<Item = &IntentDescriptor> {
        self.intents.values().map(|entry| &entry.descriptor)
    }

    /// What is wrong with the parameters; empty where they fit. `None` where there is no such intent.
    pub(crate) fn check(&self, intent_type: &str, parameters: &Object) -> Option<Vec<FieldError>> {
        let entry = self.intents.get(intent_type)?;
        Some(entry.schema.errors(&Value::Object(parameters.clone())))
    }
}
