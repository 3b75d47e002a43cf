//! `save_materialization`: keeps a draft.

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

pub(super) struct SaveMaterialization {
    descriptor: IntentDescriptor,
}

impl SaveMaterialization {
    pub(super) fn new() -> Self {
        let examples = [
            "keep this file",
            "save my upload",
            "yes, store orders.csv for good",
            "don't throw the draft away, keep it",
        ];
        let description = "Keeps a file that was uploaded as a draft: from then on it is ready to be used.";
        let properties = file_properties(json!({}));
        Self { descriptor: descriptor(REALM, "save_materialization", description, properties, &examples) }
    }
}

#[async_trait]
impl Handler for SaveMaterialization {
    fn descriptor(&self) -> &IntentDescriptor {
        &self.descriptor
    }

    async fn execute(&self, context: &ExecutionContext, parameters: Object) -> Result<Value, Failure> {
        let file = find_file(context, &parameters, Wanted::Any).await?;
        let change = ArtifactChange::State(LifecycleState::Ready);
        let kept = context.change_artifact(FILE, &file.artifact_id, change).await?.ok_or_else(gone)?;
        Ok(json!({
            "summary": format!("**{}** is kept. Ask me what is in it, or how good its data is.", file_name(&kept)),
            "file_id": kept.artifact_id,
            "file_name": file_name(&kept),
            "materialization_id": kept.artifact_id,
            "status": kept.lifecycle_state,
        }))
    }
}
