//! Insights: how good a table is, what is in it, and the answers to questions about it.

pub mod table_query;

mod assess_data_quality;
mod profile_data;
mod query_data;

mod profile;
mod quality;
mod question;
mod report;
mod statistics;
mod values;

use std::sync::Arc;

use runtime::Handler;

use table_query::TableQuery;

const REALM: &str = "insights";

pub(crate) fn handlers(tables: Arc<dyn TableQuery>) -> Vec<Arc<dyn Handler>> {
    vec![
        Arc::new(assess_data_quality::AssessDataQuality::new()),
        Arc::new(profile_data::ProfileData::new()),
        Arc::new(query_data::QueryData::new(tables)),
    ]
}
