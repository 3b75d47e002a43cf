//! How a realm says what it can do.

use contract::intent::{ApprovalRule, IntentDescriptor};
use serde_json::{Value, json};

/// An intent that needs nobody's approval. `properties` are JSON Schema properties, each with a description; none is required.
pub fn descriptor(
    realm: &str,
    intent_type: &str,
    description: &str,
    properties: Value,
    examples: &[&str],
) -> IntentDescriptor {
    IntentDescriptor {
        intent_type: intent_type.to_owned(),
        realm: realm.to_owned(),
        description: description.to_owned(),
        parameters: json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": properties,
            "additionalProperties": false,
        }),
        approval: ApprovalRule::None,
        examples: examples.iter().map(|&example| example.to_owned()).collect(),
    }
}
