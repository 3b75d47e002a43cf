//! `get_parsed_file`: what was read from a file before, with some of its rows or its text.

use async_trait::async_trait;
use contract::intent::IntentDescriptor;
use runtime::{ArtifactChange, ExecutionContext, Failure, Handler, port::store::Object};
use serde_json::{Value, json};

use super::{
    REALM,
    find_file::{Wanted, file_name, file_properties, find_file},
    parse_content::not_read,
    parsed::{PARSED_FILE, find_parsed, gone},
    table::{TABLE_MEDIA_TYPE, Table},
};
use crate::{
    descriptor,
    markdown::{self, counted, shortened},
};

const DEFAULT_ROWS: u64 = 20;
const MOST_ROWS: u64 = 500;

/// What the summary shows of a table, and of a text in characters.
const SHOWN_ROWS: usize = 5;
const SHOWN_COLUMNS: usize = 8;
const SHOWN_TEXT: usize = 600;

/// What the result carries of a text, in characters.
const RESULT_TEXT: usize = 20_000;

pub(super) struct GetParsedFile {
    descriptor: IntentDescriptor,
}

impl GetParsedFile {
    pub(super) fn new() -> Self {
        let properties = file_properties(json!({
            "offset": {"type": ["integer", "null"], "minimum": 0, "description": "How many rows are skipped."},
            "limit": {"type": ["integer", "null"], "minimum": 1, "maximum": MOST_ROWS, "description": "How many rows are shown; 20 where it is missing."},
        }));
        let examples = [
            "show me the first rows",
            "what does the parsed file look like?",
            "give me the text you read",
            "show rows of orders.csv",
            "let me see the data again",
        ];
        let description = "Shows what was read from a file before: some rows of a table, or the text of a document.";
        Self { descriptor: descriptor(REALM, "get_parsed_file", description, properties, &examples) }
    }
}

#[async_trait]
impl Handler for GetParsedFile {
    fn descriptor(&self) -> &IntentDescriptor {
        &self.descriptor
    }

    async fn execute(&self, context: &ExecutionContext, parameters: Object) -> Result<Value, Failure> {
        let file = find_file(context, &parameters, Wanted::Any).await?;
        let name = file_name(&file);
        let Some(parsed) = find_parsed(context, &file).await? else { return Err(not_read(name)) };
        let (object, bytes) = context.content(&parsed.artifact_id).await?.ok_or_else(gone)?;
        // It stands among this execution's artifacts, where clients look for it.
        let unchanged = ArtifactChange::State(parsed.lifecycle_state);
        context.change_artifact(PARSED_FILE, &parsed.artifact_id, unchanged).await?;
        let mut result = parsed.semantic_payload.clone();
        result.remove("preview");
        if object.media_type == TABLE_MEDIA_TYPE {
            let table = context.compute(move || Table::from_stored(&bytes).map_err(|_| gone())).await?;
            let number = |key: &str, missing: u64| parameters.get(key).and_then(Value::as_u64).unwrap_or(missing);
            let offset = usize::try_from(number("offset", 0)).unwrap_or(usize::MAX).min(table.rows.len());
            let limit = usize::try_from(number("limit", DEFAULT_ROWS).clamp(1, MOST_ROWS)).unwrap_or(0);
            let rows = &table.rows[offset..table.rows.len().min(offset + limit)];
            result.insert("offset".to_owned(), json!(offset));
            result.insert("rows".to_owned(), json!(rows));
            result.insert("summary".to_owned(), json!(table_summary(name, &table, offset, rows.len())));
        } else {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            result.insert("text".to_owned(), json!(shortened(&text, RESULT_TEXT)));
            let beginning = shortened(&text, SHOWN_TEXT);
            result.insert("summary".to_owned(), json!(format!("This is what **{name}** says:\n\n{beginning}")));
        }
        Ok(Value::Object(result))
    }
}

fn table_summary(name: &str, table: &Table, offset: usize, count: usize) -> String {
    if count == 0 {
        return format!("**{name}** has no rows there; it has {} in all.", counted(table.rows.len(), "row", "rows"));
    }
    let shown = count.min(SHOWN_ROWS);
    let columns = table.columns.len().min(SHOWN_COLUMNS);
    let headers: Vec<&str> = table.columns[..columns].iter().map(|column| column.name.as_str()).collect();
    let rows =
        table.rows[offset..offset + shown].iter().map(|row| row[..columns].iter().map(ToString::to_string).collect());
    let rows = markdown::table(&headers, rows);
    let hidden = table.columns.len() - columns;
    let more = if hidden > 0 {
        format!("\n{} not shown.", counted(hidden, "more column is", "more columns are"))
    } else {
        String::new()
    };
    format!(
        "Rows {} to {} of {} in **{name}**:\n\n{rows}{more}",
        offset + 1,
        offset + shown,
        markdown::count(table.rows.len())
    )
}
