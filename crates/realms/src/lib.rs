//! What can be done: each realm is a folder, each intent a file in it with a handler and a JSON Schema. It knows nothing of
//! HTTP, storage or agents; it sees the world through the Runtime's `ExecutionContext` only.

pub mod content;
mod descriptor;
pub mod insights;
pub mod journey;
mod markdown;
pub mod outcomes;

use std::sync::Arc;

use runtime::Handler;

pub use content::table::{Cell, Column, ColumnType, Table};
pub use descriptor::descriptor;
pub use insights::table_query::{QueryAnswer, QueryError, QueryLimits, TableQuery};

/// Every intent of the house, for the Runtime's catalogue.
pub fn handlers(tables: Arc<dyn TableQuery>) -> Vec<Arc<dyn Handler>> {
    let mut handlers = content::handlers();
    handlers.extend(insights::handlers(tables));
    handlers.extend(journey::handlers());
    handlers.extend(outcomes::handlers());
    handlers
}
