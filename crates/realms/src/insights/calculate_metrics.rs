//! `calculate_metrics`: figures of a table, each by its column and how it is put together, over all rows or by groups.

use std::collections::BTreeMap;

use async_trait::async_trait;
use contract::{Code, intent::IntentDescriptor};
use runtime::{ExecutionContext, Failure, Handler, port::store::Object};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    REALM,
    report::{Report, keep},
    statistics::Statistics,
};
use crate::{
    content::{
        find_file::{file_name, file_properties},
        looks_like_a_key,
        parsed::open_table,
        table::{Cell, Table},
    },
    descriptor,
    markdown::{self, code, listed},
};

/// The most metrics of one question, and the most groups of each.
const MOST_METRICS: usize = 50;
const MOST_GROUPS: usize = 1_000;

const SHOWN: usize = 15;

pub(super) struct CalculateMetrics {
    descriptor: IntentDescriptor,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Aggregation {
    Count,
    Distinct,
    Sum,
    Mean,
    Median,
    Min,
    Max,
    StandardDeviation,
}

/// A figure that is wanted.
#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Wanted {
    #[serde(default)]
    name: Option<String>,
    column: String,
    aggregation: Aggregation,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Metric {
    name: String,
    column: String,
    aggregation: Aggregation,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    /// Null where no row has a value.
    value: Option<f64>,
    /// Over how many values.
    count: usize,
}

impl CalculateMetrics {
    pub(super) fn new() -> Self {
        let kinds = ["count", "distinct", "sum", "mean", "median", "min", "max", "standard_deviation"];
        let properties = file_properties(json!({
            "metrics": {
                "type": ["array", "null"], "maxItems": MOST_METRICS,
                "description": "The figures that are wanted; sum, mean, least and greatest of each column of numbers where it is missing.",
                "items": {
                    "type": "object",
                    "properties": {
                        "name": {"type": ["string", "null"], "maxLength": 200, "description": "What the figure is called."},
                        "column": {"type": "string", "maxLength": 300, "description": "The column that it is made of."},
                        "aggregation": {"type": "string", "enum": kinds, "description": "How it is put together."},
                    },
                    "required": ["column", "aggregation"],
                    "additionalProperties": false,
                },
            },
            "group_by": {"type": ["string", "null"], "maxLength": 300, "description": "A column: a figure for each of its values."},
        }));
        let examples = [
            "calculate the key figures",
            "compute metrics by region",
            "give me sum and median of the amounts",
            "work out the KPIs of orders.csv",
        ];
        let description = "Computes figures of a table (count, distinct, sum, mean, median, least, greatest, standard deviation) for all \
            rows or for each value of a column.";
        Self { descriptor: descriptor(REALM, "calculate_metrics", description, properties, &examples) }
    }
}

#[async_trait]
impl Handler for CalculateMetrics {
    fn descriptor(&self) -> &IntentDescriptor {
        &self.descriptor
    }

    async fn execute(&self, context: &ExecutionContext, parameters: Object) -> Result<Value, Failure> {
        let mut open = open_table(context, &parameters).await?;
        let table = std::mem::take(&mut open.table);
        let group_by = parameters.get("group_by").and_then(Value::as_str).map(str::to_owned);
        let wanted: Option<Vec<Wanted>> = match parameters.get("metrics").filter(|metrics| !metrics.is_null()) {
            None => None,
            Some(metrics) => Some(
                serde_json::from_value(metrics.clone())
                    .map_err(|error| Failure::new(Code::ValidationFailed, format!("`metrics` do not fit: {error}.")))?,
            ),
        };
        let by = group_by.clone();
        let metrics = context
            .compute(move || {
                let wanted = wanted.unwrap_or_else(|| usual(&table));
                metrics(&table, &wanted, by.as_deref())
            })
            .await?;
        let name = file_name(&open.file);
        let title = match &group_by {
            Some(column) => format!("Figures of {name} by {column}"),
            None => format!("Figures of {name}"),
        };
        let payload = json!({ "metrics": metrics, "group_by": group_by });
        let markdown = in_words(&title, &metrics, metrics.len());
        let summary = in_words(&title, &metrics, SHOWN);
        keep(context, &open, Report { key: "metrics", title, payload, markdown, summary })
    }
}

/// What one wants to know of the columns of numbers.
fn usual(table: &Table) -> Vec<Wanted> {
    let numeric =
        table.columns.iter().filter(|column| column.column_type.is_numeric() && !looks_like_a_key(&column.name));
    let kinds = [Aggregation::Sum, Aggregation::Mean, Aggregation::Min, Aggregation::Max];
    let all = numeric
        .flat_map(|column| kinds.map(|aggregation| Wanted { name: None, column: column.name.clone(), aggregation }));
    all.take(MOST_METRICS).collect()
}

fn metrics(table: &Table, wanted: &[Wanted], group_by: Option<&str>) -> Result<Vec<Metric>, Failure> {
    if wanted.is_empty() {
        let message = "No column has numbers. Name `metrics` with a column and count or distinct.";
        return Err(Failure::new(Code::ValidationFailed, message));
    }
    let groups = match group_by {
        None => BTreeMap::from([(None, (0..table.rows.len()).collect::<Vec<_>>())]),
        Some(name) => groups(table, place(table, name)?)?,
    };
    let mut metrics = Vec::new();
    for wanted in wanted {
        let place = place(table, &wanted.column)?;
        for (group, rows) in &groups {
            let cells: Vec<&Cell> =
                rows.iter().map(|row| &table.rows[*row][place]).filter(|cell| !cell.is_null()).collect();
            metrics.push(Metric {
                name: wanted
                    .name
                    .clone()
                    .unwrap_or_else(|| format!("{} of {}", wanted.aggregation.as_str(), wanted.column)),
                column: table.columns[place].name.clone(),
                aggregation: wanted.aggregation,
                group: group.clone(),
                value: wanted.aggregation.of(&cells),
                count: cells.len(),
            });
        }
    }
    Ok(metrics)
}

/// The rows of each value of a column; those without one have a group of their own.
fn groups(table: &Table, place: usize) -> Result<BTreeMap<Option<String>, Vec<usize>>, Failure> {
    let mut groups: BTreeMap<Option<String>, Vec<usize>> = BTreeMap::new();
    for (number, row) in table.rows.iter().enumerate() {
        let group = if row[place].is_null() { "(none)".to_owned() } else { row[place].to_string() };
        groups.entry(Some(group)).or_default().push(number);
        if groups.len() > MOST_GROUPS {
            let message = format!(
                "{} has more than {MOST_GROUPS} values; group by another column.",
                code(&table.columns[place].name)
            );
            return Err(Failure::new(Code::ValidationFailed, message));
        }
    }
    Ok(groups)
}

fn place(table: &Table, name: &str) -> Result<usize, Failure> {
    table.column_index(name).ok_or_else(|| {
        let names: Vec<String> = table.columns.iter().map(|column| code(&column.name)).collect();
        Failure::new(
            Code::ValidationFailed,
            format!("There is no column {}. There is {}.", code(name), listed(&names, 10)),
        )
    })
}

impl Aggregation {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Distinct => "distinct values",
            Self::Sum => "sum",
            Self::Mean => "mean",
            Self::Median => "median",
            Self::Min => "least",
            Self::Max => "greatest",
            Self::StandardDeviation => "standard deviation",
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^53")]
    fn of(self, cells: &[&Cell]) -> Option<f64> {
        let statistics = || Statistics::of(cells.iter().filter_map(|cell| cell.as_number()).collect());
        match self {
            Self::Count => Some(cells.len() as f64),
            Self::Distinct => {
                let distinct: std::collections::BTreeSet<String> = cells.iter().map(ToString::to_string).collect();
                Some(distinct.len() as f64)
            }
            Self::Sum => statistics().map(|statistics| statistics.sum),
            Self::Mean => statistics().map(|statistics| statistics.mean),
            Self::Median => statistics().map(|statistics| statistics.median),
            Self::Min => statistics().map(|statistics| statistics.min),
            Self::Max => statistics().map(|statistics| statistics.max),
            Self::StandardDeviation => statistics().and_then(|statistics| statistics.standard_deviation),
        }
    }
}

fn in_words(title: &str, metrics: &[Metric], most: usize) -> String {
    let is_grouped = metrics.iter().any(|metric| metric.group.is_some());
    let rows = metrics.iter().take(most).map(|metric| {
        let value = metric.value.map_or_else(|| "none".to_owned(), markdown::number);
        let mut row = vec![metric.name.clone(), value, markdown::count(metric.count)];
        if is_grouped {
            row.insert(1, metric.group.clone().unwrap_or_default());
        }
        row
    });
    let headers: &[&str] =
        if is_grouped { &["figure", "of", "value", "values"] } else { &["figure", "value", "values"] };
    let table = markdown::table(headers, rows);
    let rest = metrics.len().saturating_sub(most);
    let more = if rest > 0 { format!("\n…and {} more.", markdown::count(rest)) } else { String::new() };
    format!("**{title}**\n\n{table}{more}")
}
