//! `create_workflow`: draws a written procedure as a graph, with BPMN and Mermaid for eyes and tools.

use async_trait::async_trait;
use contract::{artifact::LifecycleState, intent::IntentDescriptor};
use runtime::{ExecutionContext, Failure, Handler, NewArtifact, port::store::Object};
use serde_json::{Value, json};

use super::{
    REALM, WORKFLOW,
    bpmn::write_bpmn,
    mermaid::mermaid,
    procedure::MAX_TEXT_BYTES,
    source::{find_source, parameter, read},
    workflow::{NodeKind, Workflow, clean_label},
};
use crate::{content::find_file::file_properties, descriptor, markdown::counted};

/// The most warnings that a summary lists.
const LISTED_WARNINGS: usize = 10;

pub(super) struct CreateWorkflow {
    descriptor: IntentDescriptor,
}

impl CreateWorkflow {
    pub(super) fn new() -> Self {
        let properties = file_properties(json!({
            "text": {"type": ["string", "null"], "maxLength": MAX_TEXT_BYTES, "description": "The procedure itself: numbered steps, bullets or sentences, or BPMN 2.0 XML. A file is used where it is missing."},
            "sop": {"type": ["string", "null"], "maxLength": 300, "description": "The standard operating procedure to draw, by its title or its id."},
            "title": {"type": ["string", "null"], "maxLength": 200, "description": "What the workflow is to be called; found in the text where it is missing."},
        }));
        let examples = [
            "create a workflow from this procedure",
            "turn these steps into a flowchart",
            "draw returns_procedure.md as a BPMN diagram",
            "model the process described in my document",
            "make a workflow: 1. Open the invoice 2. If it is complete, pay it; otherwise return it",
            "I need a process map of how we handle complaints",
            "convert the SOP to a workflow",
        ];
        let description = "Turns a written procedure (numbered steps, bullets, sentences or BPMN) into a workflow with tasks, decisions and who does what, drawn as BPMN and Mermaid.";
        Self { descriptor: descriptor(REALM, "create_workflow", description, properties, &examples) }
    }
}

#[async_trait]
impl Handler for CreateWorkflow {
    fn descriptor(&self) -> &IntentDescriptor {
        &self.descriptor
    }

    async fn execute(&self, context: &ExecutionContext, parameters: Object) -> Result<Value, Failure> {
        let source = find_source(context, &parameters).await?;
        let (name, parents) = (source.name.clone(), source.parents.clone());
        let wanted_title = parameter(&parameters, "title").map(clean_label);
        let drawn = context.compute(move || read(&source).map(|workflow| draw(workflow, wanted_title))).await?;
        let summary = summary(&drawn.workflow, &name);
        let title = drawn.workflow.title.clone();
        let mut payload = payload(&drawn.workflow);
        let artifact = context.keep(
            WORKFLOW,
            NewArtifact {
                artifact_type: WORKFLOW.to_owned(),
                lifecycle_state: Some(LifecycleState::Ready),
                semantic_descriptor: Object::from_iter([("title".to_owned(), json!(title))]),
                semantic_payload: payload.clone(),
                renderings: Object::from_iter([
                    ("bpmn".to_owned(), json!(drawn.bpmn)),
                    ("mermaid".to_owned(), json!(drawn.mermaid)),
                    ("markdown".to_owned(), json!(summary)),
                ]),
                parent_artifacts: parents,
                search_text: Some(searched(&drawn.workflow)),
                ..NewArtifact::default()
            },
        );
        payload.insert("summary".to_owned(), json!(summary));
        payload.insert("workflow_id".to_owned(), json!(artifact.artifact_id));
        payload.insert("mermaid".to_owned(), json!(drawn.mermaid));
        Ok(Value::Object(payload))
    }
}

struct Drawn {
    workflow: Workflow,
    bpmn: String,
    mermaid: String,
}

fn draw(mut workflow: Workflow, title: Option<String>) -> Drawn {
    if let Some(title) = title {
        workflow.title = title;
    }
    Drawn { bpmn: write_bpmn(&workflow), mermaid: mermaid(&workflow), workflow }
}

fn payload(workflow: &Workflow) -> Object {
    let count = |kind| workflow.of_kind(kind).count();
    let more = json!({
        "actors": workflow.actors(),
        "task_count": count(NodeKind::Task),
        "decision_count": count(NodeKind::Decision),
    });
    let Ok(Value::Object(mut payload)) = serde_json::to_value(workflow) else {
        unreachable!("a workflow is a JSON object");
    };
    payload.extend(more.as_object().cloned().unwrap_or_default());
    payload
}

fn searched(workflow: &Workflow) -> String {
    let labels = workflow.nodes.iter().map(|node| node.label.as_str());
    std::iter::once(workflow.title.as_str()).chain(labels).collect::<Vec<_>>().join("\n")
}

fn summary(workflow: &Workflow, source: &str) -> String {
    let tasks = counted(workflow.of_kind(NodeKind::Task).count(), "task", "tasks");
    let decisions = counted(workflow.of_kind(NodeKind::Decision).count(), "decision", "decisions");
    let mut text = format!("Workflow **{}**, drawn from {source}: {tasks} and {decisions}.", workflow.title);
    let actors = workflow.actors();
    if !actors.is_empty() {
        text.push_str(&format!(" Who takes part: {}.", actors.join(", ")));
    }
    if !workflow.warnings.is_empty() {
        text.push_str("\n\nWhat to look at:\n");
        let listed = workflow.warnings.iter().take(LISTED_WARNINGS);
        listed.for_each(|warning| text.push_str(&format!("- {warning}\n")));
        let rest = workflow.warnings.len().saturating_sub(LISTED_WARNINGS);
        if rest > 0 {
            text.push_str(&format!("- … and {rest} more\n"));
        }
    }
    text
}
