//! `parse_content`: reads a file and keeps what it says, a table or a text.

use async_trait::async_trait;
use bytes::Bytes;
use contract::{
    Code,
    artifact::{Artifact, LifecycleState},
    intent::IntentDescriptor,
};
use runtime::{ArtifactChange, ExecutionContext, Failure, Handler, NewArtifact, port::store::Object};
use serde_json::{Value, json};

use super::{
    REALM,
    find_file::{Wanted, file_name, file_properties, find_file},
    format::{self, FileKind, Parsed, ParsedDocument, ParsedTable, ReadOptions},
    parsed::{PARSED_FILE, find_parsed, gone, payload_text},
    table::{Cell, Column, TABLE_MEDIA_TYPE, Table},
};
use crate::{
    descriptor,
    markdown::{self, code, counted, shortened},
};

const PREVIEW_ROWS: usize = 20;
const PREVIEW_COLUMNS: usize = 50;
/// The longest text in a preview's cell, in characters.
const PREVIEW_CELL: usize = 200;
/// The beginning of a document that its payload shows, in characters.
const PREVIEW_TEXT: usize = 2_000;
/// How many columns the summary shows.
const SUMMARY_COLUMNS: usize = 12;
/// How many headings the summary shows.
const SUMMARY_HEADINGS: usize = 6;
/// How much of what was read search looks through, in characters.
const SEARCHED_SIGNS: usize = 256 * 1024;

pub(super) struct ParseContent {
    descriptor: IntentDescriptor,
}

impl ParseContent {
    pub(super) fn new() -> Self {
        let properties = file_properties(json!({
            "sheet": {"type": ["string", "null"], "maxLength": 100, "description": "The sheet of an Excel workbook; the first one where it is missing."},
            "delimiter": {"type": ["string", "null"], "enum": [",", ";", "\t", "|", null], "description": "The sign between the fields of a CSV; found out where it is missing."},
            "has_header": {"type": ["boolean", "null"], "description": "Whether the first row names the columns; found out where it is missing."},
            "parsing_type": {"type": ["string", "null"], "maxLength": 50, "description": "Accepted for older clients; the bytes decide how a file is read."},
            "parse_options": {"type": ["object", "null"], "description": "Accepted for older clients; it changes nothing."},
            "copybook_reference": {"type": ["string", "null"], "maxLength": 300, "description": "Accepted for older clients; it changes nothing."},
        }));
        let examples = [
            "read the file",
            "parse orders.csv",
            "what is in this document?",
            "open my spreadsheet and show the columns",
            "extract the text from the PDF",
            "load the second sheet, the one called Suppliers",
        ];
        let description = "Reads a file: tables (CSV, TSV, JSON, Excel) into typed columns and rows, documents (text, Markdown, HTML, PDF) into text.";
        Self { descriptor: descriptor(REALM, "parse_content", description, properties, &examples) }
    }
}

#[async_trait]
impl Handler for ParseContent {
    fn descriptor(&self) -> &IntentDescriptor {
        &self.descriptor
    }

    async fn execute(&self, context: &ExecutionContext, parameters: Object) -> Result<Value, Failure> {
        let file = find_file(context, &parameters, Wanted::Any).await?;
        let options = options(&parameters);
        if options == ReadOptions::default()
            && let Some(parsed) = find_parsed(context, &file).await?
        {
            return read_before(context, &file, &parsed).await;
        }
        let kind = FileKind::from_word(payload_text(&file, "file_type")).unwrap_or(FileKind::Unknown);
        let (_, bytes) = context.content(&file.artifact_id).await?.ok_or_else(gone)?;
        let reading = context.compute(move || Ok(read(kind, &bytes, &options)?)).await?;
        keep(context, &file, kind, reading).await
    }
}

/// What was read, ready to be kept.
struct Reading {
    payload: Object,
    content: Vec<u8>,
    media_type: &'static str,
    search_text: String,
    /// Without the file's name, which stands in front of it.
    summary: String,
}

fn options(parameters: &Object) -> ReadOptions {
    let text = |key: &str| parameters.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    ReadOptions {
        sheet: text("sheet").map(str::to_owned),
        delimiter: text("delimiter").and_then(|text| text.bytes().next()),
        has_header: parameters.get("has_header").and_then(Value::as_bool),
    }
}

fn read(kind: FileKind, bytes: &[u8], options: &ReadOptions) -> Result<Reading, format::ReadError> {
    Ok(match format::read(kind, bytes, options)? {
        Parsed::Table(parsed) => table_reading(kind, parsed),
        Parsed::Document(parsed) => document_reading(kind, parsed),
    })
}

/// A file is read once; asked again, the same artifact is the answer.
async fn read_before(context: &ExecutionContext, file: &Artifact, parsed: &Artifact) -> Result<Value, Failure> {
    let unchanged = ArtifactChange::State(parsed.lifecycle_state);
    let parsed = context.change_artifact(PARSED_FILE, &parsed.artifact_id, unchanged).await?.ok_or_else(gone)?;
    let mut result = parsed.semantic_payload.clone();
    let summary = parsed.renderings.get("markdown").and_then(Value::as_str).unwrap_or_default();
    result.insert("summary".to_owned(), Value::from(summary));
    result.insert("file_id".to_owned(), json!(file.artifact_id));
    Ok(Value::Object(result))
}

async fn keep(context: &ExecutionContext, file: &Artifact, kind: FileKind, reading: Reading) -> Result<Value, Failure> {
    let name = file_name(file);
    let summary = format!("**{name}** ({}) {}", kind.as_str().to_uppercase(), reading.summary);
    let object = context.write_object(Bytes::from(reading.content), reading.media_type, name).await?;
    let id = context.new_artifact_id();
    let mut payload = reading.payload;
    payload.insert("parsed_file_id".to_owned(), json!(id));
    payload.insert("file_id".to_owned(), json!(file.artifact_id));
    payload.insert("file_name".to_owned(), json!(name));
    let descriptor = json!({"title": format!("Read from {name}"), "media_type": reading.media_type, "size_bytes": object.size_bytes});
    context.keep(
        PARSED_FILE,
        NewArtifact {
            artifact_id: Some(id),
            artifact_type: PARSED_FILE.to_owned(),
            lifecycle_state: Some(LifecycleState::Ready),
            semantic_descriptor: descriptor.as_object().cloned().unwrap_or_default(),
            semantic_payload: payload.clone(),
            renderings: Object::from_iter([("markdown".to_owned(), Value::from(summary.as_str()))]),
            parent_artifacts: vec![file.artifact_id.clone()],
            content: Some(object),
            search_text: Some(reading.search_text),
        },
    );
    payload.insert("summary".to_owned(), Value::from(summary));
    Ok(Value::Object(payload))
}

fn table_reading(kind: FileKind, parsed: ParsedTable) -> Reading {
    let table = &parsed.table;
    let shown = table.columns.len().min(PREVIEW_COLUMNS);
    let preview: Vec<Vec<Value>> =
        table.rows.iter().take(PREVIEW_ROWS).map(|row| row[..shown].iter().map(preview_cell).collect()).collect();
    let payload = object(json!({
        "kind": "table",
        "format": kind.as_str(),
        "schema": table.columns,
        "row_count": table.rows.len(),
        "column_count": table.columns.len(),
        "preview": {"columns": table.columns[..shown].iter().map(|column| &column.name).collect::<Vec<_>>(), "rows": preview},
        "reading": parsed.reading,
        "warnings": parsed.warnings,
    }));
    Reading {
        payload,
        content: table.to_stored(),
        media_type: TABLE_MEDIA_TYPE,
        search_text: searched(table),
        summary: table_summary(table, &parsed.warnings),
    }
}

fn preview_cell(cell: &Cell) -> Value {
    match cell {
        Cell::Text(text) => Value::from(shortened(text, PREVIEW_CELL)),
        other => json!(other),
    }
}

/// The names of the columns and the texts of the first rows.
fn searched(table: &Table) -> String {
    let mut text = table.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(" ");
    for value in table.rows.iter().flatten().filter_map(Cell::as_text) {
        if text.len() + value.len() >= SEARCHED_SIGNS {
            break;
        }
        text.push(' ');
        text.push_str(value);
    }
    text
}

fn table_summary(table: &Table, warnings: &[String]) -> String {
    let rows = counted(table.rows.len(), "row", "rows");
    let columns = counted(table.columns.len(), "column", "columns");
    let listed = table.columns.iter().enumerate().take(SUMMARY_COLUMNS).map(|(place, column)| {
        let example = table.cells(place).find(|cell| !cell.is_null()).map(ToString::to_string).unwrap_or_default();
        vec![column.name.clone(), column.column_type.as_str().replace('_', " "), example]
    });
    let mut summary =
        format!("has {rows} and {columns}.\n\n{}", markdown::table(&["column", "type", "first value"], listed));
    if table.columns.len() > SUMMARY_COLUMNS {
        summary.push_str(&format!("\n…and {} more.", table.columns.len() - SUMMARY_COLUMNS));
    }
    summary.push_str(&remarks(warnings));
    summary.push_str(&format!("\nNext: \"how good is this data?\"{}", question(&table.columns)));
    summary
}

/// A question that this table can answer.
fn question(columns: &[Column]) -> String {
    let amount = columns.iter().find(|column| column.column_type.is_numeric() && !looks_like_a_key(&column.name));
    match amount {
        Some(amount) => format!(", or \"what is the average {}?\"", amount.name),
        None => ", or \"how many rows are there?\"".to_owned(),
    }
}

/// Nobody wants the average of an order number.
pub(crate) fn looks_like_a_key(name: &str) -> bool {
    let name = name.to_lowercase();
    ["id", "no", "nr", "number", "key", "code", "zip", "year"]
        .iter()
        .any(|word| name.split(|sign: char| !sign.is_alphanumeric()).any(|part| part == *word))
}

fn document_reading(kind: FileKind, parsed: ParsedDocument) -> Reading {
    let words = parsed.word_count();
    let media_type = if kind == FileKind::Markdown { "text/markdown" } else { "text/plain" };
    let payload = object(json!({
        "kind": "document",
        "format": kind.as_str(),
        "word_count": words,
        "character_count": parsed.text.chars().count(),
        "headings": parsed.headings,
        "preview": shortened(&parsed.text, PREVIEW_TEXT),
        "reading": parsed.reading,
        "warnings": parsed.warnings,
    }));
    let summary = document_summary(&parsed, words);
    let search_text = parsed.text.chars().take(SEARCHED_SIGNS).collect();
    Reading { payload, content: parsed.text.into_bytes(), media_type, search_text, summary }
}

fn document_summary(parsed: &ParsedDocument, words: usize) -> String {
    let mut summary = format!("has {}", counted(words, "word", "words"));
    if parsed.headings.is_empty() {
        let beginning = parsed.text.split_whitespace().collect::<Vec<_>>().join(" ");
        summary.push_str(&format!(". It begins: \"{}\"\n", shortened(&beginning, PREVIEW_CELL)));
    } else {
        summary.push_str(&format!(" under {}:\n\n", counted(parsed.headings.len(), "heading", "headings")));
        for heading in parsed.headings.iter().take(SUMMARY_HEADINGS) {
            summary.push_str(&format!("- {}\n", heading.text));
        }
        if parsed.headings.len() > SUMMARY_HEADINGS {
            summary.push_str(&format!("- …and {} more\n", parsed.headings.len() - SUMMARY_HEADINGS));
        }
    }
    summary.push_str(&remarks(&parsed.warnings));
    summary.push_str("\nNext: \"make a workflow of it\", if it describes a procedure, or search it for a word.");
    summary
}

fn remarks(warnings: &[String]) -> String {
    warnings.iter().map(|warning| format!("\n- Note: {warning}")).collect::<String>()
        + if warnings.is_empty() { "" } else { "\n" }
}

fn object(value: Value) -> Object {
    match value {
        Value::Object(object) => object,
        _ => unreachable!("it was written as an object"),
    }
}

/// For a person who asks for what nobody has read yet.
pub(super) fn not_read(name: &str) -> Failure {
    Failure::new(Code::NotFound, format!("{} was not read yet. Ask me to read it first (`parse_content`).", code(name)))
}
