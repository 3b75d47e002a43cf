//! What to do next, in phases, from what a session has found. It gives no dates, costs or names of people, because no artifact
//! holds them. The rules:
//!
//! 1. *Put the data in order*: each issue of the newest quality report of each file, the worst first.
//! 2. *Find out what is open*: files that nobody has read or assessed, documents that are not drawn, workflows that are not
//!    written down.
//! 3. *Mend the workflows*: parts that nothing leads to, ways that never end, tasks that name nobody while others of the same
//!    workflow do.
//! 4. *Automate steps*: tasks that begin with a verb for what programs do (`send`, `calculate`, …), and decisions that compare
//!    with a number.
//!
//! A phase without findings is left out; phases are numbered in this order.

use super::{
    evidence::{Evidence, Exhibit, Issue, Kind},
    statement::{Section, Statement},
    synthesis::{file_name, open_questions},
};
use crate::{
    journey::{
        automation::can_be_automated,
        workflow::{NodeKind, Workflow},
    },
    markdown::counted,
};

/// The phases that have something to do, numbered in their titles.
pub fn roadmap(evidence: &Evidence) -> Vec<Section> {
    let phases = [
        ("Put the data in order", "Each issue that a quality report found, the worst first.", data_issues(evidence)),
        ("Find out what is open", "What has not been looked at yet.", open_questions(evidence)),
        (
            "Mend the workflows",
            "Parts that nothing leads to, ways that never end, tasks that name nobody although others do.",
            mending(evidence),
        ),
        (
            "Automate steps",
            "Tasks that begin with a verb for what programs do, and decisions that compare with a number.",
            automation(evidence),
        ),
    ];
    let mut sections: Vec<Section> =
        phases.into_iter().filter_map(|(title, rule, statements)| Section::new(title, rule, statements)).collect();
    for (section, number) in sections.iter_mut().zip(1..) {
        section.title = format!("Phase {number}: {}", section.title);
    }
    sections
}

fn data_issues(evidence: &Evidence) -> Vec<Statement> {
    let issues_of = |report| Exhibit::issues(report).into_iter().map(move |issue| (report, issue));
    let mut issues: Vec<(&Exhibit, Issue)> = evidence.of_kind(Kind::DataQuality).flat_map(issues_of).collect();
    issues.sort_by_key(|(_, issue)| issue.severity);
    let text =
        |report: &Exhibit, issue: &Issue| format!("{}, {}: {}", file_name(report), issue.severity.as_str(), issue.text);
    issues.iter().map(|(report, issue)| Statement::new(text(report, issue), report)).collect()
}

fn workflows(evidence: &Evidence) -> impl Iterator<Item = (&Exhibit, Workflow)> {
    evidence.of_kind(Kind::Workflow).filter_map(|exhibit| Some((exhibit, exhibit.workflow()?)))
}

fn mending(evidence: &Evidence) -> Vec<Statement> {
    let mut statements = Vec::new();
    for (exhibit, workflow) in workflows(evidence) {
        let warnings =
            workflow.warnings.iter().map(|warning| Statement::new(format!("“{}”: {warning}", workflow.title), exhibit));
        statements.extend(warnings);
        let tasks = workflow.of_kind(NodeKind::Task).count();
        let nameless = workflow.of_kind(NodeKind::Task).filter(|task| task.actor.is_none()).count();
        if nameless > 0 && nameless < tasks {
            let text = format!(
                "“{}”: {} of {} name nobody; say who does them.",
                workflow.title,
                nameless,
                counted(tasks, "task", "tasks")
            );
            statements.push(Statement::new(text, exhibit));
        }
    }
    statements
}

pub(super) fn automation(evidence: &Evidence) -> Vec<Statement> {
    let mut statements = Vec::new();
    for (exhibit, workflow) in workflows(evidence) {
        for node in workflow.nodes.iter().filter(|node| can_be_automated(node)) {
            let text = match node.kind {
                NodeKind::Decision => format!("“{}”: decide “{}” by a rule.", workflow.title, node.label),
                NodeKind::Start | NodeKind::Task | NodeKind::End => {
                    format!("“{}”: automate “{}”.", workflow.title, node.label)
                }
            };
            statements.push(Statement::new(text, exhibit));
        }
    }
    statements
}
