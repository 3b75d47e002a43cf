//! The types of the TypeScript client, made from the OpenAPI document: a declaration for each schema, and the frames of the
//! agent socket among them. What is written by hand in the client is held against these by its own JSDoc.

use std::fmt::Write;

use serde_json::{Map, Value};

/// The document that the types are made from, from the root.
pub(crate) const DOCUMENT: &str = "crates/experience/openapi.json";
/// Where they go, from the root.
pub(crate) const TYPES: &str = "clients/typescript/types/api.d.ts";

const HEAD: &str = "\
// Made by `cargo xtask client-types` from crates/experience/openapi.json. Change the server's types, not these.
";

/// The declarations of all schemas, by name.
pub(crate) fn declarations(document: &Value) -> String {
    let mut text = String::from(HEAD);
    let schemas = document.pointer("/components/schemas").and_then(Value::as_object);
    for (name, schema) in schemas.into_iter().flatten() {
        text.push('\n');
        describe(schema, "", &mut text);
        match members(schema) {
            Some(members) if schema.get("allOf").is_none() => {
                let _ = writeln!(text, "export interface {name} {members}");
            }
            Some(_) | None => {
                let _ = writeln!(text, "export type {name} = {};", type_of(schema, ""));
            }
        }
    }
    text
}

/// The members of an object, in braces; `None` where the schema is no object with named members.
fn members(schema: &Value) -> Option<String> {
    let properties = schema.get("properties")?.as_object()?;
    Some(braces(schema, properties, ""))
}

fn braces(schema: &Value, properties: &Map<String, Value>, indent: &str) -> String {
    let required: Vec<&str> =
        schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let inner = format!("{indent}  ");
    let mut text = String::from("{\n");
    for (name, property) in properties {
        describe(property, &inner, &mut text);
        let optional = if required.contains(&name.as_str()) { "" } else { "?" };
        let _ = writeln!(text, "{inner}{name}{optional}: {};", type_of(property, &inner));
    }
    let _ = write!(text, "{indent}}}");
    text
}

/// The description as a comment, on one line where it is one.
fn describe(schema: &Value, indent: &str, text: &mut String) {
    let Some(description) = schema.get("description").and_then(Value::as_str) else { return };
    let said = description.split_whitespace().collect::<Vec<_>>().join(" ").replace("*/", "*\u{200b}/");
    let _ = writeln!(text, "{indent}/** {said} */");
}

/// A schema as a type of TypeScript.
fn type_of(schema: &Value, indent: &str) -> String {
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        return reference.rsplit('/').next().unwrap_or(reference).to_owned();
    }
    if let Some(word) = schema.get("const") {
        return word.to_string();
    }
    for (key, between) in [("oneOf", " | "), ("anyOf", " | "), ("allOf", " & ")] {
        if let Some(parts) = schema.get(key).and_then(Value::as_array) {
            return parts.iter().map(|part| type_of(part, indent)).collect::<Vec<_>>().join(between);
        }
    }
    if let Some(words) = schema.get("enum").and_then(Value::as_array) {
        return words.iter().map(Value::to_string).collect::<Vec<_>>().join(" | ");
    }
    match schema.get("type") {
        Some(Value::Array(kinds)) => {
            let kinds = kinds.iter().filter_map(Value::as_str);
            kinds.map(|kind| simple(kind, schema, indent)).collect::<Vec<_>>().join(" | ")
        }
        Some(Value::String(kind)) => simple(kind, schema, indent),
        Some(_) | None => "any".to_owned(),
    }
}

fn simple(kind: &str, schema: &Value, indent: &str) -> String {
    match kind {
        "string" => "string".to_owned(),
        "integer" | "number" => "number".to_owned(),
        "boolean" => "boolean".to_owned(),
        "null" => "null".to_owned(),
        "array" => {
            let item = schema.get("items").map_or_else(|| "any".to_owned(), |items| type_of(items, indent));
            if item.contains([' ', '{']) { format!("({item})[]") } else { format!("{item}[]") }
        }
        "object" => match schema.get("properties").and_then(Value::as_object) {
            Some(properties) => braces(schema, properties, indent),
            None => {
                let value = schema.get("additionalProperties").filter(|value| value.is_object());
                format!("Record<string, {}>", value.map_or_else(|| "any".to_owned(), |value| type_of(value, indent)))
            }
        },
        _ => "any".to_owned(),
    }
}
