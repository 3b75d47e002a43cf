//! `purge_file`: deletes a file and all that was ever made of it.

use async_trait::async_trait;
use contract::intent::{ApprovalRule, IntentDescriptor};
use runtime::{ArtifactChange, ExecutionContext, Failure, Handler, OwnerView, port::store::Object};
use serde_json::{Value, json};

use super::{
    REALM,
    delete_file::made_of,
    find_file::{FILE, Wanted, file_name, file_properties, find_file, settle_file},
    parsed::gone,
};
use crate::{descriptor, markdown::counted};

pub(super) struct PurgeFile {
    descriptor: IntentDescriptor,
}

impl PurgeFile {
    pub(super) fn new() -> Self {
        let examples = [
            "purge orders.csv",
            "wipe this file and everything made of it",
            "delete the file with all its reports",
            "leave no trace of that upload",
        ];
        let description = "Deletes a file for good, with what was read from it and every result that was made of it. It cannot be \
            undone, so its owner has to agree first.";
        let properties = file_properties(json!({
            "reason": {"type": ["string", "null"], "maxLength": 500, "description": "Why, for the record."},
        }));
        let mut descriptor = descriptor(REALM, "purge_file", description, properties, &examples);
        descriptor.approval = ApprovalRule::Owner;
        Self { descriptor }
    }
}

#[async_trait]
impl Handler for PurgeFile {
    fn descriptor(&self) -> &IntentDescriptor {
        &self.descriptor
    }

    async fn settle(&self, view: &OwnerView, parameters: Object) -> Result<Object, Failure> {
        settle_file(view, parameters, Wanted::Any).await
    }

    async fn execute(&self, context: &ExecutionContext, parameters: Object) -> Result<Value, Failure> {
        let file = find_file(context, &parameters, Wanted::Any).await?;
        let name = file_name(&file).to_owned();
        let made = made_of(context, &file).await?;
        for (number, made) in made.iter().enumerate() {
            let key = format!("{}_{}", made.artifact_type, number + 1);
            context.change_artifact(&key, &made.artifact_id, ArtifactChange::Delete).await?;
        }
        context.change_artifact(FILE, &file.artifact_id, ArtifactChange::Delete).await?.ok_or_else(gone)?;
        let with_it = match made.len() {
            0 => String::new(),
            number => format!(", with {} made of it", counted(number, "result that was", "results that were")),
        };
        Ok(json!({
            "summary": format!("**{name}** is deleted{with_it}."),
            "file_id": file.artifact_id,
            "file_name": name,
            "purged_artifacts": made.iter().map(|made| &made.artifact_id).collect::<Vec<_>>(),
            "status": "deleted",
        }))
    }
}
