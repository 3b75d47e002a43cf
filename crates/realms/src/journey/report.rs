//! How the journey realm keeps what it found out about a procedure: an artifact with the data, its Markdown and its drawings.

use contract::{ArtifactId, artifact::LifecycleState};
use runtime::{ExecutionContext, NewArtifact, port::store::Object};
use serde_json::{Value, json};

use super::workflow::clean_label;

pub(super) struct Report {
    /// The artifact's key and type.
    pub(super) key: &'static str,
    pub(super) title: String,
    pub(super) payload: Object,
    /// What a person is told, as Markdown.
    pub(super) summary: String,
    /// Drawings beside the Markdown.
    pub(super) drawings: Vec<(&'static str, String)>,
    pub(super) parents: Vec<ArtifactId>,
}

/// Keeps it, and answers the execution's result: the payload with the summary and the artifact's id.
pub(super) fn keep(context: &ExecutionContext, report: Report) -> Value {
    let title = clean_label(&report.title);
    let mut payload = report.payload;
    payload.insert("title".to_owned(), json!(title));
    let mut renderings = Object::from_iter([("markdown".to_owned(), json!(report.summary))]);
    renderings.extend(report.drawings.into_iter().map(|(name, drawing)| (name.to_owned(), json!(drawing))));
    let artifact = context.keep(
        report.key,
        NewArtifact {
            artifact_type: report.key.to_owned(),
            lifecycle_state: Some(LifecycleState::Ready),
            semantic_descriptor: Object::from_iter([("title".to_owned(), json!(title))]),
            semantic_payload: payload.clone(),
            renderings,
            parent_artifacts: report.parents,
            search_text: Some(report.summary.clone()),
            ..NewArtifact::default()
        },
    );
    payload.insert("summary".to_owned(), json!(report.summary));
    payload.insert(format!("{}_id", report.key), json!(artifact.artifact_id));
    Value::Object(payload)
}
