//! `query_files`: the files that fit all conditions, in an order that one chooses.

use async_trait::async_trait;
use contract::{
    Timestamp,
    artifact::{Artifact, LifecycleState},
    intent::IntentDescriptor,
};
use runtime::{ExecutionContext, Failure, Handler, port::store::Object};
use serde_json::{Value, json};

use super::{
    REALM,
    find_file::{file_name, newest_files},
};
use crate::{
    descriptor,
    markdown::{self, counted},
};

const DEFAULT_LIMIT: u64 = 50;
const MOST: u64 = 200;

/// How many rows the summary shows.
const SHOWN: usize = 10;

pub(super) struct QueryFiles {
    descriptor: IntentDescriptor,
}

impl QueryFiles {
    pub(super) fn new() -> Self {
        let size = |description: &str| json!({"type": ["integer", "null"], "minimum": 0, "description": description});
        let time = |description: &str| json!({"type": ["string", "null"], "maxLength": 40, "description": description});
        let properties = json!({
            "name_contains": {"type": ["string", "null"], "maxLength": 200, "description": "Words of the name, without regard to case."},
            "file_type": {"type": ["string", "null"], "maxLength": 20, "description": "Only this kind, such as `csv`."},
            "state": {"type": ["string", "null"], "enum": ["draft", "ready", "archived", "active", null], "description": "Only files in this state."},
            "tag": {"type": ["string", "null"], "maxLength": 60, "description": "Only files with this tag."},
            "min_size_bytes": size("Only files of at least this size."),
            "max_size_bytes": size("Only files of at most this size."),
            "created_after": time("Only files that came after this time (RFC 3339)."),
            "created_before": time("Only files that came before this time (RFC 3339)."),
            "sort_by": {"type": ["string", "null"], "enum": ["created_at", "name", "size", null], "description": "The order; the newest first where it is missing."},
            "descending": {"type": ["boolean", "null"], "description": "Whether the order is turned round."},
            "limit": {"type": ["integer", "null"], "minimum": 1, "maximum": MOST, "description": "How many; 50 where it is missing."},
            "offset": size("How many are passed over."),
        });
        let examples = [
            "which CSV files are larger than a megabyte?",
            "the biggest files first",
            "files from last week with orders in the name",
            "all files that are tagged finance",
        ];
        let description =
            "Lists the files that fit all conditions (name, kind, state, tag, size, time) in the wanted order.";
        Self { descriptor: descriptor(REALM, "query_files", description, properties, &examples) }
    }
}

/// What a file has to be.
struct Conditions<'a> {
    parameters: &'a Object,
    after: Option<Timestamp>,
    before: Option<Timestamp>,
}

#[async_trait]
impl Handler for QueryFiles {
    fn descriptor(&self) -> &IntentDescriptor {
        &self.descriptor
    }

    async fn execute(&self, context: &ExecutionContext, parameters: Object) -> Result<Value, Failure> {
        let conditions = Conditions::read(&parameters)?;
        let mut files = newest_files(&context.view().await?).await?;
        files.retain(|file| conditions.fit(file));
        order(&mut files, &parameters);
        let number = |key: &str, missing: u64| parameters.get(key).and_then(Value::as_u64).unwrap_or(missing);
        let total = files.len();
        let offset = usize::try_from(number("offset", 0)).unwrap_or(usize::MAX);
        let limit = usize::try_from(number("limit", DEFAULT_LIMIT).clamp(1, MOST)).unwrap_or(1);
        let page: Vec<Artifact> = files.into_iter().skip(offset).take(limit).collect();
        Ok(json!({
            "summary": summary(&page, total),
            "files": page.iter().map(entry).collect::<Vec<_>>(),
            "total": total,
            "offset": offset,
        }))
    }
}

impl<'a> Conditions<'a> {
    fn read(parameters: &'a Object) -> Result<Self, Failure> {
        let time = |key: &str| match parameters.get(key).and_then(Value::as_str) {
            None => Ok(None),
            Some(text) => text.parse().map(Some).map_err(|_| {
                let message = format!("`{key}` is no time; write one such as 2026-01-31T00:00:00Z.");
                Failure::new(contract::Code::ValidationFailed, message)
            }),
        };
        Ok(Self { after: time("created_after")?, before: time("created_before")?, parameters })
    }

    fn text(&self, key: &str) -> Option<String> {
        Some(self.parameters.get(key)?.as_str()?.trim().to_lowercase()).filter(|text| !text.is_empty())
    }

    fn fit(&self, file: &Artifact) -> bool {
        let payload = |key: &str| file.semantic_payload.get(key);
        let has_tag = |tag: &str| {
            let tags = payload("tags").and_then(Value::as_array);
            tags.is_some_and(|tags| tags.iter().filter_map(Value::as_str).any(|known| known.to_lowercase() == tag))
        };
        let bound = |key: &str| self.parameters.get(key).and_then(Value::as_u64);
        let kind = payload("file_type").and_then(Value::as_str).unwrap_or_default();
        self.text("name_contains").is_none_or(|words| file_name(file).to_lowercase().contains(&words))
            && self.text("file_type").is_none_or(|wanted| wanted.trim_start_matches('.') == kind)
            && self
                .text("state")
                .and_then(|word| LifecycleState::from_word(&word))
                .is_none_or(|state| state == file.lifecycle_state)
            && self.text("tag").is_none_or(|tag| has_tag(&tag))
            && bound("min_size_bytes").is_none_or(|least| size(file) >= least)
            && bound("max_size_bytes").is_none_or(|most| size(file) <= most)
            && self.after.is_none_or(|after| file.created_at > after)
            && self.before.is_none_or(|before| file.created_at < before)
    }
}

fn size(file: &Artifact) -> u64 {
    file.semantic_payload.get("size_bytes").and_then(Value::as_u64).unwrap_or_default()
}

fn order(files: &mut [Artifact], parameters: &Object) {
    match parameters.get("sort_by").and_then(Value::as_str) {
        Some("name") => files.sort_by_key(|file| file_name(file).to_lowercase()),
        Some("size") => files.sort_by_key(size),
        Some("created_at") => files.sort_by_key(|file| file.created_at),
        Some(_) | None => files.sort_by_key(|file| std::cmp::Reverse(file.created_at)),
    }
    if parameters.get("descending").and_then(Value::as_bool).unwrap_or_default() {
        files.reverse();
    }
}

fn entry(file: &Artifact) -> Value {
    let mut entry = file.semantic_payload.clone();
    entry.insert("file_id".to_owned(), json!(file.artifact_id));
    entry.insert("status".to_owned(), json!(file.lifecycle_state));
    entry.insert("created_at".to_owned(), json!(file.created_at));
    Value::Object(entry)
}

fn summary(page: &[Artifact], total: usize) -> String {
    if page.is_empty() {
        return "No file fits all of that.".to_owned();
    }
    let rows = page.iter().take(SHOWN).map(|file| {
        let day = file.created_at.to_string().chars().take(10).collect();
        vec![file_name(file).to_owned(), markdown::size(size(file)), file.lifecycle_state.as_str().to_owned(), day]
    });
    let table = markdown::table(&["file", "size", "state", "since"], rows);
    let rest = total.saturating_sub(page.len().min(SHOWN));
    let more = if rest > 0 { format!("\n…and {} more.", markdown::count(rest)) } else { String::new() };
    format!("{} that:\n\n{table}{more}", counted(total, "file fits", "files fit"))
}
