//! `delete_file`: takes a file and what was read from it away for good, once its owner has agreed.

use async_trait::async_trait;
use contract::{
    artifact::Artifact,
    intent::{ApprovalRule, IntentDescriptor},
};
use runtime::{
    ArtifactChange, ExecutionContext, Failure, Handler, OwnerView,
    port::store::{ArtifactFilter, Object},
};
use serde_json::{Value, json};

use super::{
    REALM,
    find_file::{FILE, Wanted, file_name, file_properties, find_file, settle_file},
    parsed::{PARSED_FILE, gone},
};
use crate::{descriptor, markdown::counted};

/// How many parsed forms of one file are deleted with it at once.
const MOST_PARSED: u32 = 100;

pub(super) struct DeleteFile {
    descriptor: IntentDescriptor,
}

impl DeleteFile {
    pub(super) fn new() -> Self {
        let examples = [
            "delete orders.csv",
            "remove this file for good",
            "erase my upload",
            "get rid of the duplicate export",
            "throw that document away",
        ];
        let description =
            "Deletes a file and what was read from it for good. It cannot be undone, so its owner has to agree first.";
        let properties = file_properties(json!({
            "reason": {"type": ["string", "null"], "maxLength": 500, "description": "Why, for the record."},
        }));
        let mut descriptor = descriptor(REALM, "delete_file", description, properties, &examples);
        descriptor.approval = ApprovalRule::Owner;
        Self { descriptor }
    }
}

#[async_trait]
impl Handler for DeleteFile {
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
        let (parsed, reports): (Vec<_>, Vec<_>) = made.into_iter().partition(|made| made.artifact_type == PARSED_FILE);
        for (number, parsed) in parsed.iter().enumerate() {
            let key = if number == 0 { PARSED_FILE.to_owned() } else { format!("{PARSED_FILE}_{}", number + 1) };
            context.change_artifact(&key, &parsed.artifact_id, ArtifactChange::Delete).await?;
        }
        context.change_artifact(FILE, &file.artifact_id, ArtifactChange::Delete).await?.ok_or_else(gone)?;
        let with_it = if parsed.is_empty() { "" } else { ", and what was read from it," };
        let left = match reports.len() {
            0 => String::new(),
            number => format!(" {} made of it stay.", counted(number, "result that was", "results that were")),
        };
        Ok(json!({
            "summary": format!("**{name}**{with_it} is deleted.{left}"),
            "file_id": file.artifact_id,
            "file_name": name,
            "status": "deleted",
        }))
    }
}

pub(super) async fn made_of(context: &ExecutionContext, file: &Artifact) -> Result<Vec<Artifact>, Failure> {
    let filter = ArtifactFilter { parent: Some(file.artifact_id.clone()), ..ArtifactFilter::default() };
    context.newest_artifacts(&filter, MOST_PARSED).await
}
