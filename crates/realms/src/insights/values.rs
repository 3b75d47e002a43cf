//! The values of a column as insights look at them: present or missing, fitting or not, equal or not.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
};

use crate::content::{
    DateStyle, Reading, is_missing, read_date,
    table::{Cell, Column, ColumnType, DateOrder, Table},
};

/// What a cell is within its column.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value<'a> {
    /// Nothing, or only blanks.
    Empty,
    /// A word such as `N/A`.
    Placeholder(&'a str),
    Boolean(bool),
    /// With the number for statistics.
    Number(f64),
    /// ISO 8601.
    Date {
        iso: String,
        style: DateStyle,
        ambiguous: bool,
    },
    /// Written like a date, but no day has it.
    ImpossibleDate(&'a str),
    Text(&'a str),
}

/// Reads a cell in the light of its column.
pub(super) fn value<'a>(column: &Column, cell: &'a Cell) -> Value<'a> {
    match cell {
        Cell::Null => Value::Empty,
        Cell::Boolean(value) => Value::Boolean(*value),
        #[expect(clippy::cast_precision_loss, reason = "statistics are computed in double precision")]
        Cell::Integer(value) => Value::Number(*value as f64),
        Cell::Number(value) => Value::Number(*value),
        Cell::Text(text) if text.trim().is_empty() => Value::Empty,
        Cell::Text(text) if is_missing(text) => Value::Placeholder(text),
        Cell::Text(text) if column.column_type.is_temporal() => match read_date(text, order(column)) {
            Reading::Date(dated) | Reading::DateTime(dated) => {
                Value::Date { iso: dated.iso, style: dated.style, ambiguous: dated.ambiguous }
            }
            Reading::Impossible => Value::ImpossibleDate(text),
            Reading::NotADate => Value::Text(text),
        },
        Cell::Text(text) => Value::Text(text),
    }
}

fn order(column: &Column) -> DateOrder {
    column.date_order.unwrap_or(DateOrder::MonthFirst)
}

impl Value<'_> {
    pub(super) const fn is_missing(&self) -> bool {
        matches!(self, Self::Empty | Self::Placeholder(_))
    }

    /// Whether a value that is there is of the column's type.
    pub(super) const fn fits(&self, column_type: ColumnType) -> bool {
        match column_type {
            ColumnType::Integer | ColumnType::Number => matches!(self, Self::Number(_)),
            ColumnType::Boolean => matches!(self, Self::Boolean(_)),
            ColumnType::Date | ColumnType::DateTime => matches!(self, Self::Date { .. }),
            ColumnType::Text | ColumnType::Empty => true,
        }
    }
}

/// What makes two cells of a column the same value. The same day in two ways of writing is one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Key<'a> {
    Missing,
    Boolean(bool),
    Integer(i64),
    /// The bits of a float, which is never NaN.
    Number(u64),
    Date(String),
    Text(&'a str),
}

pub(super) fn key<'a>(column: &Column, cell: &'a Cell) -> Key<'a> {
    match cell {
        // Beyond 2^53 two integers can have the same float, so they are compared as what they are.
        Cell::Integer(value) => Key::Integer(*value),
        cell => match value(column, cell) {
            Value::Empty | Value::Placeholder(_) => Key::Missing,
            Value::Boolean(value) => Key::Boolean(value),
            // Adding zero makes -0 the same as 0.
            Value::Number(value) => Key::Number((value + 0.0).to_bits()),
            Value::Date { iso, .. } => Key::Date(iso),
            Value::ImpossibleDate(text) | Value::Text(text) => Key::Text(text),
        },
    }
}

/// Rows that are there before, value for value: each with the first row that is the same. Both are counted from 0. Rows without any value
/// are not looked at.
pub(super) fn duplicate_rows(table: &Table) -> Vec<(usize, usize)> {
    let mut first: HashMap<u64, Vec<usize>> = HashMap::new();
    let mut duplicates = Vec::new();
    for (number, row) in table.rows.iter().enumerate() {
        let mut hasher = DefaultHasher::new();
        let mut has_value = false;
        for (column, cell) in table.columns.iter().zip(row) {
            let key = key(column, cell);
            has_value |= key != Key::Missing;
            key.hash(&mut hasher);
        }
        if !has_value {
            continue;
        }
        let alike = first.entry(hasher.finish()).or_default();
        match alike.iter().find(|&&other| same(table, other, number)) {
            Some(&other) => duplicates.push((number, other)),
            None => alike.push(number),
        }
    }
    duplicates
}

fn same(table: &Table, left: usize, right: usize) -> bool {
    let cells = table.rows[left].iter().zip(&table.rows[right]);
    table.columns.iter().zip(cells).all(|(column, (left, right))| key(column, left) == key(column, right))
}

/// The table as a question sees it: numbers, booleans and dates (in ISO 8601) where the column has them, nothing where a cell does not
/// fit, so that a sum never counts a word as zero. With it, how many cells of each column were left out.
pub(super) fn for_questions(table: &Table) -> (Table, Vec<usize>) {
    let mut left_out = vec![0; table.columns.len()];
    let rows = table.rows.iter().map(|row| {
        let cells = table.columns.iter().zip(row).zip(&mut left_out);
        cells
            .map(|((column, cell), left_out)| {
                if matches!(column.column_type, ColumnType::Text | ColumnType::Empty) {
                    return cell.clone();
                }
                let value = value(column, cell);
                if value.is_missing() || value.fits(column.column_type) {
                    return asked(value, cell);
                }
                *left_out += 1;
                Cell::Null
            })
            .collect()
    });
    let rows = rows.collect();
    (Table { columns: table.columns.clone(), rows }, left_out)
}

fn asked(value: Value<'_>, cell: &Cell) -> Cell {
    match value {
        Value::Empty | Value::Placeholder(_) => Cell::Null,
        Value::Date { iso, .. } => Cell::Text(iso),
        Value::Boolean(_) | Value::Number(_) | Value::ImpossibleDate(_) | Value::Text(_) => cell.clone(),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::content::read_csv;

    /// A table as `parse_content` reads it.
    pub(in crate::insights) fn csv(text: &str) -> Table {
        read_csv(text.as_bytes()).expect("the test's CSV is good")
    }

    #[test]
    fn duplicates_are_the_same_values_however_they_are_written() {
        let table = csv(
            "id,day,name\n1,2026-01-02,a\n2,2026-01-03,b\n1,02.01.2026,a\n1,2026-01-02,A\n,,\n,,\n2,2026-01-03,b\n",
        );
        assert_eq!(duplicate_rows(&table), [(2, 0), (6, 1)]);
    }

    #[test]
    fn what_does_not_fit_is_left_out_of_questions() {
        let table =
            csv("amount,day\n1,2026-01-01\n2,01/31/2026\nx,2026-02-30\nN/A,2026-03-01\n3,2026-03-02\n4,2026-03-03\n");
        let (asked, left_out) = for_questions(&table);
        assert_eq!(left_out, [1, 1]);
        assert_eq!(asked.rows[1][1], Cell::text("2026-01-31"));
        assert_eq!([&asked.rows[2][0], &asked.rows[2][1], &asked.rows[3][0]], [&Cell::Null; 3]);
    }
}
