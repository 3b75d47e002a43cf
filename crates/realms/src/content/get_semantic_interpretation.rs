//! `get_semantic_interpretation`: what a file means: the roles of a table's columns, or what a document is about. The intents of the
//! insights realm find it out; here it is asked for by the file alone.

use async_trait::async_trait;
use contract::{artifact::LifecycleState, execution::ExecutionStatus, intent::IntentDescriptor};
use runtime::{ExecutionContext, Failure, Handler, NewArtifact, port::store::Object};
use serde_json::{Value, json};

use super::{
    REALM,
    find_file::{Wanted, file_name, file_properties, find_file},
    parsed::failure_of,
};
use crate::descriptor;

/// The artifact type of an interpretation, and the key under which it is kept.
const KEY: &str = "semantic_interpretation";

pub(super) struct GetSemanticInterpretation {
    descriptor: IntentDescriptor,
}

impl GetSemanticInterpretation {
    pub(super) fn new() -> Self {
        let examples = [
            "what does this file mean?",
            "give me the semantic interpretation of orders.csv",
            "interpret the file",
            "what do the columns of orders.csv stand for?",
        ];
        let description =
            "Says what a file means: the roles of a table's columns, or the key terms and key sentences of a document.";
        let properties = file_properties(json!({}));
        Self { descriptor: descriptor(REALM, "get_semantic_interpretation", description, properties, &examples) }
    }
}

#[async_trait]
impl Handler for GetSemanticInterpretation {
    fn descriptor(&self) -> &IntentDescriptor {
        &self.descriptor
    }

    async fn execute(&self, context: &ExecutionContext, parameters: Object) -> Result<Value, Failure> {
        let file = find_file(context, &parameters, Wanted::Any).await?;
        let (kind, intent) = if Wanted::Table.fits(&file) {
            ("table", "interpret_data_self_discovery")
        } else {
            ("document", "analyze_unstructured_data")
        };
        let chosen = Object::from_iter([("file_id".to_owned(), json!(file.artifact_id))]);
        let outcome = context.call(intent, chosen).await?;
        if outcome.status != ExecutionStatus::Completed {
            return Err(failure_of(outcome.problem));
        }
        let summary = outcome.result.get("summary").cloned().unwrap_or_default();
        let mut found = outcome.result;
        if let Some(found) = found.as_object_mut() {
            found.remove("summary");
        }
        let mut payload = Object::from_iter([
            ("file_id".to_owned(), json!(file.artifact_id)),
            ("file_name".to_owned(), json!(file_name(&file))),
            ("interpretation_type".to_owned(), json!(kind)),
            ("interpretation".to_owned(), found),
        ]);
        let title = format!("What {} means", file_name(&file));
        let parents = outcome.artifacts.into_values().chain([file.artifact_id]).collect();
        let artifact = context.keep(
            KEY,
            NewArtifact {
                artifact_type: KEY.to_owned(),
                lifecycle_state: Some(LifecycleState::Ready),
                semantic_descriptor: Object::from_iter([("title".to_owned(), json!(title))]),
                semantic_payload: payload.clone(),
                renderings: Object::from_iter([("markdown".to_owned(), summary.clone())]),
                parent_artifacts: parents,
                search_text: Some(title),
                ..NewArtifact::default()
            },
        );
        payload.insert("summary".to_owned(), summary);
        payload.insert("artifact_id".to_owned(), json!(artifact.artifact_id));
        Ok(Value::Object(payload))
    }
}
