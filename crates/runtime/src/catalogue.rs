//! The intents that this Runtime can execute: their handlers, and the check of their parameters.

use std::{collections::BTreeMap, sync::Arc};

use contract::{intent::IntentDescriptor, problem::FieldError};
use jsonschema::{Validator, error::ValidationErrorKind};
use serde_json::Value;

use crate::{handler::Handler, port::store::Object};

/// How many things that are wrong with one set of parameters are told.
const MAX_FIELD_ERRORS: usize = 20;

/// The registered handlers by intent type.
pub struct Catalogue {
    intents: BTreeMap<String, Entry>,
}

struct Entry {
    handler: Arc<dyn Handler>,
    validator: Validator,
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
            let validator = jsonschema::validator_for(&descriptor.parameters).map_err(|error| {
                CatalogueError::BadSchema { intent_type: intent_type.clone(), reason: error.to_string() }
            })?;
            if intents.insert(intent_type.clone(), Entry { handler, validator }).is_some() {
                return Err(CatalogueError::Twice(intent_type));
            }
        }
        Ok(Self { intents })
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
        let value = Value::Object(parameters.clone());
        if entry.validator.is_valid(&value) {
            return Some(Vec::new());
        }
        Some(entry.validator.iter_errors(&value).take(MAX_FIELD_ERRORS).map(|error| field_error(&error)).collect())
    }
}

fn field_error(error: &jsonschema::ValidationError<'_>) -> FieldError {
    let path: Vec<String> = std::iter::once("parameters".to_owned())
        .chain(error.instance_path().as_str().split('/').skip(1).map(str::to_owned))
        .collect();
    let mut field = path.join(".");
    let message = match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            format!("is not known: {}; see GET /api/intents", unexpected.join(", "))
        }
        ValidationErrorKind::Required { property } => {
            if let Some(name) = property.as_str() {
                field = format!("{field}.{name}");
            }
            "is required".to_owned()
        }
        // The library's words name the value, which may be long or somebody's secret.
        _ => shortened(&error.to_string()),
    };
    FieldError { field, message }
}

fn shortened(text: &str) -> String {
    const MAX_CHARACTERS: usize = 200;
    if text.chars().count() <= MAX_CHARACTERS {
        return text.to_owned();
    }
    text.chars().take(MAX_CHARACTERS).chain(['…']).collect()
}
