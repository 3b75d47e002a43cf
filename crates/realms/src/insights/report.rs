//! How insights keep what they found: an artifact with the data and its Markdown, descended from the file.

use contract::artifact::{Artifact, LifecycleState};
use runtime::{ExecutionContext, Failure, NewArtifact, port::store::Object};
use serde_json::{Value, json};

use crate::content::{find_file::file_name, parsed::OpenTable};

pub(super) struct Report {
    /// The artifact's key and type.
    pub(super) key: &'static str,
    pub(super) title: String,
    /// A JSON object.
    pub(super) payload: Value,
    /// The whole of it.
    pub(super) markdown: String,
    /// What a person is told.
    pub(super) summary: String,
}

/// Keeps the report and makes the execution's result of it: the payload with the summary.
pub(super) fn keep(context: &ExecutionContext, open: &OpenTable, report: Report) -> Result<Value, Failure> {
    keep_of(context, &open.file, &open.parsed, report)
}

/// The same of a file of any kind and what was read from it.
pub(super) fn keep_of(
    context: &ExecutionContext,
    file: &Artifact,
    parsed: &Artifact,
    report: Report,
) -> Result<Value, Failure> {
    let Value::Object(mut payload) = report.payload else { unreachable!("the payload of a report is an object") };
    payload.insert("file_id".to_owned(), json!(file.artifact_id));
    payload.insert("file_name".to_owned(), json!(file_name(file)));
    payload.insert("parsed_file_id".to_owned(), json!(parsed.artifact_id));
    let artifact = context.keep(
        report.key,
        NewArtifact {
            artifact_type: report.key.to_owned(),
            lifecycle_state: Some(LifecycleState::Ready),
            semantic_descriptor: Object::from_iter([("title".to_owned(), Value::from(report.title.as_str()))]),
            semantic_payload: payload.clone(),
            renderings: Object::from_iter([("markdown".to_owned(), Value::from(report.markdown))]),
            parent_artifacts: vec![parsed.artifact_id.clone(), file.artifact_id.clone()],
            search_text: Some(report.title),
            ..NewArtifact::default()
        },
    );
    payload.insert("artifact_id".to_owned(), json!(artifact.artifact_id));
    payload.insert("summary".to_owned(), Value::from(report.summary));
    Ok(Value::Object(payload))
}
