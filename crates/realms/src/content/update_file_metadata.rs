//! `update_file_metadata`: what its owner says about a file. The bytes and what was found out about them stay as they are.

use async_trait::async_trait;
use contract::{Code, intent::IntentDescriptor};
use runtime::{ArtifactChange, ExecutionContext, Failure, Handler, port::store::Object};
use serde_json::{Value, json};

use super::{
    REALM,
    find_file::{FILE, Wanted, file_name, file_properties, find_file},
    parsed::gone,
};
use crate::{
    descriptor,
    markdown::{code, listed},
};

/// What can be said about a file: these, and no others, are changed.
const FIELDS: [&str; 4] = ["ui_name", "description", "tags", "custom"];

pub(super) struct UpdateFileMetadata {
    descriptor: IntentDescriptor,
}

impl UpdateFileMetadata {
    pub(super) fn new() -> Self {
        let fields = json!({
            "ui_name": {"type": ["string", "null"], "minLength": 1, "maxLength": 200, "description": "The name that people see."},
            "description": {"type": ["string", "null"], "maxLength": 2000, "description": "What the file is, in words."},
            "tags": {"type": ["array", "null"], "maxItems": 50, "items": {"type": "string", "minLength": 1, "maxLength": 60}, "description": "Words to find it by; they take the place of those before."},
            "custom": {"type": ["object", "null"], "maxProperties": 50, "additionalProperties": {"type": ["string", "number", "boolean", "null"]}, "description": "Fields of your own."},
        });
        let mut properties = file_properties(fields.clone());
        properties["metadata"] = json!({
            "type": ["object", "null"], "properties": fields, "additionalProperties": false,
            "description": "The same fields in an object of their own, as older clients send them.",
        });
        let examples = [
            "call orders.csv \"Orders of 2025\"",
            "tag this file with finance",
            "describe the report as the final version",
            "rename my upload",
        ];
        let description = "Changes what its owner says about a file: the name that people see, a description, tags, fields of one's own.";
        Self { descriptor: descriptor(REALM, "update_file_metadata", description, properties, &examples) }
    }
}

#[async_trait]
impl Handler for UpdateFileMetadata {
    fn descriptor(&self) -> &IntentDescriptor {
        &self.descriptor
    }

    async fn execute(&self, context: &ExecutionContext, parameters: Object) -> Result<Value, Failure> {
        let said = said(&parameters);
        if said.is_empty() {
            let fields = FIELDS.map(code).to_vec();
            let message = format!("Say what is to change: {}.", listed(&fields, FIELDS.len()));
            return Err(Failure::new(Code::ValidationFailed, message));
        }
        let file = find_file(context, &parameters, Wanted::Any).await?;
        let title = said.get("ui_name").map(|name| ("title".to_owned(), name.clone()));
        let change = ArtifactChange::Describe { descriptor: title.into_iter().collect(), payload: said.clone() };
        let file = context.change_artifact(FILE, &file.artifact_id, change).await?.ok_or_else(gone)?;
        let changed: Vec<String> = said.keys().map(|field| code(field)).collect();
        Ok(json!({
            "summary": format!("**{}** has a new {}.", file_name(&file), listed(&changed, FIELDS.len())),
            "file_id": file.artifact_id,
            "file_name": file_name(&file),
            "metadata": file.semantic_payload,
            "updated_fields": said.keys().collect::<Vec<_>>(),
        }))
    }
}

/// The fields that were given, from either place.
fn said(parameters: &Object) -> Object {
    let within = parameters.get("metadata").and_then(Value::as_object);
    let value = |field: &str| parameters.get(field).or_else(|| within?.get(field)).filter(|value| !value.is_null());
    FIELDS.iter().filter_map(|field| Some(((*field).to_owned(), value(field)?.clone()))).collect()
}
