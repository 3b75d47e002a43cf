//! Refresh: a token for its successor. The rule of who gets one is in `accounts.rs`, because it has to be applied
//! inside the transaction.

use super::{SecurityGuard, SignedIn};
use crate::{
    GuardError,
    accounts::{RotateRequest, Rotated},
    refresh_token::RefreshToken,
};

impl SecurityGuard {
    /// Rotates a refresh token.
    ///
    /// # Errors
    /// `TokenReused` for a replay, which ends the sign-in; `TokenExpired`, `TokenInvalid`, `AccountDisabled`.
    pub async fn refresh(&self, token: &str) -> Result<SignedIn, GuardError> {
        let guard = &self.0;
        let presented = RefreshToken::presented(token).ok_or(GuardError::TokenInvalid)?;
        let successor = presented.successor(&guard.refresh_secret);
        let now = guard.clock.now();
        let request = RotateRequest {
            presented: presented.hash,
            successor: successor.hash,
            now,
            successor_expires_at: now.after(guard.config.auth.refresh_token_ttl),
            reuse_window: guard.config.auth.refresh_reuse_window,
            fresh_session: guard.fresh_session(),
        };
        match guard.accounts.rotate(request).await? {
            Rotated::Done(found) => guard.signed_in(*found, successor),
            Rotated::Reused { sign_in_id } => {
                guard.verified.forget_sign_in(&sign_in_id);
                tracing::warn!(%sign_in_id, "a refresh token was replayed: its sign-in has been ended");
                Err(GuardError::TokenReused)
            }
            Rotated::Expired => Err(GuardError::TokenExpired),
            Rotated::Unknown => Err(GuardError::TokenInvalid),
            Rotated::Disabled => Err(GuardError::AccountDisabled),
        }
    }
}
