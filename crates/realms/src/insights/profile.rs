//! What is in a table, column by column and in all. Pure: a table in, a profile out.

use std::collections::HashMap;

use serde::Serialize;

use super::{
    statistics::{Fences, Statistics},
    values::{Key, Value, duplicate_rows, key, value},
};
use crate::{
    content::{
        looks_like_a_key,
        table::{Cell, ColumnType, Table},
    },
    markdown::{self, counted},
};

const TOP_VALUES: usize = 5;
const OUTLIER_EXAMPLES: usize = 5;
/// The longest value that is shown, in characters.
const LONGEST_VALUE: usize = 200;

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Profile {
    pub(super) row_count: usize,
    pub(super) column_count: usize,
    pub(super) cell_count: usize,
    pub(super) missing_cells: usize,
    /// Rows with a value in every column.
    pub(super) complete_rows: usize,
    /// Rows that stand in the table before, value for value.
    pub(super) duplicate_rows: usize,
    pub(super) columns: Vec<ColumnProfile>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct ColumnProfile {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) column_type: ColumnType,
    /// Values that are there.
    pub(super) count: usize,
    /// Cells with nothing or only blanks.
    pub(super) nulls: usize,
    /// Cells with a word such as `N/A`.
    pub(super) placeholders: usize,
    /// Values that are not of the column's type.
    pub(super) misfits: usize,
    pub(super) distinct: usize,
    /// Every value is there once.
    pub(super) is_unique: bool,
    /// Of numbers and dates.
    pub(super) min: Option<Cell>,
    pub(super) max: Option<Cell>,
    pub(super) statistics: Option<Statistics>,
    pub(super) outliers: Option<Outliers>,
    /// Of texts, in characters.
    pub(super) lengths: Option<Lengths>,
    pub(super) top_values: Vec<TopValue>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Outliers {
    pub(super) count: usize,
    pub(super) fences: Fences,
    /// The first ones.
    pub(super) examples: Vec<Outlier>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Outlier {
    /// From 1, the first below the header.
    pub(super) row: usize,
    pub(super) value: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Lengths {
    pub(super) min: usize,
    pub(super) max: usize,
    pub(super) mean: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct TopValue {
    pub(super) value: String,
    pub(super) count: usize,
}

pub(super) fn profile(table: &Table) -> Profile {
    let columns: Vec<ColumnProfile> = (0..table.columns.len()).map(|place| column_profile(table, place)).collect();
    let is_complete =
        |row: &&Vec<Cell>| table.columns.iter().zip(*row).all(|(column, cell)| !value(column, cell).is_missing());
    Profile {
        row_count: table.rows.len(),
        column_count: columns.len(),
        cell_count: table.rows.len() * columns.len(),
        missing_cells: columns.iter().map(|column| column.nulls + column.placeholders).sum(),
        complete_rows: table.rows.iter().filter(is_complete).count(),
        duplicate_rows: duplicate_rows(table).len(),
        columns,
    }
}

fn column_profile(table: &Table, place: usize) -> ColumnProfile {
    let column = &table.columns[place];
    let (mut nulls, mut placeholders, mut misfits) = (0, 0, 0);
    let (mut numbers, mut dates, mut lengths) = (Vec::new(), Vec::new(), Vec::new());
    for cell in table.cells(place) {
        match value(column, cell) {
            Value::Empty => nulls += 1,
            Value::Placeholder(_) => placeholders += 1,
            present => {
                misfits += usize::from(!present.fits(column.column_type));
                match present {
                    Value::Number(number) => numbers.push(number),
                    Value::Date { iso, .. } => dates.push(iso),
                    Value::Text(text) if column.column_type == ColumnType::Text => lengths.push(text.chars().count()),
                    _ => {}
                }
            }
        }
    }
    let statistics = if column.column_type.is_numeric() { Statistics::of(numbers) } else { None };
    let (min, max) = bounds(table, place, statistics.as_ref(), &dates);
    let counts = counts(table, place);
    let count = table.rows.len() - nulls - placeholders;
    ColumnProfile {
        name: column.name.clone(),
        column_type: column.column_type,
        count,
        nulls,
        placeholders,
        misfits,
        distinct: counts.len(),
        is_unique: count > 0 && counts.len() == count,
        min,
        max,
        outliers: statistics.as_ref().and_then(Statistics::fences).map(|fences| outliers(table, place, fences)),
        statistics,
        lengths: summary_of(&lengths),
        top_values: top_values(table, place, counts),
    }
}

fn bounds(
    table: &Table,
    place: usize,
    statistics: Option<&Statistics>,
    dates: &[String],
) -> (Option<Cell>, Option<Cell>) {
    let column = &table.columns[place];
    if column.column_type == ColumnType::Integer {
        // As they are: beyond 2^53 a float would round them.
        let integers =
            || table.cells(place).filter_map(|cell| if let Cell::Integer(value) = cell { Some(*value) } else { None });
        return (integers().min().map(Cell::Integer), integers().max().map(Cell::Integer));
    }
    if let Some(statistics) = statistics {
        return (Some(Cell::number(statistics.min)), Some(Cell::number(statistics.max)));
    }
    // ISO dates sort as texts.
    (dates.iter().min().map(Cell::text), dates.iter().max().map(Cell::text))
}

/// Where each value stands first, and how often it is there.
fn counts(table: &Table, place: usize) -> HashMap<Key<'_>, (usize, usize)> {
    let column = &table.columns[place];
    let mut counts = HashMap::new();
    for (row, cell) in table.cells(place).enumerate() {
        let key = key(column, cell);
        if key != Key::Missing {
            counts.entry(key).or_insert((row, 0)).1 += 1;
        }
    }
    counts
}

/// The commonest values; the earlier one of two that are as common. Where nothing repeats there is none.
fn top_values(table: &Table, place: usize, counts: HashMap<Key<'_>, (usize, usize)>) -> Vec<TopValue> {
    let mut counts: Vec<(usize, usize)> = counts.into_values().collect();
    counts.sort_by_key(|&(row, count)| (std::cmp::Reverse(count), row));
    if counts.first().is_none_or(|&(_, count)| count < 2) {
        return Vec::new();
    }
    let shown = |row: usize| markdown::shortened(&table.rows[row][place].to_string(), LONGEST_VALUE);
    counts.into_iter().take(TOP_VALUES).map(|(row, count)| TopValue { value: shown(row), count }).collect()
}

fn outliers(table: &Table, place: usize, fences: Fences) -> Outliers {
    let numbers = table.cells(place).enumerate().filter_map(|(row, cell)| Some((row + 1, cell.as_number()?)));
    let found: Vec<Outlier> =
        numbers.filter(|&(_, value)| fences.excludes(value)).map(|(row, value)| Outlier { row, value }).collect();
    Outliers { count: found.len(), fences, examples: found.into_iter().take(OUTLIER_EXAMPLES).collect() }
}

fn summary_of(lengths: &[usize]) -> Option<Lengths> {
    let (&min, &max) = (lengths.iter().min()?, lengths.iter().max()?);
    #[expect(clippy::cast_precision_loss, reason = "a mean of lengths needs three digits")]
    let mean = lengths.iter().sum::<usize>() as f64 / lengths.len() as f64;
    Some(Lengths { min, max, mean })
}

/// How many columns a person is shown.
pub(super) const SUMMARY_COLUMNS: usize = 12;

/// The profile for a person, with at most `columns` columns.
pub(super) fn in_words(profile: &Profile, name: &str, columns: usize) -> String {
    let mut text = format!(
        "**{name}** has {} and {}; {} of {} cells are missing ({}), and {}.\n\n",
        counted(profile.row_count, "row", "rows"),
        counted(profile.column_count, "column", "columns"),
        markdown::count(profile.missing_cells),
        markdown::count(profile.cell_count),
        markdown::percent(profile.missing_cells, profile.cell_count),
        match profile.duplicate_rows {
            0 => "no row is there twice".to_owned(),
            1 => "1 row is a duplicate".to_owned(),
            number => format!("{} rows are duplicates", markdown::count(number)),
        }
    );
    let rows = profile.columns.iter().take(columns).map(|column| {
        vec![
            column.name.clone(),
            column.column_type.as_str().replace('_', " "),
            markdown::count(column.nulls + column.placeholders),
            markdown::count(column.distinct),
            range(column),
            middle(column, |statistics| statistics.mean),
            middle(column, |statistics| statistics.median),
            column.outliers.as_ref().map_or_else(String::new, |outliers| markdown::count(outliers.count)),
        ]
    });
    let headers = ["column", "type", "missing", "distinct", "range or commonest", "mean", "median", "outliers"];
    text.push_str(&markdown::table(&headers, rows));
    if profile.columns.len() > columns {
        text.push_str(&format!("\n…and {} more columns.", profile.columns.len() - columns));
    }
    text
}

/// Nobody wants to know the mean of an order number.
fn middle(column: &ColumnProfile, of: fn(Statistics) -> f64) -> String {
    let shown = column.statistics.filter(|_| !looks_like_a_key(&column.name));
    shown.map_or_else(String::new, |statistics| markdown::number(of(statistics)))
}

fn range(column: &ColumnProfile) -> String {
    let shown = |cell: &Cell| match cell {
        Cell::Number(value) => markdown::number(*value),
        other => other.to_string(),
    };
    match (&column.min, &column.max, column.top_values.first()) {
        (Some(min), Some(max), _) => format!("{} to {}", shown(min), shown(max)),
        (_, _, Some(top)) => format!("{} ({}×)", top.value, top.count),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::values::tests::csv, *};

    #[test]
    fn a_small_table_is_profiled_as_by_hand() {
        let table = csv(
            "id,price,day,shop\n1,10,2026-01-05,Ulm\n2,20,2026-01-01,Bonn\n3,,05.01.2026,Ulm\n4,40.5,N/A,\n4,40.5,N/A,\n",
        );
        let profile = profile(&table);
        assert_eq!((profile.row_count, profile.cell_count, profile.missing_cells), (5, 20, 5));
        assert_eq!((profile.complete_rows, profile.duplicate_rows), (2, 1));
        let [id, price, day, shop] = &profile.columns[..] else { panic!("four columns") };
        assert_eq!(
            (id.distinct, id.is_unique, &id.min, &id.max),
            (4, false, &Some(Cell::Integer(1)), &Some(Cell::Integer(4)))
        );
        let statistics = price.statistics.unwrap();
        assert_eq!((statistics.sum, statistics.mean, statistics.median), (111.0, 27.75, 30.25));
        assert_eq!((price.nulls, price.count, price.distinct), (1, 4, 3));
        assert_eq!((day.placeholders, day.distinct, day.min.clone()), (2, 2, Some(Cell::text("2026-01-01"))));
        assert_eq!(
            shop.top_values,
            [TopValue { value: "Ulm".to_owned(), count: 2 }, TopValue { value: "Bonn".to_owned(), count: 1 }]
        );
        assert_eq!(shop.lengths.map(|lengths| (lengths.min, lengths.max)), Some((3, 4)));
    }

    #[test]
    fn outliers_are_found_with_their_rows() {
        let table = csv("n\n10\n11\n12\n13\n14\n15\n16\n17\n900\n");
        let outliers = profile(&table).columns[0].outliers.clone().unwrap();
        // The quartiles are 12 and 16, so the fences are 6 and 22.
        assert_eq!((outliers.fences.low, outliers.fences.high), (6.0, 22.0));
        assert_eq!(outliers.examples, [Outlier { row: 9, value: 900.0 }]);
    }

    #[test]
    fn empty_tables_have_a_profile() {
        let profile = profile(&csv("a,b\n"));
        assert_eq!((profile.row_count, profile.columns[0].count, profile.columns[0].is_unique), (0, 0, false));
        assert!(in_words(&profile, "x.csv", 10).contains("0 rows"));
    }
}
