//! The port of tabular questions: what the insights realm needs to have a SQL question answered. It knows no SQL engine.

use std::time::Duration;

use crate::content::table::{Cell, Table};

/// What the table is called in a question.
pub const TABLE_NAME: &str = "data";

/// Answers read-only SQL questions over one table. It blocks: callers keep it off the threads that serve others.
pub trait TableQuery: Send + Sync {
    /// Runs `sql`, one `SELECT` (or `WITH … SELECT`), over `table` under the name `data`. Column names match without regard to case and
    /// are unique so. Nothing but the table can be reached: no file, no attached database, no pragma, no extension.
    ///
    /// A limit on rows or bytes truncates the answer, a limit on time fails it.
    fn query(&self, table: &Table, sql: &str, limits: QueryLimits) -> Result<QueryAnswer, QueryError>;
}

/// How much a question may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueryLimits {
    /// For the question itself; filling the table is not counted.
    pub time: Duration,
    pub rows: usize,
    /// Of text and numbers in the answer, about.
    pub bytes: usize,
}

impl Default for QueryLimits {
    fn default() -> Self {
        Self { time: Duration::from_secs(5), rows: 1_000, bytes: 1024 * 1024 }
    }
}

/// The rows of an answer, in the order in which the engine gave them.
#[derive(Clone, Debug, PartialEq)]
pub struct QueryAnswer {
    pub columns: Vec<String>,
    pub rows: Vec<Vec<Cell>>,
    /// There were more rows than the limits allow.
    pub truncated: bool,
}

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// It is more than a question: it would write, or reach beyond the table.
    #[error("only one SELECT over the table `data` is allowed")]
    NotReadOnly,
    /// The engine does not understand it; the text is the engine's, fit for a person.
    #[error("{0}")]
    Wrong(String),
    #[error("the question took longer than its limit")]
    TooSlow,
    #[error("the tables cannot be asked")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}
