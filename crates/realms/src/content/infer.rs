//! Finds out what the columns of a table are, and makes their cells so. It knows nothing of file formats.

use std::collections::HashSet;

use super::{
    dates::{self, Reading},
    numbers::{Number, NumberStyle},
    table::{Cell, Column, ColumnType, DateOrder, Table},
};

/// A column has a type when at least three quarters of its values have it; the others keep their text.
const FITTING: (usize, usize) = (3, 4);

/// Words that people write where there is no value.
const PLACEHOLDERS: [&str; 14] =
    ["na", "n/a", "n.a.", "#n/a", "null", "nil", "none", "nan", "-", "--", "?", "missing", "(blank)", "(null)"];

/// Whether a text stands for a missing value: blank, or a word such as `N/A`.
pub(crate) fn is_missing(text: &str) -> bool {
    let text = text.trim();
    text.is_empty() || PLACEHOLDERS.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// Which texts may become numbers and booleans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Texts {
    /// The format knows only texts (CSV): `12` is a number.
    Untyped,
    /// The format knows numbers (JSON, xlsx): a text is meant to be one.
    Typed,
}

/// Makes a table of named columns and raw rows, all of the same length as `names`.
pub(crate) fn table(names: Vec<String>, mut rows: Vec<Vec<Cell>>, texts: Texts) -> Table {
    let columns = unique(names)
        .into_iter()
        .enumerate()
        .map(|(place, name)| {
            let (column_type, date_order) = settle(&mut rows, place, texts);
            Column { name, column_type, date_order }
        })
        .collect();
    Table { columns, rows }
}

/// What is in a column.
#[derive(Default)]
struct Census {
    booleans: usize,
    integers: usize,
    reals: usize,
    dates: usize,
    instants: usize,
    texts: usize,
}

fn settle(rows: &mut [Vec<Cell>], place: usize, texts: Texts) -> (ColumnType, Option<DateOrder>) {
    let written = || rows.iter().filter_map(|row| row[place].as_text()).filter(|text| !is_missing(text));
    let style = NumberStyle::of(written());
    let order = dates::order_of(written());
    let mut census = Census::default();
    for row in rows.iter() {
        census.count(&row[place], style, order, texts);
    }
    let column_type = census.verdict();
    for row in rows.iter_mut() {
        convert(&mut row[place], column_type, style, texts);
    }
    (column_type, column_type.is_temporal().then_some(order))
}

impl Census {
    fn count(&mut self, cell: &Cell, style: NumberStyle, order: DateOrder, texts: Texts) {
        match cell {
            Cell::Null => {}
            Cell::Boolean(_) => self.booleans += 1,
            Cell::Integer(_) => self.integers += 1,
            Cell::Number(_) => self.reals += 1,
            Cell::Text(text) if is_missing(text) => {}
            Cell::Text(text) => match dates::read(text, order) {
                Reading::Date(_) => self.dates += 1,
                Reading::DateTime(_) => self.instants += 1,
                Reading::Impossible | Reading::NotADate if texts == Texts::Typed => self.texts += 1,
                Reading::Impossible | Reading::NotADate => match style.read(text) {
                    Some(Number::Integer(_)) => self.integers += 1,
                    Some(Number::Real(_)) => self.reals += 1,
                    None if boolean(text).is_some() => self.booleans += 1,
                    None => self.texts += 1,
                },
            },
        }
    }

    fn verdict(&self) -> ColumnType {
        let numbers = self.integers + self.reals;
        let temporal = self.dates + self.instants;
        let total = self.booleans + numbers + temporal + self.texts;
        let most = |count: usize| count * FITTING.1 >= total * FITTING.0;
        if total == 0 {
            ColumnType::Empty
        } else if most(numbers) {
            if self.reals == 0 { ColumnType::Integer } else { ColumnType::Number }
        } else if most(temporal) {
            if self.instants > self.dates { ColumnType::DateTime } else { ColumnType::Date }
        } else if most(self.booleans) {
            ColumnType::Boolean
        } else {
            ColumnType::Text
        }
    }
}

fn convert(cell: &mut Cell, column_type: ColumnType, style: NumberStyle, texts: Texts) {
    match (column_type, &*cell) {
        (ColumnType::Integer | ColumnType::Number, Cell::Text(text))
            if texts == Texts::Untyped && !is_missing(text) =>
        {
            match style.read(text) {
                Some(Number::Integer(value)) => *cell = Cell::Integer(value),
                Some(Number::Real(value)) => *cell = Cell::number(value),
                None => {}
            }
        }
        (ColumnType::Boolean, Cell::Text(text)) if texts == Texts::Untyped => {
            if let Some(value) = boolean(text) {
                *cell = Cell::Boolean(value);
            }
        }
        _ => {}
    }
    if let (ColumnType::Number, Some(value)) = (column_type, cell.as_number()) {
        *cell = Cell::number(value);
    }
}

fn boolean(text: &str) -> Option<bool> {
    let text = text.trim();
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// Gives every column a name of its own, without regard to case: `amount`, `amount_2`; one without a name is `column_3`.
fn unique(names: Vec<String>) -> Vec<String> {
    let mut taken = HashSet::new();
    let mut unique = Vec::with_capacity(names.len());
    for (place, name) in names.into_iter().enumerate() {
        let name = match name.trim() {
            "" => format!("column_{}", place + 1),
            name => name.split_whitespace().collect::<Vec<_>>().join(" "),
        };
        let free = std::iter::once(name.clone())
            .chain((2_u32..).map(|number| format!("{name}_{number}")))
            .find(|candidate| taken.insert(candidate.to_lowercase()))
            .expect("there is always a free number");
        unique.push(free);
    }
    unique
}

/// Whether a first row is data already: every value in it is a number or a date, so none can be a name.
pub(crate) fn looks_like_data(first: &[Cell]) -> bool {
    let is_value = |cell: &Cell| match cell {
        Cell::Null => true,
        Cell::Boolean(_) | Cell::Integer(_) | Cell::Number(_) => true,
        Cell::Text(text) => {
            NumberStyle::default().read(text).is_some()
                || matches!(dates::read(text, DateOrder::MonthFirst), Reading::Date(_) | Reading::DateTime(_))
        }
    };
    first.iter().any(|cell| !cell.is_null()) && first.iter().all(is_value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(values: &[&str]) -> (ColumnType, Vec<Cell>) {
        let cell = |value: &&str| if value.is_empty() { Cell::Null } else { Cell::text(*value) };
        let rows = values.iter().map(|value| vec![cell(value)]).collect();
        let table = table(vec!["a".to_owned()], rows, Texts::Untyped);
        (table.columns[0].column_type, table.rows.into_iter().flatten().collect())
    }

    #[test]
    fn columns_find_their_type() {
        for (values, wanted) in [
            (&["1", "2", "3"][..], ColumnType::Integer),
            (&["1", "2.5", ""], ColumnType::Number),
            (&["1", "2", "3", "x"], ColumnType::Integer),
            (&["1", "2", "x"], ColumnType::Text),
            (&["007", "008"], ColumnType::Text),
            (&["true", "FALSE", "N/A"], ColumnType::Boolean),
            (&["2026-01-01", "02/01/2026", "3 Jan 2026"], ColumnType::Date),
            (&["2026-01-01T10:00", "2026-01-02 11:00"], ColumnType::DateTime),
            (&["", "N/A", " "], ColumnType::Empty),
            (&[], ColumnType::Empty),
            (&["NaN", "1"], ColumnType::Integer),
        ] {
            assert_eq!(column(values).0, wanted, "{values:?}");
        }
    }

    #[test]
    fn misfits_and_placeholders_keep_their_text() {
        let (_, cells) = column(&["1", "2", "3", "n/a", "four", "5"]);
        assert_eq!(cells[3], Cell::text("n/a"));
        assert_eq!(cells[4], Cell::text("four"));
        assert_eq!(cells[5], Cell::Integer(5));
    }

    #[test]
    fn texts_of_a_typed_format_stay_texts() {
        let rows = vec![vec![Cell::Integer(1)], vec![Cell::Integer(2)], vec![Cell::Number(0.5)], vec![Cell::text("3")]];
        let table = table(vec!["a".to_owned()], rows, Texts::Typed);
        assert_eq!(table.columns[0].column_type, ColumnType::Number);
        assert_eq!(table.rows[0][0], Cell::Number(1.0));
        assert_eq!(table.rows[3][0], Cell::text("3"));
    }

    #[test]
    fn names_are_unique_without_regard_to_case() {
        let names = ["a", "A", "", " b\n c ", "a_2"].map(str::to_owned).to_vec();
        assert_eq!(unique(names), ["a", "A_2", "column_3", "b c", "a_2_2"]);
    }

    #[test]
    fn only_a_row_of_values_is_no_header() {
        let row = |values: &[&str]| values.iter().map(|value| Cell::text(*value)).collect::<Vec<_>>();
        assert!(looks_like_data(&row(&["1", "2026-01-01"])));
        assert!(!looks_like_data(&row(&["region", "2021", "2022"])));
        assert!(!looks_like_data(&[Cell::Null]));
    }
}
