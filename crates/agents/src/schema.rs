//! The JSON Schema of an agent's definition, made from the types that read it: for editors, and for whoever writes definitions by
//! program. It checks the shape only; what has to fit together, the reader checks.

use serde_json::{Map, Value, json};
use utoipa::{PartialSchema, ToSchema, openapi::RefOr};

use crate::definition::AgentDefinition;

/// Where the types' own macro looks for what a schema refers to, and where JSON Schema does.
const REFERENCES: (&str, &str) = ("#/components/schemas/", "#/$defs/");

/// The schema of an agent's TOML file, in JSON Schema 2020-12.
pub fn definition_schema() -> Value {
    let mut named = Vec::new();
    AgentDefinition::schemas(&mut named);
    let parts: Map<String, Value> = named.into_iter().map(|(name, part)| (name, value_of(&part))).collect();
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The definition of an agent of Symphainy",
        "$defs": parts,
    });
    if let (Value::Object(whole), Value::Object(definition)) = (&mut schema, value_of(&AgentDefinition::schema())) {
        whole.extend(definition);
    }
    refer_to_parts(&mut schema);
    schema
}

fn value_of(schema: &RefOr<utoipa::openapi::Schema>) -> Value {
    serde_json::to_value(schema).expect("a schema is texts, numbers and lists")
}

fn refer_to_parts(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(reference)) = fields.get_mut("$ref") {
                *reference = reference.replacen(REFERENCES.0, REFERENCES.1, 1);
            }
            fields.values_mut().for_each(refer_to_parts);
        }
        Value::Array(items) => items.iter_mut().for_each(refer_to_parts),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
