//! The workflow that an intent works on: a kept one, by its title or its id, or one read from a text or a file.

use contract::{ArtifactId, Code};
use runtime::{ExecutionContext, Failure, port::store::Object};
use serde_json::{Value, json};

use super::{
    WORKFLOW,
    named::{self, by_id, newest},
    procedure::MAX_TEXT_BYTES,
    source::{find_source, parameter, read},
    workflow::Workflow,
};

/// The parameters that name a workflow, the clearest first.
const NAMING: [&str; 3] = ["workflow", "workflow_id", "artifact_id"];

/// A workflow and where it comes from.
pub(super) struct Given {
    pub(super) workflow: Workflow,
    pub(super) parents: Vec<ArtifactId>,
    /// For a person: `the workflow “Returns”`, or the name of the file.
    pub(super) name: String,
}

/// The JSON Schema properties by which an intent can be told its workflow, with `more` beside them.
pub(super) fn workflow_properties(more: Value) -> Value {
    let id = |description: &str| json!({"type": ["string", "null"], "maxLength": 300, "description": description});
    let mut properties = json!({
        "workflow": id("The workflow to write down, by its title or its id. The newest one where it is missing."),
        "workflow_id": id("The id of the workflow."),
        "artifact_id": id("The id of the workflow, under the name that artifacts use."),
        "file": id("A file to take instead: BPMN 2.0 XML, or a procedure to be put in order, by its name or its id."),
        "text": {"type": ["string", "null"], "maxLength": MAX_TEXT_BYTES, "description": "A text to take instead: BPMN 2.0 XML, or a procedure to be put in order."},
    });
    if let (Value::Object(properties), Value::Object(more)) = (&mut properties, more) {
        properties.extend(more);
    }
    properties
}

/// The workflow, what it was found in, and how a person would call that.
pub(super) async fn find_workflow(context: &ExecutionContext, parameters: &Object) -> Result<Given, Failure> {
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
        return Ok(Given { workflow, parents: vec![artifact.artifact_id], name: source });
    }
    let source = find_source(context, parameters).await?;
    let (parents, name) = (source.parents.clone(), source.name.clone());
    let workflow = context.compute(move || read(&source)).await?;
    Ok(Given { workflow, parents, name })
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
