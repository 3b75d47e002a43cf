//! Intents that somebody means to submit later. They execute nothing: submitting one under its id does.

use contract::{ArtifactId, IntentId, Owner, execution::ExecutionStatus, pending::PendingIntent};

use super::{RuntimeClient, RuntimeError};
use crate::port::{
    clock::random_10,
    store::{KeptPending, Object, Page, PageRequest, PendingFilter},
};

/// How many intents an owner may mean to submit at a time.
const MAX_PENDING: u32 = 1_000;

/// What somebody means to submit.
#[derive(Clone, Debug)]
pub struct NewPendingIntent {
    /// The client's own id; a new one where it has none.
    pub intent_id: Option<IntentId>,
    pub intent_type: String,
    pub target_artifact_id: ArtifactId,
    pub context: Object,
}

impl RuntimeClient {
    /// Keeps what an owner means to do with an artifact. The same id again answers what is kept, and is refused where something else
    /// was meant. `None` where the owner has no such artifact.
    pub async fn keep_pending(
        &self,
        owner: &Owner,
        new: NewPendingIntent,
    ) -> Result<Option<PendingIntent>, RuntimeError> {
        if !self.offers(&new.intent_type) {
            return Err(RuntimeError::UnknownIntent(new.intent_type));
        }
        if self.artifact(owner, &new.target_artifact_id).await?.is_none() {
            return Ok(None);
        }
        let now = self.shared.clock.now();
        let pending = PendingIntent {
            intent_id: new.intent_id.unwrap_or_else(|| IntentId::from_parts(now, random_10(&*self.shared.clock))),
            intent_type: new.intent_type,
            status: ExecutionStatus::Pending,
            target_artifact_id: new.target_artifact_id,
            context: new.context,
            execution_id: None,
            created_at: now,
            updated_at: now,
        };
        match self.shared.store.keep_pending(owner, &pending, MAX_PENDING).await? {
            KeptPending::Kept => Ok(Some(pending)),
            KeptPending::Known(known) if means_the_same(&known, &pending) => Ok(Some(known)),
            KeptPending::Known(_) => Err(RuntimeError::IdempotencyMismatch),
            KeptPending::TooMany => {
                let message = format!("would be the {}th that waits; submit some of the others first", MAX_PENDING + 1);
                Err(RuntimeError::invalid("intent_type", &message))
            }
        }
    }

    /// Newest first.
    pub async fn pending_intents(
        &self,
        owner: &Owner,
        filter: &PendingFilter,
        page: PageRequest,
    ) -> Result<Page<PendingIntent>, RuntimeError> {
        Ok(self.shared.store.pending_intents(owner, filter, page).await?)
    }
}

fn means_the_same(known: &PendingIntent, new: &PendingIntent) -> bool {
    known.intent_type == new.intent_type
        && known.target_artifact_id == new.target_artifact_id
        && known.context == new.context
}
