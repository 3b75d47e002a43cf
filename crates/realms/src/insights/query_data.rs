//! `query_data`: answers a question about a table, said plainly or in SQL.

use std::sync::Arc;

use async_trait::async_trait;
use contract::{Code, intent::IntentDescriptor};
use runtime::{ExecutionContext, Failure, Handler, port::store::Object};
use serde_json::{Value, json};

use super::{
    REALM,
    question::{Plan, examples, understand},
    report::{Report, keep},
    table_query::{QueryAnswer, QueryError, QueryLimits, TableQuery},
    values::for_questions,
};
use crate::{
    content::{
        find_file::{file_name, file_properties},
        parsed::open_table,
        table::{Cell, Column},
    },
    descriptor,
    markdown::{self, code, counted, listed},
};

/// The longest SQL and the longest question, in characters.
const LONGEST_SQL: usize = 10_000;
const LONGEST_QUESTION: usize = 1_000;

/// What the summary shows of an answer.
const SHOWN_ROWS: usize = 10;
const SHOWN_COLUMNS: usize = 8;

/// How many names of columns a refusal lists.
const LISTED_COLUMNS: usize = 12;

pub(super) struct QueryData {
    descriptor: IntentDescriptor,
    tables: Arc<dyn TableQuery>,
}

impl QueryData {
    pub(super) fn new(tables: Arc<dyn TableQuery>) -> Self {
        let properties = file_properties(json!({
            "question": {"type": ["string", "null"], "maxLength": LONGEST_QUESTION, "description": "The question in plain words, with the names of columns: \"average amount by city\", \"top 5 products by revenue\", \"how many rows are there?\"."},
            "sql": {"type": ["string", "null"], "maxLength": LONGEST_SQL, "description": "The question as one SQLite SELECT over the table `data`, whose columns are those of the file. It wins over `question`."},
        }));
        let examples = [
            "what is the average amount by city?",
            "how many rows are there?",
            "top 5 customers by revenue",
            "total sales per region",
            "which is the highest price?",
            "how many different products do we have?",
            "select city, count(*) from data group by city",
        ];
        let description = "Answers a question about a table from its rows: counts, sums, averages, extremes, groups and ranks in \
            plain words, anything else as a read-only SQL SELECT.";
        Self { descriptor: descriptor(REALM, "query_data", description, properties, &examples), tables }
    }
}

#[async_trait]
impl Handler for QueryData {
    fn descriptor(&self) -> &IntentDescriptor {
        &self.descriptor
    }

    async fn execute(&self, context: &ExecutionContext, parameters: Object) -> Result<Value, Failure> {
        let asked = Asked::of(&parameters)?;
        let mut open = open_table(context, &parameters).await?;
        let name = file_name(&open.file).to_owned();
        let table = std::mem::take(&mut open.table);
        let columns = table.columns.clone();
        let plan = asked.plan(&columns, &name)?;
        let (tables, sql) = (Arc::clone(&self.tables), plan.sql.clone());
        let (answer, left_out) = context
            .compute(move || {
                let (table, left_out) = for_questions(&table);
                Ok((tables.query(&table, &sql, QueryLimits::default()), left_out))
            })
            .await?;
        let answer = answer.map_err(|error| refusal(error, &columns))?;
        let notes = notes(&plan, &columns, &left_out);
        let summary = summary(&plan, &answer, &name, &notes);
        keep(
            context,
            &open,
            Report {
                key: "query_result",
                title: format!("{} in {name}", plan.title.replace('`', "")),
                payload: json!({
                    "question": asked.question(),
                    "sql": plan.sql,
                    "columns": answer.columns,
                    "rows": answer.rows,
                    "row_count": answer.rows.len(),
                    "truncated": answer.truncated,
                    "notes": notes,
                }),
                markdown: summary.clone(),
                summary,
            },
        )
    }
}

/// What the person asked, in one of two languages.
enum Asked {
    Sql(String),
    Question(String),
}

impl Asked {
    fn of(parameters: &Object) -> Result<Self, Failure> {
        let text =
            |key: &str| parameters.get(key).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
        if let Some(sql) = text("sql") {
            return Ok(Self::Sql(sql.to_owned()));
        }
        let Some(question) = text("question") else {
            return Err(Failure::new(
                Code::ValidationFailed,
                "Say what you want to know, for example \"how many rows are there?\", or give a SELECT as `sql`.",
            ));
        };
        let first = question.split_whitespace().next().unwrap_or_default();
        let is_sql = first.eq_ignore_ascii_case("select") || first.eq_ignore_ascii_case("with");
        Ok(if is_sql { Self::Sql(question.to_owned()) } else { Self::Question(question.to_owned()) })
    }

    fn plan(&self, columns: &[Column], name: &str) -> Result<Plan, Failure> {
        match self {
            Self::Sql(sql) => {
                let lower = sql.to_lowercase();
                let is_named = |column: &Column| lower.contains(&column.name.to_lowercase());
                let named = columns.iter().enumerate().filter(|(_, column)| is_named(column)).map(|(place, _)| place);
                let sql = sql.trim_end_matches(|sign: char| sign == ';' || sign.is_whitespace());
                Ok(Plan { sql: sql.to_owned(), title: "The answer".to_owned(), columns: named.collect() })
            }
            Self::Question(question) => understand(question, columns, name).ok_or_else(|| {
                let [one, two] = examples(columns);
                Failure::new(
                    Code::QueryRefused,
                    format!(
                        "I did not understand that as a question about {}. Try \"{one}\" or \"{two}\", or ask in SQL over the table `data`. Its columns are {}.",
                        code(name),
                        listed_columns(columns)
                    ),
                )
            }),
        }
    }

    fn question(&self) -> Option<&str> {
        match self {
            Self::Sql(_) => None,
            Self::Question(question) => Some(question),
        }
    }
}

fn listed_columns(columns: &[Column]) -> String {
    let names: Vec<String> = columns.iter().map(|column| code(&column.name)).collect();
    listed(&names, LISTED_COLUMNS)
}

fn refusal(error: QueryError, columns: &[Column]) -> Failure {
    match error {
        QueryError::NotReadOnly => Failure::new(
            Code::QueryRefused,
            "Only a question can be asked: one SELECT over the table `data`, and nothing that writes or looks elsewhere.",
        ),
        QueryError::Wrong(what) => Failure::new(
            Code::QueryRefused,
            format!("The SQL is not understood: {what}. The columns of `data` are {}.", listed_columns(columns)),
        ),
        QueryError::TooSlow => Failure::new(
            Code::Timeout,
            "The question took longer than 5 seconds and was stopped. Ask for less, for example with a WHERE or without a join.",
        ),
        QueryError::Failed(error) => {
            tracing::error!(%error, "a table could not be asked");
            Failure::transient(Code::Internal, "The table could not be asked just now; try again.")
        }
    }
}

/// What was left out of the answer: values that are not of their column's type.
fn notes(plan: &Plan, columns: &[Column], left_out: &[usize]) -> Vec<String> {
    let concerned = plan.columns.iter().filter(|&&place| left_out[place] > 0);
    concerned
        .map(|&place| {
            let values = counted(left_out[place], "value", "values");
            let verb = if left_out[place] == 1 { "is" } else { "are" };
            let kind = columns[place].column_type.as_str().replace('_', " ");
            format!(
                "{values} of {} {verb} no {kind} and {} left out.",
                code(&columns[place].name),
                if verb == "is" { "was" } else { "were" }
            )
        })
        .collect()
}

fn summary(plan: &Plan, answer: &QueryAnswer, name: &str, notes: &[String]) -> String {
    let mut text = match answer.rows.as_slice() {
        [] => format!("{} in **{name}**: there is no row that fits.", plan.title),
        [row] if row.len() == 1 => match &row[0] {
            Cell::Null => format!("{} in **{name}**: there is no value to answer from.", plan.title),
            value => format!("{} in **{name}** is **{}**.", plan.title, shown(value)),
        },
        rows => {
            let width = answer.columns.len().min(SHOWN_COLUMNS);
            let headers: Vec<&str> = answer.columns[..width].iter().map(String::as_str).collect();
            let cells = rows.iter().take(SHOWN_ROWS).map(|row| row[..width].iter().map(shown).collect());
            format!("{} in **{name}**:\n\n{}{}", plan.title, markdown::table(&headers, cells), rest(answer))
        }
    };
    for note in notes {
        text.push_str(&format!("\n\nNote: {note}"));
    }
    text
}

fn shown(cell: &Cell) -> String {
    match cell {
        Cell::Null => "–".to_owned(),
        Cell::Number(value) => markdown::number(*value),
        Cell::Boolean(_) | Cell::Integer(_) | Cell::Text(_) => cell.to_string(),
    }
}

fn rest(answer: &QueryAnswer) -> String {
    let hidden = answer.rows.len().saturating_sub(SHOWN_ROWS);
    match (hidden, answer.truncated) {
        (0, false) => String::new(),
        (0, true) => "\nThere are more rows than an answer can hold.".to_owned(),
        (hidden, false) => format!("\n…and {}.", counted(hidden, "more row", "more rows")),
        (hidden, true) => {
            format!("\n…and at least {}; the answer was cut off.", counted(hidden, "more row", "more rows"))
        }
    }
}
