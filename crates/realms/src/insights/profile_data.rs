//! `profile_data`: what is in a table.

use async_trait::async_trait;
use contract::intent::IntentDescriptor;
use runtime::{ExecutionContext, Failure, Handler, port::store::Object};
use serde_json::{Value, json};

use super::{
    REALM,
    profile::{SUMMARY_COLUMNS, in_words, profile},
    report::{Report, keep},
};
use crate::{
    content::{
        find_file::{file_name, file_properties},
        parsed::open_table,
    },
    descriptor,
};

pub(super) struct ProfileData {
    descriptor: IntentDescriptor,
}

impl ProfileData {
    pub(super) fn new() -> Self {
        let properties = file_properties(json!({
            "analysis_options": {"type": ["object", "null"], "description": "Accepted for older clients; it changes nothing."},
        }));
        let examples = [
            "profile my data",
            "give me statistics for every column",
            "what is in this table?",
            "describe the columns of orders.csv",
            "summarize the numbers: ranges, means, outliers",
            "how many distinct values does each column have?",
        ];
        let description = "Describes a table: for each column its type, missing and distinct values, range, mean, median, \
            spread, commonest values and outliers, and for the whole table its size and duplicate rows.";
        Self { descriptor: descriptor(REALM, "profile_data", description, properties, &examples) }
    }
}

#[async_trait]
impl Handler for ProfileData {
    fn descriptor(&self) -> &IntentDescriptor {
        &self.descriptor
    }

    async fn execute(&self, context: &ExecutionContext, parameters: Object) -> Result<Value, Failure> {
        let mut open = open_table(context, &parameters).await?;
        let table = std::mem::take(&mut open.table);
        let profile = context.compute(move || Ok(profile(&table))).await?;
        let name = file_name(&open.file);
        let next = "\nNext: \"how good is this data?\" names what is wrong with it, row by row.";
        keep(
            context,
            &open,
            Report {
                key: "profile",
                title: format!("Profile of {name}"),
                payload: json!(profile),
                markdown: in_words(&profile, name, profile.columns.len()),
                summary: in_words(&profile, name, SUMMARY_COLUMNS) + next,
            },
        )
    }
}
