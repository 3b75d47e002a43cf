//! What a session has made so far, as far as outcomes can be drawn from it: files, what was read of them, reports about them,
//! workflows and procedures.

use std::collections::HashSet;

use contract::{
    ArtifactId, Code,
    artifact::{Artifact, LifecycleState},
};
use runtime::{
    ExecutionContext, Failure,
    port::store::{ArtifactFilter, Object},
};
use serde_json::Value;

use super::statement::Source;
use crate::journey::{self, workflow::Workflow};

/// How many of a session's newest artifacts are looked at.
const MOST_LOOKED_AT: u32 = 500;

/// One artifact that something can be said from.
#[derive(Clone, Debug, PartialEq)]
pub struct Exhibit {
    pub artifact_id: ArtifactId,
    pub kind: Kind,
    pub title: String,
    pub payload: Object,
    pub parents: Vec<ArtifactId>,
}

/// The types of artifacts that count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    File,
    ParsedFile,
    DataQuality,
    Profile,
    Workflow,
    Sop,
}

impl Kind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::ParsedFile => "parsed_file",
            Self::DataQuality => "data_quality",
            Self::Profile => "profile",
            Self::Workflow => journey::WORKFLOW,
            Self::Sop => journey::SOP,
        }
    }

    fn of(artifact_type: &str) -> Option<Self> {
        [Self::File, Self::ParsedFile, Self::DataQuality, Self::Profile, Self::Workflow, Self::Sop]
            .into_iter()
            .find(|kind| kind.as_str() == artifact_type)
    }
}

/// Everything that counts, oldest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evidence {
    pub exhibits: Vec<Exhibit>,
}

/// How bad an issue is, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    High,
    Medium,
    Low,
}

impl Severity {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        }
    }

    fn from_word(word: &str) -> Self {
        match word.to_ascii_lowercase().as_str() {
            "high" => Self::High,
            "medium" => Self::Medium,
            _ => Self::Low,
        }
    }
}

/// What a quality report complains about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issue {
    pub severity: Severity,
    pub text: String,
}

impl Exhibit {
    pub fn source(&self) -> Source {
        Source {
            artifact_id: self.artifact_id.clone(),
            artifact_type: self.kind.as_str().to_owned(),
            title: self.title.clone(),
        }
    }

    /// A number of the payload.
    pub fn number(&self, key: &str) -> Option<u64> {
        self.payload.get(key)?.as_u64()
    }

    /// The issues of a quality report, the worst first, in the report's order among equals.
    pub fn issues(&self) -> Vec<Issue> {
        let issues = self.payload.get("issues").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let mut issues: Vec<Issue> = issues.iter().filter_map(issue).collect();
        issues.sort_by_key(|issue| issue.severity);
        issues
    }

    /// The graph of a workflow.
    pub fn workflow(&self) -> Option<Workflow> {
        (self.kind == Kind::Workflow)
            .then(|| serde_json::from_value(Value::Object(self.payload.clone())).ok())
            .flatten()
    }

    fn of(artifact: Artifact) -> Option<Self> {
        let kind = Kind::of(&artifact.artifact_type)?;
        let is_there = matches!(artifact.lifecycle_state, LifecycleState::Draft | LifecycleState::Ready);
        is_there.then(|| Self {
            title: journey::title(&artifact).to_owned(),
            artifact_id: artifact.artifact_id,
            kind,
            payload: artifact.semantic_payload,
            parents: artifact.parent_artifacts,
        })
    }
}

fn issue(value: &Value) -> Option<Issue> {
    let text = |key: &str| value.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let message = text("message")?;
    Some(Issue { severity: Severity::from_word(text("severity").unwrap_or_default()), text: message.to_owned() })
}

impl Evidence {
    pub fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &Exhibit> {
        self.exhibits.iter().filter(move |exhibit| exhibit.kind == kind)
    }

    /// What was made of an artifact, directly or through something else that was made of it.
    pub fn made_of(&self, id: &ArtifactId, kind: Kind) -> Option<&Exhibit> {
        let mut family = HashSet::from([id]);
        // Oldest first, so parents stand before what was made of them.
        for exhibit in &self.exhibits {
            if exhibit.parents.iter().any(|parent| family.contains(parent)) {
                family.insert(&exhibit.artifact_id);
            }
        }
        self.of_kind(kind).filter(|exhibit| exhibit.artifact_id != *id && family.contains(&exhibit.artifact_id)).last()
    }

    /// Sorts out artifacts that outcomes are not drawn from, and older ones that a newer one of the same kind and origin replaces.
    /// `newest_first` is as the store lists them.
    pub fn of_artifacts(newest_first: Vec<Artifact>) -> Self {
        let mut seen = HashSet::new();
        let mut exhibits: Vec<Exhibit> = newest_first
            .into_iter()
            .filter_map(Exhibit::of)
            .filter(|exhibit| {
                let origin = exhibit.parents.first().cloned();
                let name = exhibit.title.clone();
                // What has no origin is its own; a file twice uploaded is two files.
                exhibit.kind == Kind::File || seen.insert((exhibit.kind, origin, name))
            })
            .collect();
        exhibits.reverse();
        Self { exhibits }
    }
}

/// The evidence of the session that the execution belongs to.
pub async fn gather(context: &ExecutionContext) -> Result<Evidence, Failure> {
    let filter = ArtifactFilter { session_id: Some(context.session_id().clone()), ..ArtifactFilter::default() };
    let evidence = Evidence::of_artifacts(context.newest_artifacts(&filter, MOST_LOOKED_AT).await?);
    if evidence.exhibits.is_empty() {
        return Err(Failure::new(
            Code::NotFound,
            "There is nothing in this session to draw from yet. Upload a file and run assess_data_quality, or run create_workflow with a procedure; then ask again.",
        ));
    }
    Ok(evidence)
}
