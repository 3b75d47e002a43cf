//! `process_operations_query` and `process_operations_conversation`: answers a question about a workflow with its own steps.

use async_trait::async_trait;
use contract::{Code, intent::IntentDescriptor};
use runtime::{ExecutionContext, Failure, Handler, port::store::Object};
use serde_json::{Value, json};

use super::{
    REALM,
    given::{find_workflow, workflow_properties},
    report::{Report, keep},
    source::parameter,
    workflow::{Node, NodeKind, Workflow},
};
use crate::{
    content::words,
    descriptor,
    markdown::{counted, listed, plain},
};

/// The most steps that an answer lists.
const LISTED: usize = 12;

/// The parameters that hold the question, the clearest first.
const ASKED: [&str; 3] = ["query", "question", "message"];

pub(super) struct ProcessOperationsQuery {
    descriptor: IntentDescriptor,
}

/// What a question comes to, with the nodes that say so.
struct Answer {
    text: String,
    nodes: Vec<String>,
}

impl ProcessOperationsQuery {
    pub(super) fn new() -> Self {
        let examples = [
            "who takes part in the process?",
            "what happens after the approval step?",
            "how many decisions does the workflow have?",
        ];
        Self::named("process_operations_query", &examples)
    }

    /// The same, under the name that older clients use in a conversation.
    pub(super) fn of_conversation() -> Self {
        Self::named("process_operations_conversation", &["let us talk about the workflow"])
    }

    fn named(intent_type: &str, examples: &[&str]) -> Self {
        let asked =
            |description: &str| json!({"type": ["string", "null"], "maxLength": 2_000, "description": description});
        let properties = workflow_properties(json!({
            "query": asked("The question about the workflow."),
            "question": asked("An older name for `query`."),
            "message": asked("The question, under the name that conversations use."),
            "context": {"type": ["object", "null"], "description": "Accepted for older clients; it changes nothing."},
        }));
        let description = "Answers a question about a workflow from its own steps: who takes part, what comes after a step, how many there are.";
        Self { descriptor: descriptor(REALM, intent_type, description, properties, examples) }
    }
}

#[async_trait]
impl Handler for ProcessOperationsQuery {
    fn descriptor(&self) -> &IntentDescriptor {
        &self.descriptor
    }

    async fn execute(&self, context: &ExecutionContext, parameters: Object) -> Result<Value, Failure> {
        let Some(question) = ASKED.iter().find_map(|name| parameter(&parameters, name)) else {
            return Err(Failure::new(Code::ValidationFailed, "There is no question in `query`."));
        };
        let given = find_workflow(context, &parameters).await?;
        let answer = answer(&given.workflow, question);
        let payload = Object::from_iter([
            ("question".to_owned(), json!(question)),
            ("answer".to_owned(), json!(answer.text)),
            ("workflow_title".to_owned(), json!(given.workflow.title)),
            ("nodes".to_owned(), json!(answer.nodes)),
        ]);
        let report = Report {
            key: "process_answer",
            title: format!("Answer about {}", given.workflow.title),
            payload,
            summary: format!("{} — from {}", answer.text, given.name),
            drawings: Vec::new(),
            parents: given.parents,
        };
        Ok(keep(context, report))
    }
}

fn answer(workflow: &Workflow, question: &str) -> Answer {
    let asked: Vec<String> = question
        .split(|letter: char| !letter.is_alphanumeric())
        .map(str::to_lowercase)
        .filter(|word| !word.is_empty())
        .collect();
    let asks = |word: &str| asked.iter().any(|one| one == word);
    let found = steps_about(workflow, question);
    let ids = |indices: &[usize]| indices.iter().map(|&index| workflow.nodes[index].id.clone()).collect();
    if asks("many") {
        let count = |kind| workflow.of_kind(kind).count();
        let tasks = counted(count(NodeKind::Task), "task", "tasks");
        let decisions = counted(count(NodeKind::Decision), "decision", "decisions");
        let people = counted(workflow.actors().len(), "actor", "actors");
        return Answer { text: format!("There are {tasks}, {decisions} and {people}."), nodes: Vec::new() };
    }
    if let (true, Some(&index)) = (asks("after") || asks("next") || asks("follows"), found.first()) {
        let next: Vec<usize> = workflow.links().next[index].iter().map(|&(to, _)| to).collect();
        let text =
            format!("After {} comes {}.", quoted(&workflow.nodes[index]), listed(&labels(workflow, &next), LISTED));
        return Answer { text, nodes: ids(&next) };
    }
    if !found.is_empty() {
        let text = format!("What the workflow says of it: {}.", listed(&labels(workflow, &found), LISTED));
        return Answer { text, nodes: ids(&found) };
    }
    if asks("who") {
        let actors: Vec<String> = workflow.actors().into_iter().map(plain).collect();
        let text = match actors.is_empty() {
            true => "The workflow names nobody.".to_owned(),
            false => format!("It names {}.", listed(&actors, LISTED)),
        };
        return Answer { text, nodes: Vec::new() };
    }
    let text = "No step of the workflow has these words. Ask who takes part, what comes after a step, or how many steps there are.";
    Answer { text: text.to_owned(), nodes: Vec::new() }
}

/// The steps that share most words with the question, by index, the closest first.
fn steps_about(workflow: &Workflow, question: &str) -> Vec<usize> {
    let asked: std::collections::BTreeSet<String> = words(question).collect();
    let shared = |node: &Node| {
        let text = format!("{} {}", node.label, node.actor.as_deref().unwrap_or_default());
        words(&text).collect::<std::collections::BTreeSet<_>>().intersection(&asked).count()
    };
    let steps = workflow.nodes.iter().enumerate();
    let mut found: Vec<(usize, usize)> = steps
        .filter(|(_, node)| matches!(node.kind, NodeKind::Task | NodeKind::Decision))
        .map(|(index, node)| (shared(node), index))
        .filter(|(shared, _)| *shared > 0)
        .collect();
    found.sort_by(|one, other| other.0.cmp(&one.0).then(one.1.cmp(&other.1)));
    found.into_iter().map(|(_, index)| index).collect()
}

fn labels(workflow: &Workflow, indices: &[usize]) -> Vec<String> {
    indices.iter().map(|&index| quoted(&workflow.nodes[index])).collect()
}

fn quoted(node: &Node) -> String {
    let actor = node.actor.as_deref().map(|actor| format!(" ({})", plain(actor))).unwrap_or_default();
    format!("“{}”{actor}", plain(&node.label))
}
