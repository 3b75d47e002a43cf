//! `archive_file`: puts a file away without deleting it.

use async_trait::async_trait;
use contract::{artifact::LifecycleState, intent::IntentDescriptor};
use runtime::{ArtifactChange, ExecutionContext, Failure, Handler, port::store::Object};
use serde_json::{Value, json};

use super::{
    REALM,
    find_file::{FILE, Wanted, file_name, file_properties, find_file},
    parsed::gone,
};
use crate::descriptor;

pub(super) struct ArchiveFile {
    descriptor: IntentDescriptor,
}

impl ArchiveFile {
    pub(super) fn new() -> Self {
        let examples = [
            "archive orders.csv",
            "put this file away",
            "I do not need the old export any more, but keep it",
            "hide last year's sheet",
            "move the report to the archive",
        ];
        let description = "Puts a file away: it is no longer used or offered, but it stays and can be restored.";
        let properties = file_properties(json!({
            "reason": {"type": ["string", "null"], "maxLength": 500, "description": "Why, for the record."},
        }));
        Self { descriptor: descriptor(REALM, "archive_file", description, properties, &examples) }
    }
}

#[async_trait]
impl Handler for ArchiveFile {
    fn descriptor(&self) -> &IntentDescriptor {
        &self.descriptor
    }

    async fn execute(&self, context: &ExecutionContext, parameters: Object) -> Result<Value, Failure> {
        let file = find_file(context, &parameters, Wanted::Any).await?;
        let change = ArtifactChange::State(LifecycleState::Archived);
        let file = context.change_artifact(FILE, &file.artifact_id, change).await?.ok_or_else(gone)?;
        let name = file_name(&file);
        Ok(json!({
            "summary": format!("**{name}** is archived. It stays as it is; say \"restore {name}\" to have it back."),
            "file_id": file.artifact_id,
            "file_name": name,
            "status": file.lifecycle_state,
        }))
    }
}
