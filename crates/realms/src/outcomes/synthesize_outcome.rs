//! `synthesize_outcome`: what the session has found out, each sentence with the artifact that it comes from.

use async_trait::async_trait;
use contract::{ArtifactId, Code, artifact::LifecycleState, intent::IntentDescriptor};
use runtime::{ExecutionContext, Failure, Handler, NewArtifact, port::store::Object};
use serde_json::{Value, json};

use super::{REALM, SYNTHESIS, evidence::gather, statement::Section, synthesis::synthesize};
use crate::{descriptor, journey::workflow::clean_label, markdown::plain};

pub(super) struct SynthesizeOutcome {
    descriptor: IntentDescriptor,
}

impl SynthesizeOutcome {
    pub(super) fn new() -> Self {
        let properties = json!({
            "title": {"type": ["string", "null"], "maxLength": 200, "description": "What the synthesis is to be called."},
        });
        let examples = [
            "summarise what we have found out",
            "synthesize the outcome of this session",
            "what are the results so far?",
            "give me an executive summary of the files and workflows",
            "put the findings together in one document",
            "what do we know about our data and our process?",
        ];
        let description = "Sums up what this session has found out about data, workflows and procedures; every statement names the artifact it comes from.";
        Self { descriptor: descriptor(REALM, "synthesize_outcome", description, properties, &examples) }
    }
}

#[async_trait]
impl Handler for SynthesizeOutcome {
    fn descriptor(&self) -> &IntentDescriptor {
        &self.descriptor
    }

    async fn execute(&self, context: &ExecutionContext, parameters: Object) -> Result<Value, Failure> {
        let evidence = gather(context).await?;
        let title = parameters.get("title").and_then(Value::as_str).filter(|title| !title.trim().is_empty());
        let sections = synthesize(&evidence);
        if sections.is_empty() {
            return Err(no_finding("sum up"));
        }
        let document =
            Document { key: SYNTHESIS, list: "sections", title: title.unwrap_or("What we know").to_owned(), sections };
        Ok(keep(context, document))
    }
}

/// Sections under one title, about to be kept.
pub(super) struct Document {
    /// Key and type of the artifact.
    pub(super) key: &'static str,
    /// What its payload calls the sections.
    pub(super) list: &'static str,
    pub(super) title: String,
    pub(super) sections: Vec<Section>,
}

/// Keeps it with everything that it draws from as its parents, and answers the execution's result.
pub(super) fn keep(context: &ExecutionContext, document: Document) -> Value {
    let title = clean_label(&document.title);
    let mut markdown = format!("# {}\n", plain(&title));
    for section in &document.sections {
        markdown.push('\n');
        markdown.push_str(&section.markdown());
    }
    let mut payload = Object::from_iter([
        ("title".to_owned(), json!(title)),
        (document.list.to_owned(), json!(document.sections)),
        ("markdown".to_owned(), json!(markdown)),
    ]);
    let artifact = context.keep(
        document.key,
        NewArtifact {
            artifact_type: document.key.to_owned(),
            lifecycle_state: Some(LifecycleState::Ready),
            semantic_descriptor: Object::from_iter([
                ("title".to_owned(), json!(title)),
                ("media_type".to_owned(), json!("text/markdown")),
            ]),
            semantic_payload: payload.clone(),
            renderings: Object::from_iter([("markdown".to_owned(), json!(markdown))]),
            parent_artifacts: sources(&document.sections),
            search_text: Some(markdown.clone()),
            ..NewArtifact::default()
        },
    );
    payload.insert("summary".to_owned(), json!(markdown));
    payload.insert(format!("{}_id", document.key), json!(artifact.artifact_id));
    Value::Object(payload)
}

/// Each artifact that a statement names, once.
fn sources(sections: &[Section]) -> Vec<ArtifactId> {
    let mut ids = Vec::new();
    for source in sections.iter().flat_map(|section| &section.statements).flat_map(|statement| &statement.sources) {
        if !ids.contains(&source.artifact_id) {
            ids.push(source.artifact_id.clone());
        }
    }
    ids
}

/// There are artifacts, but nothing follows from them.
pub(super) fn no_finding(verb: &str) -> Failure {
    Failure::new(
        Code::NotFound,
        format!(
            "There is nothing to {verb} yet: no issue, no open question and no workflow. Run assess_data_quality on a table or create_workflow with a procedure, then ask again."
        ),
    )
}
