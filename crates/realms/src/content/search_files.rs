//! `search_files`: files by what they are called and what stands in them.

use async_trait::async_trait;
use contract::{Code, artifact::Artifact, intent::IntentDescriptor};
use runtime::{ExecutionContext, Failure, Handler, port::store::Object};
use serde_json::{Value, json};

use super::{
    REALM,
    find_file::{FILE, file_name},
    parsed::PARSED_FILE,
};
use crate::{
    descriptor,
    markdown::{code, counted, shortened},
};

const DEFAULT_LIMIT: u32 = 10;
const MOST: u32 = 50;

/// The longest excerpt that the summary shows, in characters.
const LONGEST_SNIPPET: usize = 160;

pub(super) struct SearchFiles {
    descriptor: IntentDescriptor,
}

impl SearchFiles {
    pub(super) fn new() -> Self {
        let mut properties = json!({
            "query": {"type": "string", "minLength": 1, "maxLength": 300, "description": "The words to look for; all of them have to be there."},
            "limit": {"type": ["integer", "null"], "minimum": 1, "maximum": MOST, "description": "How many files at most; 10 where it is missing."},
        });
        properties["text"] = json!({"type": "string", "maxLength": 300, "description": "Another name for `query`."});
        let examples = [
            "search my files for invoices",
            "which document mentions refunds?",
            "find the file about travel costs",
            "look for Berlin in my uploads",
            "where did I write about the warranty?",
        ];
        let description = "Finds files by words in their names, in their columns and in their text.";
        Self { descriptor: descriptor(REALM, "search_files", description, properties, &examples) }
    }
}

#[async_trait]
impl Handler for SearchFiles {
    fn descriptor(&self) -> &IntentDescriptor {
        &self.descriptor
    }

    async fn execute(&self, context: &ExecutionContext, parameters: Object) -> Result<Value, Failure> {
        let query = ["query", "text"].iter().find_map(|key| parameters.get(*key)?.as_str()).unwrap_or_default().trim();
        if query.is_empty() {
            return Err(Failure::new(Code::ValidationFailed, "Say which words to look for, for example \"refund\"."));
        }
        let limit = parameters.get("limit").and_then(Value::as_u64).and_then(|limit| u32::try_from(limit).ok());
        let limit = limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MOST);
        let mut found: Vec<Found> = Vec::new();
        // A file can be found by its name and again by its text, and other artifacts are found too.
        for hit in context.search(query, MOST).await? {
            let Some(file) = file_of(context, hit.artifact).await? else { continue };
            match found.iter_mut().find(|other| other.file.artifact_id == file.artifact_id) {
                Some(known) if hit.snippet.len() > known.snippet.len() => known.snippet = hit.snippet,
                Some(_) => {}
                None => found.push(Found { file, snippet: hit.snippet }),
            }
        }
        found.truncate(limit as usize);
        Ok(json!({
            "summary": summary(query, &found),
            "files": found.iter().map(|found| json!({
                "file_id": found.file.artifact_id,
                "file_name": file_name(&found.file),
                "snippet": found.snippet,
            })).collect::<Vec<_>>(),
        }))
    }
}

struct Found {
    file: Artifact,
    snippet: String,
}

async fn file_of(context: &ExecutionContext, artifact: Artifact) -> Result<Option<Artifact>, Failure> {
    match (artifact.artifact_type.as_str(), artifact.parent_artifacts.first()) {
        (FILE, _) => Ok(Some(artifact)),
        (PARSED_FILE, Some(parent)) => context.artifact(parent).await,
        _ => Ok(None),
    }
}

fn summary(query: &str, found: &[Found]) -> String {
    if found.is_empty() {
        return format!(
            "No file has {}. A file's text can be searched once it was read: ask me to read it first, or try fewer words.",
            code(query)
        );
    }
    let mut summary = format!("{} with {}:\n", counted(found.len(), "file", "files"), code(query));
    for found in found {
        let snippet = found.snippet.split_whitespace().collect::<Vec<_>>().join(" ");
        summary.push_str(&format!("\n- **{}**: {}", file_name(&found.file), shortened(&snippet, LONGEST_SNIPPET)));
    }
    summary
}
