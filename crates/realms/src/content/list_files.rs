//! `list_files`: what files there are.

use async_trait::async_trait;
use contract::{
    artifact::{Artifact, LifecycleState},
    intent::IntentDescriptor,
};
use runtime::{
    ExecutionContext, Failure, Handler,
    port::store::{ArtifactFilter, Object, PageRequest},
};
use serde_json::{Value, json};

use super::{
    REALM,
    find_file::{FILE, file_name},
};
use crate::{
    descriptor,
    markdown::{self, counted},
};

const DEFAULT_LIMIT: u32 = 50;
const MOST: u32 = 200;

/// How many rows the summary shows.
const SHOWN: usize = 10;

pub(super) struct ListFiles {
    descriptor: IntentDescriptor,
}

impl ListFiles {
    pub(super) fn new() -> Self {
        let properties = json!({
            "state": {"type": ["string", "null"], "enum": ["draft", "ready", "archived", "active", null], "description": "Only files in this state; all but deleted ones where it is missing."},
            "file_type": {"type": ["string", "null"], "maxLength": 20, "description": "Only files of this kind, such as `csv`."},
            "this_session": {"type": ["boolean", "null"], "description": "Only files of this session rather than all of yours."},
            "limit": {"type": ["integer", "null"], "minimum": 1, "maximum": MOST, "description": "How many, the newest first; 50 where it is missing."},
        });
        let examples = [
            "which files do I have?",
            "list my files",
            "show me everything I uploaded",
            "what documents are there",
            "is my spreadsheet still there?",
            "show the archived files",
        ];
        let description = "Lists the files that were uploaded, newest first, with their kind, size and state.";
        Self { descriptor: descriptor(REALM, "list_files", description, properties, &examples) }
    }
}

#[async_trait]
impl Handler for ListFiles {
    fn descriptor(&self) -> &IntentDescriptor {
        &self.descriptor
    }

    async fn execute(&self, context: &ExecutionContext, parameters: Object) -> Result<Value, Failure> {
        let text = |key: &str| parameters.get(key).and_then(Value::as_str);
        let filter = ArtifactFilter {
            artifact_type: Some(FILE.to_owned()),
            lifecycle_state: text("state").and_then(LifecycleState::from_word),
            session_id: parameters
                .get("this_session")
                .and_then(Value::as_bool)
                .unwrap_or(false)
                .then(|| context.session_id().clone()),
            ..ArtifactFilter::default()
        };
        let limit = parameters.get("limit").and_then(Value::as_u64).and_then(|limit| u32::try_from(limit).ok());
        let page = PageRequest::first(limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MOST));
        let page = context.artifacts(&filter, page).await?;
        let wanted = text("file_type").map(|kind| kind.trim_start_matches('.').to_lowercase());
        let of_kind = |file: &Artifact| wanted.as_ref().is_none_or(|kind| payload_text(file, "file_type") == *kind);
        let more = usize::try_from(page.total).unwrap_or(usize::MAX).saturating_sub(page.items.len());
        let files: Vec<Artifact> = page.items.into_iter().filter(of_kind).collect();
        Ok(json!({
            "summary": summary(&files, more),
            "files": files.iter().map(entry).collect::<Vec<_>>(),
            "total": page.total,
        }))
    }
}

fn payload_text(file: &Artifact, key: &str) -> String {
    file.semantic_payload.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn entry(file: &Artifact) -> Value {
    let mut entry = file.semantic_payload.clone();
    entry.insert("file_id".to_owned(), json!(file.artifact_id));
    entry.insert("status".to_owned(), json!(file.lifecycle_state));
    entry.insert("created_at".to_owned(), json!(file.created_at));
    Value::Object(entry)
}

fn summary(files: &[Artifact], more: usize) -> String {
    if files.is_empty() {
        return "There is no such file yet. Upload one, for example a CSV, and I can tell you what is in it."
            .to_owned();
    }
    let rows = files.iter().take(SHOWN).map(|file| {
        let size = file.semantic_payload.get("size_bytes").and_then(Value::as_u64).unwrap_or(0);
        let state = file.lifecycle_state.as_str().to_owned();
        let day = file.created_at.to_string().chars().take(10).collect();
        vec![file_name(file).to_owned(), payload_text(file, "file_type"), markdown::size(size), state, day]
    });
    let table = markdown::table(&["file", "kind", "size", "state", "since"], rows);
    let hidden = files.len().saturating_sub(SHOWN) + more;
    let rest = if hidden > 0 { format!("\n…and {} more.", markdown::count(hidden)) } else { String::new() };
    format!(
        "There {} {}:\n\n{table}{rest}",
        if files.len() == 1 { "is" } else { "are" },
        counted(files.len() + more, "file", "files")
    )
}
