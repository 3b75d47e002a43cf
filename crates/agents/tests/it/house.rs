//! The intents that the tests ask for: the realms' own descriptors.

use std::sync::Arc;

use contract::intent::IntentDescriptor;
use realms::{QueryAnswer, QueryError, QueryLimits, Table, TableQuery};

/// No table is ever asked here: the descriptors are all that is wanted.
struct NoTables;

impl TableQuery for NoTables {
    fn query(&self, _: &Table, _: &str, _: QueryLimits) -> Result<QueryAnswer, QueryError> {
        Err(QueryError::NotReadOnly)
    }
}

/// All intents of the realms.
pub(crate) fn descriptors() -> Vec<IntentDescriptor> {
    let handlers = realms::handlers(Arc::new(NoTables));
    handlers.iter().map(|handler| handler.descriptor().clone()).collect()
}
