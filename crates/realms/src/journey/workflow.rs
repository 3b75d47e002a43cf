//! A workflow as a graph: where it starts, what is done, what is decided, where it ends. It knows nothing of how it was
//! written down before or how it will be drawn.

use serde::{Deserialize, Serialize};

/// The most nodes that a workflow can have.
pub const MAX_NODES: usize = 2_000;

/// The most characters of a label; what is longer is cut, with an ellipsis.
pub const MAX_LABEL_CHARS: usize = 300;

/// The label of the edge that is taken when a condition holds.
pub const YES: &str = "yes";
/// The label of the edge that is taken when a condition does not hold.
pub const NO: &str = "no";
/// The label of the edge that is taken when none of several answers fits.
pub const OTHERWISE: &str = "otherwise";

/// Nodes in the order of the text, one start first; edges sorted by the node they leave, then by option.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workflow {
    pub title: String,
    pub nodes: Vec<Node>,
    pub edges: Vec<Edge>,
    /// What a reader of the graph should know about how it was made, one sentence each.
    #[serde(default)]
    pub warnings: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// Unique in the workflow; ASCII letters, digits and `_`.
    pub id: String,
    pub kind: NodeKind,
    pub label: String,
    /// Who does it, where the text says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeKind {
    Start,
    Task,
    Decision,
    End,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edge {
    pub from: String,
    pub to: String,
    /// Which answer leads along it; only edges that leave a decision have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

impl NodeKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Task => "task",
            Self::Decision => "decision",
            Self::End => "end",
        }
    }
}

impl Workflow {
    pub fn node(&self, id: &str) -> Option<&Node> {
        self.nodes.iter().find(|node| node.id == id)
    }

    pub fn of_kind(&self, kind: NodeKind) -> impl Iterator<Item = &Node> {
        self.nodes.iter().filter(move |node| node.kind == kind)
    }

    /// Who does something in it, in the order in which they appear, each once.
    pub fn actors(&self) -> Vec<&str> {
        let mut actors: Vec<&str> = Vec::new();
        for actor in self.nodes.iter().filter_map(|node| node.actor.as_deref()) {
            if !actors.contains(&actor) {
                actors.push(actor);
            }
        }
        actors
    }

    /// The same graph by numbers; linear in its size.
    pub fn links(&self) -> Links<'_> {
        let number: std::collections::HashMap<&str, usize> =
            self.nodes.iter().enumerate().map(|(index, node)| (node.id.as_str(), index)).collect();
        let mut next = vec![Vec::new(); self.nodes.len()];
        for edge in &self.edges {
            if let (Some(&from), Some(&to)) = (number.get(edge.from.as_str()), number.get(edge.to.as_str())) {
                next[from].push((to, edge.label.as_deref()));
            }
        }
        Links { next }
    }

    /// The nodes that can be reached from the start, by index.
    pub fn reached(&self) -> Vec<bool> {
        let links = self.links();
        let mut reached = vec![false; self.nodes.len()];
        let mut open: Vec<usize> = self.start().into_iter().collect();
        while let Some(index) = open.pop() {
            if !std::mem::replace(&mut reached[index], true) {
                open.extend(links.next[index].iter().map(|&(to, _)| to));
            }
        }
        reached
    }

    /// The index of the start.
    pub fn start(&self) -> Option<usize> {
        self.nodes.iter().position(|node| node.kind == NodeKind::Start)
    }

    /// Adds a sentence for each node that nothing leads to, and one where no path ends.
    pub fn warn_of_dead_parts(&mut self) {
        let reached = self.reached();
        let mut ends = false;
        let mut found = Vec::new();
        for (node, reached) in self.nodes.iter().zip(reached) {
            match (node.kind, reached) {
                (NodeKind::End, reached) => ends |= reached,
                (_, true) => {}
                (_, false) => found.push(format!("Nothing leads to “{}”.", node.label)),
            }
        }
        if !ends {
            found.push("No path leads to the end.".to_owned());
        }
        self.warnings.extend(found);
    }
}

/// Who follows whom, by the index of the nodes.
#[derive(Clone, Debug)]
pub struct Links<'a> {
    /// For each node its followers, in the order of the edges, with the labels of these.
    pub next: Vec<Vec<(usize, Option<&'a str>)>>,
}

/// Text that can stand in a label: one line, no control characters (XML 1.0 has no place for them), not too long.
pub fn clean_label(text: &str) -> String {
    let visible = |letter: char| !letter.is_control() && !matches!(letter, '\u{FFFE}' | '\u{FFFF}' | '\u{FEFF}');
    let words: Vec<String> = text
        .split_whitespace()
        .map(|word| word.chars().filter(|&letter| visible(letter)).collect::<String>())
        .filter(|word| !word.is_empty())
        .collect();
    let line = words.join(" ");
    if line.chars().count() <= MAX_LABEL_CHARS {
        return line;
    }
    let mut cut: String = line.chars().take(MAX_LABEL_CHARS - 1).collect();
    cut.push('…');
    cut
}

/// The text with its first letter in upper case.
pub fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_one_clean_line() {
        for (text, label) in [
            ("  two\n lines\t", "two lines"),
            ("a\u{0}b\u{1b}[31m", "ab[31m"),
            ("Größe prüfen – 検査", "Größe prüfen – 検査"),
            ("\u{FEFF}", ""),
        ] {
            assert_eq!(clean_label(text), label);
        }
        assert_eq!(clean_label(&"ß".repeat(5_000)).chars().count(), MAX_LABEL_CHARS);
    }

    #[test]
    fn first_letters_are_raised_in_any_script() {
        assert_eq!(capitalised("überprüfen"), "Überprüfen");
        assert_eq!(capitalised(""), "");
    }
}
