//! What an owner has, for whoever only looks: a handler before anything of its intent has happened.

use std::sync::Arc;

use contract::{ArtifactId, Owner, SessionId, artifact::Artifact};

use crate::{
    handler::Failure,
    port::{Store, store::ArtifactFilter},
    worker::storage_failure,
};

/// The artifacts of one owner, seen from one session. It changes nothing.
#[derive(Clone)]
pub struct OwnerView {
    store: Arc<dyn Store>,
    owner: Owner,
    session_id: SessionId,
}

impl OwnerView {
    pub(crate) fn new(store: Arc<dyn Store>, owner: Owner, session_id: SessionId) -> Self {
        Self { store, owner, session_id }
    }

    pub fn session_id(&self) -> &SessionId {
        &self.session_id
    }

    pub async fn artifact(&self, id: &ArtifactId) -> Result<Option<Artifact>, Failure> {
        let stored = self.store.artifact(&self.owner, id).await.map_err(storage_failure)?;
        Ok(stored.map(|stored| stored.artifact))
    }

    /// The newest, newest first.
    pub async fn newest_artifacts(&self, filter: &ArtifactFilter, limit: u32) -> Result<Vec<Artifact>, Failure> {
        self.store.newest_artifacts(&self.owner, filter, limit).await.map_err(storage_failure)
    }
}
