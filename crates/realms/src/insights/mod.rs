//! Insights: how good a table is, what is in it, and the answers to questions about it.

pub mod table_query;

mod analyze_structured_data;
mod analyze_unstructured_data;
mod assess_data_quality;
mod calculate_metrics;
mod interpret_data_guided;
mod interpret_data_self_discovery;
mod map_relationships;
mod profile_data;
mod query_data;
mod visualize_lineage;

mod meaning;
mod profile;
mod prose;
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
        Arc::new(analyze_structured_data::AnalyzeStructuredData::new()),
        Arc::new(analyze_unstructured_data::AnalyzeUnstructuredData::new()),
        Arc::new(interpret_data_self_discovery::InterpretDataSelfDiscovery::new()),
        Arc::new(interpret_data_guided::InterpretDataGuided::new()),
        Arc::new(calculate_metrics::CalculateMetrics::new()),
        Arc::new(map_relationships::MapRelationships::new()),
        Arc::new(visualize_lineage::VisualizeLineage::new()),
    ]
}
