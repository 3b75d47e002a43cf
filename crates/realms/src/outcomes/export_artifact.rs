//! `export_artifact`: an artifact as a file to take away: one of its renderings, or all of its data as JSON.

use async_trait::async_trait;
use bytes::Bytes;
use contract::{
    Code,
    artifact::{Artifact, LifecycleState},
    intent::IntentDescriptor,
};
use runtime::{
    ExecutionContext, Failure, Handler, NewArtifact,
    port::store::{ArtifactFilter, Object},
};
use serde_json::{Value, json};

use super::{EXPORT, POC, REALM, ROADMAP, SOLUTION, SYNTHESIS};
use crate::{
    descriptor,
    journey::{SOP, WORKFLOW, title},
    markdown::{code, listed, size},
};

/// The parameters that name an artifact, the clearest first.
const NAMING: [&str; 6] = ["artifact_id", "artifact", "solution_id", "poc_id", "blueprint_id", "roadmap_id"];

/// What is exported without a name: the reports and drawings that people take away. Words of a person choose one of them.
const KINDS: [&str; 6] = [ROADMAP, SYNTHESIS, POC, SOLUTION, WORKFLOW, SOP];

/// How many of the newest artifacts are looked through where none is named.
const MOST_LOOKED_AT: u32 = 100;

/// The most letters of a title that become a file's name.
const LONGEST_STEM: usize = 80;

pub(super) struct ExportArtifact {
    descriptor: IntentDescriptor,
}

impl ExportArtifact {
    pub(super) fn new() -> Self {
        let mut properties = json!({
            "kind": {"type": ["string", "null"], "enum": KINDS.map(Some).into_iter().chain([None]).collect::<Vec<_>>(), "description": "The newest one of this kind in this session, where no id is given."},
            "format": {"type": ["string", "null"], "enum": ["markdown", "md", "json", "mermaid", "bpmn", null], "description": "`json`, or a rendering that the artifact has: `markdown`, `mermaid`, `bpmn`. Markdown where there is one, else JSON."},
            "export_format": {"type": ["string", "null"], "maxLength": 40, "description": "An older name for `format`."},
        });
        for name in NAMING {
            let description = match name {
                "artifact_id" => "The id of the artifact. The newest report of this session where it is missing.",
                _ => "An older name for `artifact_id`.",
            };
            properties[name] = json!({"type": ["string", "null"], "maxLength": 300, "description": description});
        }
        let examples =
            ["export the roadmap as Markdown", "export the artifact as JSON", "let me download the solution"];
        let description =
            "Writes an artifact to a file to take away: its Markdown, a drawing of it, or all of its data as JSON.";
        Self { descriptor: descriptor(REALM, "export_artifact", description, properties, &examples) }
    }
}

#[async_trait]
impl Handler for ExportArtifact {
    fn descriptor(&self) -> &IntentDescriptor {
        &self.descriptor
    }

    async fn execute(&self, context: &ExecutionContext, parameters: Object) -> Result<Value, Failure> {
        let text =
            |name: &str| parameters.get(name).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
        let artifact = find(context, NAMING.iter().find_map(|name| text(name)), text("kind")).await?;
        let written = write(&artifact, text("format").or_else(|| text("export_format")))?;
        let name = format!("{}.{}", stem(title(&artifact)), written.ending);
        let object = context.write_object(Bytes::from(written.text), written.media_type, &name).await?;
        let summary = format!("**{name}** ({}) is “{}” as a file.", size(object.size_bytes), title(&artifact));
        let mut payload = Object::from_iter([
            ("file_name".to_owned(), json!(name)),
            ("media_type".to_owned(), json!(written.media_type)),
            ("size_bytes".to_owned(), json!(object.size_bytes)),
            ("source_artifact_id".to_owned(), json!(artifact.artifact_id)),
            ("source_artifact_type".to_owned(), json!(artifact.artifact_type)),
        ]);
        let descriptor = json!({"title": name, "media_type": written.media_type, "size_bytes": object.size_bytes});
        let Value::Object(descriptor) = descriptor else { unreachable!("it is written as an object") };
        let kept = context.keep(
            EXPORT,
            NewArtifact {
                artifact_type: EXPORT.to_owned(),
                lifecycle_state: Some(LifecycleState::Ready),
                semantic_descriptor: descriptor,
                semantic_payload: payload.clone(),
                parent_artifacts: vec![artifact.artifact_id],
                content: Some(object),
                ..NewArtifact::default()
            },
        );
        payload.insert("summary".to_owned(), json!(summary));
        payload.insert("export_id".to_owned(), json!(kept.artifact_id));
        Ok(Value::Object(payload))
    }
}

async fn find(context: &ExecutionContext, named: Option<&str>, kind: Option<&str>) -> Result<Artifact, Failure> {
    let there = |artifact: &Artifact| artifact.lifecycle_state != LifecycleState::Deleted;
    if let Some(named) = named {
        let found = match named.parse() {
            Ok(id) => context.artifact(&id).await?,
            Err(_) => None,
        };
        let failure =
            || Failure::new(Code::NotFound, format!("There is no artifact {}. Name one by its id.", code(named)));
        return found.filter(there).ok_or_else(failure);
    }
    let filter = ArtifactFilter { session_id: Some(context.session_id().clone()), ..ArtifactFilter::default() };
    let newest = context.newest_artifacts(&filter, MOST_LOOKED_AT).await?;
    let is_wanted = |artifact: &Artifact| match kind {
        Some(kind) => artifact.artifact_type == kind,
        None => KINDS.contains(&artifact.artifact_type.as_str()),
    };
    let found = newest.into_iter().find(|artifact| there(artifact) && is_wanted(artifact));
    found.ok_or_else(|| {
        let kind = kind.unwrap_or("report");
        let message = format!(
            "There is no {kind} in this session to export. Have one made first, or name an artifact by its id."
        );
        Failure::new(Code::NotFound, message)
    })
}

struct Written {
    text: String,
    media_type: &'static str,
    ending: &'static str,
}

fn write(artifact: &Artifact, format: Option<&str>) -> Result<Written, Failure> {
    let format = match format.map(str::to_lowercase).as_deref() {
        None if artifact.renderings.contains_key("markdown") => "markdown".to_owned(),
        None => "json".to_owned(),
        Some("md") => "markdown".to_owned(),
        Some(format) => format.to_owned(),
    };
    let (media_type, ending) = match format.as_str() {
        "json" => {
            let data = json!({"artifact_id": artifact.artifact_id, "artifact_type": artifact.artifact_type, "parent_artifacts": artifact.parent_artifacts, "semantic_payload": artifact.semantic_payload});
            let text =
                serde_json::to_string_pretty(&data).map_err(|error| Failure::new(Code::Internal, error.to_string()))?;
            return Ok(Written { text, media_type: "application/json", ending: "json" });
        }
        "markdown" => ("text/markdown", "md"),
        "bpmn" => ("application/xml", "bpmn"),
        _ => ("text/plain", "txt"),
    };
    let rendering = artifact.renderings.get(&format).and_then(Value::as_str);
    let Some(text) = rendering else {
        let mut formats: Vec<String> = artifact.renderings.keys().map(|name| code(name)).collect();
        formats.push(code("json"));
        let message =
            format!("This artifact cannot be exported as {}. There is {}.", code(&format), listed(&formats, 8));
        return Err(Failure::new(Code::ValidationFailed, message));
    };
    Ok(Written { text: text.to_owned(), media_type, ending })
}

/// The title as the stem of a file's name: letters, digits and `-`.
fn stem(title: &str) -> String {
    let words = title.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
    let stem: String = words.collect::<Vec<_>>().join("-").to_lowercase().chars().take(LONGEST_STEM).collect();
    if stem.is_empty() { "export".to_owned() } else { stem }
}
