//! `create_blueprint`: the workflow as it would be with a program for the steps that a program could do, and what changes.

use async_trait::async_trait;
use contract::intent::IntentDescriptor;
use runtime::{ExecutionContext, Failure, Handler, port::store::Object};
use serde_json::{Value, json};

use super::{
    REALM,
    automation::can_be_automated,
    bpmn::write_bpmn,
    given::{find_workflow, workflow_properties},
    mermaid::mermaid,
    report::{Report, keep},
    source::parameter,
    workflow::{Workflow, clean_label},
};
use crate::{
    descriptor,
    markdown::{counted, plain},
};

/// Who does what a program could do.
const PROGRAM: &str = "program";

/// The most changes that the summary lists.
const LISTED: usize = 30;

pub(super) struct CreateBlueprint {
    descriptor: IntentDescriptor,
}

impl CreateBlueprint {
    pub(super) fn new() -> Self {
        let properties = workflow_properties(json!({
            "title": {"type": ["string", "null"], "maxLength": 200, "description": "What the blueprint is to be called."},
        }));
        let examples = [
            "create a blueprint",
            "draw how the process should look with automation",
            "make a target picture of the workflow",
            "blueprint of the future process",
        ];
        let description =
            "Draws a workflow as it would be with a program for the steps a program could do, and lists each change.";
        Self { descriptor: descriptor(REALM, "create_blueprint", description, properties, &examples) }
    }
}

#[async_trait]
impl Handler for CreateBlueprint {
    fn descriptor(&self) -> &IntentDescriptor {
        &self.descriptor
    }

    async fn execute(&self, context: &ExecutionContext, parameters: Object) -> Result<Value, Failure> {
        let given = find_workflow(context, &parameters).await?;
        let title = parameter(&parameters, "title").map(clean_label);
        let current = given.workflow;
        let title = title.unwrap_or_else(|| format!("Blueprint of {}", current.title));
        let (target, changes) = target(&current, &title);
        let summary = in_words(&changes, &given.name);
        let drawings = vec![("mermaid", mermaid(&target)), ("bpmn", write_bpmn(&target))];
        let payload = Object::from_iter([
            ("workflow_title".to_owned(), json!(current.title)),
            ("current".to_owned(), json!(current)),
            ("target".to_owned(), json!(target)),
            ("changes".to_owned(), json!(changes)),
            ("change_count".to_owned(), json!(changes.len())),
        ]);
        let report = Report { key: "blueprint", title, payload, summary, drawings, parents: given.parents };
        Ok(keep(context, report))
    }
}

/// The graph with a program for what a program could do, and a sentence for each step that changes hands.
fn target(current: &Workflow, title: &str) -> (Workflow, Vec<Value>) {
    let mut target = Workflow { title: title.to_owned(), ..current.clone() };
    let mut changes = Vec::new();
    for node in target.nodes.iter_mut().filter(|node| can_be_automated(node)) {
        let before = node.actor.replace(PROGRAM.to_owned());
        let from = before.as_deref().map(|actor| format!(" instead of the {actor}")).unwrap_or_default();
        let text = format!("A program does “{}”{from}.", node.label);
        changes.push(json!({"node_id": node.id, "label": node.label, "actor_before": before, "text": text}));
    }
    (target, changes)
}

fn in_words(changes: &[Value], source: &str) -> String {
    if changes.is_empty() {
        return format!(
            "No step of {source} is one that a program could do by its words, so the blueprint is the workflow as it is."
        );
    }
    let mut text = format!("{} against {source}:\n", counted(changes.len(), "change", "changes"));
    for change in changes.iter().take(LISTED) {
        text.push_str(&format!("\n- {}", plain(change["text"].as_str().unwrap_or_default())));
    }
    if changes.len() > LISTED {
        text.push_str(&format!("\n- … and {} more", changes.len() - LISTED));
    }
    text
}
