//! `validate_file`: whether a file is what it says it is, and can be used. It changes nothing.

use async_trait::async_trait;
use contract::intent::IntentDescriptor;
use runtime::{ExecutionContext, Failure, Handler, port::store::Object};
use serde_json::{Value, json};

use super::{
    REALM,
    find_file::{Wanted, file_name, file_properties, find_file},
    format::{FileKind, Parsed, ReadError, ReadOptions, read, sniff},
    parsed::gone,
};
use crate::{descriptor, markdown::counted};

pub(super) struct ValidateFile {
    descriptor: IntentDescriptor,
}

impl ValidateFile {
    pub(super) fn new() -> Self {
        let properties = file_properties(json!({
            "validation_rules": {"type": ["object", "null"], "description": "Accepted for older clients; it changes nothing."},
        }));
        let examples =
            ["is this file valid?", "check that orders.csv can be read", "validate my upload", "is the file broken?"];
        let description =
            "Says whether a file is what its name says, whole and readable, with the place of the first mistake.";
        Self { descriptor: descriptor(REALM, "validate_file", description, properties, &examples) }
    }
}

/// One check and how it ended.
struct Check {
    name: &'static str,
    is_passed: bool,
    detail: String,
}

#[async_trait]
impl Handler for ValidateFile {
    fn descriptor(&self) -> &IntentDescriptor {
        &self.descriptor
    }

    async fn execute(&self, context: &ExecutionContext, parameters: Object) -> Result<Value, Failure> {
        let file = find_file(context, &parameters, Wanted::Any).await?;
        let name = file_name(&file).to_owned();
        let (_, bytes) = context.content(&file.artifact_id).await?.ok_or_else(gone)?;
        let called = name.clone();
        let checks = context.compute(move || Ok(checks(&called, &bytes))).await?;
        let failed: Vec<&Check> = checks.iter().filter(|check| !check.is_passed).collect();
        let summary = if failed.is_empty() {
            let told: Vec<&str> = checks.iter().map(|check| check.detail.as_str()).collect();
            format!("**{name}** is valid: {}.", told.join(", "))
        } else {
            let told: String = failed.iter().map(|check| format!("\n- {}", check.detail)).collect();
            format!("**{name}** has {}:\n{told}", counted(failed.len(), "problem", "problems"))
        };
        Ok(json!({
            "summary": summary,
            "file_id": file.artifact_id,
            "file_name": name,
            "is_valid": failed.is_empty(),
            "checks": checks.iter().map(|check| json!({
                "check": check.name, "passed": check.is_passed, "detail": check.detail,
            })).collect::<Vec<_>>(),
            "errors": failed.iter().map(|check| &check.detail).collect::<Vec<_>>(),
        }))
    }
}

fn checks(name: &str, bytes: &[u8]) -> Vec<Check> {
    let kind = sniff(name, bytes);
    let mut checks = vec![
        Check {
            name: "has_content",
            is_passed: !bytes.is_empty(),
            detail: if bytes.is_empty() {
                "it is empty".to_owned()
            } else {
                format!("it has {}", crate::markdown::size(bytes.len() as u64))
            },
        },
        kind_check(name, kind),
    ];
    if !bytes.is_empty() {
        checks.push(read_check(kind, bytes));
    }
    checks
}

/// Whether the bytes are what the ending says.
fn kind_check(name: &str, kind: FileKind) -> Check {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_lowercase());
    let said = ending.as_deref().and_then(FileKind::from_word);
    let is_passed = kind != FileKind::Unknown && said.is_none_or(|said| said == kind);
    let found = kind.as_str().to_uppercase();
    let detail = match (said, kind) {
        (_, FileKind::Unknown) => "it is of no kind that can be read".to_owned(),
        (Some(said), kind) if said != kind => {
            format!("its name says {} and its bytes say {found}", said.as_str().to_uppercase())
        }
        _ => format!("it is {found}"),
    };
    Check { name: "kind", is_passed, detail }
}

fn read_check(kind: FileKind, bytes: &[u8]) -> Check {
    let (is_passed, detail) = match read(kind, bytes, &ReadOptions::default()) {
        Ok(Parsed::Table(parsed)) => {
            let (rows, columns) = (parsed.table.rows.len(), parsed.table.columns.len());
            (
                true,
                format!(
                    "it can be read as {} and {}",
                    counted(rows, "row", "rows"),
                    counted(columns, "column", "columns")
                ),
            )
        }
        Ok(Parsed::Document(parsed)) => {
            (true, format!("it can be read as {}", counted(parsed.word_count(), "word", "words")))
        }
        Err(error) => (false, told(&error)),
    };
    Check { name: "readable", is_passed, detail }
}

fn told(error: &ReadError) -> String {
    match error.place {
        Some((line, column)) => format!("{} (line {line}, column {column})", error.message),
        None => error.message.clone(),
    }
}
