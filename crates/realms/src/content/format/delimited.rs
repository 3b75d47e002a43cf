//! CSV and its relatives (RFC 4180 and what people make of it): comma, semicolon, tab or bar between the fields.

use csv::{ReaderBuilder, StringRecord};
use serde_json::Value;

use super::{
    MAX_COLUMNS, ParsedTable, ReadError, ReadOptions, check_cell, check_size,
    text::{decode, place_of},
    warn,
};
use crate::content::{
    infer::{self, Texts},
    table::Cell,
};

const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// How many records are looked at to find the delimiter.
const SAMPLE_RECORDS: usize = 50;

pub(super) fn read(bytes: &[u8], options: &ReadOptions, known: Option<u8>) -> Result<ParsedTable, ReadError> {
    let mut decoded = decode(bytes)?;
    let (hinted, skipped_lines, text) = separator_hint(&decoded.text);
    let delimiter = options.delimiter.or(known).or(hinted).unwrap_or_else(|| find_delimiter(text));
    if let Some(quote) = unclosed_quote(text, delimiter) {
        let (line, column) = place_of(text, quote);
        let line = line + skipped_lines;
        return Err(ReadError::unreadable(format!(
            "A quote is opened in line {line}, column {column} and never closed. Close it or take it out, then upload the file again."
        ))
        .at(line, column));
    }
    let (names, rows) = read_records(text, delimiter, skipped_lines, options.has_header, &mut decoded.warnings)?;
    let table = infer::table(names, rows, Texts::Untyped);
    let mut reading = decoded.reading();
    reading.insert("delimiter".to_owned(), Value::from(char::from(delimiter).to_string()));
    Ok(ParsedTable { table, reading, warnings: decoded.warnings })
}

/// Whether a text without a telling name is a table: two rows or more with the same number of fields, two or more.
pub(super) fn looks_delimited(text: &str) -> bool {
    DELIMITERS.iter().any(|&delimiter| {
        let counts = field_counts(text, delimiter);
        counts.len() > 1 && counts[0] > 1 && counts.iter().all(|&count| count == counts[0])
    })
}

/// Excel's first line `sep=;`: the delimiter, how many lines it takes, and the rest of the text.
fn separator_hint(text: &str) -> (Option<u8>, u64, &str) {
    let first = text.lines().next().unwrap_or("");
    match first.strip_prefix("sep=").map(str::as_bytes) {
        Some(&[delimiter]) => {
            let rest = text.split_once('\n').map_or("", |(_, rest)| rest);
            (Some(delimiter), 1, rest)
        }
        Some(_) | None => (None, 0, text),
    }
}

/// The delimiter that cuts the most records into the same number of fields; more fields win a draw.
fn find_delimiter(text: &str) -> u8 {
    let score = |delimiter: u8| {
        let counts = field_counts(text, delimiter);
        let usual =
            counts.iter().copied().max_by_key(|&count| (counts.iter().filter(|&&other| other == count).count(), count));
        match usual {
            Some(usual) if usual > 1 => {
                let alike = counts.iter().filter(|&&count| count == usual).count();
                (alike * 1_000 / counts.len(), usual)
            }
            Some(_) | None => (0, 0),
        }
    };
    // The last of equals wins, and the comma is the likeliest.
    DELIMITERS.into_iter().rev().max_by_key(|&delimiter| score(delimiter)).unwrap_or(b',')
}

fn field_counts(text: &str, delimiter: u8) -> Vec<usize> {
    let mut counts = Vec::new();
    let mut reader = reader(text, delimiter);
    let mut record = StringRecord::new();
    while counts.len() < SAMPLE_RECORDS && reader.read_record(&mut record).unwrap_or(false) {
        counts.push(record.len());
    }
    // The last record of a sample may be cut off.
    if reader.is_done() && counts.len() > 2 && !text.ends_with('\n') {
        counts.pop();
    }
    counts
}

fn reader(text: &str, delimiter: u8) -> csv::Reader<&[u8]> {
    ReaderBuilder::new().delimiter(delimiter).has_headers(false).flexible(true).from_reader(text.as_bytes())
}

type NamesAndRows = (Vec<String>, Vec<Vec<Cell>>);

fn read_records(
    text: &str,
    delimiter: u8,
    skipped_lines: u64,
    has_header: Option<bool>,
    warnings: &mut Vec<String>,
) -> Result<NamesAndRows, ReadError> {
    let mut reader = reader(text, delimiter);
    let mut record = StringRecord::new();
    if !next(&mut reader, &mut record)? {
        return Err(ReadError::unreadable("The file has no rows. Upload it again with its content."));
    }
    let first = cells(&record, skipped_lines)?;
    let width = record.len();
    if width > MAX_COLUMNS {
        check_size(0, width)?;
    }
    let mut rows = Vec::new();
    let names = if has_header.unwrap_or_else(|| !infer::looks_like_data(&first)) {
        record.iter().map(str::to_owned).collect()
    } else {
        warn(warnings, "The first row looks like data, so the columns have no names.".to_owned());
        rows.push(first);
        vec![String::new(); width]
    };
    warn_of_names(&names, warnings);
    let mut short_rows = 0_usize;
    while next(&mut reader, &mut record)? {
        if record.iter().skip(width).any(|field| !field.trim().is_empty()) {
            return Err(too_many_fields(text, delimiter, &record, width, skipped_lines));
        }
        let mut row = cells(&record, skipped_lines)?;
        short_rows += usize::from(row.len() < width);
        row.resize(width, Cell::Null);
        rows.push(row);
        check_size(rows.len(), width)?;
    }
    if short_rows > 0 {
        let (rows, have) = if short_rows == 1 { ("row", "has") } else { ("rows", "have") };
        warn(
            warnings,
            format!("{short_rows} {rows} {have} fewer fields than the header; the missing ones count as empty."),
        );
    }
    Ok((names, rows))
}

fn next(reader: &mut csv::Reader<&[u8]>, record: &mut StringRecord) -> Result<bool, ReadError> {
    reader.read_record(record).map_err(|error| {
        let line = error.position().map_or(1, csv::Position::line);
        ReadError::unreadable(format!("Line {line} cannot be read. Check its quotes and delimiters.")).at(line, 1)
    })
}

fn cells(record: &StringRecord, skipped_lines: u64) -> Result<Vec<Cell>, ReadError> {
    let line = record.position().map_or(1, csv::Position::line) + skipped_lines;
    record
        .iter()
        .map(|field| {
            check_cell(field, line)?;
            Ok(if field.is_empty() { Cell::Null } else { Cell::text(field) })
        })
        .collect()
}

fn warn_of_names(names: &[String], warnings: &mut Vec<String>) {
    let mut seen = std::collections::HashSet::new();
    let twice: Vec<&str> = names
        .iter()
        .map(|name| name.trim())
        .filter(|name| !name.is_empty() && !seen.insert(name.to_lowercase()))
        .take(3)
        .collect();
    if !twice.is_empty() {
        warn(warnings, format!("Some columns have the same name ({}); the later ones got a number.", twice.join(", ")));
    }
}

fn too_many_fields(text: &str, delimiter: u8, record: &StringRecord, width: usize, skipped_lines: u64) -> ReadError {
    let start = record.position().map_or(0, |position| usize::try_from(position.byte()).unwrap_or(0));
    // The reader counts a record from the end of the one before, so blank lines may stand in front of it.
    let start = start + text[start..].len() - text[start..].trim_start_matches(['\r', '\n']).len();
    let place = field_start(text, start, delimiter, width);
    let (line, column) = place_of(text, place);
    let line = line + skipped_lines;
    ReadError::unreadable(format!(
        "Line {line} has {} fields, but the header has {width}. Put quotes around the field with the delimiter in it, or take the extra field out.",
        record.len()
    ))
    .at(line, column)
}

/// Walks over fields with their quotes. RFC 4180: a quote opens a field only at its beginning, and two of them within are one.
struct Fields<'a> {
    text: &'a [u8],
    delimiter: u8,
    place: usize,
}

impl Fields<'_> {
    /// Moves behind the field at the present place, to its delimiter or line end; the place of its quote where it never closes.
    fn skip(&mut self) -> Result<(), usize> {
        let opened = self.place;
        if self.text.get(self.place) == Some(&b'"') {
            self.place += 1;
            loop {
                match self.text[self.place..].iter().position(|&byte| byte == b'"') {
                    None => return Err(opened),
                    Some(offset) if self.text.get(self.place + offset + 1) == Some(&b'"') => self.place += offset + 2,
                    Some(offset) => {
                        self.place += offset + 1;
                        break;
                    }
                }
            }
        }
        let ends = |&byte: &u8| byte == self.delimiter || byte == b'\n' || byte == b'\r';
        self.place += self.text[self.place..].iter().position(ends).unwrap_or(self.text.len() - self.place);
        Ok(())
    }
}

/// Where a quote is opened that never closes.
fn unclosed_quote(text: &str, delimiter: u8) -> Option<usize> {
    let mut fields = Fields { text: text.as_bytes(), delimiter, place: 0 };
    while fields.place < text.len() {
        if let Err(opened) = fields.skip() {
            return Some(opened);
        }
        fields.place += 1;
    }
    None
}

/// Where the field `index` of the record at `start` begins.
fn field_start(text: &str, start: usize, delimiter: u8, index: usize) -> usize {
    let mut fields = Fields { text: text.as_bytes(), delimiter, place: start };
    for _ in 0..index {
        if fields.skip().is_err() {
            break;
        }
        fields.place += 1;
    }
    fields.place.min(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::table::ColumnType;

    fn parse(text: &str) -> Result<ParsedTable, ReadError> {
        read(text.as_bytes(), &ReadOptions::default(), None)
    }

    fn names(parsed: &ParsedTable) -> Vec<&str> {
        parsed.table.columns.iter().map(|column| column.name.as_str()).collect()
    }

    #[test]
    fn delimiters_are_found() {
        for (text, delimiter, columns) in [
            ("a,b,c\n1,2,3\n", b',', 3),
            ("a;b\n1,5;2,5\n3,5;4,5\n", b';', 2),
            ("a\tb\n1\t2\n", b'\t', 2),
            ("a|b|c\n1|2|3", b'|', 3),
            ("a;b\n\"x,y\";2\n", b';', 2),
            ("only\n1\n2\n", b',', 1),
            ("name,note\nx,\"a;b;c\"\ny,\"d;e;f\"\n", b',', 2),
            ("sep=;\na;b,c\n1;2\n", b';', 2),
        ] {
            let parsed = parse(text).unwrap_or_else(|error| panic!("{text:?}: {error:?}"));
            assert_eq!(parsed.reading["delimiter"], char::from(delimiter).to_string(), "{text:?}");
            assert_eq!(parsed.table.columns.len(), columns, "{text:?}");
        }
    }

    #[test]
    fn nasty_but_readable_files_are_read() {
        for (text, columns, rows) in [
            ("\u{feff}a,b\r\n1,2\r\n", &["a", "b"][..], 1),
            ("a,b\n", &["a", "b"], 0),
            ("a,b", &["a", "b"], 0),
            ("a,a,A,\n1,2,3,4\n", &["a", "a_2", "A_3", "column_4"], 1),
            ("a,b\n\"line\nbreak\",\"a \"\"quote\"\"\"\n", &["a", "b"], 1),
            ("a,b\n1\n", &["a", "b"], 1),
            ("a,b\n1,2,,\n", &["a", "b"], 1),
            ("a,b\n1,2\n\n\n3,4\n", &["a", "b"], 2),
            ("1,2\n3,4\n", &["column_1", "column_2"], 2),
            ("a,b\nit\"s,fine\n", &["a", "b"], 1),
            ("a,b\r1,2\r3,4\r", &["a", "b"], 2),
        ] {
            let parsed = parse(text).unwrap_or_else(|error| panic!("{text:?}: {error:?}"));
            assert_eq!(names(&parsed), columns, "{text:?}");
            assert_eq!(parsed.table.rows.len(), rows, "{text:?}");
        }
    }

    #[test]
    fn broken_files_are_refused_with_their_place() {
        for (text, place) in [
            ("a,b\n1,\"never\nclosed", (2, 3)),
            ("a,b\n1,2\n3,4,5\n", (3, 5)),
            ("a,b\n\n\n\"x\ny\",2,\"z\"\n", (5, 6)),
            ("sep=;\na;b\n1;2;3\n", (3, 5)),
            ("a,b\n1,\0\n", (2, 3)),
        ] {
            let error = parse(text).err().unwrap_or_else(|| panic!("{text:?} was read"));
            assert_eq!(error.place, Some(place), "{text:?}: {}", error.message);
        }
    }

    #[test]
    fn short_rows_and_names_that_repeat_are_told() {
        let parsed = parse("a,b,a\n1,2\n3,4,5\n").unwrap();
        assert_eq!(parsed.warnings.len(), 2, "{:?}", parsed.warnings);
        assert_eq!(parsed.table.rows[0][2], Cell::Null);
    }

    #[test]
    fn bounds_hold() {
        let wide = vec!["x"; MAX_COLUMNS + 1].join(",");
        assert_eq!(parse(&wide).unwrap_err().code, contract::Code::PayloadTooLarge);
        let long = format!("a,b\n1,{}\n", "x".repeat(super::super::MAX_CELL_BYTES + 1));
        assert_eq!(parse(&long).unwrap_err().place, Some((2, 1)));
    }

    #[test]
    fn whatever_is_written_is_read_again() {
        // A linear congruential generator with a fixed seed: the same rows in every run.
        let mut state = 20_261_122_u64;
        let mut chance = |limit: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % limit
        };
        let signs = ['a', 'é', '"', ',', ';', '\n', '\r', ' ', '\t', '|', '\''];
        for round in 0..200 {
            let (columns, rows) = (2 + chance(4), 1 + chance(6));
            let mut writer = csv::Writer::from_writer(Vec::new());
            let header: Vec<String> = (0..columns).map(|column| format!("c{column}")).collect();
            writer.write_record(&header).unwrap();
            let mut written = Vec::new();
            for _ in 0..rows {
                let row: Vec<String> = (0..columns)
                    .map(|_| (0..1 + chance(6)).map(|_| signs[usize::try_from(chance(11)).unwrap()]).collect())
                    .collect();
                writer.write_record(&row).unwrap();
                written.push(row.into_iter().map(Cell::Text).collect::<Vec<_>>());
            }
            let bytes = writer.into_inner().unwrap();
            let options = ReadOptions { delimiter: Some(b','), ..ReadOptions::default() };
            let parsed = read(&bytes, &options, None).unwrap_or_else(|error| panic!("round {round}: {error:?}"));
            assert_eq!(parsed.table.rows, written, "round {round}");
        }
    }

    #[test]
    fn numbers_with_a_decimal_comma_are_numbers() {
        let parsed = parse("item;price\nTea;1.234,50\nCake;3,20\n").unwrap();
        assert_eq!(parsed.table.columns[1].column_type, ColumnType::Number);
        assert_eq!(parsed.table.rows[0][1], Cell::Number(1234.5));
    }
}
