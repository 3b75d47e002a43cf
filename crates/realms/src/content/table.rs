//! A table as every realm sees it, and its stored form. It knows nothing of the file that it was read from.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, Visitor},
};

/// The media type of a stored table: one JSON document a line, first the columns, then an array for each row.
pub const TABLE_MEDIA_TYPE: &str = "application/x-ndjson";

/// Columns and rows. Every row has a cell for every column.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    pub columns: Vec<Column>,
    pub rows: Vec<Vec<Cell>>,
}

/// A column. Names are unique in their table without regard to case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    pub name: String,
    #[serde(rename = "type")]
    pub column_type: ColumnType,
    /// How its dates are written, where it has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date_order: Option<DateOrder>,
}

/// What most cells of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnType {
    Integer,
    Number,
    Boolean,
    Date,
    DateTime,
    Text,
    /// It has no value at all.
    Empty,
}

impl ColumnType {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::DateTime => "date_time",
            Self::Text => "text",
            Self::Empty => "empty",
        }
    }

    pub const fn is_numeric(self) -> bool {
        matches!(self, Self::Integer | Self::Number)
    }

    pub const fn is_temporal(self) -> bool {
        matches!(self, Self::Date | Self::DateTime)
    }
}

/// How `03/04/2026` is read in a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DateOrder {
    DayFirst,
    MonthFirst,
}

/// A value. A cell that does not fit its column's type keeps the text that stood in the file; dates are text too.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Cell {
    #[default]
    Null,
    Boolean(bool),
    Integer(i64),
    /// Always finite.
    Number(f64),
    Text(String),
}

impl Cell {
    /// A number, or nothing where it is not finite.
    pub fn number(value: f64) -> Self {
        if value.is_finite() { Self::Number(value) } else { Self::Null }
    }

    pub fn text(value: impl Into<String>) -> Self {
        Self::Text(value.into())
    }

    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    pub fn as_number(&self) -> Option<f64> {
        match self {
            #[expect(clippy::cast_precision_loss, reason = "statistics are computed in double precision")]
            Self::Integer(value) => Some(*value as f64),
            Self::Number(value) => Some(*value),
            Self::Null | Self::Boolean(_) | Self::Text(_) => None,
        }
    }

    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Null | Self::Boolean(_) | Self::Integer(_) | Self::Number(_) => None,
        }
    }
}

/// For a person: nothing for null, numbers without superfluous digits.
impl fmt::Display for Cell {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => Ok(()),
            Self::Boolean(value) => write!(formatter, "{value}"),
            Self::Integer(value) => write!(formatter, "{value}"),
            Self::Number(value) => write!(formatter, "{value}"),
            Self::Text(value) => formatter.write_str(value),
        }
    }
}

impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Boolean(value) => serializer.serialize_bool(*value),
            Self::Integer(value) => serializer.serialize_i64(*value),
            Self::Number(value) => serializer.serialize_f64(*value),
            Self::Text(value) => serializer.serialize_str(value),
        }
    }
}

impl<'de> Deserialize<'de> for Cell {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct CellVisitor;

        impl Visitor<'_> for CellVisitor {
            type Value = Cell;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("null, a boolean, a number or a text")
            }

            fn visit_unit<E: de::Error>(self) -> Result<Cell, E> {
                Ok(Cell::Null)
            }

            fn visit_bool<E: de::Error>(self, value: bool) -> Result<Cell, E> {
                Ok(Cell::Boolean(value))
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Cell, E> {
                Ok(Cell::Integer(value))
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Cell, E> {
                // An integer beyond 64 bits keeps all of its digits as text rather than lose some as a float.
                Ok(i64::try_from(value).map_or_else(|_| Cell::Text(value.to_string()), Cell::Integer))
            }

            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Cell, E> {
                Ok(Cell::number(value))
            }

            fn visit_str<E: de::Error>(self, value: &str) -> Result<Cell, E> {
                Ok(Cell::Text(value.to_owned()))
            }

            fn visit_string<E: de::Error>(self, value: String) -> Result<Cell, E> {
                Ok(Cell::Text(value))
            }
        }

        deserializer.deserialize_any(CellVisitor)
    }
}

/// A stored table cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the stored table cannot be read")]
pub struct NotATable;

#[derive(Serialize, Deserialize)]
struct Header<Columns> {
    columns: Columns,
}

impl Table {
    /// The place of a column, by its name without regard to case.
    pub fn column_index(&self, name: &str) -> Option<usize> {
        let wanted = name.to_lowercase();
        self.columns.iter().position(|column| column.name.to_lowercase() == wanted)
    }

    /// The cells of a column, from the first row to the last.
    pub fn cells(&self, column: usize) -> impl Iterator<Item = &Cell> {
        self.rows.iter().map(move |row| &row[column])
    }

    /// The stored form (`TABLE_MEDIA_TYPE`).
    pub fn to_stored(&self) -> Vec<u8> {
        let mut stored = serde_json::to_vec(&Header { columns: &self.columns }).expect("columns are plain JSON");
        for row in &self.rows {
            stored.push(b'\n');
            serde_json::to_writer(&mut stored, row).expect("cells are plain JSON, and memory takes every write");
        }
        stored.push(b'\n');
        stored
    }

    /// Reads the stored form.
    pub fn from_stored(stored: &[u8]) -> Result<Self, NotATable> {
        let mut lines = stored.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
        let header: Header<Vec<Column>> =
            lines.next().and_then(|line| serde_json::from_slice(line).ok()).ok_or(NotATable)?;
        let mut rows = Vec::new();
        for line in lines {
            let row: Vec<Cell> = serde_json::from_slice(line).map_err(|_| NotATable)?;
            if row.len() != header.columns.len() {
                return Err(NotATable);
            }
            rows.push(row);
        }
        Ok(Self { columns: header.columns, rows })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, column_type: ColumnType) -> Column {
        Column { name: name.to_owned(), column_type, date_order: None }
    }

    #[test]
    fn a_table_survives_being_stored() {
        let table = Table {
            columns: vec![column("a", ColumnType::Integer), column("b \"quoted\"", ColumnType::Text)],
            rows: vec![
                vec![Cell::Integer(i64::MIN), Cell::text("line\nbreak")],
                vec![Cell::Null, Cell::Boolean(true)],
                vec![Cell::Number(0.1), Cell::text("ä")],
            ],
        };
        assert_eq!(Table::from_stored(&table.to_stored()).unwrap(), table);
        let empty = Table { columns: vec![column("only", ColumnType::Empty)], rows: Vec::new() };
        assert_eq!(Table::from_stored(&empty.to_stored()).unwrap(), empty);
    }

    #[test]
    fn what_is_no_stored_table_is_refused() {
        for stored in ["", "[]", "{\"columns\":[]}\n[1]", "{\"columns\":[{\"name\":\"a\",\"type\":\"text\"}]}\n[{}]"] {
            assert!(Table::from_stored(stored.as_bytes()).is_err(), "{stored:?}");
        }
    }

    #[test]
    fn a_number_is_always_finite() {
        assert_eq!(Cell::number(f64::NAN), Cell::Null);
        assert_eq!(serde_json::from_str::<Cell>("18446744073709551615").unwrap(), Cell::text("18446744073709551615"));
    }
}
