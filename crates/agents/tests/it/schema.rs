//! The published schema of definitions is the one that the code makes, and the house's own definitions have its shape.

use std::collections::BTreeSet;

use serde_json::Value;

/// The schema as it was agreed on. Run the test with `BLESS=1` in the environment to agree on a new one.
const PUBLISHED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/agent.schema.json");

#[test]
#[expect(clippy::disallowed_methods, reason = "whoever runs the test says that the schema may change")]
fn the_published_schema_is_that_of_the_code() {
    let schema = serde_json::to_string_pretty(&agents::definition_schema()).unwrap() + "\n";
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(PUBLISHED, &schema).unwrap();
    }
    let published = std::fs::read_to_string(PUBLISHED).unwrap_or_default();
    assert!(
        published == schema,
        "definitions have changed: look at it, then run this test with BLESS=1 and commit docs/agent.schema.json"
    );
}

#[test]
fn it_knows_every_key_and_has_every_part_that_it_refers_to() {
    let schema = agents::definition_schema();
    let known: BTreeSet<&String> = schema["properties"].as_object().unwrap().keys().collect();
    for agent in agents::Directory::builtin().iter() {
        let written = serde_json::to_value(agent.as_ref()).unwrap();
        let keys: BTreeSet<&String> = written.as_object().unwrap().keys().collect();
        assert_eq!(keys, known, "{}", agent.agent_id);
    }
    assert_eq!(schema["required"], serde_json::json!(["agent_id", "kind", "description", "instructions"]));
    assert_eq!(schema["additionalProperties"], false);
    let mut references = Vec::new();
    collect_references(&schema, &mut references);
    assert!(references.len() >= 4, "{references:?}");
    for reference in references {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(schema.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
}

fn collect_references(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            into.extend(fields.get("$ref").and_then(Value::as_str).map(str::to_owned));
            fields.values().for_each(|field| collect_references(field, into));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_references(item, into)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
