//! Readers, one file a format: bytes in, a table or a document out. They know nothing of executions, sessions or storage,
//! and every one of them is bounded.

mod delimited;
mod html;
mod json;
mod markdown;
mod pdf;
mod sniff;
mod text;
mod xlsx;

use contract::Code;
use runtime::Failure;
use serde::Serialize;
use serde_json::{Map, Value};

use super::table::Table;
pub(crate) use sniff::{FileKind, sniff};

pub(crate) const MAX_ROWS: usize = 1_000_000;
pub(crate) const MAX_COLUMNS: usize = 2_000;
/// Of all rows and columns together: what a table may take in memory.
pub(crate) const MAX_CELLS: usize = 10_000_000;
pub(crate) const MAX_CELL_BYTES: usize = 1024 * 1024;
/// Of the text of one document.
pub(crate) const MAX_TEXT_BYTES: usize = 16 * 1024 * 1024;
/// Of headings that are listed of one document.
const MAX_HEADINGS: usize = 500;
/// Of remarks about one file.
const MAX_WARNINGS: usize = 20;

/// What the person may say about how a file is to be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ReadOptions {
    /// The sheet of a workbook; the first one where nothing is said.
    pub(crate) sheet: Option<String>,
    /// The sign between fields; found out where nothing is said.
    pub(crate) delimiter: Option<u8>,
    /// Whether the first row names the columns; found out where nothing is said.
    pub(crate) has_header: Option<bool>,
}

/// What a file says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Parsed {
    Table(ParsedTable),
    Document(ParsedDocument),
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ParsedTable {
    pub(crate) table: Table,
    /// How it was read: encoding, delimiter, sheet.
    pub(crate) reading: Map<String, Value>,
    /// What a person should know about it, a sentence each.
    pub(crate) warnings: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ParsedDocument {
    pub(crate) text: String,
    pub(crate) headings: Vec<Heading>,
    pub(crate) reading: Map<String, Value>,
    pub(crate) warnings: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Heading {
    /// 1 for the highest.
    pub(crate) level: u8,
    pub(crate) text: String,
}

impl ParsedDocument {
    pub(crate) fn word_count(&self) -> usize {
        self.text.split_whitespace().filter(|word| word.chars().any(char::is_alphanumeric)).count()
    }
}

/// Why a file cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReadError {
    pub(crate) code: Code,
    /// One sentence for a person.
    pub(crate) message: String,
    /// Line and column, from 1.
    pub(crate) place: Option<(u64, u64)>,
}

impl ReadError {
    pub(crate) fn unreadable(message: impl Into<String>) -> Self {
        Self { code: Code::UnreadableFile, message: message.into(), place: None }
    }

    pub(crate) fn unsupported(message: impl Into<String>) -> Self {
        Self { code: Code::UnsupportedFormat, message: message.into(), place: None }
    }

    pub(crate) fn too_large(message: impl Into<String>) -> Self {
        Self { code: Code::PayloadTooLarge, message: message.into(), place: None }
    }

    pub(crate) fn at(mut self, line: u64, column: u64) -> Self {
        self.place = Some((line, column));
        self
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        let failure = Self::new(error.code, error.message);
        match error.place {
            Some((line, column)) => failure.at(line, column),
            None => failure,
        }
    }
}

/// Reads a file of a known kind.
pub(crate) fn read(kind: FileKind, bytes: &[u8], options: &ReadOptions) -> Result<Parsed, ReadError> {
    if bytes.is_empty() {
        return Err(ReadError::unreadable(
            "The file is empty: there is nothing to read in it. Upload it again with its content.",
        ));
    }
    match kind {
        FileKind::Csv => delimited::read(bytes, options, None).map(Parsed::Table),
        FileKind::Tsv => delimited::read(bytes, options, Some(b'\t')).map(Parsed::Table),
        FileKind::Json => json::read(bytes).map(Parsed::Table),
        FileKind::JsonLines => json::read_lines(bytes).map(Parsed::Table),
        FileKind::Xlsx => xlsx::read(bytes, options).map(Parsed::Table),
        FileKind::Text => text::read(bytes).map(Parsed::Document),
        FileKind::Markdown => markdown::read(bytes).map(Parsed::Document),
        FileKind::Html => html::read(bytes).map(Parsed::Document),
        FileKind::Pdf => pdf::read(bytes).map(Parsed::Document),
        FileKind::Unknown => {
            Err(ReadError::unsupported(format!("This kind of file cannot be read. These can: {}.", FileKind::READABLE)))
        }
    }
}

/// Refuses a table that would take too much memory.
fn check_size(rows: usize, columns: usize) -> Result<(), ReadError> {
    if columns > MAX_COLUMNS {
        return Err(ReadError::too_large(format!(
            "The table has more than {MAX_COLUMNS} columns. Upload a part of it with fewer columns."
        )));
    }
    if rows > MAX_ROWS || rows.saturating_mul(columns) > MAX_CELLS {
        return Err(ReadError::too_large(format!(
            "The table has more than {MAX_ROWS} rows or {MAX_CELLS} cells. Split it into smaller files."
        )));
    }
    Ok(())
}

fn check_cell(text: &str, line: u64) -> Result<(), ReadError> {
    if text.len() <= MAX_CELL_BYTES {
        return Ok(());
    }
    Err(ReadError::too_large(format!(
        "A cell in line {line} is larger than 1 MiB. Shorten it, then upload the file again."
    ))
    .at(line, 1))
}

fn check_text(text: &str) -> Result<(), ReadError> {
    if text.len() <= MAX_TEXT_BYTES {
        return Ok(());
    }
    Err(ReadError::too_large("The document has more than 16 MiB of text. Split it into smaller files."))
}

fn add_heading(headings: &mut Vec<Heading>, level: u8, text: &str) {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if !text.is_empty() && headings.len() < MAX_HEADINGS {
        headings.push(Heading { level, text });
    }
}

fn warn(warnings: &mut Vec<String>, warning: String) {
    if warnings.len() < MAX_WARNINGS {
        warnings.push(warning);
    }
}
