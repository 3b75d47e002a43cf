//! What the columns of a table mean, judged by their names and their values. Pure: a profile in, meanings out.

use serde::Serialize;

use super::profile::{ColumnProfile, Profile};
use crate::{
    content::{looks_like_a_key, table::ColumnType},
    markdown::{code, counted, listed},
};

/// A column whose values are at most this share of its rows has kinds, not names.
const CATEGORY_SHARE: f64 = 0.2;
/// And at most this many of them.
const MOST_CATEGORIES: usize = 50;
/// Texts of at least this length on average are prose, in characters.
const PROSE_LENGTH: f64 = 40.0;

/// What a column is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Role {
    /// Names a row.
    Identifier,
    /// Names a row of another table.
    Reference,
    Time,
    Money,
    Quantity,
    Rate,
    Category,
    Flag,
    Contact,
    Place,
    Name,
    Prose,
    Empty,
    Other,
}

impl Role {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Identifier => "identifier",
            Self::Reference => "reference",
            Self::Time => "time",
            Self::Money => "money",
            Self::Quantity => "quantity",
            Self::Rate => "rate",
            Self::Category => "category",
            Self::Flag => "flag",
            Self::Contact => "contact",
            Self::Place => "place",
            Self::Name => "name",
            Self::Prose => "prose",
            Self::Empty => "empty",
            Self::Other => "other",
        }
    }
}

/// A column and what it is taken for.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Meaning {
    pub(super) column: String,
    #[serde(rename = "type")]
    pub(super) column_type: ColumnType,
    pub(super) role: Role,
    /// From 0 to 1: name and values together say more than one of them.
    pub(super) confidence: f64,
    /// Why, in a few words.
    pub(super) because: String,
}

/// Words of names by what they speak for. The first row that fits wins.
const NAMED: [(Role, &[&str]); 7] = [
    (Role::Contact, &["email", "mail", "phone", "telephone", "mobile", "fax", "url", "website"]),
    (Role::Rate, &["rate", "percent", "percentage", "share", "ratio", "discount", "margin"]),
    (
        Role::Money,
        &[
            "amount", "price", "cost", "total", "revenue", "sales", "salary", "fee", "tax", "value", "balance",
            "budget", "income", "profit",
        ],
    ),
    (
        Role::Quantity,
        &[
            "quantity", "qty", "count", "units", "pieces", "stock", "weight", "length", "hours", "days", "age", "size",
            "score",
        ],
    ),
    (Role::Place, &["city", "country", "region", "state", "street", "address", "zip", "postcode", "location", "place"]),
    (
        Role::Name,
        &[
            "name", "customer", "client", "supplier", "employee", "person", "contact", "company", "product", "item",
            "title",
        ],
    ),
    (
        Role::Category,
        &["status", "type", "category", "kind", "group", "class", "segment", "channel", "method", "department"],
    ),
];

pub(super) fn meanings(profile: &Profile) -> Vec<Meaning> {
    profile.columns.iter().map(|column| meaning(column, profile.row_count)).collect()
}

fn meaning(column: &ColumnProfile, rows: usize) -> Meaning {
    let (role, confidence, because) = judge(column, rows);
    Meaning { column: column.name.clone(), column_type: column.column_type, role, confidence, because }
}

fn judge(column: &ColumnProfile, rows: usize) -> (Role, f64, String) {
    let named = named(&column.name);
    let numeric = column.column_type.is_numeric();
    let because = |words: &str| words.to_owned();
    if column.column_type == ColumnType::Empty {
        return (Role::Empty, 1.0, because("it has no value"));
    }
    if column.column_type.is_temporal() {
        return (Role::Time, 1.0, because("its values are dates"));
    }
    if looks_like_a_key(&column.name) {
        return if column.is_unique && column.count == rows {
            (Role::Identifier, 0.95, because("its name is a key's, and each value is there once"))
        } else {
            (Role::Reference, 0.7, because("its name is a key's, and values repeat"))
        };
    }
    match named {
        Some((role @ (Role::Money | Role::Quantity | Role::Rate), word)) if numeric => {
            return (role, 0.9, format!("its name says {}, and its values are numbers", code(word)));
        }
        Some((role @ (Role::Contact | Role::Place | Role::Name | Role::Category), word)) if !numeric => {
            return (role, 0.85, format!("its name says {}", code(word)));
        }
        Some(_) | None => {}
    }
    if column.column_type == ColumnType::Boolean || (column.distinct == 2 && !numeric) {
        return (Role::Flag, 0.8, because("it has two values"));
    }
    if numeric {
        return (Role::Quantity, 0.5, because("its values are numbers"));
    }
    if column.lengths.is_some_and(|lengths| lengths.mean >= PROSE_LENGTH) {
        return (Role::Prose, 0.7, because("its texts are long"));
    }
    if column.distinct <= MOST_CATEGORIES && share(column.distinct, column.count) <= CATEGORY_SHARE {
        return (
            Role::Category,
            0.7,
            format!("{} stand in all of its rows", counted(column.distinct, "value", "values")),
        );
    }
    if column.is_unique && column.count == rows && rows > 1 {
        return (Role::Identifier, 0.5, because("each value is there once"));
    }
    (Role::Other, 0.3, because("neither its name nor its values say more"))
}

fn named(name: &str) -> Option<(Role, &'static str)> {
    let name = name.to_lowercase();
    let parts: Vec<&str> = name.split(|sign: char| !sign.is_alphanumeric()).collect();
    NAMED.iter().find_map(|(role, words)| {
        let word =
            words.iter().find(|word| parts.iter().any(|part| part == *word || part.strip_suffix('s') == Some(word)))?;
        Some((*role, *word))
    })
}

#[expect(clippy::cast_precision_loss, reason = "a share needs three digits")]
fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}

/// What the table as a whole seems to be: a sentence.
pub(super) fn in_a_sentence(meanings: &[Meaning], rows: usize) -> String {
    let of = |role: Role| -> Vec<String> {
        meanings.iter().filter(|meaning| meaning.role == role).map(|meaning| code(&meaning.column)).collect()
    };
    let (keys, times, money) = (of(Role::Identifier), of(Role::Time), of(Role::Money));
    let (quantities, categories) = (of(Role::Quantity), of(Role::Category));
    let kind = if !times.is_empty() && (!money.is_empty() || !quantities.is_empty()) {
        "events with measures, such as orders or bookings"
    } else if !money.is_empty() || !quantities.is_empty() {
        "things with measures"
    } else if !categories.is_empty() {
        "things sorted into kinds"
    } else {
        "a list of things"
    };
    let mut sentence = format!("Its {} look like {kind}.", counted(rows, "row", "rows"));
    for (words, columns) in [
        ("A row is named by", keys),
        ("It is placed in time by", times),
        ("Amounts of money are in", money),
        ("It is measured by", quantities),
        ("It is grouped by", categories),
    ] {
        if !columns.is_empty() {
            sentence.push_str(&format!(" {words} {}.", listed(&columns, 4)));
        }
    }
    sentence
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{content, insights::profile::profile};

    #[test]
    fn columns_are_taken_for_what_they_are() {
        let rows: String = (1..=30)
            .map(|row| {
                format!(
                    "{row},{},2026-01-{:02},{}.50,{},a{row}@example.com,{}\n",
                    row % 4,
                    row % 28 + 1,
                    row * 3,
                    row % 7,
                    ["open", "paid"][row % 2]
                )
            })
            .collect();
        let csv = format!("order_id,customer_id,ordered_on,amount,quantity,email,state_of_it\n{rows}");
        let profile = profile(&content::read_csv(csv.as_bytes()).unwrap());
        let roles: Vec<Role> = meanings(&profile).iter().map(|meaning| meaning.role).collect();
        let wanted =
            [Role::Identifier, Role::Reference, Role::Time, Role::Money, Role::Quantity, Role::Contact, Role::Place];
        assert_eq!(roles[..6], wanted[..6]);
        let sentence = in_a_sentence(&meanings(&profile), profile.row_count);
        assert!(sentence.contains("events with measures") && sentence.contains("`order_id`"), "{sentence}");
    }
}
