//! `generate_roadmap`: what to do next, in phases, from what the session has found.

use async_trait::async_trait;
use contract::intent::IntentDescriptor;
use runtime::{ExecutionContext, Failure, Handler, port::store::Object};
use serde_json::{Value, json};

use super::{
    REALM, ROADMAP,
    evidence::gather,
    roadmap::roadmap,
    synthesize_outcome::{Document, keep, no_finding},
};
use crate::descriptor;

pub(super) struct GenerateRoadmap {
    descriptor: IntentDescriptor,
}

impl GenerateRoadmap {
    pub(super) fn new() -> Self {
        let properties = json!({
            "title": {"type": ["string", "null"], "maxLength": 200, "description": "What the roadmap is to be called."},
        });
        let examples = [
            "generate a roadmap",
            "what should we do next, step by step?",
            "make an action plan from what you found",
            "plan the phases of the improvement",
            "build a roadmap from the data issues and the workflows",
            "which steps should we automate first?",
        ];
        let description = "Plans what to do next from what this session has found: data issues by severity, open questions, workflows to mend and steps to automate, in phases.";
        Self { descriptor: descriptor(REALM, "generate_roadmap", description, properties, &examples) }
    }
}

#[async_trait]
impl Handler for GenerateRoadmap {
    fn descriptor(&self) -> &IntentDescriptor {
        &self.descriptor
    }

    async fn execute(&self, context: &ExecutionContext, parameters: Object) -> Result<Value, Failure> {
        let evidence = gather(context).await?;
        let title = parameters.get("title").and_then(Value::as_str).filter(|title| !title.trim().is_empty());
        let sections = roadmap(&evidence);
        if sections.is_empty() {
            return Err(no_finding("plan"));
        }
        let document =
            Document { key: ROADMAP, list: "phases", title: title.unwrap_or("Roadmap").to_owned(), sections };
        Ok(keep(context, document))
    }
}
