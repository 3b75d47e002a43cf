//! Excel workbooks: one sheet as a table. Cells are read one by one, so a sheet that claims to be huge costs nothing.

use std::io::{self, Cursor, Read};

use calamine::{DataRef, Reader, Xlsx, XlsxError};
use serde_json::{Map, Value};

use super::{MAX_COLUMNS, MAX_ROWS, ParsedTable, ReadError, ReadOptions, check_cell, check_size, warn};
use crate::content::{
    infer::{self, Texts},
    table::Cell,
};

/// Of everything in the workbook once it is unpacked.
const MAX_UNPACKED_BYTES: u64 = 256 * 1024 * 1024;

/// Integers up to here are exact in the double precision in which Excel keeps every number.
const EXACT_INTEGER: f64 = 9_007_199_254_740_992.0;

pub(super) fn read(bytes: &[u8], options: &ReadOptions) -> Result<ParsedTable, ReadError> {
    check_unpacked_size(bytes, MAX_UNPACKED_BYTES)?;
    let mut workbook: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(|error| damaged(&error))?;
    let sheets = workbook.sheet_names();
    let sheet = choose_sheet(&sheets, options.sheet.as_deref())?;
    let mut rows = read_cells(&mut workbook, &sheet)?;
    let mut warnings = Vec::new();
    let width = rows.iter().map(Vec::len).max().unwrap_or(0);
    if width == 0 {
        return Err(ReadError::unreadable(format!(
            "The sheet \"{sheet}\" is empty. Name another one of: {}.",
            sheets.join(", ")
        )));
    }
    check_size(rows.len(), width)?;
    rows.iter_mut().for_each(|row| row.resize(width, Cell::Null));
    let names = if options.has_header.unwrap_or_else(|| !infer::looks_like_data(&rows[0])) {
        rows.remove(0).iter().map(ToString::to_string).collect()
    } else {
        warn(&mut warnings, "The first row looks like data, so the columns have no names.".to_owned());
        vec![String::new(); width]
    };
    let reading =
        Map::from_iter([("sheet".to_owned(), Value::from(sheet)), ("sheets".to_owned(), Value::from(sheets))]);
    Ok(ParsedTable { table: infer::table(names, rows, Texts::Typed), reading, warnings })
}

/// Unpacks everything once and keeps nothing: the sizes that an archive claims need not be true.
fn check_unpacked_size(bytes: &[u8], limit: u64) -> Result<(), ReadError> {
    let broken = |_| ReadError::unreadable("The workbook is damaged. Save it again from its program, then upload it.");
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(broken)?;
    let mut left = limit;
    for place in 0..archive.len() {
        let entry = archive.by_index(place).map_err(broken)?;
        let unpacked = io::copy(&mut entry.take(left + 1), &mut io::sink()).map_err(|_| {
            ReadError::unreadable("The workbook is damaged. Save it again from its program, then upload it.")
        })?;
        left = left.checked_sub(unpacked).ok_or_else(|| {
            ReadError::too_large("The workbook unpacks to more than 256 MiB. Split it, or save the sheet as CSV.")
        })?;
    }
    Ok(())
}

fn choose_sheet(sheets: &[String], wanted: Option<&str>) -> Result<String, ReadError> {
    let found = match wanted {
        None => sheets.first(),
        Some(wanted) => sheets.iter().find(|sheet| sheet.to_lowercase() == wanted.trim().to_lowercase()),
    };
    found.cloned().ok_or_else(|| {
        ReadError::unreadable(match wanted {
            Some(wanted) => format!("There is no sheet \"{wanted}\". Name one of: {}.", sheets.join(", ")),
            None => "The workbook has no sheet.".to_owned(),
        })
    })
}

/// The rows from the first used one to the last used one, each from the first used column on.
fn read_cells<R: Read + io::Seek>(workbook: &mut Xlsx<R>, sheet: &str) -> Result<Vec<Vec<Cell>>, ReadError> {
    let mut cells = workbook.worksheet_cells_reader(sheet).map_err(|error| damaged(&error))?;
    let mut found: Vec<(u32, u32, Cell)> = Vec::new();
    while let Some(cell) = cells.next_cell().map_err(|error| damaged(&error))? {
        let (row, column) = cell.get_position();
        let value = cell_of(cell.get_value());
        if let Some(text) = value.as_text() {
            check_cell(text, u64::from(row) + 1)?;
        }
        if !value.is_null() {
            found.push((row, column, value));
            check_size(found.len() / MAX_COLUMNS, MAX_COLUMNS)?;
        }
    }
    let Some(top) = found.iter().map(|&(row, _, _)| row).min() else { return Ok(Vec::new()) };
    let left = found.iter().map(|&(_, column, _)| column).min().unwrap_or(0);
    let bottom = found.iter().map(|&(row, _, _)| row).max().unwrap_or(top);
    let right = found.iter().map(|&(_, column, _)| column).max().unwrap_or(left);
    let (height, width) = ((bottom - top) as usize + 1, (right - left) as usize + 1);
    check_size(height.min(MAX_ROWS + 1), width)?;
    let mut rows = vec![vec![Cell::Null; width]; height];
    for (row, column, value) in found {
        rows[(row - top) as usize][(column - left) as usize] = value;
    }
    Ok(rows)
}

fn cell_of(value: &DataRef<'_>) -> Cell {
    match value {
        DataRef::Empty => Cell::Null,
        DataRef::Int(value) => Cell::Integer(*value),
        #[expect(clippy::cast_possible_truncation, reason = "it is a whole number within the exact range")]
        DataRef::Float(value) if value.fract() == 0.0 && value.abs() <= EXACT_INTEGER => Cell::Integer(*value as i64),
        DataRef::Float(value) => Cell::number(*value),
        DataRef::Bool(value) => Cell::Boolean(*value),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text_cell(text),
        DataRef::SharedString(text) => text_cell(text),
        DataRef::DateTime(instant) if instant.is_duration() => Cell::number(instant.as_f64()),
        DataRef::DateTime(instant) => {
            let (year, month, day, hour, minute, second, milli) = instant.to_ymd_hms_milli();
            if (hour, minute, second, milli) == (0, 0, 0, 0) {
                Cell::Text(format!("{year:04}-{month:02}-{day:02}"))
            } else {
                Cell::Text(format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"))
            }
        }
        DataRef::Error(error) => Cell::Text(error.to_string()),
    }
}

fn text_cell(text: &str) -> Cell {
    if text.is_empty() { Cell::Null } else { Cell::text(text) }
}

fn damaged(error: &XlsxError) -> ReadError {
    ReadError::unreadable(match error {
        XlsxError::Password => "The workbook is protected by a password. Save it without one, then upload it.",
        _ => "The workbook is damaged. Save it again from its program, then upload it.",
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::content::table::ColumnType;

    const STOCK: &[u8] = include_bytes!("../../../tests/fixtures/stock.xlsx");

    #[test]
    fn the_first_sheet_is_read_with_its_types() {
        let parsed = read(STOCK, &ReadOptions::default()).unwrap();
        let columns: Vec<_> =
            parsed.table.columns.iter().map(|column| (column.name.as_str(), column.column_type)).collect();
        assert_eq!(
            columns,
            [
                ("article", ColumnType::Text),
                ("count", ColumnType::Integer),
                ("price", ColumnType::Number),
                ("checked_on", ColumnType::Date),
                ("active", ColumnType::Boolean),
            ]
        );
        assert_eq!(
            parsed.table.rows[0],
            [Cell::text("Tea"), Cell::Integer(12), Cell::Number(3.5), Cell::text("2026-03-04"), Cell::Boolean(true)]
        );
        assert_eq!(parsed.table.rows.len(), 3);
        assert_eq!(parsed.table.rows[2][1], Cell::Null);
    }

    #[test]
    fn a_sheet_can_be_named() {
        let named = |sheet: &str| read(STOCK, &ReadOptions { sheet: Some(sheet.to_owned()), ..ReadOptions::default() });
        assert_eq!(named("suppliers").unwrap().table.columns[0].name, "supplier");
        assert!(named("Nowhere").unwrap_err().message.contains("Stock, Suppliers"));
    }

    #[test]
    fn damaged_and_bloated_workbooks_are_refused() {
        assert_eq!(
            read(&STOCK[..STOCK.len() / 2], &ReadOptions::default()).unwrap_err().code,
            contract::Code::UnreadableFile
        );
        let mut bomb = zip::ZipWriter::new(Cursor::new(Vec::new()));
        bomb.start_file("xl/workbook.xml", zip::write::SimpleFileOptions::default()).unwrap();
        bomb.write_all(&vec![0; 1024 * 1024]).unwrap();
        let bytes = bomb.finish().unwrap().into_inner();
        assert!(bytes.len() < 16 * 1024);
        assert_eq!(check_unpacked_size(&bytes, 1024 * 1024), Ok(()));
        assert_eq!(check_unpacked_size(&bytes, 1024 * 1024 - 1).unwrap_err().code, contract::Code::PayloadTooLarge);
    }
}
