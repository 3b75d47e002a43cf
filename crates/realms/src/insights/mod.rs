//! Insights: how good a table is, what is in it, and the answers to questions about it.

pub mod table_query;

use std::sync::Arc;

use runtime::Handler;

use table_query::TableQuery;

pub(crate) fn handlers(_tables: Arc<dyn TableQuery>) -> Vec<Arc<dyn Handler>> {
    Vec::new()
}
