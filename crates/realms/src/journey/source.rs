//! Where a workflow comes from: a text, a file or a kept procedure, in words or as BPMN.

use contract::{ArtifactId, Code};
use runtime::{ExecutionContext, Failure, port::store::Object};
use serde_json::{Value, json};

use super::{
    SOP,
    bpmn::{NotBpmn, looks_like_bpmn, read_bpmn},
    named,
    procedure::{NotAProcedure, read_procedure},
    workflow::{Workflow, clean_label},
};
use crate::content::{
    find_file::{Wanted, file_name, find_file},
    parsed::open_document,
};

/// What a procedure is called that does not say it.
const UNTITLED: &str = "Procedure";

/// The first bytes of a file by which BPMN is told from other documents.
const SNIFFED_BYTES: usize = 4_096;

/// A text and where it was found.
pub(super) struct Source {
    pub(super) text: String,
    /// What it is called where the text does not say it.
    pub(super) title: String,
    pub(super) parents: Vec<ArtifactId>,
    /// For a person: `your text`, or the name of the file.
    pub(super) name: String,
}

/// A parameter that is a text and is not blank.
pub(super) fn parameter<'a>(parameters: &'a Object, name: &str) -> Option<&'a str> {
    parameters.get(name).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty())
}

/// The text of the parameter `text`, else of the procedure that `sop` or `file` names, else of the newest document.
pub(super) async fn find_source(context: &ExecutionContext, parameters: &Object) -> Result<Source, Failure> {
    if let Some(text) = parameter(parameters, "text") {
        return Ok(Source {
            text: text.to_owned(),
            title: UNTITLED.to_owned(),
            parents: Vec::new(),
            name: "your text".to_owned(),
        });
    }
    let kept = match (parameter(parameters, "sop"), parameter(parameters, "file")) {
        (Some(name), _) => Some(named::named(context, SOP, name).await?),
        (None, Some(name)) => named::by_id(context, SOP, name).await?,
        (None, None) => None,
    };
    if let Some(sop) = kept {
        let title = named::title(&sop).to_owned();
        let text = sop.semantic_payload.get("markdown").and_then(Value::as_str).unwrap_or_default().to_owned();
        return Ok(Source { text, name: format!("the SOP “{title}”"), title, parents: vec![sop.artifact_id] });
    }
    from_file(context, parameters).await
}

async fn from_file(context: &ExecutionContext, parameters: &Object) -> Result<Source, Failure> {
    let file = find_file(context, parameters, Wanted::Document).await?;
    let name = file_name(&file).to_owned();
    let title = name.rsplit_once('.').map_or(name.as_str(), |(stem, _)| stem).replace(['_', '-'], " ");
    let source = |text, parents| Source { text, title: clean_label(&title), parents, name: format!("**{name}**") };
    if let Some((_, bytes)) = context.content(&file.artifact_id).await? {
        let start = String::from_utf8_lossy(&bytes[..bytes.len().min(SNIFFED_BYTES)]).into_owned();
        if looks_like_bpmn(&start) && start.contains("definitions") {
            return match std::str::from_utf8(&bytes) {
                Ok(text) => Ok(source(text.to_owned(), vec![file.artifact_id])),
                Err(_) => Err(Failure::new(
                    Code::UnreadableFile,
                    format!("**{name}** is XML that is not UTF-8. Save it as UTF-8 and upload it again."),
                )),
            };
        }
    }
    let chosen = Object::from_iter([("file".to_owned(), json!(file.artifact_id))]);
    let document = open_document(context, &chosen).await?;
    Ok(source(document.text, vec![document.file.artifact_id, document.parsed.artifact_id]))
}

/// Reads the text as what it is.
pub(super) fn read(source: &Source) -> Result<Workflow, Failure> {
    if looks_like_bpmn(&source.text) {
        read_bpmn(&source.text).map_err(|error| bpmn_failure(&error))
    } else {
        read_procedure(&source.text, &source.title).map_err(|error| procedure_failure(&error))
    }
}

fn bpmn_failure(error: &NotBpmn) -> Failure {
    let failure = Failure::new(Code::UnreadableFile, error.to_string());
    match error.place() {
        Some((line, column)) => failure.at(line, column),
        None => failure,
    }
}

fn procedure_failure(error: &NotAProcedure) -> Failure {
    let failure = Failure::new(Code::UnreadableFile, error.to_string());
    match error.line() {
        Some(line) => failure.at(line, 1),
        None => failure,
    }
}
