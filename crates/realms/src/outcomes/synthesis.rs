//! What a session has found out, by subject. Every sentence is read off one artifact's payload.

use super::{
    evidence::{Evidence, Exhibit, Issue, Kind, Severity},
    statement::{Section, Statement},
};
use crate::{
    journey::workflow::{NodeKind, Workflow},
    markdown::{count, counted, listed, number},
};

/// How many names a sentence lists.
const LISTED_NAMES: usize = 8;

/// The sections that have something to say.
pub fn synthesize(evidence: &Evidence) -> Vec<Section> {
    let data = evidence.exhibits.iter().filter_map(data_statement).collect();
    let quality = evidence.of_kind(Kind::DataQuality).map(quality_statement).collect();
    let work = evidence.of_kind(Kind::Workflow).filter_map(work_statement).collect();
    let procedures = evidence.of_kind(Kind::Sop).filter_map(procedure_statement).collect();
    let open = open_questions(evidence);
    [
        Section::new("The data", "What was uploaded and what was read of it, oldest first.", data),
        Section::new("How good the data is", "The newest report about each file.", quality),
        Section::new("The work", "What the workflows say.", work),
        Section::new("The procedures", "What is written down for people to follow.", procedures),
        Section::new("What is not known yet", "What nobody has looked at in this session.", open),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn data_statement(exhibit: &Exhibit) -> Option<Statement> {
    let text = match exhibit.kind {
        Kind::File => format!("{} was uploaded.", exhibit.title),
        Kind::ParsedFile => read_text(exhibit)?,
        Kind::Profile => profile_text(exhibit)?,
        Kind::DataQuality | Kind::Workflow | Kind::Sop => return None,
    };
    Some(Statement::new(text, exhibit))
}

fn read_text(exhibit: &Exhibit) -> Option<String> {
    let name = file_name(exhibit);
    match (exhibit.number("row_count"), exhibit.number("column_count"), exhibit.number("word_count")) {
        (Some(rows), Some(columns), _) => {
            Some(format!("{name} has {} and {}.", amount(rows, "row", "rows"), amount(columns, "column", "columns")))
        }
        (_, _, Some(words)) => Some(format!("{name} is a text of {}.", amount(words, "word", "words"))),
        _ => None,
    }
}

fn profile_text(exhibit: &Exhibit) -> Option<String> {
    let columns = exhibit.number("column_count")?;
    Some(format!("The {} of {} were profiled.", amount(columns, "column", "columns"), file_name(exhibit)))
}

fn quality_statement(exhibit: &Exhibit) -> Statement {
    let issues = exhibit.issues();
    let found = match issues.len() {
        0 => "no issue was found".to_owned(),
        1 => format!("1 issue was found ({})", by_severity(&issues)),
        count => format!("{} were found ({})", counted(count, "issue", "issues"), by_severity(&issues)),
    };
    let score = exhibit.payload.get("score").and_then(serde_json::Value::as_f64);
    let score = score.map(|score| format!(", and it scores {} of 100", number(score))).unwrap_or_default();
    Statement::new(format!("In {}, {found}{score}.", file_name(exhibit)), exhibit)
}

fn by_severity(issues: &[Issue]) -> String {
    let severities = [Severity::High, Severity::Medium, Severity::Low];
    let counts =
        severities.map(|severity| (severity, issues.iter().filter(|issue| issue.severity == severity).count()));
    let named: Vec<String> = counts
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(severity, number)| format!("{} {}", count(*number), severity.as_str()))
        .collect();
    named.join(", ")
}

fn work_statement(exhibit: &Exhibit) -> Option<Statement> {
    let workflow = exhibit.workflow()?;
    let tasks = counted(workflow.of_kind(NodeKind::Task).count(), "task", "tasks");
    let decisions = counted(workflow.of_kind(NodeKind::Decision).count(), "decision", "decisions");
    let mut text = format!("“{}” has {tasks} and {decisions}{}.", workflow.title, who(&workflow));
    for warning in workflow.warnings.iter().take(LISTED_NAMES) {
        text.push(' ');
        text.push_str(warning);
    }
    Some(Statement::new(text, exhibit))
}

fn who(workflow: &Workflow) -> String {
    let actors: Vec<String> = workflow.actors().into_iter().map(str::to_owned).collect();
    if actors.is_empty() { String::new() } else { format!("; it names {}", listed(&actors, LISTED_NAMES)) }
}

fn procedure_statement(exhibit: &Exhibit) -> Option<Statement> {
    let steps = exhibit.number("step_count")?;
    Some(Statement::new(format!("{} is written down in {}.", exhibit.title, amount(steps, "step", "steps")), exhibit))
}

/// What an intent would find out that was not asked yet, by file and by workflow.
pub fn open_questions(evidence: &Evidence) -> Vec<Statement> {
    let mut open = Vec::new();
    for file in evidence.of_kind(Kind::File) {
        let parsed = evidence.made_of(&file.artifact_id, Kind::ParsedFile);
        let is_table = parsed.is_some_and(|parsed| parsed.number("row_count").is_some());
        let has_workflow = evidence.made_of(&file.artifact_id, Kind::Workflow).is_some();
        if parsed.is_none() && !has_workflow {
            open.push(Statement::new(format!("{} has not been read.", file.title), file).by("parse_content"));
        } else if is_table && evidence.made_of(&file.artifact_id, Kind::DataQuality).is_none() {
            open.push(
                Statement::new(format!("How good the data in {} is has not been assessed.", file.title), file)
                    .by("assess_data_quality"),
            );
        } else if !is_table && !has_workflow {
            open.push(
                Statement::new(format!("{} has not been drawn as a workflow.", file.title), file).by("create_workflow"),
            );
        }
    }
    for workflow in evidence.of_kind(Kind::Workflow) {
        if evidence.made_of(&workflow.artifact_id, Kind::Sop).is_none() {
            open.push(
                Statement::new(format!("“{}” has not been written down as a procedure.", workflow.title), workflow)
                    .by("generate_sop"),
            );
        }
    }
    open
}

/// The file that something was made of, as it is called there.
pub(super) fn file_name(exhibit: &Exhibit) -> &str {
    exhibit.payload.get("file_name").and_then(serde_json::Value::as_str).unwrap_or(&exhibit.title)
}

fn amount(number: u64, one: &str, many: &str) -> String {
    counted(usize::try_from(number).unwrap_or(usize::MAX), one, many)
}
