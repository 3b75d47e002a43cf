//! `interpret_data_guided`: which column of a table is which of the fields that somebody expects in it.

use async_trait::async_trait;
use contract::{Code, intent::IntentDescriptor};
use runtime::{ExecutionContext, Failure, Handler, port::store::Object};
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    REALM,
    interpret_data_self_discovery::column_names,
    meaning::{Meaning, meanings},
    profile::profile,
    report::{Report, keep},
};
use crate::{
    content::{
        find_file::{file_name, file_properties},
        parsed::open_table,
    },
    descriptor,
    markdown::{self, code, listed},
};

/// The most fields of a guide.
const MOST_FIELDS: usize = 200;

/// Names that are less alike than this are not matched.
const LEAST_LIKENESS: f64 = 0.6;

pub(super) struct InterpretDataGuided {
    descriptor: IntentDescriptor,
}

/// A field that is expected, and the column that is it.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Match {
    field: String,
    column: Option<String>,
    /// From 0 to 1, of the names; the role of the column adds to it.
    likeness: f64,
}

impl InterpretDataGuided {
    pub(super) fn new() -> Self {
        let fields = |description: &str| {
            json!({
                "type": ["array", "null"], "maxItems": MOST_FIELDS, "description": description,
                "items": {"type": "string", "minLength": 1, "maxLength": 200},
            })
        };
        let properties = file_properties(json!({
            "fields": fields("The fields that the table should have, in words."),
            "expected_fields": fields("Another name for `fields`."),
            "guide": {"type": ["object", "null"], "description": "The fields as the keys of an object, as older clients send them.", "maxProperties": MOST_FIELDS},
            "guide_id": {"type": ["string", "null"], "maxLength": 200, "description": "Accepted for older clients; it changes nothing."},
        }));
        let examples = [
            "does this table have customer, date and amount?",
            "map the columns to my fields",
            "interpret the data by this guide",
            "which column is the order date?",
        ];
        let description = "Finds for each field that is expected the column of the table that is it, and says what is missing and what \
            is there beyond them.";
        Self { descriptor: descriptor(REALM, "interpret_data_guided", description, properties, &examples) }
    }
}

#[async_trait]
impl Handler for InterpretDataGuided {
    fn descriptor(&self) -> &IntentDescriptor {
        &self.descriptor
    }

    async fn execute(&self, context: &ExecutionContext, parameters: Object) -> Result<Value, Failure> {
        let fields = fields(&parameters);
        if fields.is_empty() {
            let message = "Say which `fields` the table should have, for example [\"customer\", \"date\", \"amount\"].";
            return Err(Failure::new(Code::ValidationFailed, message));
        }
        let mut open = open_table(context, &parameters).await?;
        let table = std::mem::take(&mut open.table);
        let meanings = context.compute(move || Ok(meanings(&profile(&table)))).await?;
        let matches = matched(&fields, &meanings);
        let taken = |column: &str| matches.iter().any(|one| one.column.as_deref() == Some(column));
        let beyond: Vec<Meaning> = meanings.iter().filter(|meaning| !taken(&meaning.column)).cloned().collect();
        let missing: Vec<String> =
            matches.iter().filter(|one| one.column.is_none()).map(|one| code(&one.field)).collect();
        let name = file_name(&open.file);
        let rows = matches.iter().map(|one| {
            let column = one.column.clone().unwrap_or_else(|| "(none)".to_owned());
            vec![one.field.clone(), column, markdown::number((one.likeness * 100.0).round() / 100.0)]
        });
        let mut summary =
            format!("The fields in **{name}**:\n\n{}", markdown::table(&["field", "column", "likeness"], rows));
        if !missing.is_empty() {
            summary.push_str(&format!("\nNot found: {}.", listed(&missing, 10)));
        }
        if !beyond.is_empty() {
            summary.push_str(&format!("\nBeyond them there is {}.", listed(&column_names(&beyond), 10)));
        }
        let payload = json!({
            "matches": matches,
            "missing_fields": matches.iter().filter(|one| one.column.is_none()).map(|one| &one.field).collect::<Vec<_>>(),
            "unmatched_columns": beyond,
        });
        let title = format!("The fields in {name}");
        keep(
            context,
            &open,
            Report { key: "guided_interpretation", title, payload, markdown: summary.clone(), summary },
        )
    }
}

fn fields(parameters: &Object) -> Vec<String> {
    let listed = ["fields", "expected_fields"].iter().find_map(|key| parameters.get(*key)?.as_array());
    if let Some(listed) = listed {
        return listed.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    }
    let guide = parameters.get("guide").and_then(Value::as_object);
    guide.map(|guide| guide.keys().cloned().collect()).unwrap_or_default()
}

/// The likest pair first, each field and each column once.
fn matched(fields: &[String], meanings: &[Meaning]) -> Vec<Match> {
    let mut pairs: Vec<(f64, usize, usize)> = Vec::new();
    for (field, wanted) in fields.iter().enumerate() {
        for (column, meaning) in meanings.iter().enumerate() {
            let likeness = likeness(wanted, meaning);
            if likeness >= LEAST_LIKENESS {
                pairs.push((likeness, field, column));
            }
        }
    }
    pairs.sort_by(|one, other| other.0.total_cmp(&one.0).then_with(|| (one.1, one.2).cmp(&(other.1, other.2))));
    let mut found: Vec<Option<(f64, usize)>> = vec![None; fields.len()];
    for (likeness, field, column) in pairs {
        let is_taken = found.iter().flatten().any(|(_, taken)| *taken == column);
        if found[field].is_none() && !is_taken {
            found[field] = Some((likeness, column));
        }
    }
    let pairs = fields.iter().zip(found);
    pairs
        .map(|(field, found)| Match {
            field: field.clone(),
            column: found.map(|(_, column)| meanings[column].column.clone()),
            likeness: found.map_or(0.0, |(likeness, _)| likeness),
        })
        .collect()
}

/// How much of the words of the two names is the same, and something more where the field names the column's role.
fn likeness(field: &str, meaning: &Meaning) -> f64 {
    let (wanted, there) = (name_words(field), name_words(&meaning.column));
    let alike = |one: &str, other: &str| {
        one == other || (one.len() >= 4 && other.starts_with(one)) || (other.len() >= 4 && one.starts_with(other))
    };
    let shared = wanted.iter().filter(|word| there.iter().any(|other| alike(word, other))).count();
    let longest = wanted.len().max(there.len()).max(1);
    #[expect(clippy::cast_precision_loss, reason = "names have few words")]
    let of_words = shared as f64 / longest as f64;
    let says_role =
        wanted.iter().any(|word| word == meaning.role.as_str() || (word == "date" && meaning.role.as_str() == "time"));
    // A field that is the whole of a longer name, such as `amount` of `total_amount`, is as good as found.
    let contained = if shared == wanted.len() && shared > 0 { 0.8 } else { 0.0 };
    let by_role = if says_role { 0.65 } else { 0.0 };
    of_words.max(contained).max(by_role)
}

/// The words of a name, of which `orderDate` and `order_date` have the same.
fn name_words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_small = false;
    for sign in name.chars() {
        if !sign.is_alphanumeric() || (sign.is_uppercase() && was_small) {
            words.push(String::new());
        }
        if sign.is_alphanumeric() {
            words.last_mut().expect("there is always one").extend(sign.to_lowercase());
        }
        was_small = sign.is_lowercase() || sign.is_numeric();
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content;

    #[test]
    fn fields_find_their_columns() {
        let table =
            content::read_csv(b"OrderNo,order_date,total_amount,city\n1,2026-01-02,5.5,Ulm\n2,2026-01-03,6.5,Bonn\n")
                .unwrap();
        let meanings = meanings(&profile(&table));
        let fields = ["order number", "orderDate", "amount", "date", "colour"].map(str::to_owned);
        let found: Vec<Option<String>> = matched(&fields, &meanings).into_iter().map(|one| one.column).collect();
        let wanted = [None, Some("order_date"), Some("total_amount"), None, None];
        assert_eq!(found, wanted.map(|column| column.map(str::to_owned)));
    }
}
