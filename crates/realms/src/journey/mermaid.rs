//! A workflow as a Mermaid flowchart.

use super::{
    procedure::is_one_task,
    workflow::{Node, NodeKind, Workflow},
};

/// Draws it, from top to bottom, nodes first, then edges, in the order of the workflow.
pub fn mermaid(workflow: &Workflow) -> String {
    let mut text = String::from("flowchart TD\n");
    for node in &workflow.nodes {
        let label = escaped(&shown_label(node));
        let shape = match node.kind {
            NodeKind::Start | NodeKind::End => format!("([\"{label}\"])"),
            NodeKind::Task => format!("[\"{label}\"]"),
            NodeKind::Decision => format!("{{\"{label}\"}}"),
        };
        text.push_str(&format!("    n_{}{shape}\n", node.id));
    }
    for edge in &workflow.edges {
        let label = edge.label.as_ref().map(|label| format!("|\"{}\"|", escaped(label))).unwrap_or_default();
        text.push_str(&format!("    n_{} -->{label} n_{}\n", edge.from, edge.to));
    }
    text
}

/// The label with the actor before it, where the label alone does not name them.
pub(super) fn shown_label(node: &Node) -> String {
    match &node.actor {
        Some(actor) if !is_one_task(&node.label, &node.label, Some(actor)) => format!("{actor}: {}", node.label),
        Some(_) | None => node.label.clone(),
    }
}

/// Mermaid's own entities for what would end a label, be HTML in it or begin a Markdown string.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '"' => escaped.push_str("#quot;"),
            '#' => escaped.push_str("#35;"),
            '&' => escaped.push_str("#amp;"),
            '<' => escaped.push_str("#lt;"),
            '>' => escaped.push_str("#gt;"),
            '`' => escaped.push_str("#96;"),
            '\\' => escaped.push_str("#92;"),
            other => escaped.push(other),
        }
    }
    escaped
}
