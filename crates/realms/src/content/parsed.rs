//! What was read from a file: found again by the file, read once if nobody has, and opened. Every realm reads files here.

use contract::{
    Code,
    artifact::{Artifact, LifecycleState},
    execution::{ExecutionProblem, ExecutionStatus},
};
use runtime::{
    ExecutionContext, Failure,
    port::store::{ArtifactFilter, Object},
};
use serde_json::{Value, json};

use super::{
    find_file::{Wanted, file_name, find_file},
    table::{TABLE_MEDIA_TYPE, Table},
};

/// The artifact type of what was read from a file.
pub const PARSED_FILE: &str = "parsed_file";

/// A file that is a table, with its rows.
pub struct OpenTable {
    pub file: Artifact,
    pub parsed: Artifact,
    pub table: Table,
}

/// A file that is a document, with its text. Markdown keeps its marks; HTML gets some.
pub struct OpenDocument {
    pub file: Artifact,
    pub parsed: Artifact,
    pub text: String,
}

/// The table that the parameters name, or the newest one; it is read first where nobody has.
pub async fn open_table(context: &ExecutionContext, parameters: &Object) -> Result<OpenTable, Failure> {
    let file = find_file(context, parameters, Wanted::Table).await?;
    let parsed = ensure_parsed(context, &file).await?;
    let Some((object, bytes)) = context.content(&parsed.artifact_id).await? else { return Err(gone()) };
    if object.media_type != TABLE_MEDIA_TYPE {
        return Err(Failure::new(
            Code::UnsupportedFormat,
            format!(
                "**{}** is a document, not a table, so there are no columns to look at. Name a CSV, JSON or Excel file.",
                file_name(&file)
            ),
        ));
    }
    let table = context
        .compute(move || Table::from_stored(&bytes).map_err(|error| Failure::new(Code::Internal, error.to_string())))
        .await?;
    Ok(OpenTable { file, parsed, table })
}

/// The document that the parameters name, or the newest one; it is read first where nobody has.
pub async fn open_document(context: &ExecutionContext, parameters: &Object) -> Result<OpenDocument, Failure> {
    let file = find_file(context, parameters, Wanted::Document).await?;
    let parsed = ensure_parsed(context, &file).await?;
    let Some((object, bytes)) = context.content(&parsed.artifact_id).await? else { return Err(gone()) };
    if object.media_type == TABLE_MEDIA_TYPE {
        return Err(Failure::new(
            Code::UnsupportedFormat,
            format!("**{}** is a table, not a text. Name a text, Markdown, HTML or PDF file.", file_name(&file)),
        ));
    }
    Ok(OpenDocument { file, parsed, text: String::from_utf8_lossy(&bytes).into_owned() })
}

/// What was read from a file last, or `None` where nobody has read it.
pub async fn find_parsed(context: &ExecutionContext, file: &Artifact) -> Result<Option<Artifact>, Failure> {
    let filter = ArtifactFilter {
        artifact_type: Some(PARSED_FILE.to_owned()),
        lifecycle_state: Some(LifecycleState::Ready),
        parent: Some(file.artifact_id.clone()),
        ..ArtifactFilter::default()
    };
    Ok(context.newest_artifacts(&filter, 1).await?.pop())
}

/// What was read from a file; where nobody has read it, the Runtime is asked to.
pub async fn ensure_parsed(context: &ExecutionContext, file: &Artifact) -> Result<Artifact, Failure> {
    // A call is named by its place, so an attempt after a crash has to come by here again: the step remembers that it did.
    let known: Option<contract::ArtifactId> = context
        .step(&format!("find_parsed:{}", file.artifact_id), || async {
            Ok(find_parsed(context, file).await?.map(|parsed| parsed.artifact_id))
        })
        .await?;
    let id = match known {
        Some(id) => id,
        None => {
            let parameters = Object::from_iter([("file".to_owned(), json!(file.artifact_id))]);
            let mut outcome = context.call("parse_content", parameters).await?;
            if outcome.status != ExecutionStatus::Completed {
                return Err(failure_of(outcome.problem));
            }
            outcome.artifacts.remove(PARSED_FILE).ok_or_else(gone)?
        }
    };
    context.artifact(&id).await?.ok_or_else(gone)
}

/// The file or what was read from it has gone in the meantime.
pub(crate) fn gone() -> Failure {
    Failure::new(Code::Gone, "The file is gone; it was deleted in the meantime. Upload it again to use it.")
}

/// A child's problem as our own.
pub(super) fn failure_of(problem: Option<ExecutionProblem>) -> Failure {
    let Some(problem) = problem else { return Failure::new(Code::ExecutionFailed, "The file could not be read.") };
    let code = Code::ALL.iter().copied().find(|code| code.as_str() == problem.code).unwrap_or(Code::ExecutionFailed);
    let failure = Failure::new(code, problem.message);
    match problem.details {
        Some(place) => failure.at(place.line, place.column),
        None => failure,
    }
}

/// A text of a parsed file's payload.
pub(crate) fn payload_text<'a>(artifact: &'a Artifact, key: &str) -> &'a str {
    artifact.semantic_payload.get(key).and_then(Value::as_str).unwrap_or_default()
}
