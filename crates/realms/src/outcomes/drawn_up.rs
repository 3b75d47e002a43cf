//! `create_poc` and `create_solution`: what a session has found, drawn up as a trial to be made and as the whole of a solution.
//! Both hold nothing but sentences that name their artifacts.

use async_trait::async_trait;
use contract::intent::IntentDescriptor;
use runtime::{ExecutionContext, Failure, Handler, port::store::Object};
use serde_json::{Value, json};

use super::{
    POC, REALM, SOLUTION,
    evidence::{Evidence, Kind, Severity, gather},
    roadmap::{automation, roadmap},
    statement::{Section, Statement},
    synthesis::{file_name, open_questions, synthesize},
    synthesize_outcome::{Document, keep, no_finding},
};
use crate::{descriptor, markdown::counted};

pub(super) struct DrawnUp {
    descriptor: IntentDescriptor,
    key: &'static str,
    title: &'static str,
    sections: fn(&Evidence) -> Vec<Section>,
}

impl DrawnUp {
    pub(super) fn poc() -> Self {
        let examples =
            ["create a proof of concept", "draw up a POC from the findings", "what would a trial look like?"];
        let description = "Draws up a proof of concept from what this session has found: what is tried, how one sees that it worked, what is still open.";
        Self {
            descriptor: named("create_poc", description, &examples),
            key: POC,
            title: "Proof of concept",
            sections: trial,
        }
    }

    pub(super) fn solution() -> Self {
        let examples =
            ["create a solution", "put findings and plan together as one solution", "draw up the whole solution"];
        let description =
            "Draws up a solution: what this session has found out, followed by what to do about it, phase by phase.";
        Self {
            descriptor: named("create_solution", description, &examples),
            key: SOLUTION,
            title: "Solution",
            sections: whole,
        }
    }
}

fn named(intent_type: &str, description: &str, examples: &[&str]) -> IntentDescriptor {
    let ignored = json!({"type": ["object", "null"], "description": "Accepted for older clients; it changes nothing."});
    let properties = json!({
        "title": {"type": ["string", "null"], "maxLength": 200, "description": "What it is to be called."},
        "options": ignored,
    });
    descriptor(REALM, intent_type, description, properties, examples)
}

#[async_trait]
impl Handler for DrawnUp {
    fn descriptor(&self) -> &IntentDescriptor {
        &self.descriptor
    }

    async fn execute(&self, context: &ExecutionContext, parameters: Object) -> Result<Value, Failure> {
        let evidence = gather(context).await?;
        let title = parameters.get("title").and_then(Value::as_str).filter(|title| !title.trim().is_empty());
        let sections = (self.sections)(&evidence);
        if sections.is_empty() {
            return Err(no_finding("draw up"));
        }
        let title = title.unwrap_or(self.title).to_owned();
        Ok(keep(context, Document { key: self.key, list: "sections", title, sections }))
    }
}

fn trial(evidence: &Evidence) -> Vec<Section> {
    [
        Section::new("What is tried", "Steps that a program could do, by their words.", automation(evidence)),
        Section::new("How one sees that it worked", "What the newest quality reports count today.", measures(evidence)),
        Section::new("What is not known yet", "What nobody has looked at in this session.", open_questions(evidence)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What to measure again after the trial: the issues of each quality report.
fn measures(evidence: &Evidence) -> Vec<Statement> {
    let reports = evidence.of_kind(Kind::DataQuality);
    let told = reports.map(|report| {
        let issues = report.issues();
        let high = issues.iter().filter(|issue| issue.severity == Severity::High).count();
        let text = format!(
            "{} has {} today, {high} of them high; assess it again after the trial.",
            file_name(report),
            counted(issues.len(), "issue", "issues")
        );
        Statement::new(text, report).by("assess_data_quality")
    });
    told.collect()
}

fn whole(evidence: &Evidence) -> Vec<Section> {
    synthesize(evidence).into_iter().chain(roadmap(evidence)).collect()
}
