//! `restore_file`: takes an archived file back into use.

use async_trait::async_trait;
use contract::{artifact::LifecycleState, intent::IntentDescriptor};
use runtime::{ArtifactChange, ExecutionContext, Failure, Handler, port::store::Object};
use serde_json::{Value, json};

use super::{
    REALM,
    find_file::{FILE, file_name, file_properties, find_archived},
    parsed::gone,
};
use crate::descriptor;

pub(super) struct RestoreFile {
    descriptor: IntentDescriptor,
}

impl RestoreFile {
    pub(super) fn new() -> Self {
        let examples = [
            "restore orders.csv",
            "bring the archived file back",
            "unarchive last year's sheet",
            "I need the old export again",
            "take the report out of the archive",
        ];
        let description = "Takes an archived file back into use. It cannot bring back a deleted one.";
        let properties = file_properties(json!({
            "reason": {"type": ["string", "null"], "maxLength": 500, "description": "Why, for the record."},
        }));
        Self { descriptor: descriptor(REALM, "restore_file", description, properties, &examples) }
    }
}

#[async_trait]
impl Handler for RestoreFile {
    fn descriptor(&self) -> &IntentDescriptor {
        &self.descriptor
    }

    async fn execute(&self, context: &ExecutionContext, parameters: Object) -> Result<Value, Failure> {
        let file = find_archived(context, &parameters).await?;
        let change = ArtifactChange::State(LifecycleState::Ready);
        let file = context.change_artifact(FILE, &file.artifact_id, change).await?.ok_or_else(gone)?;
        let name = file_name(&file);
        Ok(json!({
            "summary": format!("**{name}** is back in use."),
            "file_id": file.artifact_id,
            "file_name": name,
            "status": file.lifecycle_state,
        }))
    }
}
