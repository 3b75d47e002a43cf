//! `optimize_process`: what could be made better in a workflow, read off its graph.

use async_trait::async_trait;
use contract::intent::IntentDescriptor;
use runtime::{ExecutionContext, Failure, Handler, port::store::Object};
use serde_json::{Value, json};

use super::{
    REALM,
    given::{find_workflow, workflow_properties},
    report::{Report, keep},
    review::{Finding, FindingKind, count_of, review},
    workflow::NodeKind,
};
use crate::{
    descriptor,
    markdown::{counted, plain},
};

/// The most findings that the summary lists.
const LISTED: usize = 30;

pub(super) struct OptimizeProcess {
    descriptor: IntentDescriptor,
}

impl OptimizeProcess {
    pub(super) fn new() -> Self {
        let properties = workflow_properties(json!({
            "optimization_options": {"type": ["object", "null"], "description": "Accepted for older clients; it changes nothing."},
        }));
        let examples = [
            "optimize the process",
            "how can we improve this workflow?",
            "where are the bottlenecks in the procedure?",
            "find needless hand-overs in the process",
        ];
        let description = "Finds what could be made better in a workflow: steps that nobody is named for or that stand there twice, ways back, hand-overs, and steps a program could do.";
        Self { descriptor: descriptor(REALM, "optimize_process", description, properties, &examples) }
    }
}

#[async_trait]
impl Handler for OptimizeProcess {
    fn descriptor(&self) -> &IntentDescriptor {
        &self.descriptor
    }

    async fn execute(&self, context: &ExecutionContext, parameters: Object) -> Result<Value, Failure> {
        let given = find_workflow(context, &parameters).await?;
        let (workflow, findings) = context
            .compute(move || Ok((review(&given.workflow), given.workflow)))
            .await
            .map(|(findings, workflow)| (workflow, findings))?;
        let metrics = json!({
            "task_count": workflow.of_kind(NodeKind::Task).count(),
            "decision_count": workflow.of_kind(NodeKind::Decision).count(),
            "actor_count": workflow.actors().len(),
            "defect_count": count_of(&findings, FindingKind::Defect),
            "unassigned_count": count_of(&findings, FindingKind::Unassigned),
            "repeated_count": count_of(&findings, FindingKind::Repeated),
            "way_back_count": count_of(&findings, FindingKind::WayBack),
            "handover_count": count_of(&findings, FindingKind::Handover),
            "automatable_count": count_of(&findings, FindingKind::Automatable),
        });
        let payload = Object::from_iter([
            ("workflow_title".to_owned(), json!(workflow.title)),
            ("metrics".to_owned(), metrics),
            ("findings".to_owned(), json!(findings)),
        ]);
        let report = Report {
            key: "process_optimization",
            title: format!("What could be better in {}", workflow.title),
            summary: in_words(&findings, &given.name),
            payload,
            drawings: Vec::new(),
            parents: given.parents,
        };
        Ok(keep(context, report))
    }
}

fn in_words(findings: &[Finding], source: &str) -> String {
    if findings.is_empty() {
        return format!("Nothing stands out in {source}: every task names who does it, and no way leads back.");
    }
    let mut text = format!("{} in {source}:\n", counted(findings.len(), "finding", "findings"));
    for finding in findings.iter().take(LISTED) {
        text.push_str(&format!("\n- {}", plain(&finding.text)));
    }
    if findings.len() > LISTED {
        text.push_str(&format!("\n- … and {} more", findings.len() - LISTED));
    }
    text
}
