//! `visualize_lineage`: what was made of what, as a graph and as a drawing in Mermaid.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use async_trait::async_trait;
use contract::{
    ArtifactId,
    artifact::{Artifact, LifecycleState},
    intent::IntentDescriptor,
};
use runtime::{
    ExecutionContext, Failure, Handler, NewArtifact,
    port::store::{ArtifactFilter, Object},
};
use serde_json::{Value, json};

use super::REALM;
use crate::{
    content::find_file::{Wanted, file_name, file_properties, find_file},
    descriptor,
    markdown::counted,
};

/// The artifact type of a graph.
const KEY: &str = "lineage";

/// The most artifacts of a graph, and of those that were made of one.
const MOST_NODES: usize = 200;
const MOST_MADE: u32 = 100;

pub(super) struct VisualizeLineage {
    descriptor: IntentDescriptor,
}

/// What was found, by id, and who was made of whom.
#[derive(Default)]
struct Graph {
    nodes: BTreeMap<ArtifactId, Artifact>,
    edges: BTreeSet<(ArtifactId, ArtifactId)>,
}

impl VisualizeLineage {
    pub(super) fn new() -> Self {
        let examples = [
            "show the lineage of orders.csv",
            "what was made of this file?",
            "draw where the report comes from",
            "which results depend on that upload?",
        ];
        let description = "Shows what was made of a file, and of that again, as a graph and as a drawing.";
        let properties = file_properties(json!({}));
        Self { descriptor: descriptor(REALM, "visualize_lineage", description, properties, &examples) }
    }
}

#[async_trait]
impl Handler for VisualizeLineage {
    fn descriptor(&self) -> &IntentDescriptor {
        &self.descriptor
    }

    async fn execute(&self, context: &ExecutionContext, parameters: Object) -> Result<Value, Failure> {
        let file = find_file(context, &parameters, Wanted::Any).await?;
        let name = file_name(&file).to_owned();
        let root = file.artifact_id.clone();
        let graph = graph(context, file).await?;
        let mermaid = mermaid(&graph, &root);
        let made = graph.nodes.len() - 1;
        let summary = format!(
            "{} made of **{name}**:\n\n```mermaid\n{mermaid}```",
            counted(made, "artifact was", "artifacts were")
        );
        let nodes: Vec<Value> = graph
            .nodes
            .values()
            .map(|node| {
                json!({
                    "artifact_id": node.artifact_id,
                    "artifact_type": node.artifact_type,
                    "title": title(node),
                    "lifecycle_state": node.lifecycle_state,
                    "produced_by": node.produced_by.intent_type,
                    "created_at": node.created_at,
                })
            })
            .collect();
        let edges: Vec<Value> = graph.edges.iter().map(|(from, to)| json!({"from": from, "to": to})).collect();
        let mut payload = Object::from_iter([
            ("file_id".to_owned(), json!(root)),
            ("file_name".to_owned(), json!(name)),
            ("nodes".to_owned(), json!(nodes)),
            ("edges".to_owned(), json!(edges)),
        ]);
        let artifact = context.keep(
            KEY,
            NewArtifact {
                artifact_type: KEY.to_owned(),
                lifecycle_state: Some(LifecycleState::Ready),
                semantic_descriptor: Object::from_iter([("title".to_owned(), json!(format!("Lineage of {name}")))]),
                semantic_payload: payload.clone(),
                renderings: Object::from_iter([
                    ("markdown".to_owned(), json!(summary)),
                    ("mermaid".to_owned(), json!(mermaid)),
                ]),
                parent_artifacts: vec![root],
                ..NewArtifact::default()
            },
        );
        payload.insert("artifact_id".to_owned(), json!(artifact.artifact_id));
        payload.insert("mermaid".to_owned(), json!(mermaid));
        payload.insert("summary".to_owned(), json!(summary));
        Ok(Value::Object(payload))
    }
}

/// The file and what was made of it, the nearest first; drawings of lineage are none of it.
async fn graph(context: &ExecutionContext, file: Artifact) -> Result<Graph, Failure> {
    let mut graph = Graph::default();
    let mut open = VecDeque::from([file.artifact_id.clone()]);
    graph.nodes.insert(file.artifact_id.clone(), file);
    while let Some(id) = open.pop_front() {
        let filter = ArtifactFilter { parent: Some(id.clone()), ..ArtifactFilter::default() };
        let mut made = context.newest_artifacts(&filter, MOST_MADE).await?;
        made.reverse();
        for artifact in made.into_iter().filter(|made| made.artifact_type != KEY) {
            let is_new = !graph.nodes.contains_key(&artifact.artifact_id);
            if is_new && graph.nodes.len() >= MOST_NODES {
                continue;
            }
            graph.edges.insert((id.clone(), artifact.artifact_id.clone()));
            if is_new {
                open.push_back(artifact.artifact_id.clone());
                graph.nodes.insert(artifact.artifact_id.clone(), artifact);
            }
        }
    }
    Ok(graph)
}

fn title(artifact: &Artifact) -> &str {
    let words = ["title", "file_name"];
    words.iter().find_map(|key| artifact.semantic_descriptor.get(*key)?.as_str()).unwrap_or(&artifact.artifact_type)
}

/// An edge that another way leads along too is not drawn: a report is made of what was read, and that of the file.
fn mermaid(graph: &Graph, root: &ArtifactId) -> String {
    let numbers: BTreeMap<&ArtifactId, usize> =
        graph.nodes.keys().enumerate().map(|(number, id)| (id, number)).collect();
    let mut text = "flowchart LR\n".to_owned();
    for (id, node) in &graph.nodes {
        let label = title(node).replace(['"', '`', '<', '>', '\n'], " ");
        let (open, close) = if id == root { ("([", "])") } else { ("[", "]") };
        text.push_str(&format!("    a{}{open}\"{label}\"{close}\n", numbers[id]));
    }
    for (from, to) in &graph.edges {
        let is_roundabout = graph.edges.iter().any(|(start, middle)| {
            start == from && middle != to && graph.edges.contains(&(middle.clone(), to.clone()))
        });
        if !is_roundabout {
            text.push_str(&format!("    a{} --> a{}\n", numbers[from], numbers[to]));
        }
    }
    text
}
