//! `generate_sop`: writes a workflow down as a standard operating procedure.

use async_trait::async_trait;
use contract::{Code, artifact::LifecycleState, intent::IntentDescriptor};
use runtime::{ExecutionContext, Failure, Handler, NewArtifact, port::store::Object};
use serde_json::{Value, json};

use super::{
    REALM, SOP,
    given::{find_workflow, workflow_properties},
    sop::{Sop, write_sop},
};
use crate::{descriptor, markdown::counted};

pub(super) struct GenerateSop {
    descriptor: IntentDescriptor,
}

impl GenerateSop {
    pub(super) fn new() -> Self {
        let properties = workflow_properties(json!({}));
        let examples = [
            "write an SOP from the workflow",
            "generate a standard operating procedure",
            "turn the flowchart into written instructions",
            "make a manual for the invoice workflow",
            "document this process as a procedure people can follow",
            "create an SOP from claims.bpmn",
        ];
        let description = "Writes a workflow or a BPMN file down as a standard operating procedure: purpose, roles and numbered steps in Markdown.";
        Self { descriptor: descriptor(REALM, "generate_sop", description, properties, &examples) }
    }
}

#[async_trait]
impl Handler for GenerateSop {
    fn descriptor(&self) -> &IntentDescriptor {
        &self.descriptor
    }

    async fn execute(&self, context: &ExecutionContext, parameters: Object) -> Result<Value, Failure> {
        let given = find_workflow(context, &parameters).await?;
        let (workflow, parents, source) = (given.workflow, given.parents, given.name);
        let sop = context.compute(move || write_sop(&workflow).ok_or_else(nothing_to_do)).await?;
        let summary = summary(&sop, &source);
        let mut payload = payload(&sop);
        let title = format!("SOP: {}", sop.title);
        let artifact = context.keep(
            SOP,
            NewArtifact {
                artifact_type: SOP.to_owned(),
                lifecycle_state: Some(LifecycleState::Ready),
                semantic_descriptor: Object::from_iter([
                    ("title".to_owned(), json!(title)),
                    ("media_type".to_owned(), json!("text/markdown")),
                ]),
                semantic_payload: payload.clone(),
                renderings: Object::from_iter([("markdown".to_owned(), json!(sop.markdown))]),
                parent_artifacts: parents,
                search_text: Some(sop.markdown.clone()),
                ..NewArtifact::default()
            },
        );
        payload.insert("summary".to_owned(), json!(summary));
        payload.insert("sop_id".to_owned(), json!(artifact.artifact_id));
        Ok(Value::Object(payload))
    }
}

pub(super) fn payload(sop: &Sop) -> Object {
    let roles: Vec<Value> = sop.roles.iter().map(|role| json!({"name": role.name, "steps": role.steps})).collect();
    let steps: Vec<Value> =
        sop.steps.iter().zip(1..).map(|(text, number)| json!({"number": number, "text": text})).collect();
    Object::from_iter([
        ("title".to_owned(), json!(sop.title)),
        ("markdown".to_owned(), json!(sop.markdown)),
        ("roles".to_owned(), json!(roles)),
        ("steps".to_owned(), json!(steps)),
        ("step_count".to_owned(), json!(sop.steps.len())),
    ])
}

fn summary(sop: &Sop, source: &str) -> String {
    let steps = counted(sop.steps.len(), "step", "steps");
    let roles: Vec<&str> = sop.roles.iter().map(|role| role.name.as_str()).collect();
    let who = if roles.is_empty() { String::new() } else { format!(" for {}", roles.join(", ")) };
    format!("A standard operating procedure{who}, written from {source}, in {steps}:\n\n{}", sop.markdown)
}

pub(super) fn nothing_to_do() -> Failure {
    Failure::new(
        Code::UnreadableFile,
        "The workflow has no task and no decision, so there is nothing to write down. Add one and try again.",
    )
}
