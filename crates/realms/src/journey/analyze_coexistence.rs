//! `analyze_coexistence`: which steps of a workflow people do, which a program could do, and where one hands over to the other.

use async_trait::async_trait;
use contract::intent::IntentDescriptor;
use runtime::{ExecutionContext, Failure, Handler, port::store::Object};
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    REALM,
    automation::can_be_automated,
    given::{find_workflow, workflow_properties},
    report::{Report, keep},
    workflow::{Node, NodeKind, Workflow},
};
use crate::{
    descriptor,
    markdown::{counted, percent, table},
};

/// The most steps that the summary shows.
const SHOWN: usize = 40;

/// Who could do a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Doer {
    Person,
    Program,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Share {
    node_id: String,
    label: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<String>,
    doer: Doer,
}

pub(super) struct AnalyzeCoexistence {
    descriptor: IntentDescriptor,
}

impl AnalyzeCoexistence {
    pub(super) fn new() -> Self {
        let examples = [
            "analyze the coexistence of people and programs",
            "which steps should stay with people?",
            "who does what: humans or AI?",
            "where do people and machines work together in this process?",
        ];
        let description = "Says for each step of a workflow whether a program could do it or it stays with people, and where they hand over to each other.";
        let properties = workflow_properties(json!({}));
        Self { descriptor: descriptor(REALM, "analyze_coexistence", description, properties, &examples) }
    }
}

#[async_trait]
impl Handler for AnalyzeCoexistence {
    fn descriptor(&self) -> &IntentDescriptor {
        &self.descriptor
    }

    async fn execute(&self, context: &ExecutionContext, parameters: Object) -> Result<Value, Failure> {
        let given = find_workflow(context, &parameters).await?;
        let workflow = given.workflow;
        let shares: Vec<Share> = workflow.nodes.iter().filter(|node| is_step(node)).map(share).collect();
        let handovers = handovers(&workflow);
        let programs = shares.iter().filter(|share| share.doer == Doer::Program).count();
        let summary = in_words(&shares, programs, handovers.len(), &given.name);
        let payload = Object::from_iter([
            ("workflow_title".to_owned(), json!(workflow.title)),
            ("steps".to_owned(), json!(shares)),
            ("program_count".to_owned(), json!(programs)),
            ("person_count".to_owned(), json!(shares.len() - programs)),
            ("handovers".to_owned(), json!(handovers)),
        ]);
        let report = Report {
            key: "coexistence_analysis",
            title: format!("People and programs in {}", workflow.title),
            payload,
            summary,
            drawings: Vec::new(),
            parents: given.parents,
        };
        Ok(keep(context, report))
    }
}

fn is_step(node: &Node) -> bool {
    matches!(node.kind, NodeKind::Task | NodeKind::Decision)
}

fn share(node: &Node) -> Share {
    let doer = if can_be_automated(node) { Doer::Program } else { Doer::Person };
    Share { node_id: node.id.clone(), label: node.label.clone(), actor: node.actor.clone(), doer }
}

/// Edges between a step for a person and one for a program.
fn handovers(workflow: &Workflow) -> Vec<Value> {
    let mut handovers = Vec::new();
    for (from, followers) in workflow.nodes.iter().zip(workflow.links().next) {
        for (next, _) in followers {
            let to = &workflow.nodes[next];
            if is_step(from) && is_step(to) && can_be_automated(from) != can_be_automated(to) {
                handovers.push(json!({"from": from.id, "to": to.id}));
            }
        }
    }
    handovers
}

fn in_words(shares: &[Share], programs: usize, handovers: usize, source: &str) -> String {
    let rows = shares.iter().take(SHOWN).map(|share| {
        let doer = match share.doer {
            Doer::Person => "a person",
            Doer::Program => "a program",
        };
        vec![share.label.clone(), share.actor.clone().unwrap_or_default(), doer.to_owned()]
    });
    let rest = shares.len().saturating_sub(SHOWN);
    let more = if rest > 0 { format!("\n…and {rest} more.") } else { String::new() };
    format!(
        "In {source} a program could do {programs} of {} ({}), and people and programs would hand over {}. A step counts for a program \
         where its verb is one for what programs do, or where it compares with a number.\n\n{}{more}",
        counted(shares.len(), "step", "steps"),
        percent(programs, shares.len()),
        counted(handovers, "time", "times"),
        table(&["step", "who does it today", "who could do it"], rows),
    )
}
