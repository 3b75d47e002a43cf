//! Refresh: a token for its successor. The rule of who gets one is in `accounts.rs`, because it has to be applied
//! inside the transaction.

use contract::audit::AuditAction;

use super::{SecurityGuard, SignedIn, audit::Note};
use crate::{
    GuardError,
    accounts::{RotateRequest, Rotated},
    peer::Peer,
    refresh_token::RefreshToken,
};

impl SecurityGuard {
    /// Rotates a refresh token.
    ///
    /// # Errors
    /// `TokenReused` for a replay, which ends the sign-in; `TokenExpired`, `TokenInvalid`, `AccountDisabled`.
    pub async fn refresh(&self, token: &str, peer: &Peer) -> Result<SignedIn, GuardError> {
        let guard = &self.0;
        let presented = RefreshToken::presented(token).ok_or(GuardError::TokenInvalid)?;
        let successor = presented.successor(&guard.refresh_secret);
        let now = guard.clock.now();
        let request = RotateRequest {
            presented: presented.hash,
            successor: successor.hash,
            device: peer.device.clone(),
            now,
            successor_expires_at: now.after(guard.config.auth.refresh_token_ttl),
            reuse_window: guard.config.auth.refresh_reuse_window,
            fresh_session: guard.fresh_session(),
        };
        match guard.accounts.rotate(request).await? {
            Rotated::Done(found) => guard.signed_in(*found, successor),
            Rotated::Reused { sign_in_id, user_id, tenant_id } => {
                guard.verified.forget_sign_in(&sign_in_id);
                tracing::warn!(%sign_in_id, "a refresh token was replayed: its sign-in has been ended");
                let note = Note::of(AuditAction::Refresh, peer).who(user_id, tenant_id).about(&sign_in_id);
                self.recorded(note, Err(GuardError::TokenReused)).await
            }
            Rotated::Expired => Err(GuardError::TokenExpired),
            Rotated::Unknown => Err(GuardError::TokenInvalid),
            Rotated::Disabled => {
                self.recorded(Note::of(AuditAction::Refresh, peer), Err(GuardError::AccountDisabled)).await
            }
        }
    }
}
