//! `retrieve_artifact_metadata`: what is known of an artifact, with what it was made of and what was made of it.

use async_trait::async_trait;
use contract::{ArtifactId, Code, artifact::Artifact, intent::IntentDescriptor};
use runtime::{
    ExecutionContext, Failure, Handler,
    port::store::{ArtifactFilter, Object, PageRequest},
};
use serde_json::{Value, json};

use super::{
    REALM,
    find_file::{Wanted, file_properties, find_file},
};
use crate::{
    descriptor,
    markdown::{code, counted},
};

/// How many artifacts that were made of it are listed.
const MOST_MADE: u32 = 100;

pub(super) struct RetrieveArtifactMetadata {
    descriptor: IntentDescriptor,
}

impl RetrieveArtifactMetadata {
    pub(super) fn new() -> Self {
        let examples = [
            "what do you know about orders.csv?",
            "show the details of this file",
            "when was the report made, and of what?",
            "give me the metadata",
        ];
        let description = "Says what is known of a file or of any artifact: its kind, state, size, times, what it was made of and what \
            was made of it.";
        let properties = file_properties(json!({}));
        Self { descriptor: descriptor(REALM, "retrieve_artifact_metadata", description, properties, &examples) }
    }
}

#[async_trait]
impl Handler for RetrieveArtifactMetadata {
    fn descriptor(&self) -> &IntentDescriptor {
        &self.descriptor
    }

    async fn execute(&self, context: &ExecutionContext, parameters: Object) -> Result<Value, Failure> {
        let artifact = wanted(context, &parameters).await?;
        let filter = ArtifactFilter { parent: Some(artifact.artifact_id.clone()), ..ArtifactFilter::default() };
        let made = context.artifacts(&filter, PageRequest::first(MOST_MADE)).await?;
        let title = artifact.semantic_descriptor.get("title").and_then(Value::as_str).unwrap_or("It");
        let day: String = artifact.created_at.to_string().chars().take(10).collect();
        let summary = format!(
            "**{title}** is a {} in the state {}, made on {day} by {}. It was made of {}, and {} of it.",
            code(&artifact.artifact_type),
            code(artifact.lifecycle_state.as_str()),
            code(&artifact.produced_by.intent_type),
            counted(artifact.parent_artifacts.len(), "artifact", "artifacts"),
            counted(usize::try_from(made.total).unwrap_or(usize::MAX), "was made", "were made"),
        );
        let derived: Vec<Value> = made
            .items
            .iter()
            .map(|made| json!({"artifact_id": made.artifact_id, "artifact_type": made.artifact_type, "created_at": made.created_at}))
            .collect();
        Ok(json!({
            "summary": summary,
            "artifact_id": artifact.artifact_id,
            "artifact_type": artifact.artifact_type,
            "lifecycle_state": artifact.lifecycle_state,
            "semantic_descriptor": artifact.semantic_descriptor,
            "semantic_payload": artifact.semantic_payload,
            "parent_artifacts": artifact.parent_artifacts,
            "derived_artifacts": derived,
            "produced_by": artifact.produced_by,
            "created_at": artifact.created_at,
            "updated_at": artifact.updated_at,
        }))
    }
}

/// The very artifact of the id where there is one, and not the file that it was made of.
async fn wanted(context: &ExecutionContext, parameters: &Object) -> Result<Artifact, Failure> {
    let named = parameters.get("artifact_id").and_then(Value::as_str);
    if let Some(id) = named.and_then(|text| text.parse::<ArtifactId>().ok()) {
        let nothing = || Failure::new(Code::NotFound, "There is no artifact of this id.");
        return context.artifact(&id).await?.ok_or_else(nothing);
    }
    find_file(context, parameters, Wanted::Any).await
}
