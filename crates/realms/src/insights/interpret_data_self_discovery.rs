//! `interpret_data_self_discovery`: what a table seems to be about, found out from its names and values alone.

use async_trait::async_trait;
use contract::intent::IntentDescriptor;
use runtime::{ExecutionContext, Failure, Handler, port::store::Object};
use serde_json::{Value, json};

use super::{
    REALM,
    meaning::{Meaning, in_a_sentence, meanings},
    profile::profile,
    report::{Report, keep},
};
use crate::{
    content::{
        find_file::{file_name, file_properties},
        parsed::open_table,
    },
    descriptor,
    markdown::{self, code},
};

/// How many columns the summary shows.
const SHOWN: usize = 12;

pub(super) struct InterpretDataSelfDiscovery {
    descriptor: IntentDescriptor,
}

impl InterpretDataSelfDiscovery {
    pub(super) fn new() -> Self {
        let properties = file_properties(json!({
            "discovery_options": {"type": ["object", "null"], "description": "Accepted for older clients; it changes nothing."},
        }));
        let examples = [
            "what is this data about?",
            "what do the columns mean?",
            "interpret the table for me",
            "find out by yourself what this is",
        ];
        let description = "Finds out what a table seems to be about and what each column is for (keys, times, money, quantities, kinds), \
            from its names and values alone, with its reasons.";
        Self { descriptor: descriptor(REALM, "interpret_data_self_discovery", description, properties, &examples) }
    }
}

#[async_trait]
impl Handler for InterpretDataSelfDiscovery {
    fn descriptor(&self) -> &IntentDescriptor {
        &self.descriptor
    }

    async fn execute(&self, context: &ExecutionContext, parameters: Object) -> Result<Value, Failure> {
        let mut open = open_table(context, &parameters).await?;
        let table = std::mem::take(&mut open.table);
        let (rows, meanings) = context
            .compute(move || {
                let profile = profile(&table);
                Ok((profile.row_count, meanings(&profile)))
            })
            .await?;
        let name = file_name(&open.file);
        let sentence = in_a_sentence(&meanings, rows);
        let markdown = format!("**{name}**: {sentence}\n\n{}", in_a_table(&meanings, meanings.len()));
        let summary = format!("**{name}**: {sentence}\n\n{}", in_a_table(&meanings, SHOWN));
        let payload = json!({ "interpretation": sentence, "row_count": rows, "columns": meanings });
        let title = format!("What {name} is about");
        keep(context, &open, Report { key: "data_interpretation", title, payload, markdown, summary })
    }
}

fn in_a_table(meanings: &[Meaning], most: usize) -> String {
    let rows = meanings.iter().take(most).map(|meaning| {
        vec![meaning.column.clone(), meaning.role.as_str().to_owned(), meaning.because.replace('`', "")]
    });
    let rest = meanings.len().saturating_sub(most);
    let more = if rest > 0 { format!("\n…and {} more.", markdown::count(rest)) } else { String::new() };
    format!("{}{more}", markdown::table(&["column", "role", "because"], rows))
}

/// The names of columns as a person reads them.
pub(super) fn column_names(meanings: &[Meaning]) -> Vec<String> {
    meanings.iter().map(|meaning| code(&meaning.column)).collect()
}
