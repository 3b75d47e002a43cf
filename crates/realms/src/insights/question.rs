//! Plain questions that have one reading: counts, sums, means, extremes, groups and ranks. A question with a word in it that is
//! not understood has no plan: an answer that leaves out half of the question would be a wrong one. It knows the columns, not the rows.

use super::table_query::TABLE_NAME;
use crate::{
    content::{looks_like_a_key, table::Column},
    markdown::code,
};

/// How many groups or rows "the top" are.
const DEFAULT_TOP: u32 = 10;
const MOST_TOP: u32 = 1_000;

/// The longest question, in words.
const MOST_WORDS: usize = 60;

/// A question as SQL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) sql: String,
    /// What the answer is, for a person: "The average of `amount` by `region`".
    pub(super) title: String,
    /// The places of the columns that it is about.
    pub(super) columns: Vec<usize>,
}

/// The plan of a question, or `None` where it is not understood as a whole.
pub(super) fn understand(question: &str, columns: &[Column], file_name: &str) -> Option<Plan> {
    let names: Vec<Vec<String>> = columns.iter().map(|column| words(&column.name)).collect();
    let file = words(file_name);
    let mut words = words(question);
    if words.len() > MOST_WORDS {
        return None;
    }
    drop_place(&mut words, &file);
    plan(&symbols(&words, &names, &file), columns)
}

/// Two questions that these columns can answer.
pub(super) fn examples(columns: &[Column]) -> [String; 2] {
    let amount = columns.iter().find(|column| column.column_type.is_numeric() && !looks_like_a_key(&column.name));
    let is_group = |column: &&Column| {
        !column.column_type.is_numeric() && !column.column_type.is_temporal() && !looks_like_a_key(&column.name)
    };
    let group = columns.iter().find(is_group);
    match (amount, group) {
        (Some(amount), Some(group)) => {
            [format!("average {} by {}", amount.name, group.name), format!("top 5 {} by {}", group.name, amount.name)]
        }
        (Some(amount), None) => [format!("average {}", amount.name), "how many rows are there?".to_owned()],
        (None, Some(group)) => [format!("how many rows by {}", group.name), format!("most common {}", group.name)],
        (None, None) => {
            let first = columns.first().map_or("rows", |column| &column.name);
            ["how many rows are there?".to_owned(), format!("how many different {first}")]
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Aggregate {
    Average,
    Sum,
    Min,
    Max,
}

impl Aggregate {
    const fn function(self) -> &'static str {
        match self {
            Self::Average => "AVG",
            Self::Sum => "SUM",
            Self::Min => "MIN",
            Self::Max => "MAX",
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Average => "average",
            Self::Sum => "sum",
            Self::Min => "smallest",
            Self::Max => "largest",
        }
    }

    const fn needs_numbers(self) -> bool {
        match self {
            Self::Average | Self::Sum => true,
            Self::Min | Self::Max => false,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Symbol {
    Count,
    Distinct,
    Aggregate(Aggregate),
    By,
    /// True for the top, false for the bottom.
    Top(bool),
    MostCommon,
    /// "Most" without "common".
    Most,
    Rows,
    Number(u32),
    Column(usize),
    Unknown,
}

/// Words that change nothing.
const FILLERS: [&str; 37] = [
    "what",
    "whats",
    "s",
    "is",
    "are",
    "was",
    "were",
    "the",
    "of",
    "a",
    "an",
    "please",
    "show",
    "me",
    "give",
    "tell",
    "all",
    "there",
    "do",
    "does",
    "we",
    "i",
    "have",
    "has",
    "this",
    "my",
    "our",
    "calculate",
    "compute",
    "find",
    "get",
    "can",
    "you",
    "values",
    "value",
    "exist",
    "overall",
];

const ROWS: [&str; 8] = ["row", "rows", "record", "records", "entry", "entries", "line", "lines"];

const PLACES: [&str; 6] = ["data", "table", "file", "dataset", "spreadsheet", "sheet"];

/// Phrases of several words first: the first that fits is taken.
const PHRASES: [(&[&str], Symbol); 45] = [
    (&["total", "number", "of"], Symbol::Count),
    (&["total", "count", "of"], Symbol::Count),
    (&["how", "many"], Symbol::Count),
    (&["number", "of"], Symbol::Count),
    (&["count", "of"], Symbol::Count),
    (&["for", "each"], Symbol::By),
    (&["for", "every"], Symbol::By),
    (&["in", "each"], Symbol::By),
    (&["grouped", "by"], Symbol::By),
    (&["group", "by"], Symbol::By),
    (&["most", "common"], Symbol::MostCommon),
    (&["most", "frequent"], Symbol::MostCommon),
    (&["most"], Symbol::Most),
    (&["fewest"], Symbol::Aggregate(Aggregate::Min)),
    (&["count"], Symbol::Count),
    (&["average"], Symbol::Aggregate(Aggregate::Average)),
    (&["avg"], Symbol::Aggregate(Aggregate::Average)),
    (&["mean"], Symbol::Aggregate(Aggregate::Average)),
    (&["sum"], Symbol::Aggregate(Aggregate::Sum)),
    (&["total"], Symbol::Aggregate(Aggregate::Sum)),
    (&["min"], Symbol::Aggregate(Aggregate::Min)),
    (&["minimum"], Symbol::Aggregate(Aggregate::Min)),
    (&["lowest"], Symbol::Aggregate(Aggregate::Min)),
    (&["smallest"], Symbol::Aggregate(Aggregate::Min)),
    (&["least"], Symbol::Aggregate(Aggregate::Min)),
    (&["earliest"], Symbol::Aggregate(Aggregate::Min)),
    (&["oldest"], Symbol::Aggregate(Aggregate::Min)),
    (&["max"], Symbol::Aggregate(Aggregate::Max)),
    (&["maximum"], Symbol::Aggregate(Aggregate::Max)),
    (&["highest"], Symbol::Aggregate(Aggregate::Max)),
    (&["largest"], Symbol::Aggregate(Aggregate::Max)),
    (&["biggest"], Symbol::Aggregate(Aggregate::Max)),
    (&["latest"], Symbol::Aggregate(Aggregate::Max)),
    (&["newest"], Symbol::Aggregate(Aggregate::Max)),
    (&["by"], Symbol::By),
    (&["per"], Symbol::By),
    (&["top"], Symbol::Top(true)),
    (&["best"], Symbol::Top(true)),
    (&["bottom"], Symbol::Top(false)),
    (&["worst"], Symbol::Top(false)),
    (&["different"], Symbol::Distinct),
    (&["distinct"], Symbol::Distinct),
    (&["unique"], Symbol::Distinct),
    (&["commonest"], Symbol::MostCommon),
    (&["which"], Symbol::Distinct),
];

fn words(text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    lower.split(|sign: char| !sign.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Takes "in the file" or "from orders.csv" off the end.
fn drop_place(words: &mut Vec<String>, file: &[String]) {
    let end = if !file.is_empty() && words.ends_with(file) {
        words.len() - file.len()
    } else if words.last().is_some_and(|word| PLACES.contains(&word.as_str())) {
        words.len() - 1
    } else {
        return;
    };
    let mut start = end;
    while start > 0 && ["the", "this", "my", "our", "whole", "file", "table"].contains(&words[start - 1].as_str()) {
        start -= 1;
    }
    if start > 0 && ["in", "of", "from", "for"].contains(&words[start - 1].as_str()) {
        words.truncate(start - 1);
    }
}

fn symbols(words: &[String], names: &[Vec<String>], file: &[String]) -> Vec<Symbol> {
    let mut symbols = Vec::new();
    let mut place = 0;
    while place < words.len() {
        let rest = &words[place..];
        let phrase = PHRASES.iter().find(|(phrase, _)| starts_with(rest, phrase));
        if let Some((column, length)) = column_at(rest, names) {
            symbols.push(Symbol::Column(column));
            place += length;
        } else if let Some((phrase, symbol)) = phrase {
            symbols.push(*symbol);
            place += phrase.len();
        } else {
            let symbol = of_word(&rest[0], file);
            symbols.extend(if symbol == Some(Symbol::Unknown) { misspelt(&rest[0], names) } else { symbol });
            place += 1;
        }
    }
    symbols
}

/// What a word means that is a slip away from one that is understood; unknown where it could be several.
fn misspelt(word: &str, names: &[Vec<String>]) -> Option<Symbol> {
    let slips = match word.len() {
        0..5 => return Some(Symbol::Unknown),
        5..8 => 1,
        _ => 2,
    };
    // Whoever slips begins a word right; what begins otherwise is another word, as "slowest" is not "lowest".
    let is_near = |known: &str| word.get(..1) == known.get(..1) && strsim::osa_distance(word, known) <= slips;
    let single = |(phrase, symbol): &(&[&str], Symbol)| match phrase {
        [known] if is_near(known) => Some(*symbol),
        _ => None,
    };
    let columns = names.iter().enumerate().filter_map(|(column, name)| match name.as_slice() {
        [known] if is_near(known) => Some(Symbol::Column(column)),
        _ => None,
    });
    let rows = ROWS.iter().filter(|known| is_near(known)).map(|_| Symbol::Rows);
    let mut meanings: Vec<Symbol> = PHRASES.iter().filter_map(single).chain(columns).chain(rows).collect();
    meanings.dedup();
    match meanings.as_slice() {
        [meaning] => Some(*meaning),
        _ => Some(Symbol::Unknown),
    }
}

fn of_word(word: &str, file: &[String]) -> Option<Symbol> {
    // People call the rows of orders.csv orders.
    let is_row = ROWS.contains(&word) || file.first().is_some_and(|name| file.len() <= 2 && alike(name, word));
    if FILLERS.contains(&word) {
        None
    } else if is_row {
        Some(Symbol::Rows)
    } else {
        Some(word.parse().map_or(Symbol::Unknown, Symbol::Number))
    }
}

fn starts_with(words: &[String], phrase: &[&str]) -> bool {
    words.len() >= phrase.len() && words.iter().zip(phrase).all(|(word, wanted)| word == wanted)
}

/// The column with the longest name that stands at the beginning, and how many words it takes.
fn column_at(words: &[String], names: &[Vec<String>]) -> Option<(usize, usize)> {
    let is_named = |name: &[String]| {
        let (Some((last, first)), true) = (name.split_last(), words.len() >= name.len()) else { return false };
        words[..first.len()] == *first && alike(last, &words[first.len()])
    };
    let named = names.iter().enumerate().filter(|(_, name)| is_named(name));
    let longest = named.clone().map(|(_, name)| name.len()).max()?;
    let mut named = named.filter(|(_, name)| name.len() == longest);
    // Two columns of one name cannot be told apart in words; then neither is meant.
    let (column, _) = named.next()?;
    named.next().is_none().then_some((column, longest))
}

/// The same word, or its plural.
fn alike(left: &str, right: &str) -> bool {
    let plural = |one: &str, many: &str| {
        many.strip_suffix('s').is_some_and(|stem| stem == one || stem.strip_suffix('e') == Some(one))
            || many.strip_suffix("ies").is_some_and(|stem| one.strip_suffix('y') == Some(stem))
    };
    left == right || plural(left, right) || plural(right, left)
}

fn plan(symbols: &[Symbol], columns: &[Column]) -> Option<Plan> {
    use Symbol::{Aggregate as A, By, Column as C, Count, Distinct, Most, MostCommon, Number, Rows, Top};
    match *symbols {
        [Count, Rows] | [Count] | [A(Aggregate::Sum), Rows] => Some(Plan {
            sql: format!("SELECT COUNT(*) AS \"rows\" FROM {TABLE_NAME}"),
            title: "The number of rows".to_owned(),
            columns: Vec::new(),
        }),
        [Count, Rows, By, C(group)]
        | [Rows, By, C(group)]
        | [By, C(group), Count, Rows]
        | [Distinct, C(group), Most, Rows] => Some(count_by(group, columns)),
        [Distinct, C(group), A(extreme), A(aggregate), C(column)]
        | [A(extreme), A(aggregate), C(column), By, C(group)] => {
            rank(is_best(extreme)?, DEFAULT_TOP, aggregate, group, column, columns)
        }
        [Distinct, C(group), A(extreme), C(column)] => {
            rank(is_best(extreme)?, DEFAULT_TOP, extreme, group, column, columns)
        }
        [Count, Distinct, C(column)] => Some(count_distinct(column, columns)),
        [A(aggregate), C(column)] | [A(aggregate), Rows, C(column)] => aggregate_all(aggregate, column, columns),
        [A(aggregate), C(column), By, C(group)] | [By, C(group), A(aggregate), C(column)] => {
            aggregate_by(aggregate, column, group, columns)
        }
        [Top(best), C(group), By, C(column)] => rank(best, DEFAULT_TOP, Aggregate::Sum, group, column, columns),
        [Top(best), Number(most), C(group), By, C(column)] => rank(best, most, Aggregate::Sum, group, column, columns),
        [Top(best), C(group), By, A(aggregate), C(column)] => {
            rank(best, DEFAULT_TOP, aggregate, group, column, columns)
        }
        [Top(best), Number(most), C(group), By, A(aggregate), C(column)] => {
            rank(best, most, aggregate, group, column, columns)
        }
        [Top(best), Rows, By, C(column)] => Some(rank_rows(best, DEFAULT_TOP, column, columns)),
        [Top(best), Number(most), Rows, By, C(column)] => Some(rank_rows(best, most, column, columns)),
        [MostCommon, C(column)] => Some(most_common(DEFAULT_TOP, column, columns)),
        [Number(most), MostCommon, C(column)] | [Top(true), Number(most), MostCommon, C(column)] => {
            Some(most_common(most, column, columns))
        }
        [Distinct, C(column)] => Some(distinct(column, columns)),
        _ => None,
    }
}

/// Whether the largest come first; nothing for what is no end of an order.
fn is_best(extreme: Aggregate) -> Option<bool> {
    match extreme {
        Aggregate::Max => Some(true),
        Aggregate::Min => Some(false),
        Aggregate::Average | Aggregate::Sum => None,
    }
}

fn quoted(column: &Column) -> String {
    identifier(&column.name)
}

/// SQL's own quoting of a name.
fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn count_by(group: usize, columns: &[Column]) -> Plan {
    let name = quoted(&columns[group]);
    Plan {
        sql: format!(
            "SELECT {name}, COUNT(*) AS \"rows\" FROM {TABLE_NAME} GROUP BY {name} ORDER BY COUNT(*) DESC, {name}"
        ),
        title: format!("The number of rows by {}", code(&columns[group].name)),
        columns: vec![group],
    }
}

fn count_distinct(column: usize, columns: &[Column]) -> Plan {
    let (name, shown) = (quoted(&columns[column]), &columns[column].name);
    Plan {
        sql: format!(
            "SELECT COUNT(DISTINCT {name}) AS {} FROM {TABLE_NAME}",
            identifier(&format!("different {shown}"))
        ),
        title: format!("The number of different {}", code(shown)),
        columns: vec![column],
    }
}

fn distinct(column: usize, columns: &[Column]) -> Plan {
    let name = quoted(&columns[column]);
    Plan {
        sql: format!("SELECT DISTINCT {name} FROM {TABLE_NAME} WHERE {name} IS NOT NULL ORDER BY {name}"),
        title: format!("The different values of {}", code(&columns[column].name)),
        columns: vec![column],
    }
}

fn most_common(most: u32, column: usize, columns: &[Column]) -> Plan {
    let name = quoted(&columns[column]);
    Plan {
        sql: format!(
            "SELECT {name}, COUNT(*) AS \"rows\" FROM {TABLE_NAME} WHERE {name} IS NOT NULL GROUP BY {name} ORDER BY COUNT(*) DESC, {name} LIMIT {}",
            most.clamp(1, MOST_TOP)
        ),
        title: format!("The commonest values of {}", code(&columns[column].name)),
        columns: vec![column],
    }
}

/// `AVG("amount") AS "average amount"`, and its title; nothing where a text would have to be summed.
fn aggregated(aggregate: Aggregate, column: &Column) -> Option<(String, String)> {
    if aggregate.needs_numbers() && !column.column_type.is_numeric() {
        return None;
    }
    let alias = identifier(&format!("{} {}", aggregate.word(), column.name));
    let title = match aggregate {
        Aggregate::Sum => format!("sum of {}", code(&column.name)),
        Aggregate::Average | Aggregate::Min | Aggregate::Max => format!("{} {}", aggregate.word(), code(&column.name)),
    };
    Some((format!("{}({}) AS {alias}", aggregate.function(), quoted(column)), title))
}

fn aggregate_all(aggregate: Aggregate, column: usize, columns: &[Column]) -> Option<Plan> {
    let (value, title) = aggregated(aggregate, &columns[column])?;
    Some(Plan {
        sql: format!("SELECT {value} FROM {TABLE_NAME}"),
        title: format!("The {title}"),
        columns: vec![column],
    })
}

fn aggregate_by(aggregate: Aggregate, column: usize, group: usize, columns: &[Column]) -> Option<Plan> {
    let (value, title) = aggregated(aggregate, &columns[column])?;
    let name = quoted(&columns[group]);
    let order = if aggregate == Aggregate::Min { "ASC" } else { "DESC" };
    Some(Plan {
        sql: format!("SELECT {name}, {value} FROM {TABLE_NAME} GROUP BY {name} ORDER BY 2 {order}, 1"),
        title: format!("The {title} by {}", code(&columns[group].name)),
        columns: vec![column, group],
    })
}

fn rank(best: bool, most: u32, aggregate: Aggregate, group: usize, column: usize, columns: &[Column]) -> Option<Plan> {
    let (value, title) = aggregated(aggregate, &columns[column])?;
    let name = quoted(&columns[group]);
    let most = most.clamp(1, MOST_TOP);
    let order = if best { "DESC" } else { "ASC" };
    Some(Plan {
        sql: format!(
            "SELECT {name}, {value} FROM {TABLE_NAME} WHERE {name} IS NOT NULL GROUP BY {name} HAVING COUNT({}) > 0 ORDER BY 2 {order}, 1 LIMIT {most}",
            quoted(&columns[column])
        ),
        title: format!("The {} {most} {} by the {title}", end(best), code(&columns[group].name)),
        columns: vec![group, column],
    })
}

fn rank_rows(best: bool, most: u32, column: usize, columns: &[Column]) -> Plan {
    let name = quoted(&columns[column]);
    let most = most.clamp(1, MOST_TOP);
    let order = if best { "DESC" } else { "ASC" };
    Plan {
        sql: format!("SELECT * FROM {TABLE_NAME} WHERE {name} IS NOT NULL ORDER BY {name} {order} LIMIT {most}"),
        title: format!("The {} {most} rows by {}", end(best), code(&columns[column].name)),
        columns: vec![column],
    }
}

const fn end(best: bool) -> &'static str {
    if best { "top" } else { "bottom" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::table::ColumnType;

    fn columns() -> Vec<Column> {
        let column = |name: &str, column_type| Column { name: name.to_owned(), column_type, date_order: None };
        vec![
            column("order_id", ColumnType::Integer),
            column("Customer Name", ColumnType::Text),
            column("city", ColumnType::Text),
            column("amount", ColumnType::Number),
            column("ordered_on", ColumnType::Date),
            column("say \"hi\"", ColumnType::Text),
        ]
    }

    #[test]
    fn plain_questions_become_sql() {
        for (question, sql) in [
            ("How many rows are there?", "SELECT COUNT(*) AS \"rows\" FROM data"),
            ("how many orders do we have", "SELECT COUNT(*) AS \"rows\" FROM data"),
            ("count the rows in orders.csv", "SELECT COUNT(*) AS \"rows\" FROM data"),
            ("total number of records in the file", "SELECT COUNT(*) AS \"rows\" FROM data"),
            ("what is the average amount?", "SELECT AVG(\"amount\") AS \"average amount\" FROM data"),
            ("total amounts", "SELECT SUM(\"amount\") AS \"sum amount\" FROM data"),
            ("latest ordered on", "SELECT MAX(\"ordered_on\") AS \"largest ordered_on\" FROM data"),
            (
                "mean amount per city",
                "SELECT \"city\", AVG(\"amount\") AS \"average amount\" FROM data GROUP BY \"city\" ORDER BY 2 DESC, 1",
            ),
            (
                "sum of amount for each customer name",
                "SELECT \"Customer Name\", SUM(\"amount\") AS \"sum amount\" FROM data GROUP BY \"Customer Name\" ORDER BY 2 DESC, 1",
            ),
            (
                "how many orders by city?",
                "SELECT \"city\", COUNT(*) AS \"rows\" FROM data GROUP BY \"city\" ORDER BY COUNT(*) DESC, \"city\"",
            ),
            ("how many different cities are there", "SELECT COUNT(DISTINCT \"city\") AS \"different city\" FROM data"),
            (
                "top 3 cities by amount",
                "SELECT \"city\", SUM(\"amount\") AS \"sum amount\" FROM data WHERE \"city\" IS NOT NULL GROUP BY \"city\" HAVING COUNT(\"amount\") > 0 ORDER BY 2 DESC, 1 LIMIT 3",
            ),
            (
                "show me the bottom 2 orders by amount",
                "SELECT * FROM data WHERE \"amount\" IS NOT NULL ORDER BY \"amount\" ASC LIMIT 2",
            ),
            (
                "whats the averge amuont per city",
                "SELECT \"city\", AVG(\"amount\") AS \"average amount\" FROM data GROUP BY \"city\" ORDER BY 2 DESC, 1",
            ),
            (
                "Which city has the highest amount?",
                "SELECT \"city\", MAX(\"amount\") AS \"largest amount\" FROM data WHERE \"city\" IS NOT NULL GROUP BY \"city\" HAVING COUNT(\"amount\") > 0 ORDER BY 2 DESC, 1 LIMIT 10",
            ),
            (
                "which city has the lowest average amount",
                "SELECT \"city\", AVG(\"amount\") AS \"average amount\" FROM data WHERE \"city\" IS NOT NULL GROUP BY \"city\" HAVING COUNT(\"amount\") > 0 ORDER BY 2 ASC, 1 LIMIT 10",
            ),
            (
                "which city has the most orders",
                "SELECT \"city\", COUNT(*) AS \"rows\" FROM data GROUP BY \"city\" ORDER BY COUNT(*) DESC, \"city\"",
            ),
            (
                "which cities are there?",
                "SELECT DISTINCT \"city\" FROM data WHERE \"city\" IS NOT NULL ORDER BY \"city\"",
            ),
            (
                "how many different say hi",
                "SELECT COUNT(DISTINCT \"say \"\"hi\"\"\") AS \"different say \"\"hi\"\"\" FROM data",
            ),
        ] {
            let plan = understand(question, &columns(), "orders.csv").unwrap_or_else(|| panic!("{question:?}"));
            assert_eq!(plan.sql, sql, "{question:?}");
        }
    }

    #[test]
    fn what_is_not_understood_as_a_whole_has_no_plan() {
        for question in [
            "",
            "average amount in Berlin",
            "average amount and total amount",
            "average price",
            "sum of city",
            "how many customers came back",
            "average amount by month",
            "top 5 cities",
            "why is the amount so low",
            "slowest amount",
            "amount",
            "drop table data",
            &"how many rows ".repeat(100),
        ] {
            assert_eq!(understand(question, &columns(), "orders.csv"), None, "{question:?}");
        }
    }

    #[test]
    fn the_examples_are_understood() {
        let all = columns();
        for columns in [&all[..], &all[..1], &all[2..3], &all[3..4], &all[4..5]] {
            for question in examples(columns) {
                assert!(understand(&question, columns, "orders.csv").is_some(), "{question:?}");
            }
        }
    }
}
