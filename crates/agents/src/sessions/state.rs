//! What a session has come to: its artifacts by realm.

use std::collections::BTreeMap;

use contract::artifact::{Artifact, LifecycleState};
use runtime::{
    ExecutionContext, Failure,
    port::store::{ArtifactFilter, PageRequest},
};
use serde_json::{Map, Value, json};

/// The most artifacts that are looked at; the newest count.
const MOST_ARTIFACTS: u32 = 200;

/// The realms that clients know, whether there is anything of them or not.
const REALMS: [&str; 4] = ["content", "insights", "journey", "outcomes"];

pub(super) struct SessionState {
    /// Newest first.
    pub(super) artifacts: Vec<Artifact>,
    pub(super) total: u64,
}

impl SessionState {
    pub(super) async fn of(context: &ExecutionContext) -> Result<Self, Failure> {
        let filter = ArtifactFilter { session_id: Some(context.session_id().clone()), ..ArtifactFilter::default() };
        let page = context.artifacts(&filter, PageRequest::first(MOST_ARTIFACTS)).await?;
        Ok(Self { artifacts: page.items, total: page.total })
    }

    pub(super) fn has(&self, artifact_type: &str) -> bool {
        self.artifacts.iter().any(|artifact| artifact.artifact_type == artifact_type)
    }

    /// How many there are of each type.
    pub(super) fn counts(&self) -> BTreeMap<&str, usize> {
        let mut counts = BTreeMap::new();
        for artifact in &self.artifacts {
            *counts.entry(artifact.artifact_type.as_str()).or_default() += 1;
        }
        counts
    }

    /// `{content: {artifacts: […]}, …}`, as `GET /api/session/{id}` has it.
    pub(super) fn by_realm(&self, context: &ExecutionContext) -> Map<String, Value> {
        let intents = context.intents();
        let realm_of = |intent_type: &str| {
            let intent = intents.iter().find(|intent| intent.intent_type == intent_type);
            intent.map_or("other", |intent| intent.realm.as_str())
        };
        let mut realms: BTreeMap<&str, Vec<Value>> = REALMS.iter().map(|realm| (*realm, Vec::new())).collect();
        for artifact in &self.artifacts {
            realms.entry(realm_of(&artifact.produced_by.intent_type)).or_default().push(json!({
                "artifact_id": artifact.artifact_id,
                "artifact_type": artifact.artifact_type,
                "title": artifact.semantic_descriptor.get("title"),
                "lifecycle_state": artifact.lifecycle_state,
                "created_at": artifact.created_at,
            }));
        }
        realms.into_iter().map(|(realm, artifacts)| (realm.to_owned(), json!({ "artifacts": artifacts }))).collect()
    }

    /// The newest file of one of these kinds.
    pub(super) fn newest_file(&self, kinds: &[&str]) -> Option<&str> {
        let file = self.artifacts.iter().find(|artifact| {
            let kind = artifact.semantic_payload.get("file_type").and_then(Value::as_str).unwrap_or_default();
            artifact.artifact_type == "file"
                && artifact.lifecycle_state != LifecycleState::Archived
                && kinds.contains(&kind)
        })?;
        file.semantic_payload.get("file_name")?.as_str()
    }
}
