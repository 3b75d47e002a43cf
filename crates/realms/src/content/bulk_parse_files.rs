//! `bulk_parse_files`: reads many files at once.

use async_trait::async_trait;
use contract::{artifact::LifecycleState, intent::IntentDescriptor};
use runtime::{ExecutionContext, Failure, Handler, port::store::Object};
use serde_json::{Value, json};

use super::{
    REALM,
    bulk::{self, Item, MOST_FILES},
    find_file::{file_name, newest_files},
    parsed::find_parsed,
};
use crate::descriptor;

pub(super) struct BulkParseFiles {
    descriptor: IntentDescriptor,
}

impl BulkParseFiles {
    pub(super) fn new() -> Self {
        let files = |description: &str| {
            json!({
                "type": ["array", "null"], "maxItems": MOST_FILES, "description": description,
                "items": {"type": "string", "minLength": 1, "maxLength": 300},
            })
        };
        let properties = json!({
            "files": files("Names or ids of the files; all that nobody has read yet where it is missing."),
            "file_ids": files("Another name for `files`."),
        });
        let examples = [
            "read all my files",
            "parse everything I uploaded",
            "open all of these documents",
            "read the files that were not read yet",
        ];
        let description =
            "Reads many files at once, or all that were not read yet. One that cannot be read keeps no other from it.";
        Self { descriptor: descriptor(REALM, "bulk_parse_files", description, properties, &examples) }
    }
}

#[async_trait]
impl Handler for BulkParseFiles {
    fn descriptor(&self) -> &IntentDescriptor {
        &self.descriptor
    }

    async fn execute(&self, context: &ExecutionContext, parameters: Object) -> Result<Value, Failure> {
        let named = ["files", "file_ids"].iter().find_map(|key| parameters.get(*key)?.as_array());
        let files: Vec<(String, String)> = match named {
            Some(named) => {
                named.iter().filter_map(Value::as_str).map(|name| (name.to_owned(), name.to_owned())).collect()
            }
            // What is unread changes while this works, so it is looked up once.
            None => context.step("unread_files", || unread(context)).await?,
        };
        bulk::check(files.len())?;
        let items = files
            .into_iter()
            .map(|(name, file)| Item { name, parameters: Object::from_iter([("file".to_owned(), json!(file))]) });
        bulk::execute(context, "parse_content", "read", items.collect()).await
    }
}

/// Names and ids of the files that nobody has read.
async fn unread(context: &ExecutionContext) -> Result<Vec<(String, String)>, Failure> {
    let mut unread = Vec::new();
    for file in newest_files(&context.view().await?).await? {
        if unread.len() >= MOST_FILES {
            break;
        }
        if file.lifecycle_state != LifecycleState::Archived && find_parsed(context, &file).await?.is_none() {
            unread.push((file_name(&file).to_owned(), file.artifact_id.to_string()));
        }
    }
    Ok(unread)
}
