//! Sign-out: this sign-in, or all of the user's. What this process remembers of them is forgotten after the accounts
//! have written it and before the answer.

use contract::audit::AuditAction;

use super::{SecurityGuard, audit::Note};
use crate::{Caller, GuardError, peer::Peer};

impl SecurityGuard {
    /// Ends the sign-in that the caller's credential descends from; a second time is no error.
    pub async fn logout(&self, caller: &Caller, peer: &Peer) -> Result<(), GuardError> {
        let guard = &self.0;
        let sign_in_id = caller.sign_in_id().ok_or(GuardError::NotSignedIn)?;
        guard.accounts.revoke_sign_in(sign_in_id, guard.clock.now()).await?;
        guard.verified.forget_sign_in(sign_in_id);
        self.recorded(Note::of(AuditAction::SignOut, peer).by(caller).about(sign_in_id), Ok(())).await
    }

    /// Ends every sign-in of the caller's.
    pub async fn logout_everywhere(&self, caller: &Caller, peer: &Peer) -> Result<(), GuardError> {
        let guard = &self.0;
        caller.sign_in_id().ok_or(GuardError::NotSignedIn)?;
        guard.accounts.revoke_user(caller.user_id(), guard.clock.now()).await?;
        guard.verified.forget_user(caller.user_id());
        self.recorded(Note::of(AuditAction::SignOutEverywhere, peer).by(caller), Ok(())).await
    }
}
