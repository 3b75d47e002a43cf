//! A sentence and the artifacts that it comes from.

use contract::ArtifactId;
use serde::Serialize;

use super::evidence::Exhibit;
use crate::markdown::plain;

/// The most statements that one section lists; the rest are counted.
pub const MAX_LISTED: usize = 50;

/// Something that can be said because artifacts say it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Statement {
    pub text: String,
    /// Never empty.
    pub sources: Vec<Source>,
    /// The intent that would do what the statement asks for, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intent: Option<&'static str>,
}

/// An artifact as a reader finds it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Source {
    pub artifact_id: ArtifactId,
    pub artifact_type: String,
    pub title: String,
}

/// Statements under one heading.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Section {
    pub title: String,
    /// Why these statements stand together, and in which order.
    pub rule: &'static str,
    pub statements: Vec<Statement>,
    /// How many more there are than are listed.
    pub left_out: usize,
}

impl Statement {
    pub fn new(text: impl Into<String>, exhibit: &Exhibit) -> Self {
        Self { text: text.into(), sources: vec![exhibit.source()], intent: None }
    }

    /// The same, which that intent would do.
    pub fn by(mut self, intent: &'static str) -> Self {
        self.intent = Some(intent);
        self
    }
}

impl Section {
    /// A section of the first statements; `None` where there is none.
    pub fn new(title: impl Into<String>, rule: &'static str, mut statements: Vec<Statement>) -> Option<Self> {
        let left_out = statements.len().saturating_sub(MAX_LISTED);
        statements.truncate(MAX_LISTED);
        (!statements.is_empty()).then(|| Self { title: title.into(), rule, statements, left_out })
    }

    pub fn markdown(&self) -> String {
        let mut text = format!("## {}\n\n{}\n\n", self.title, self.rule);
        for statement in &self.statements {
            let sources: Vec<String> = statement
                .sources
                .iter()
                .map(|source| format!("*{}* (`{}`)", plain(&source.title), source.artifact_id))
                .collect();
            let intent = statement.intent.map(|intent| format!(" Run `{intent}`.")).unwrap_or_default();
            text.push_str(&format!("- {}{intent} — {}\n", plain(&statement.text), sources.join(", ")));
        }
        if self.left_out > 0 {
            text.push_str(&format!("- … and {} more.\n", self.left_out));
        }
        text
    }
}
