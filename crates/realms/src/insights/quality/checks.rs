//! The checks of a table: each looks for one kind of defect and adds an issue where it finds it.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{Issue, Kind, ROW_EXAMPLES, Severity, Tally};
use crate::{
    content::{
        DateStyle, is_missing, looks_like_a_key,
        table::{Cell, Column, ColumnType, Table},
    },
    insights::{
        statistics::Statistics,
        values::{Key, Value, key, value},
    },
    markdown::{code, counted, listed, number, percent},
};

/// From here on a share of cells is a severe defect, and one to look at, in percent.
const SEVERE: usize = 20;
const NOTABLE: usize = 5;

/// A text column is of mixed types when at least this share of its values are numbers or dates, in percent, and the others as many.
const MIXED: usize = 10;

/// A key that repeats more than this share of its values is none, in percent.
const KEY_REPEATS: usize = 10;

/// Rows with a cell of some kind.
#[derive(Default)]
struct Rows(Vec<usize>);

impl Rows {
    fn count(&self) -> usize {
        self.0.len()
    }

    fn shown(&self) -> Vec<usize> {
        self.0.iter().map(|row| row + 1).take(ROW_EXAMPLES).collect()
    }
}

/// What the cells of a column are.
struct Survey<'a> {
    column: &'a Column,
    values: Vec<Value<'a>>,
}

/// Looks at one column; answers what the score needs of it.
pub(super) fn check_column(table: &Table, place: usize, issues: &mut Vec<Issue>) -> Tally {
    let column = &table.columns[place];
    let survey = Survey { column, values: table.cells(place).map(|cell| value(column, cell)).collect() };
    let present = survey.present().count();
    if present == 0 {
        survey.empty_column(issues);
        return Tally::default();
    }
    survey.missing_values(issues);
    survey.outliers(issues);
    survey.constant(table, place, issues);
    let invalid = survey.invalid_values(issues) + survey.impossible_dates(issues);
    // A value that is wrong in two ways counts once.
    let mut inconsistent = HashSet::new();
    for rows in [
        survey.mixed_types(issues),
        survey.mixed_date_formats(issues),
        survey.ambiguous_dates(issues),
        survey.whitespace(issues),
        survey.spelling_variants(issues),
    ] {
        inconsistent.extend(rows.0);
    }
    Tally { present, invalid, inconsistent: inconsistent.len() }
}

impl<'a> Survey<'a> {
    fn present(&self) -> impl Iterator<Item = (usize, &Value<'a>)> {
        self.values.iter().enumerate().filter(|(_, value)| !value.is_missing())
    }

    fn texts(&self) -> impl Iterator<Item = (usize, &'a str)> {
        self.present().filter_map(|(row, value)| if let Value::Text(text) = value { Some((row, *text)) } else { None })
    }

    fn rows(&self, wanted: impl Fn(&Value<'a>) -> bool) -> Rows {
        Rows(self.values.iter().enumerate().filter(|(_, value)| wanted(value)).map(|(row, _)| row).collect())
    }

    fn issue(&self, severity: Severity, kind: Kind, rows: &Rows, of: usize, message: String) -> Issue {
        let column = Some(self.column.name.clone());
        Issue { severity, kind, column, count: rows.count(), of, rows: rows.shown(), message }
    }

    fn name(&self) -> String {
        code(&self.column.name)
    }

    fn empty_column(&self, issues: &mut Vec<Issue>) {
        let rows = self.rows(Value::is_missing);
        if rows.count() > 0 {
            let message = format!("{} has no value at all. Fill it, or leave the column out.", self.name());
            issues.push(self.issue(Severity::Medium, Kind::EmptyColumn, &rows, self.values.len(), message));
        }
    }

    fn missing_values(&self, issues: &mut Vec<Issue>) {
        let rows = self.rows(Value::is_missing);
        if rows.count() == 0 {
            return;
        }
        let words: Vec<&str> = self
            .values
            .iter()
            .filter_map(|value| if let Value::Placeholder(word) = value { Some(*word) } else { None })
            .collect();
        let written = match words.first() {
            Some(word) => format!(", {} of them written as a word such as {}", words.len(), code(word)),
            None => String::new(),
        };
        let (count, of) = (rows.count(), self.values.len());
        let message = format!("{} misses {} of {of} values ({}){written}.", self.name(), count, percent(count, of));
        issues.push(self.issue(by_share(count, of), Kind::MissingValues, &rows, of, message));
    }

    /// Answers how many values are not of the column's type.
    fn invalid_values(&self, issues: &mut Vec<Issue>) -> usize {
        let column_type = self.column.column_type;
        let rows = self.rows(|value| {
            !value.is_missing() && !value.fits(column_type) && !matches!(value, Value::ImpossibleDate(_))
        });
        if rows.count() > 0 {
            let examples: Vec<String> = rows.0.iter().take(3).map(|&row| code(&self.shown(row))).collect();
            let what = match column_type {
                ColumnType::Integer | ColumnType::Number => "not numbers",
                ColumnType::Boolean => "neither true nor false",
                ColumnType::Date | ColumnType::DateTime => "not dates",
                ColumnType::Text | ColumnType::Empty => "of another kind",
            };
            let of = self.present().count();
            let values = counted(rows.count(), "value that is", "values that are");
            let message = format!("{} has {values} {what}: {}.", self.name(), listed(&examples, 3));
            let severity = if rows.count() * 100 >= of * NOTABLE { Severity::High } else { Severity::Medium };
            issues.push(self.issue(severity, Kind::InvalidValues, &rows, of, message));
        }
        rows.count()
    }

    fn shown(&self, row: usize) -> String {
        match &self.values[row] {
            Value::Empty => String::new(),
            Value::Boolean(value) => value.to_string(),
            Value::Number(value) => number(*value),
            Value::Date { iso, .. } => iso.clone(),
            Value::Placeholder(text) | Value::ImpossibleDate(text) | Value::Text(text) => (*text).to_owned(),
        }
    }

    fn impossible_dates(&self, issues: &mut Vec<Issue>) -> usize {
        let rows = self.rows(|value| matches!(value, Value::ImpossibleDate(_)));
        if let Some(&first) = rows.0.first() {
            let days = counted(rows.count(), "day that no calendar has", "days that no calendar has");
            let message = format!("{} has {days}: {}.", self.name(), code(&self.shown(first)));
            issues.push(self.issue(Severity::High, Kind::ImpossibleDates, &rows, self.present().count(), message));
        }
        rows.count()
    }

    /// A text column with many numbers in it: those that are in the minority.
    fn mixed_types(&self, issues: &mut Vec<Issue>) -> Rows {
        if self.column.column_type != ColumnType::Text {
            return Rows::default();
        }
        let present: Vec<(usize, bool)> =
            self.present().map(|(row, value)| (row, is_value_of_another_type(value))).collect();
        let others = present.iter().filter(|&&(_, other)| other).count();
        let texts = present.len() - others;
        let least = (present.len() * MIXED).div_ceil(100).max(1);
        if others < least || texts < least {
            return Rows::default();
        }
        let minority_is_other = others <= texts;
        let minority = present.iter().filter(|&&(_, other)| other == minority_is_other).map(|&(row, _)| row);
        let rows = Rows(minority.collect());
        let message = format!(
            "{} mixes {} with {}. Decide for one, or use two columns.",
            self.name(),
            counted(texts, "text", "texts"),
            counted(others, "number or date", "numbers or dates")
        );
        issues.push(self.issue(Severity::Medium, Kind::MixedTypes, &rows, present.len(), message));
        rows
    }

    /// Dates that are not written as most are.
    fn mixed_date_formats(&self, issues: &mut Vec<Issue>) -> Rows {
        let mut styles: BTreeMap<DateStyle, Vec<usize>> = BTreeMap::new();
        for (row, value) in self.present() {
            if let Value::Date { style, .. } = value {
                styles.entry(*style).or_default().push(row);
            }
        }
        let Some(usual) = styles.iter().max_by_key(|(style, rows)| (rows.len(), std::cmp::Reverse(**style))) else {
            return Rows::default();
        };
        let usual = *usual.0;
        let dates: usize = styles.values().map(Vec::len).sum();
        let others: Vec<String> =
            styles.keys().filter(|style| **style != usual).map(|style| code(style.as_str())).collect();
        let mut unusual: Vec<usize> =
            styles.into_iter().filter(|(style, _)| *style != usual).flat_map(|(_, rows)| rows).collect();
        unusual.sort_unstable();
        let rows = Rows(unusual);
        if rows.count() > 0 {
            let message = format!(
                "{} writes {} of {dates} dates otherwise than most: like {} rather than {}.",
                self.name(),
                rows.count(),
                listed(&others, 4),
                code(usual.as_str())
            );
            issues.push(self.issue(Severity::Medium, Kind::MixedDateFormats, &rows, dates, message));
        }
        rows
    }

    fn ambiguous_dates(&self, issues: &mut Vec<Issue>) -> Rows {
        let decided = self.present().any(|(_, value)| {
            // One date with a day above 12, written in the same style, tells how the others are meant.
            matches!(value, Value::Date { style: DateStyle::Slashes | DateStyle::Dashes, ambiguous: false, iso } if day_of(iso) > 12)
        });
        let rows = self.rows(|value| matches!(value, Value::Date { ambiguous: true, .. }));
        let Some(&first) = rows.0.first().filter(|_| !decided) else { return Rows::default() };
        let message = format!(
            "{} has {} where day and month could be the other way round; the first was read as {}.",
            self.name(),
            counted(rows.count(), "date", "dates"),
            code(&self.shown(first))
        );
        issues.push(self.issue(Severity::Medium, Kind::AmbiguousDates, &rows, self.present().count(), message));
        rows
    }

    fn whitespace(&self, issues: &mut Vec<Issue>) -> Rows {
        let untidy = |text: &str| text.trim() != text || text.contains("  ");
        let rows = Rows(self.texts().filter(|(_, text)| untidy(text)).map(|(row, _)| row).collect());
        if rows.count() > 0 {
            let message =
                format!("{} has {} with blanks too many.", self.name(), counted(rows.count(), "value", "values"));
            issues.push(self.issue(Severity::Low, Kind::Whitespace, &rows, self.present().count(), message));
        }
        rows
    }

    /// Values that differ from a commoner one only in upper and lower case.
    fn spelling_variants(&self, issues: &mut Vec<Issue>) -> Rows {
        let mut spellings: HashMap<String, BTreeMap<String, Vec<usize>>> = HashMap::new();
        for (row, text) in self.texts() {
            let tidy = text.split_whitespace().collect::<Vec<_>>().join(" ");
            spellings.entry(tidy.to_lowercase()).or_default().entry(tidy).or_default().push(row);
        }
        let mut unusual = Vec::new();
        let mut example: Option<(usize, String)> = None;
        for variants in spellings.into_values().filter(|variants| variants.len() > 1) {
            let mut variants: Vec<(String, Vec<usize>)> = variants.into_iter().collect();
            variants.sort_by_key(|(_, rows)| (std::cmp::Reverse(rows.len()), rows[0]));
            let names: Vec<String> = variants.iter().map(|(name, _)| code(name)).collect();
            let first = variants.iter().map(|(_, rows)| rows[0]).min().unwrap_or(0);
            if example.as_ref().is_none_or(|&(row, _)| first < row) {
                example = Some((first, listed(&names, 3)));
            }
            unusual.extend(variants.into_iter().skip(1).flat_map(|(_, rows)| rows));
        }
        unusual.sort_unstable();
        let rows = Rows(unusual);
        if let Some((_, example)) = example {
            let values = counted(rows.count(), "value", "values");
            let message = format!("{} spells {values} in another way than most: {example}.", self.name());
            issues.push(self.issue(Severity::Low, Kind::SpellingVariants, &rows, self.present().count(), message));
        }
        rows
    }

    fn outliers(&self, issues: &mut Vec<Issue>) {
        if !self.column.column_type.is_numeric() || looks_like_a_key(&self.column.name) {
            return;
        }
        let number_of = |value: &Value<'_>| if let Value::Number(number) = value { Some(*number) } else { None };
        let numbers: Vec<f64> = self.values.iter().filter_map(number_of).collect();
        let of = numbers.len();
        let Some(fences) = Statistics::of(numbers).and_then(|statistics| statistics.fences()) else { return };
        let rows = self.rows(|value| number_of(value).is_some_and(|number| fences.excludes(number)));
        if rows.count() == 0 {
            return;
        }
        let far = self.values.iter().filter_map(number_of).any(|number| fences.far_excludes(number));
        // The farthest first: it is the likeliest to be wrong.
        let distance = |row: usize| number_of(&self.values[row]).map_or(0.0, |number| fences.distance(number));
        let mut farthest = rows.0.clone();
        farthest.sort_by(|&left, &right| distance(right).total_cmp(&distance(left)));
        let examples: Vec<String> = farthest.iter().take(3).map(|&row| code(&self.shown(row))).collect();
        let message = format!(
            "{} has {} outside of the usual {} to {}: {}.",
            self.name(),
            counted(rows.count(), "value", "values"),
            number(fences.low),
            number(fences.high),
            listed(&examples, 3)
        );
        let severity = if far { Severity::Medium } else { Severity::Low };
        issues.push(self.issue(severity, Kind::Outliers, &rows, of, message));
    }

    fn constant(&self, table: &Table, place: usize, issues: &mut Vec<Issue>) {
        let keys: HashSet<Key<'_>> = table.cells(place).map(|cell| key(self.column, cell)).collect();
        if keys.len() == 1 && self.values.len() > 2 {
            let rows = Rows((0..self.values.len()).collect());
            let message = format!("{} has the same value in every row: {}.", self.name(), code(&self.shown(0)));
            issues.push(self.issue(Severity::Low, Kind::ConstantColumn, &rows, self.values.len(), message));
        }
    }
}

/// A column that names its rows, by its own name, repeats a value. Answers in how many rows; whole duplicates are counted elsewhere.
pub(super) fn check_key(table: &Table, place: usize, duplicates: &[(usize, usize)], issues: &mut Vec<Issue>) -> usize {
    let column = &table.columns[place];
    if !names_rows(&column.name) {
        return 0;
    }
    let duplicates: HashSet<usize> = duplicates.iter().map(|&(row, _)| row).collect();
    let mut seen = HashSet::new();
    let mut repeats = Vec::new();
    let mut of = 0;
    for (row, cell) in table.cells(place).enumerate().filter(|(row, _)| !duplicates.contains(row)) {
        let key = key(column, cell);
        if key == Key::Missing {
            continue;
        }
        of += 1;
        if !seen.insert(key) {
            repeats.push(row);
        }
    }
    // Where many repeat, the column names something else than the row, such as the customer of an order.
    if repeats.is_empty() || repeats.len() * 100 > of * KEY_REPEATS {
        return 0;
    }
    let rows = Rows(repeats);
    let first = table.rows[rows.0[0]][place].to_string();
    let message = format!(
        "{} should name each row, but {} a value that was there before: {}.",
        code(&column.name),
        counted(rows.count(), "row repeats", "rows repeat"),
        code(&first)
    );
    let name = Some(column.name.clone());
    let count = rows.count();
    issues.push(Issue {
        severity: Severity::High,
        kind: Kind::DuplicateKeys,
        column: name,
        count,
        of,
        rows: rows.shown(),
        message,
    });
    count
}

pub(super) fn check_rows(table: &Table, duplicates: &[(usize, usize)], issues: &mut Vec<Issue>) {
    let of = table.rows.len();
    if let Some(&(row, first)) = duplicates.first() {
        let count = duplicates.len();
        let message = format!(
            "{} there before, value for value: row {} is row {} again.",
            counted(count, "row was", "rows were"),
            row + 1,
            first + 1
        );
        let rows = Rows(duplicates.iter().map(|&(row, _)| row).collect()).shown();
        let severity = if count * 100 >= of * NOTABLE { Severity::High } else { Severity::Medium };
        issues.push(Issue { severity, kind: Kind::DuplicateRows, column: None, count, of, rows, message });
    }
    let is_empty = |row: &[Cell]| row.iter().all(|cell| cell.is_null() || cell.as_text().is_some_and(is_missing));
    let empty = table.rows.iter().enumerate().filter(|(_, row)| is_empty(row)).map(|(row, _)| row);
    let rows = Rows(empty.collect());
    if rows.count() > 0 {
        let message = format!("{} no value at all.", counted(rows.count(), "row has", "rows have"));
        let (count, rows) = (rows.count(), rows.shown());
        issues.push(Issue { severity: Severity::Low, kind: Kind::EmptyRows, column: None, count, of, rows, message });
    }
}

fn by_share(count: usize, of: usize) -> Severity {
    if count * 100 >= of * SEVERE {
        Severity::High
    } else if count * 100 >= of * NOTABLE {
        Severity::Medium
    } else {
        Severity::Low
    }
}

/// `id`, `order_id`, `invoice_no`, but no `postcode` and no `year`.
fn names_rows(name: &str) -> bool {
    let name = name.to_lowercase();
    let last = name.split(|sign: char| !sign.is_alphanumeric()).rfind(|part| !part.is_empty());
    matches!(last, Some("id" | "no" | "nr" | "key" | "uuid"))
}

/// In a text column: written like a number or a date. What begins with a zero is a code and belongs to the texts.
fn is_value_of_another_type(value: &Value<'_>) -> bool {
    match value {
        Value::Text(text) => text.trim().parse::<f64>().is_ok_and(f64::is_finite) && !text.trim().starts_with('0'),
        Value::Empty | Value::Placeholder(_) => false,
        Value::Boolean(_) | Value::Number(_) | Value::Date { .. } | Value::ImpossibleDate(_) => true,
    }
}

fn day_of(iso: &str) -> u32 {
    iso.get(8..10).and_then(|day| day.parse().ok()).unwrap_or(0)
}
