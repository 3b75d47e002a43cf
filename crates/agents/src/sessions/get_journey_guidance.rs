//! `get_journey_guidance`: what is done in this session, and what would come next. Computed from what is there: the first step of
//! which nothing is there yet is the next one.

use async_trait::async_trait;
use contract::intent::IntentDescriptor;
use runtime::{ExecutionContext, Failure, Handler, port::store::Object};
use serde_json::{Value, json};

use super::{descriptor, state::SessionState};

const TABLES: [&str; 5] = ["csv", "tsv", "json", "jsonl", "xlsx"];
const DOCUMENTS: [&str; 4] = ["txt", "md", "html", "pdf"];

/// A step on the way from a file to an outcome.
struct Step {
    realm: &'static str,
    intent: &'static str,
    /// What is there once it is done.
    leaves: &'static str,
    says: &'static str,
    needs: Needs,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Needs {
    Nothing,
    Table,
    Document,
    /// Anything but files: something that was found out or made.
    Finding,
}

const STEPS: [Step; 7] = [
    Step { realm: "content", intent: "ingest_file", leaves: "file", says: "Upload a file", needs: Needs::Nothing },
    Step {
        realm: "content",
        intent: "parse_content",
        leaves: "parsed_file",
        says: "Have it read",
        needs: Needs::Nothing,
    },
    Step {
        realm: "insights",
        intent: "assess_data_quality",
        leaves: "data_quality",
        says: "See how good the data is",
        needs: Needs::Table,
    },
    Step {
        realm: "insights",
        intent: "profile_data",
        leaves: "profile",
        says: "See what is in it",
        needs: Needs::Table,
    },
    Step {
        realm: "journey",
        intent: "create_workflow",
        leaves: "workflow",
        says: "Make a workflow of the procedure",
        needs: Needs::Document,
    },
    Step {
        realm: "outcomes",
        intent: "synthesize_outcome",
        leaves: "synthesis",
        says: "Sum up what was found",
        needs: Needs::Finding,
    },
    Step {
        realm: "outcomes",
        intent: "generate_roadmap",
        leaves: "roadmap",
        says: "Plan what comes next",
        needs: Needs::Finding,
    },
];

pub(super) struct GetJourneyGuidance {
    descriptor: IntentDescriptor,
}

impl GetJourneyGuidance {
    pub(super) fn new() -> Self {
        let properties = json!({
            "goal": { "type": ["string", "null"], "maxLength": 2000, "description": "What the person wants to reach; it is said back and changes nothing." },
        });
        let description = "Says what was done in this session and what would come next, with the intent that does it.";
        Self { descriptor: descriptor("get_journey_guidance", description, properties, &[]) }
    }
}

#[async_trait]
impl Handler for GetJourneyGuidance {
    fn descriptor(&self) -> &IntentDescriptor {
        &self.descriptor
    }

    async fn execute(&self, context: &ExecutionContext, parameters: Object) -> Result<Value, Failure> {
        let state = SessionState::of(context).await?;
        let (table, document) = (state.newest_file(&TABLES), state.newest_file(&DOCUMENTS));
        let has_finding =
            STEPS.iter().any(|step| !matches!(step.leaves, "file" | "parsed_file") && state.has(step.leaves));
        let is_open = |step: &&Step| match step.needs {
            Needs::Nothing => true,
            Needs::Table => table.is_some(),
            Needs::Document => document.is_some(),
            Needs::Finding => has_finding,
        };
        let (done, open): (Vec<&Step>, Vec<&Step>) =
            STEPS.iter().filter(is_open).partition(|step| state.has(step.leaves));
        let file = |step: &Step| match step.needs {
            Needs::Table => table,
            Needs::Document => document,
            Needs::Nothing | Needs::Finding => None,
        };
        let next: Vec<Value> = open
            .iter()
            .map(|step| json!({ "realm": step.realm, "intent_type": step.intent, "title": step.says, "file": file(step) }))
            .collect();
        let summary = match open.first() {
            None => "All the usual steps are done in this session.".to_owned(),
            Some(step) => {
                let of_file = file(step).map(|name| format!(" (`{name}`)")).unwrap_or_default();
                format!(
                    "Next: {}{of_file}. {} of {} steps are done.",
                    step.says.to_lowercase(),
                    done.len(),
                    done.len() + open.len()
                )
            }
        };
        Ok(json!({
            "summary": summary,
            "goal": parameters.get("goal"),
            "completed_steps": done.iter().map(|step| step.intent).collect::<Vec<_>>(),
            "next_steps": next,
            "current_realm": open.first().map(|step| step.realm),
        }))
    }
}
