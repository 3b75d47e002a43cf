//! The intents that the tests ask for: the realms' own descriptors, and likenesses of those that a realm does not have.

use std::sync::Arc;

use contract::intent::{ApprovalRule, IntentDescriptor};
use realms::{QueryAnswer, QueryError, QueryLimits, Table, TableQuery};
use serde_json::{Value, json};

/// No table is ever asked here: the descriptors are all that is wanted.
struct NoTables;

impl TableQuery for NoTables {
    fn query(&self, _: &Table, _: &str, _: QueryLimits) -> Result<QueryAnswer, QueryError> {
        Err(QueryError::NotReadOnly)
    }
}

/// All intents of the house.
pub(crate) fn descriptors() -> Vec<IntentDescriptor> {
    let handlers = realms::handlers(Arc::new(NoTables));
    let mut descriptors: Vec<IntentDescriptor> = handlers.iter().map(|handler| handler.descriptor().clone()).collect();
    for likeness in likenesses() {
        if descriptors.iter().all(|known| known.intent_type != likeness.intent_type) {
            descriptors.push(likeness);
        }
    }
    descriptors
}

fn likenesses() -> Vec<IntentDescriptor> {
    let file = json!({ "file": { "type": ["string", "null"] } });
    let question = json!({ "file": { "type": ["string", "null"] }, "sql": { "type": "string" }, "question": { "type": "string" } });
    let text =
        json!({ "file": { "type": ["string", "null"] }, "text": { "type": "string" }, "title": { "type": "string" } });
    let title = json!({ "title": { "type": "string" } });
    vec![
        likeness("insights", "assess_data_quality", "Judges how good a table is.", &file, "how good is this data?"),
        likeness("insights", "profile_data", "Describes the columns of a table.", &file, "profile orders.csv"),
        likeness(
            "insights",
            "query_data",
            "Answers a question over a table.",
            &question,
            "what is the average amount per region?",
        ),
        likeness(
            "journey",
            "create_workflow",
            "Turns a written procedure into a workflow.",
            &text,
            "create a workflow from this procedure",
        ),
        likeness(
            "journey",
            "generate_sop",
            "Writes a workflow down as a standard operating procedure.",
            &text,
            "write an SOP from the workflow",
        ),
        likeness("outcomes", "generate_roadmap", "Plans what comes next.", &title, "generate a roadmap"),
        likeness(
            "outcomes",
            "synthesize_outcome",
            "Sums up what was found and made.",
            &title,
            "summarize what we found",
        ),
    ]
}

pub(crate) fn likeness(
    realm: &str,
    intent_type: &str,
    description: &str,
    properties: &Value,
    example: &str,
) -> IntentDescriptor {
    IntentDescriptor {
        intent_type: intent_type.to_owned(),
        realm: realm.to_owned(),
        description: description.to_owned(),
        parameters: json!({ "type": "object", "properties": properties, "additionalProperties": false }),
        approval: ApprovalRule::None,
        examples: vec![example.to_owned()],
    }
}
