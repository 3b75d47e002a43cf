//! Rotation of the keys that sign access tokens.

use contract::audit::AuditAction;

use super::{SecurityGuard, audit::Note};
use crate::{
    GuardError,
    accounts::SigningKey,
    peer::Peer,
    secrets,
    signing::{KeyState, KeySummary},
};

/// How the old keys go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// They verify until their last token has ended: nobody notices.
    Overlapping,
    /// At once, because one of them may be known to others: every access token has to be refreshed.
    AtOnce,
}

impl SecurityGuard {
    /// The keys that sign access tokens, oldest first.
    pub fn signing_keys(&self) -> Vec<KeySummary> {
        self.0.tokens().signing_keys(self.0.clock.now())
    }

    /// Makes a new signing key, and forgets those that are retired.
    pub async fn rotate_keys(&self, rotation: Rotation, peer: &Peer) -> Result<Vec<KeySummary>, GuardError> {
        let guard = &self.0;
        let new = secrets::make_signing_key(&*guard.clock)?;
        let key_id = new.key_id.clone();
        let gone = |key: &KeySummary| rotation == Rotation::AtOnce || key.state == KeyState::Retired;
        let retired: Vec<String> = self.signing_keys().into_iter().filter(gone).map(|key| key.key_id).collect();
        let keys: Vec<SigningKey> = guard.accounts.rotate_signing_key(new, retired).await?;
        guard.use_keys(&keys)?;
        if rotation == Rotation::AtOnce {
            guard.verified.forget_all();
        }
        self.recorded(Note::of(AuditAction::RotateKeys, peer).about(&key_id), Ok(())).await?;
        Ok(self.signing_keys())
    }
}
