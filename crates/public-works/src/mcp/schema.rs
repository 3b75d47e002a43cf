//! The JSON Schema of a tool, brought within bounds: checking parameters by it must cost little, whatever the server had in mind.

use serde_json::{Map, Value};

/// The longest schema, in bytes of JSON.
const MAX_BYTES: usize = 64 * 1024;

/// How deep it may be, references followed.
const MAX_DEPTH: usize = 32;

/// How many schemas it may be in all when each reference stands for what it refers to.
const MAX_PARTS: usize = 4_000;

/// Keywords under which schemas stand by names.
const NAMED: [&str; 4] = ["properties", "$defs", "definitions", "dependentSchemas"];

/// Keywords under which there are values and no schemas.
const VALUES: [&str; 5] = ["enum", "const", "default", "examples", "required"];

/// Keywords that make a schema mean something else than what stands there.
const REFUSED: [&str; 7] =
    ["$id", "$anchor", "$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$recursiveAnchor", "patternProperties"];

/// The schema as parameters are checked by it, or why it is not taken. Regular expressions are left to the server: compiling them can
/// cost as much as it likes.
pub(super) fn tame(schema: Option<&Value>) -> Result<Value, String> {
    let Some(Value::Object(fields)) = schema else { return Err("its schema is no object".to_owned()) };
    let mut fields = fields.clone();
    fields.remove("$id");
    match fields.get("type") {
        Some(Value::String(kind)) if kind == "object" => {}
        None => {
            fields.insert("type".to_owned(), "object".into());
        }
        Some(_) => return Err("its parameters are no object".to_owned()),
    }
    let mut schema = Value::Object(fields);
    if schema.to_string().len() > MAX_BYTES {
        return Err(format!("its schema has more than {MAX_BYTES} bytes"));
    }
    without_patterns(&mut schema, 0)?;
    let mut parts = 0;
    count(&schema, &schema, 0, &mut parts)?;
    runtime::check_schema(&schema).map_err(|_| "its schema is no JSON Schema".to_owned())?;
    Ok(schema)
}

fn too_deep(depth: usize) -> Result<(), String> {
    if depth > MAX_DEPTH { Err(format!("its schema is deeper than {MAX_DEPTH}, or refers to itself")) } else { Ok(()) }
}

fn without_patterns(schema: &mut Value, depth: usize) -> Result<(), String> {
    too_deep(depth)?;
    match schema {
        Value::Object(fields) => {
            fields.retain(|key, value| key != "pattern" || !value.is_string());
            for (key, value) in fields {
                match value {
                    Value::Object(named) if NAMED.contains(&key.as_str()) => {
                        named.values_mut().try_for_each(|value| without_patterns(value, depth + 1))?;
                    }
                    _ if VALUES.contains(&key.as_str()) => {}
                    value => without_patterns(value, depth + 1)?,
                }
            }
            Ok(())
        }
        Value::Array(items) => items.iter_mut().try_for_each(|item| without_patterns(item, depth + 1)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    }
}

/// Counts what it costs at most: every reference as often as it is followed.
fn count(schema: &Value, root: &Value, depth: usize, parts: &mut usize) -> Result<(), String> {
    too_deep(depth)?;
    *parts += 1;
    if *parts > MAX_PARTS {
        return Err(format!("its schema comes to more than {MAX_PARTS} parts"));
    }
    match schema {
        Value::Object(fields) => count_fields(fields, root, depth, parts),
        Value::Array(items) => items.iter().try_for_each(|item| count(item, root, depth + 1, parts)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    }
}

fn count_fields(fields: &Map<String, Value>, root: &Value, depth: usize, parts: &mut usize) -> Result<(), String> {
    for (key, value) in fields {
        match (key.as_str(), value) {
            ("$ref", Value::String(place)) => {
                let meant = place.strip_prefix('#').and_then(|place| root.pointer(place));
                let meant = meant.ok_or_else(|| "its schema refers to something that is not in it".to_owned())?;
                count(meant, root, depth + 1, parts)?;
            }
            // What is only defined costs nothing.
            ("$defs" | "definitions", Value::Object(_)) => {}
            (key, Value::Object(named)) if NAMED.contains(&key) => {
                named.values().try_for_each(|value| count(value, root, depth + 1, parts))?;
            }
            (key, _) if VALUES.contains(&key) => {}
            (key, _) if REFUSED.contains(&key) => return Err(format!("its schema uses {key}")),
            (_, value) => count(value, root, depth + 1, parts)?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn usual_schemas_are_taken() {
        let taken = tame(Some(&json!({
            "$schema": "http://json-schema.org/draft-07/schema#",
            "$id": "https://example.com/tool",
            "properties": {
                "pattern": { "type": "string", "pattern": "^(\\w{500}){500}$" },
                "pet": { "$ref": "#/$defs/Pet" },
                "default": { "type": "array", "items": { "type": "number" }, "default": [{ "pattern": "kept" }] },
            },
            "required": ["pattern"],
            "$defs": { "Pet": { "enum": ["cat", "dog"] } },
        })))
        .unwrap();
        assert_eq!(taken["type"], "object");
        assert_eq!(taken["properties"]["pattern"], json!({ "type": "string" }));
        assert_eq!(taken["properties"]["default"]["default"], json!([{ "pattern": "kept" }]));
    }

    #[test]
    fn what_could_cost_much_is_not() {
        let mut deep = json!({ "type": "string" });
        for _ in 0..40 {
            deep = json!({ "type": "array", "items": deep });
        }
        let mut laughs = Map::from_iter([("l0".to_owned(), json!({ "type": "string" }))]);
        for level in 1..10 {
            let below = json!({ "$ref": format!("#/$defs/l{}", level - 1) });
            laughs.insert(format!("l{level}"), json!({ "allOf": [below, below, below] }));
        }
        for (schema, part) in [
            (json!(true), "no object"),
            (json!({ "type": "array" }), "no object"),
            (json!({ "properties": { "a": deep } }), "deeper than"),
            (json!({ "properties": { "a": { "$ref": "#/$defs/l9" } }, "$defs": laughs }), "parts"),
            (json!({ "properties": { "a": { "$ref": "#" } } }), "refers to itself"),
            (json!({ "properties": { "a": { "$ref": "#/nowhere" } } }), "not in it"),
            (json!({ "properties": { "a": { "$ref": "file:///etc/passwd" } } }), "not in it"),
            (json!({ "properties": { "a": { "$id": "b", "type": "string" } } }), "uses $id"),
            (json!({ "patternProperties": { "(a{999}){999}": {} } }), "uses patternProperties"),
            (json!({ "properties": { "a": { "type": "strin" } } }), "no JSON Schema"),
            (json!({ "description": "x".repeat(MAX_BYTES) }), "bytes"),
        ] {
            let problem = tame(Some(&schema)).unwrap_err();
            assert!(problem.contains(part), "{part}: {problem}");
        }
        assert!(tame(None).is_err());
    }
}
