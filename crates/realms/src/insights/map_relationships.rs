//! `map_relationships`: which columns of which tables hold the same things, found out from their values.

use std::collections::HashSet;

use async_trait::async_trait;
use contract::{
    artifact::{Artifact, LifecycleState},
    intent::IntentDescriptor,
};
use runtime::{ExecutionContext, Failure, Handler, NewArtifact, port::store::Object};
use serde::Serialize;
use serde_json::{Value, json};

use super::REALM;
use crate::{
    content::{
        find_file::{Wanted, file_name, find_file, newest_tables},
        parsed::open_table,
        table::{ColumnType, Table},
    },
    descriptor,
    markdown::{self, code, counted, percent},
};

/// The artifact type of a map.
const KEY: &str = "relationships";

/// The most tables that are held against each other.
const MOST_TABLES: usize = 8;
/// The most different values of a column that are looked at.
const MOST_VALUES: usize = 100_000;
/// A column has to have this many different values before their being elsewhere means anything.
const LEAST_VALUES: usize = 3;
/// The least share of a column's values that has to be in the other.
const LEAST_SHARE: f64 = 0.6;
const SHOWN: usize = 10;

pub(super) struct MapRelationships {
    descriptor: IntentDescriptor,
}

/// The values of `from` are among those of `to`.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Relationship {
    from_file: String,
    from_column: String,
    to_file: String,
    to_column: String,
    /// Different values of `from`, and those of them that are in `to` as well.
    values: usize,
    shared: usize,
    /// Whether each value of `to` is there once, so that a row of `from` belongs to one of `to`.
    many_to_one: bool,
}

impl MapRelationships {
    pub(super) fn new() -> Self {
        let properties = json!({
            "files": {
                "type": ["array", "null"], "maxItems": MOST_TABLES,
                "items": {"type": "string", "minLength": 1, "maxLength": 300},
                "description": "Names or ids of the tables; the newest ones where it is missing.",
            },
        });
        let examples = [
            "how do my tables belong together?",
            "map the relationships between orders and customers",
            "which column links these files?",
            "find the keys between the tables",
        ];
        let description =
            "Finds which columns of which tables hold the same things, and so how the tables belong together.";
        Self { descriptor: descriptor(REALM, "map_relationships", description, properties, &examples) }
    }
}

/// A column's different values.
struct Values {
    table: usize,
    column: String,
    distinct: HashSet<String>,
    is_unique: bool,
}

#[async_trait]
impl Handler for MapRelationships {
    fn descriptor(&self) -> &IntentDescriptor {
        &self.descriptor
    }

    async fn execute(&self, context: &ExecutionContext, parameters: Object) -> Result<Value, Failure> {
        let files = files(context, &parameters).await?;
        let mut names = Vec::with_capacity(files.len());
        let mut values = Vec::new();
        let mut parents = Vec::new();
        for (number, file) in files.iter().enumerate() {
            let wanted = Object::from_iter([("file".to_owned(), json!(file.artifact_id))]);
            let open = open_table(context, &wanted).await?;
            names.push(file_name(file).to_owned());
            parents.extend([open.parsed.artifact_id.clone(), file.artifact_id.clone()]);
            let table = open.table;
            values.extend(context.compute(move || Ok(values_of(number, &table))).await?);
        }
        let known = names.clone();
        let found = context.compute(move || Ok(relationships(&known, &values))).await?;
        let mermaid = mermaid(&names, &found);
        let summary = in_words(&names, &found, &mermaid);
        let mut payload =
            Object::from_iter([("files".to_owned(), json!(names)), ("relationships".to_owned(), json!(found))]);
        let artifact = context.keep(
            KEY,
            NewArtifact {
                artifact_type: KEY.to_owned(),
                lifecycle_state: Some(LifecycleState::Ready),
                semantic_descriptor: Object::from_iter([("title".to_owned(), json!("How the tables belong together"))]),
                semantic_payload: payload.clone(),
                renderings: Object::from_iter([
                    ("markdown".to_owned(), json!(summary)),
                    ("mermaid".to_owned(), json!(mermaid)),
                ]),
                parent_artifacts: parents,
                ..NewArtifact::default()
            },
        );
        payload.insert("artifact_id".to_owned(), json!(artifact.artifact_id));
        payload.insert("mermaid".to_owned(), json!(mermaid));
        payload.insert("summary".to_owned(), json!(summary));
        Ok(Value::Object(payload))
    }
}

async fn files(context: &ExecutionContext, parameters: &Object) -> Result<Vec<Artifact>, Failure> {
    let named = parameters.get("files").and_then(Value::as_array).filter(|named| !named.is_empty());
    let Some(named) = named else { return newest_tables(context, MOST_TABLES).await };
    let mut files: Vec<Artifact> = Vec::new();
    for name in named {
        let wanted = Object::from_iter([("file".to_owned(), name.clone())]);
        let file = find_file(context, &wanted, Wanted::Table).await?;
        if files.iter().all(|known| known.artifact_id != file.artifact_id) {
            files.push(file);
        }
    }
    Ok(files)
}

fn values_of(number: usize, table: &Table) -> Vec<Values> {
    let comparable = |place: &usize| {
        // Numbers that measure and truths are in each other by chance.
        matches!(table.columns[*place].column_type, ColumnType::Integer | ColumnType::Text)
    };
    (0..table.columns.len())
        .filter(comparable)
        .filter_map(|place| {
            let mut count = 0;
            let mut distinct = HashSet::new();
            for cell in table.cells(place).filter(|cell| !cell.is_null()) {
                count += 1;
                distinct.insert(cell.to_string().trim().to_lowercase());
                if distinct.len() > MOST_VALUES {
                    return None;
                }
            }
            let is_unique = distinct.len() == count;
            let column = table.columns[place].name.clone();
            (distinct.len() >= LEAST_VALUES).then_some(Values { table: number, column, distinct, is_unique })
        })
        .collect()
}

#[expect(clippy::cast_precision_loss, reason = "a share needs three digits")]
fn relationships(names: &[String], values: &[Values]) -> Vec<Relationship> {
    let mut found = Vec::new();
    for from in values {
        for to in values.iter().filter(|to| to.table != from.table && to.is_unique) {
            let shared = from.distinct.intersection(&to.distinct).count();
            if shared as f64 / from.distinct.len() as f64 >= LEAST_SHARE {
                found.push(Relationship {
                    from_file: names[from.table].clone(),
                    from_column: from.column.clone(),
                    to_file: names[to.table].clone(),
                    to_column: to.column.clone(),
                    values: from.distinct.len(),
                    shared,
                    many_to_one: !from.is_unique,
                });
            }
        }
    }
    found.sort_by_key(|one| (std::cmp::Reverse(one.shared * 1_000 / one.values), std::cmp::Reverse(one.shared)));
    found
}

/// An entity for each table.
fn mermaid(names: &[String], found: &[Relationship]) -> String {
    let entity = |name: &str| -> String {
        name.chars().map(|sign| if sign.is_ascii_alphanumeric() { sign } else { '_' }).collect()
    };
    let mut text = "erDiagram\n".to_owned();
    for name in names {
        text.push_str(&format!("    {}\n", entity(name)));
    }
    for one in found.iter().take(SHOWN) {
        let line = if one.many_to_one { "}o--||" } else { "|o--||" };
        let label = format!("{} = {}", one.from_column, one.to_column).replace(['"', '\n'], " ");
        text.push_str(&format!("    {} {line} {} : \"{label}\"\n", entity(&one.from_file), entity(&one.to_file)));
    }
    text
}

fn in_words(names: &[String], found: &[Relationship], mermaid: &str) -> String {
    let looked = format!("I held {} against each other", counted(names.len(), "table", "tables"));
    if found.is_empty() {
        return format!("{looked}, and no column of one has its values in another.");
    }
    let rows = found.iter().take(SHOWN).map(|one| {
        vec![
            format!("{} of {}", one.from_column, one.from_file),
            format!("{} of {}", one.to_column, one.to_file),
            percent(one.shared, one.values),
        ]
    });
    let table = markdown::table(&["column", "has its values in", "of them"], rows);
    let first = &found[0];
    format!(
        "{looked}. {} of {} names rows of {}.\n\n{table}\n```mermaid\n{mermaid}```",
        code(&first.from_column),
        first.from_file,
        first.to_file
    )
}
