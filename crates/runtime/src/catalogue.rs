//! The intents that this Runtime can execute: their handlers, the check of their parameters, and the policy that says for whom.

use std::{collections::BTreeMap, sync::Arc};

use contract::{Authority, intent::IntentDescriptor, problem::FieldError};
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
    schema: Schema,
}

/// Why a set of handlers cannot be a catalogue; a mistake of ours or of whoever declared them.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    #[error("two handlers want to execute {0}")]
    Twice(String),
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
            if intents.insert(intent_type.clone(), Entry { handler, schema }).is_some() {
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
        Some(self.policy.decide(entry.handler.descriptor(), authority))
    }

    pub(crate) fn handler(&self, intent_type: &str) -> Option<&Arc<dyn Handler>> {
        self.intents.get(intent_type).map(|entry| &entry.handler)
    }

    /// In the order of their names.
    pub fn descriptors(&self) -> impl Iterator<Item = &IntentDescriptor> {
        self.intents.values().map(|entry| entry.handler.descriptor())
    }

    /// What is wrong with the parameters; empty where they fit. `None` where there is no such intent.
    pub(crate) fn check(&self, intent_type: &str, parameters: &Object) -> Option<Vec<FieldError>> {
        let entry = self.intents.get(intent_type)?;
        Some(entry.schema.errors(&Value::Object(parameters.clone())))
    }
}
