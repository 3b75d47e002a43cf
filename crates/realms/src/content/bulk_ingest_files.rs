//! `bulk_ingest_files`: takes many files in at once.

use async_trait::async_trait;
use contract::intent::IntentDescriptor;
use runtime::{ExecutionContext, Failure, Handler, port::store::Object};
use serde_json::{Value, json};

use super::{
    REALM,
    bulk::{self, Item, MOST_FILES},
};
use crate::descriptor;

pub(super) struct BulkIngestFiles {
    descriptor: IntentDescriptor,
}

impl BulkIngestFiles {
    pub(super) fn new() -> Self {
        let text =
            |description: &str| json!({"type": ["string", "null"], "maxLength": 300, "description": description});
        let properties = json!({
            "files": {
                "type": "array", "minItems": 1, "maxItems": MOST_FILES,
                "description": "The files, each as `ingest_file` takes it.",
                "items": {
                    "type": "object",
                    "properties": {
                        "file_content": {"type": "string", "description": "The bytes of the file in hexadecimal."},
                        "filename": text("The name of the file, with its ending."),
                        "ui_name": text("The name that people see."),
                        "mime_type": text("What the client takes it for."),
                        "file_type": text("What the client takes it for."),
                        "ingestion_type": text("How the file comes in."),
                    },
                    "required": ["file_content"],
                    "additionalProperties": false,
                },
            },
            "keep": {"type": ["boolean", "null"], "description": "Whether they are kept at once. Otherwise they are drafts."},
        });
        let examples = [
            "upload all of these files",
            "take in the whole folder",
            "import these twelve spreadsheets",
            "add several files at once",
        ];
        let description = "Takes many files in at once. One that cannot be taken in keeps no other from it.";
        let mut descriptor = descriptor(REALM, "bulk_ingest_files", description, properties, &examples);
        descriptor.parameters["required"] = json!(["files"]);
        Self { descriptor }
    }
}

#[async_trait]
impl Handler for BulkIngestFiles {
    fn descriptor(&self) -> &IntentDescriptor {
        &self.descriptor
    }

    async fn execute(&self, context: &ExecutionContext, parameters: Object) -> Result<Value, Failure> {
        let files = parameters.get("files").and_then(Value::as_array).cloned().unwrap_or_default();
        bulk::check(files.len())?;
        let keep = parameters.get("keep").cloned().unwrap_or_default();
        let items = files.into_iter().enumerate().map(|(place, file)| item(place, file, &keep)).collect();
        bulk::execute(context, "ingest_file", "taken in", items).await
    }
}

fn item(place: usize, file: Value, keep: &Value) -> Item {
    let name = ["filename", "ui_name"].iter().find_map(|key| file.get(*key)?.as_str());
    let name = name.map_or_else(|| format!("file {}", place + 1), str::to_owned);
    let Value::Object(mut parameters) = file else { unreachable!("the schema lets only objects in") };
    parameters.insert("keep".to_owned(), keep.clone());
    Item { name, parameters }
}
