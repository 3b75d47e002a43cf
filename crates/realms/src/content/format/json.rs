//! JSON and JSON lines as tables: an array of objects is rows; nested objects become columns with dotted names, arrays
//! stay as JSON text.

use std::{collections::HashMap, fmt};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, MapAccess, SeqAccess, Visitor},
    ser::SerializeMap,
};
use serde_json::{Map, Value};

use super::{MAX_COLUMNS, ParsedTable, ReadError, check_cell, check_size, text::decode};
use crate::content::{
    infer::{self, Texts},
    table::Cell,
};

pub(super) fn read(bytes: &[u8]) -> Result<ParsedTable, ReadError> {
    let decoded = decode(bytes)?;
    let document: Json = serde_json::from_str(&decoded.text).map_err(|error| malformed(&error, 0))?;
    let mut reading = decoded.reading();
    let mut rows = Rows::default();
    let records = match document {
        Json::Object(fields) => match only_list_of_objects(&fields) {
            Some(place) => {
                reading.insert("path".to_owned(), Value::from(fields[place].0.as_str()));
                let Some((_, Json::Array(records))) = fields.into_iter().nth(place) else {
                    unreachable!("the place is that of an array");
                };
                records
            }
            None => vec![Json::Object(fields)],
        },
        Json::Array(records) => records,
        Json::Cell(cell) => vec![Json::Cell(cell)],
    };
    for record in records {
        rows.push(record)?;
    }
    Ok(ParsedTable { table: rows.table()?, reading, warnings: decoded.warnings })
}

pub(super) fn read_lines(bytes: &[u8]) -> Result<ParsedTable, ReadError> {
    let decoded = decode(bytes)?;
    let mut rows = Rows::default();
    for (number, line) in decoded.text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        rows.push(serde_json::from_str(line).map_err(|error| malformed(&error, number as u64))?)?;
    }
    if rows.rows.is_empty() {
        return Err(ReadError::unreadable("The file has no rows. Upload it again with its content."));
    }
    let reading: Map<String, Value> = decoded.reading();
    Ok(ParsedTable { table: rows.table()?, reading, warnings: decoded.warnings })
}

fn malformed(error: &serde_json::Error, lines_before: u64) -> ReadError {
    let (line, column) = (error.line() as u64 + lines_before, error.column().max(1) as u64);
    let what = error.to_string();
    let what = what.rsplit_once(" at line ").map_or(what.as_str(), |(what, _)| what);
    let what = if what.contains("recursion limit") { "it is nested too deeply" } else { what };
    ReadError::unreadable(format!(
        "The JSON is broken in line {line}, column {column}: {what}. Mend it, then upload the file again."
    ))
    .at(line, column)
}

/// The place of the one field that is a list of objects, as in `{"orders": [{…}, {…}], "total": 2}`.
fn only_list_of_objects(fields: &[(String, Json)]) -> Option<usize> {
    let is_rows = |json: &Json| match json {
        Json::Array(items) => !items.is_empty() && items.iter().all(|item| matches!(item, Json::Object(_))),
        Json::Object(_) | Json::Cell(_) => false,
    };
    let mut places = fields.iter().enumerate().filter(|(_, (_, json))| is_rows(json)).map(|(place, _)| place);
    places.next().filter(|_| places.next().is_none())
}

/// Rows that grow columns as they come.
#[derive(Default)]
struct Rows {
    names: Vec<String>,
    places: HashMap<String, usize>,
    rows: Vec<Vec<Cell>>,
}

impl Rows {
    fn push(&mut self, record: Json) -> Result<(), ReadError> {
        let mut row = Vec::new();
        match record {
            Json::Object(fields) => self.put_object("", fields, &mut row)?,
            Json::Array(items) => {
                for (number, item) in items.into_iter().enumerate() {
                    self.put(&format!("column_{}", number + 1), item, &mut row)?;
                }
            }
            Json::Cell(_) => self.put("value", record, &mut row)?,
        }
        self.rows.push(row);
        check_size(self.rows.len(), self.names.len())
    }

    /// The recursion is as deep as the JSON, which its reader has bounded.
    fn put_object(&mut self, prefix: &str, fields: Vec<(String, Json)>, row: &mut Vec<Cell>) -> Result<(), ReadError> {
        for (key, value) in fields {
            let name = if prefix.is_empty() { key } else { format!("{prefix}.{key}") };
            self.put(&name, value, row)?;
        }
        Ok(())
    }

    fn put(&mut self, name: &str, value: Json, row: &mut Vec<Cell>) -> Result<(), ReadError> {
        let cell = match value {
            Json::Object(fields) if !fields.is_empty() => return self.put_object(name, fields, row),
            Json::Cell(cell) => cell,
            nested => Cell::Text(serde_json::to_string(&nested).expect("JSON that was read can be written")),
        };
        if let Some(text) = cell.as_text() {
            check_cell(text, self.rows.len() as u64 + 1)?;
        }
        let place = self.place(name)?;
        if row.len() <= place {
            row.resize(place + 1, Cell::Null);
        }
        row[place] = cell;
        Ok(())
    }

    fn place(&mut self, name: &str) -> Result<usize, ReadError> {
        if let Some(&place) = self.places.get(name) {
            return Ok(place);
        }
        if self.names.len() == MAX_COLUMNS {
            check_size(0, MAX_COLUMNS + 1)?;
        }
        self.names.push(name.to_owned());
        self.places.insert(name.to_owned(), self.names.len() - 1);
        Ok(self.names.len() - 1)
    }

    fn table(mut self) -> Result<crate::Table, ReadError> {
        if self.names.is_empty() {
            return Err(ReadError::unreadable("The JSON has no values in it. Upload a list of objects."));
        }
        check_size(self.rows.len(), self.names.len())?;
        for row in &mut self.rows {
            row.resize(self.names.len(), Cell::Null);
        }
        Ok(infer::table(self.names, self.rows, Texts::Typed))
    }
}

/// JSON that remembers the order of its fields: it is the order of the columns.
enum Json {
    Cell(Cell),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct JsonVisitor;

        impl<'de> Visitor<'de> for JsonVisitor {
            type Value = Json;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("JSON")
            }

            fn visit_unit<E: de::Error>(self) -> Result<Json, E> {
                Ok(Json::Cell(Cell::Null))
            }

            fn visit_bool<E: de::Error>(self, value: bool) -> Result<Json, E> {
                Ok(Json::Cell(Cell::Boolean(value)))
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Json, E> {
                Ok(Json::Cell(Cell::Integer(value)))
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Json, E> {
                Ok(Json::Cell(i64::try_from(value).map_or_else(|_| Cell::Text(value.to_string()), Cell::Integer)))
            }

            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Json, E> {
                Ok(Json::Cell(Cell::number(value)))
            }

            fn visit_str<E: de::Error>(self, value: &str) -> Result<Json, E> {
                Ok(Json::Cell(Cell::text(value)))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Json, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = sequence.next_element()? {
                    items.push(item);
                }
                Ok(Json::Array(items))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Json::Object(fields))
            }
        }

        deserializer.deserialize_any(JsonVisitor)
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Cell(cell) => cell.serialize(serializer),
            Self::Array(items) => items.serialize(serializer),
            Self::Object(fields) => {
                let mut map = serializer.serialize_map(Some(fields.len()))?;
                for (key, value) in fields {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::table::ColumnType;

    fn names(parsed: &ParsedTable) -> Vec<&str> {
        parsed.table.columns.iter().map(|column| column.name.as_str()).collect()
    }

    #[test]
    fn shapes_become_tables() {
        for (text, columns, rows) in [
            (r#"[{"z":1,"a":"x"},{"a":"y","m":null}]"#, &["z", "a", "m"][..], 2),
            (r#"{"count":2,"orders":[{"id":1},{"id":2}]}"#, &["id"], 2),
            (r#"{"name":"x","size":{"w":1,"h":2}}"#, &["name", "size.w", "size.h"], 1),
            (r#"[[1,2],[3,4]]"#, &["column_1", "column_2"], 2),
            (r#"[1,2,3]"#, &["value"], 3),
            (r#"{"a":[{"x":1}],"b":[{"y":1}]}"#, &["a", "b"], 1),
        ] {
            let parsed = read(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error:?}"));
            assert_eq!((names(&parsed), parsed.table.rows.len()), (columns.to_vec(), rows), "{text}");
        }
    }

    #[test]
    fn lines_are_rows_and_missing_fields_are_null() {
        let parsed = read_lines(b"{\"a\":1}\n\n{\"b\":[1,{\"c\":2}]}\n").unwrap();
        assert_eq!(parsed.table.rows[0], [Cell::Integer(1), Cell::Null]);
        assert_eq!(parsed.table.rows[1], [Cell::Null, Cell::text("[1,{\"c\":2}]")]);
        assert_eq!(parsed.table.columns[0].column_type, ColumnType::Integer);
    }

    #[test]
    fn broken_json_is_refused_with_its_place() {
        let deep = "[".repeat(100_000);
        for (result, place) in [
            (read(b"[{\"a\":1},\n {\"a\":}]"), (2, 7)),
            (read(b"[1,2"), (1, 4)),
            (read(deep.as_bytes()), (1, 128)),
            (read_lines(b"{\"a\":1}\n{\"a\" 2}\n"), (2, 6)),
            (read(b"{} extra"), (1, 4)),
        ] {
            let error = result.unwrap_err();
            assert_eq!(error.place, Some(place), "{}", error.message);
        }
        assert!(read(b"[]").is_err());
        assert!(read_lines(b"\n\n").is_err());
    }

    #[test]
    fn large_integers_keep_their_digits() {
        let parsed = read(b"[{\"id\":18446744073709551615},{\"id\":9223372036854775807}]").unwrap();
        assert_eq!(parsed.table.rows[0][0], Cell::text("18446744073709551615"));
        assert_eq!(parsed.table.rows[1][0], Cell::Integer(i64::MAX));
    }
}
