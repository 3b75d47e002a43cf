//! The client's types are those of the API.

#[path = "../../src/client_types.rs"]
mod client_types;

use std::fs;

use client_types::{DOCUMENT, TYPES, declarations};
use serde_json::json;

use crate::tree::root;

#[test]
fn the_clients_types_are_those_of_the_document() {
    let document = fs::read_to_string(root().join(DOCUMENT)).expect("the document is a file of the workspace");
    let document = serde_json::from_str(&document).expect("the document is JSON");
    let golden = fs::read_to_string(root().join(TYPES)).unwrap_or_default();
    assert!(
        declarations(&document) == golden,
        "the API has changed: run `cargo xtask client-types` and commit {TYPES}"
    );
}

#[test]
fn schemas_become_types() {
    let check = |schema: serde_json::Value, expected: &str| {
        let document = json!({ "components": { "schemas": { "Thing": schema } } });
        let text = declarations(&document);
        assert!(text.ends_with(&format!("\n{expected}\n")), "{text}");
    };
    check(json!({ "type": "string" }), "export type Thing = string;");
    check(json!({ "type": "string", "enum": ["a", "b"] }), "export type Thing = \"a\" | \"b\";");
    check(
        json!({ "oneOf": [{ "$ref": "#/components/schemas/Other" }, { "type": "null" }] }),
        "export type Thing = Other | null;",
    );
    check(json!({ "type": ["integer", "null"] }), "export type Thing = number | null;");
    check(
        json!({ "type": "array", "items": { "oneOf": [{ "type": "string" }, { "type": "null" }] } }),
        "export type Thing = (string | null)[];",
    );
    check(json!({ "type": "object", "additionalProperties": {} }), "export type Thing = Record<string, any>;");
    check(
        json!({ "description": "It.", "type": "object", "required": ["a"], "properties": { "a": { "type": "string", "description": "One.\nTwo." }, "b": {} } }),
        "/** It. */\nexport interface Thing {\n  /** One. Two. */\n  a: string;\n  b?: any;\n}",
    );
}
