//! What a reader of a workflow would point at: hand-overs, ways back, steps that nobody is named for or that stand there twice,
//! and steps that a program could do. Everything is read off the graph; nothing is estimated.

use std::collections::HashMap;

use serde::Serialize;

use super::{
    automation::can_be_automated,
    workflow::{Node, NodeKind, Workflow},
};

/// The most findings that a review holds.
const MOST_FINDINGS: usize = 200;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum FindingKind {
    /// Something is wrong with the graph.
    Defect,
    Unassigned,
    Repeated,
    WayBack,
    Handover,
    Automatable,
}

/// One of them, with the nodes it is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    pub(super) kind: FindingKind,
    pub(super) text: String,
    pub(super) nodes: Vec<String>,
}

impl Finding {
    fn new(kind: FindingKind, text: String, nodes: &[&Node]) -> Self {
        Self { kind, text, nodes: nodes.iter().map(|node| node.id.clone()).collect() }
    }
}

/// The findings by kind, those of a kind in the order of the workflow.
pub(super) fn review(workflow: &Workflow) -> Vec<Finding> {
    let mut findings: Vec<Finding> =
        workflow.warnings.iter().map(|warning| Finding::new(FindingKind::Defect, warning.clone(), &[])).collect();
    findings.extend(unassigned(workflow));
    findings.extend(repeated(workflow));
    findings.extend(along_edges(workflow));
    findings.extend(
        workflow.nodes.iter().filter(|node| can_be_automated(node)).map(|node| {
            Finding::new(FindingKind::Automatable, format!("A program could do “{}”.", node.label), &[node])
        }),
    );
    findings.sort_by_key(|finding| finding.kind as u8);
    findings.truncate(MOST_FINDINGS);
    findings
}

pub(super) fn count_of(findings: &[Finding], kind: FindingKind) -> usize {
    findings.iter().filter(|finding| finding.kind == kind).count()
}

fn unassigned(workflow: &Workflow) -> impl Iterator<Item = Finding> {
    let nameless = workflow.of_kind(NodeKind::Task).filter(|task| task.actor.is_none());
    nameless.map(|task| {
        Finding::new(FindingKind::Unassigned, format!("“{}” names nobody who does it.", task.label), &[task])
    })
}

fn repeated(workflow: &Workflow) -> Vec<Finding> {
    let mut first: HashMap<String, &Node> = HashMap::new();
    let mut findings = Vec::new();
    for task in workflow.of_kind(NodeKind::Task) {
        match first.get(&task.label.to_lowercase()) {
            Some(earlier) => findings.push(Finding::new(
                FindingKind::Repeated,
                format!("“{}” stands there more than once.", task.label),
                &[earlier, task],
            )),
            None => {
                first.insert(task.label.to_lowercase(), task);
            }
        }
    }
    findings
}

/// Hand-overs from one to another, and ways back: edges to a node that stands earlier in the text.
fn along_edges(workflow: &Workflow) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, followers) in workflow.links().next.iter().enumerate() {
        let from = &workflow.nodes[index];
        for &(next, _) in followers {
            let to = &workflow.nodes[next];
            if next <= index {
                let text = format!("“{}” leads back to “{}”.", from.label, to.label);
                findings.push(Finding::new(FindingKind::WayBack, text, &[from, to]));
            }
            if let (Some(one), Some(other)) = (&from.actor, &to.actor)
                && one != other
            {
                let text = format!("{one} hands over to {other} between “{}” and “{}”.", from.label, to.label);
                findings.push(Finding::new(FindingKind::Handover, text, &[from, to]));
            }
        }
    }
    findings
}
