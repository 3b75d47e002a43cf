//! Artifacts and objects of a run: what it reads, and what it keeps when it completes.

use std::collections::BTreeMap;

use bytes::Bytes;
use contract::{
    ArtifactId, Code, ObjectId,
    artifact::{Artifact, LifecycleState, Provenance},
};
use sha2::{Digest, Sha256};

use super::{Run, lock, run::storage_failure};
use crate::{
    context::{ArtifactChange, NewArtifact},
    handler::Failure,
    port::{
        ObjectError,
        clock::{random_10, random_16},
        objects::hex,
        store::{ArtifactFilter, ArtifactKeys, Object, Page, PageRequest, SearchHit, StoredArtifact, StoredObject},
    },
};

/// What is to be kept, by key.
#[derive(Default)]
pub(crate) struct Kept {
    by_key: BTreeMap<String, StoredArtifact>,
}

impl Kept {
    pub(super) fn keys(&self) -> ArtifactKeys {
        self.by_key.iter().map(|(key, stored)| (key.clone(), stored.artifact.artifact_id.clone())).collect()
    }

    pub(super) fn artifacts(&self) -> Vec<StoredArtifact> {
        self.by_key.values().cloned().collect()
    }
}

impl Run {
    pub(crate) fn new_artifact_id(&self) -> ArtifactId {
        ArtifactId::from_parts(self.now(), random_10(&*self.shared.clock))
    }

    pub(crate) fn keep(&self, key: &str, new: NewArtifact) -> Artifact {
        let header = self.header();
        let now = self.now();
        let artifact = Artifact {
            artifact_id: new.artifact_id.unwrap_or_else(|| self.new_artifact_id()),
            artifact_type: new.artifact_type,
            tenant_id: header.owner.tenant_id().cloned(),
            session_id: header.session_id.clone(),
            lifecycle_state: new.lifecycle_state.unwrap_or(LifecycleState::Draft),
            semantic_descriptor: new.semantic_descriptor,
            semantic_payload: new.semantic_payload,
            renderings: new.renderings,
            materializations: Vec::new(),
            parent_artifacts: new.parent_artifacts,
            produced_by: Provenance {
                intent: header.intent_id.clone(),
                intent_type: header.intent_type.clone(),
                execution_id: header.execution_id.clone(),
            },
            created_at: now,
            updated_at: now,
        };
        let stored = StoredArtifact { artifact: artifact.clone(), content: new.content, search_text: new.search_text };
        lock(&self.kept).by_key.insert(key.to_owned(), stored);
        artifact
    }

    pub(crate) async fn change_artifact(
        &self,
        key: &str,
        id: &ArtifactId,
        change: ArtifactChange,
    ) -> Result<Option<Artifact>, Failure> {
        let Some(mut stored) = self.stored_artifact(id).await? else { return Ok(None) };
        match change {
            ArtifactChange::State(state) => {
                stored.artifact.lifecycle_state = state;
                stored.search_text = None;
            }
            ArtifactChange::Describe { descriptor, payload } => {
                stored.artifact.semantic_descriptor.extend(descriptor);
                stored.artifact.semantic_payload.extend(payload);
                stored.search_text = None;
            }
            ArtifactChange::Delete => {
                stored.artifact.lifecycle_state = LifecycleState::Deleted;
                stored.artifact.semantic_payload = Object::new();
                stored.artifact.renderings = Object::new();
                stored.search_text = Some(String::new());
                lock(&self.deleted_objects).extend(stored.content.take().map(|content| content.object_id));
            }
        }
        stored.artifact.updated_at = self.now();
        let artifact = stored.artifact.clone();
        lock(&self.kept).by_key.insert(key.to_owned(), stored);
        Ok(Some(artifact))
    }

    pub(crate) async fn stored_artifact(&self, id: &ArtifactId) -> Result<Option<StoredArtifact>, Failure> {
        let owner = self.owner().await?;
        self.shared.store.artifact(&owner, id).await.map_err(storage_failure)
    }

    pub(crate) async fn artifacts(
        &self,
        filter: &ArtifactFilter,
        page: PageRequest,
    ) -> Result<Page<Artifact>, Failure> {
        let owner = self.owner().await?;
        self.shared.store.artifacts(&owner, filter, page).await.map_err(storage_failure)
    }

    pub(crate) async fn newest_artifacts(&self, filter: &ArtifactFilter, limit: u32) -> Result<Vec<Artifact>, Failure> {
        let owner = self.owner().await?;
        self.shared.store.newest_artifacts(&owner, filter, limit).await.map_err(storage_failure)
    }

    pub(crate) async fn search(&self, text: &str, limit: u32) -> Result<Vec<SearchHit>, Failure> {
        let owner = self.owner().await?;
        self.shared.store.search(&owner, text, limit).await.map_err(storage_failure)
    }

    pub(crate) async fn read_object(&self, object: &StoredObject) -> Result<Bytes, Failure> {
        let bytes = self.shared.objects.read(&object.object_id).await.map_err(object_failure)?;
        bytes.ok_or_else(|| Failure::new(Code::Gone, "The bytes of the file are gone."))
    }

    pub(crate) async fn write_object(
        &self,
        bytes: Bytes,
        media_type: &str,
        file_name: &str,
    ) -> Result<StoredObject, Failure> {
        let object_id = ObjectId::from_random(random_16(&*self.shared.clock));
        let (size_bytes, sha256) = (bytes.len() as u64, Some(hex(&Sha256::digest(&bytes))));
        let mut sink = self.shared.objects.create(&object_id).await.map_err(object_failure)?;
        sink.write(bytes).await.map_err(object_failure)?;
        sink.finish().await.map_err(object_failure)?;
        let (media_type, file_name) = (media_type.to_owned(), file_name.to_owned());
        Ok(StoredObject { object_id, size_bytes, sha256, media_type, file_name })
    }
}

fn object_failure(error: ObjectError) -> Failure {
    match error {
        ObjectError::Full => {
            Failure::transient(Code::StorageFull, "The storage is full; free some space and try again.")
        }
        ObjectError::Failed(error) => {
            tracing::error!(error = %error, "the object storage failed");
            Failure::transient(Code::Internal, "The file storage failed; try again.")
        }
    }
}
