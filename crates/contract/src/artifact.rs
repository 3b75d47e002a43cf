//! Artifacts: what executions make and keep, with their lineage.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::{ArtifactId, ExecutionId, IntentId, SessionId, TenantId, Timestamp};

/// Where an artifact is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LifecycleState {
    /// Ingested, not yet kept.
    Draft,
    Ready,
    Archived,
    /// Its record stays; its payload and content are gone.
    Deleted,
}

impl LifecycleState {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Ready => "ready",
            Self::Archived => "archived",
            Self::Deleted => "deleted",
        }
    }

    /// A client's word for a state: any case, and `active` for `ready`.
    pub fn from_word(word: &str) -> Option<Self> {
        match word.to_ascii_lowercase().as_str() {
            "draft" => Some(Self::Draft),
            "ready" | "active" => Some(Self::Ready),
            "archived" => Some(Self::Archived),
            "deleted" => Some(Self::Deleted),
            _ => None,
        }
    }
}

/// Something that an execution made or kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Artifact {
    pub artifact_id: ArtifactId,
    /// `file`, `parsed_file`, `data_quality`, `profile`, `workflow`, `sop`, `roadmap`, `synthesis`, …
    pub artifact_type: String,
    pub tenant_id: Option<TenantId>,
    pub session_id: SessionId,
    pub lifecycle_state: LifecycleState,
    /// What it is in words: `{title, media_type?, size_bytes?, …}`.
    pub semantic_descriptor: Map<String, Value>,
    /// What it says, as data. Empty once it is deleted.
    pub semantic_payload: Map<String, Value>,
    /// The same for eyes, by format: `{"markdown": "…", "mermaid": "…", "bpmn": "…"}`.
    pub renderings: Map<String, Value>,
    pub materializations: Vec<Value>,
    pub parent_artifacts: Vec<ArtifactId>,
    pub produced_by: Provenance,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Artifact {
    /// The flat form of `Execution.artifacts` and of `resolve`: the artifact's fields, and the payload's beside them
    /// where no field of the artifact has that name.
    pub fn flat(&self) -> Map<String, Value> {
        let Ok(Value::Object(mut fields)) = serde_json::to_value(self) else {
            unreachable!("an artifact is a JSON object");
        };
        for (key, value) in &self.semantic_payload {
            fields.entry(key).or_insert_with(|| value.clone());
        }
        fields
    }
}

/// Where an artifact came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Provenance {
    pub intent: IntentId,
    pub intent_type: String,
    pub execution_id: ExecutionId,
}

/// The body of `POST /api/artifact/list`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListArtifacts {
    #[serde(default)]
    pub session_id: Option<SessionId>,
    #[serde(default, deserialize_with = "crate::id::blank_is_none")]
    pub tenant_id: Option<TenantId>,
    #[serde(default)]
    pub artifact_type: Option<String>,
    /// A lifecycle state in any case; `active` means `ready`.
    #[serde(default)]
    pub lifecycle_state: Option<String>,
    #[serde(default)]
    pub eligible_for: Option<String>,
    /// 1 to 200; 50 when not given.
    #[serde(default)]
    pub limit: Option<u32>,
    #[serde(default)]
    pub offset: Option<u32>,
    #[serde(default)]
    pub cursor: Option<String>,
}

/// The answer of `POST /api/artifact/list`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ArtifactPage {
    pub artifacts: Vec<Artifact>,
    pub total: u64,
    pub limit: u32,
    pub offset: u32,
    pub next_cursor: Option<String>,
}

/// The body of `POST /api/artifact/resolve`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResolveArtifact {
    pub artifact_id: ArtifactId,
    #[serde(default)]
    pub artifact_type: Option<String>,
    #[serde(default)]
    pub session_id: Option<SessionId>,
    #[serde(default, deserialize_with = "crate::id::blank_is_none")]
    pub tenant_id: Option<TenantId>,
}
