//! `generate_sop`: writes a workflow down as a standard operating procedure.

use async_trait::async_trait;
use contract::{ArtifactId, Code, artifact::LifecycleState, intent::IntentDescriptor};
use runtime::{ExecutionContext, Failure, Handler, NewArtifact, port::store::Object};
use serde_json::{Value, json};

use super::{
    REALM, SOP, WORKFLOW,
    named::{self, by_id, newest},
    procedure::MAX_TEXT_BYTES,
    sop::{Sop, write_sop},
    source::{find_source, parameter, read},
    workflow::Workflow,
};
use crate::{descriptor, markdown::counted};

/// The parameters that name a workflow, the clearest first.
const NAMING: [&str; 3] = ["workflow", "workflow_id", "artifact_id"];

pub(super) struct GenerateSop {
    descriptor: IntentDescriptor,
}

impl GenerateSop {
    pub(super) fn new() -> Self {
        let id = |description: &str| json!({"type": ["string", "null"], "maxLength": 300, "description": description});
        let properties = json!({
            "workflow": id("The workflow to write down, by its title or its id. The newest one where it is missing."),
            "workflow_id": id("The id of the workflow."),
            "artifact_id": id("The id of the workflow, under the name that artifacts use."),
            "file": id("A file to take instead: BPMN 2.0 XML, or a procedure to be put in order, by its name or its id."),
            "text": {"type": ["string", "null"], "maxLength": MAX_TEXT_BYTES, "description": "A text to take instead: BPMN 2.0 XML, or a procedure to be put in order."},
        });
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
        let (workflow, parents, source) = find_workflow(context, &parameters).await?;
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

/// The workflow, what it was found in, and how a person would call that.
async fn find_workflow(
    context: &ExecutionContext,
    parameters: &Object,
) -> Result<(Workflow, Vec<ArtifactId>, String), Failure> {
    let name = NAMING.iter().find_map(|key| parameter(parameters, key));
    let has_text = parameter(parameters, "text").is_some() || parameter(parameters, "file").is_some();
    let kept = match name {
        Some(name) => Some(named::named(context, WORKFLOW, name).await?),
        None => match parameter(parameters, "file").filter(|_| parameter(parameters, "text").is_none()) {
            Some(file) => by_id(context, WORKFLOW, file).await?,
            None if has_text => None,
            None => Some(newest(context, WORKFLOW).await?.ok_or_else(none_yet)?),
        },
    };
    if let Some(artifact) = kept {
        let source = format!("the workflow “{}”", named::title(&artifact));
        let workflow = serde_json::from_value(Value::Object(artifact.semantic_payload)).map_err(|_| unreadable())?;
        return Ok((workflow, vec![artifact.artifact_id], source));
    }
    let source = find_source(context, parameters).await?;
    let (parents, name) = (source.parents.clone(), source.name.clone());
    let workflow = context.compute(move || read(&source)).await?;
    Ok((workflow, parents, name))
}

fn payload(sop: &Sop) -> Object {
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

fn nothing_to_do() -> Failure {
    Failure::new(
        Code::UnreadableFile,
        "The workflow has no task and no decision, so there is nothing to write down. Add one and try again.",
    )
}

fn none_yet() -> Failure {
    Failure::new(
        Code::NotFound,
        "There is no workflow yet. Run create_workflow first, or give the BPMN as a file or as text.",
    )
}

fn unreadable() -> Failure {
    Failure::new(
        Code::UnreadableFile,
        "The workflow cannot be read by this version. Create it again with create_workflow.",
    )
}
