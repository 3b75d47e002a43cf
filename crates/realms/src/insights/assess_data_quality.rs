//! `assess_data_quality`: how good a table is.

use async_trait::async_trait;
use contract::intent::IntentDescriptor;
use runtime::{ExecutionContext, Failure, Handler, port::store::Object};
use serde_json::{Value, json};

use super::{
    REALM,
    quality::{assess, in_short, in_words},
    report::{Report, keep},
};
use crate::{
    content::{
        find_file::{file_name, file_properties},
        parsed::open_table,
    },
    descriptor,
};

pub(super) struct AssessDataQuality {
    descriptor: IntentDescriptor,
}

impl AssessDataQuality {
    pub(super) fn new() -> Self {
        let properties = file_properties(json!({
            "parser_type": {"type": ["string", "null"], "maxLength": 50, "description": "Accepted for older clients; it changes nothing."},
        }));
        let examples = [
            "how good is this data?",
            "check the quality of orders.csv",
            "is anything wrong with my spreadsheet?",
            "find missing values and duplicates",
            "are there errors in the table?",
            "can I trust these numbers?",
            "look for typos, gaps and strange values",
        ];
        let description = "Judges how good a table is: a score from 0 to 100 and a list of defects (missing and invalid values, \
            duplicates, mixed formats, outliers), the worst first, with their rows.";
        Self { descriptor: descriptor(REALM, "assess_data_quality", description, properties, &examples) }
    }
}

#[async_trait]
impl Handler for AssessDataQuality {
    fn descriptor(&self) -> &IntentDescriptor {
        &self.descriptor
    }

    async fn execute(&self, context: &ExecutionContext, parameters: Object) -> Result<Value, Failure> {
        let mut open = open_table(context, &parameters).await?;
        let table = std::mem::take(&mut open.table);
        let quality = context.compute(move || Ok(assess(&table))).await?;
        let name = file_name(&open.file);
        keep(
            context,
            &open,
            Report {
                key: "data_quality",
                title: format!("Data quality of {name}"),
                payload: json!(quality),
                markdown: in_words(&quality, name),
                summary: in_short(&quality, name),
            },
        )
    }
}
