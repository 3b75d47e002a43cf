//! Finds a workflow or a standard operating procedure as people name it: by id, by title, or as the newest one.

use contract::{
    ArtifactId, Code,
    artifact::{Artifact, LifecycleState},
};
use runtime::{ExecutionContext, Failure, port::store::ArtifactFilter};
use serde_json::Value;

/// How many of the newest artifacts are looked through.
const MOST_LOOKED_AT: u32 = 1_000;

/// What an artifact is called.
pub(crate) fn title(artifact: &Artifact) -> &str {
    let title = |object: &runtime::port::store::Object| object.get("title").and_then(Value::as_str).map(str::len);
    let source = if title(&artifact.semantic_descriptor).is_some() {
        &artifact.semantic_descriptor
    } else {
        &artifact.semantic_payload
    };
    source.get("title").and_then(Value::as_str).unwrap_or(&artifact.artifact_type)
}

/// The newest artifact of a type, those of this session first.
pub(super) async fn newest(context: &ExecutionContext, artifact_type: &str) -> Result<Option<Artifact>, Failure> {
    Ok(all(context, artifact_type).await?.into_iter().next())
}

/// The artifact of a type that has this id or this title; a failure that lists what there is otherwise.
pub(super) async fn named(context: &ExecutionContext, artifact_type: &str, name: &str) -> Result<Artifact, Failure> {
    if let Some(artifact) = by_id(context, artifact_type, name).await? {
        return Ok(artifact);
    }
    let all = all(context, artifact_type).await?;
    let wanted = name.trim().to_lowercase();
    let is_whole = |artifact: &&Artifact| title(artifact).to_lowercase() == wanted;
    let is_part = |artifact: &&Artifact| title(artifact).to_lowercase().contains(&wanted);
    let found = all.iter().find(is_whole).or_else(|| all.iter().find(is_part));
    found.cloned().ok_or_else(|| nothing_named(artifact_type, name, &all))
}

/// The artifact of a type with this id, where the text is one.
pub(super) async fn by_id(
    context: &ExecutionContext,
    artifact_type: &str,
    text: &str,
) -> Result<Option<Artifact>, Failure> {
    let Ok(id) = text.trim().parse::<ArtifactId>() else { return Ok(None) };
    let found = context.artifact(&id).await?;
    Ok(found.filter(|artifact| {
        artifact.artifact_type == artifact_type && artifact.lifecycle_state != LifecycleState::Deleted
    }))
}

async fn all(context: &ExecutionContext, artifact_type: &str) -> Result<Vec<Artifact>, Failure> {
    let filter = ArtifactFilter { artifact_type: Some(artifact_type.to_owned()), ..ArtifactFilter::default() };
    let mut all = context.newest_artifacts(&filter, MOST_LOOKED_AT).await?;
    // The sort is stable, so the newest stay first among their own.
    all.sort_by_key(|artifact| artifact.session_id != *context.session_id());
    Ok(all)
}

fn nothing_named(artifact_type: &str, name: &str, all: &[Artifact]) -> Failure {
    let mut titles: Vec<String> = all.iter().take(5).map(|artifact| format!("“{}”", title(artifact))).collect();
    titles.dedup();
    let there =
        if titles.is_empty() { "there is none yet".to_owned() } else { format!("there is {}", titles.join(", ")) };
    let name: String = name.chars().filter(|letter| !letter.is_control()).take(100).collect();
    Failure::new(
        Code::NotFound,
        format!("No {artifact_type} is called “{name}”; {there}. Say which one, by its title or its id."),
    )
}
