//! A user's own sign-ins: what there are, and ending the others. What this process remembers of one that ends is
//! forgotten before the answer, and its sockets are told.

use contract::{
    SignInId,
    audit::AuditAction,
    auth::{OwnSignIn, OwnSignIns},
};

use super::{SecurityGuard, audit::Note};
use crate::{Caller, GuardError, peer::Peer};

/// The most sign-ins that are listed, the newest ones.
const MAX_LISTED: usize = 200;

impl SecurityGuard {
    /// The caller's sign-ins that have not ended, newest first.
    pub async fn sign_ins(&self, caller: &Caller) -> Result<OwnSignIns, GuardError> {
        let guard = &self.0;
        let current = caller.sign_in_id().ok_or(GuardError::NotSignedIn)?;
        let found = guard.accounts.sign_ins(caller.user_id(), guard.clock.now(), MAX_LISTED).await?;
        let own = |sign_in: crate::accounts::SignIn| OwnSignIn {
            current: sign_in.sign_in_id == *current,
            sign_in_id: sign_in.sign_in_id,
            session_id: sign_in.session_id,
            agent: sign_in.device.agent,
            address: sign_in.device.address,
            created_at: sign_in.created_at,
            used_at: sign_in.used_at,
            expires_at: sign_in.expires_at,
        };
        Ok(OwnSignIns { sign_ins: found.into_iter().map(own).collect() })
    }

    /// Ends one of the caller's sign-ins; it may be the one that they use.
    ///
    /// # Errors
    /// `NotFound` where there is none of this id, or it is another user's.
    pub async fn end_sign_in(&self, caller: &Caller, sign_in_id: &SignInId, peer: &Peer) -> Result<(), GuardError> {
        let ended = self.try_end(caller, sign_in_id).await;
        let note = Note::of(AuditAction::EndSignIn, peer).by(caller).about(sign_in_id);
        self.recorded(note, ended).await
    }

    async fn try_end(&self, caller: &Caller, sign_in_id: &SignInId) -> Result<(), GuardError> {
        let guard = &self.0;
        caller.sign_in_id().ok_or(GuardError::NotSignedIn)?;
        let now = guard.clock.now();
        let standing = guard.accounts.standing(sign_in_id, now).await?;
        let own = standing.is_some_and(|standing| standing.user.user_id == *caller.user_id());
        if !own || !guard.accounts.revoke_sign_in(sign_in_id, now).await? {
            return Err(GuardError::NotFound("sign-in"));
        }
        guard.verified.forget_sign_in(sign_in_id);
        Ok(())
    }

    /// Ends all of the caller's sign-ins but the one that they use.
    pub async fn end_other_sign_ins(&self, caller: &Caller, peer: &Peer) -> Result<(), GuardError> {
        let current = caller.sign_in_id().ok_or(GuardError::NotSignedIn)?;
        let ended = self.end_others(caller, current).await;
        self.recorded(Note::of(AuditAction::EndOtherSignIns, peer).by(caller).about(current), ended).await
    }

    pub(super) async fn end_others(&self, caller: &Caller, current: &SignInId) -> Result<(), GuardError> {
        let guard = &self.0;
        let ended = guard.accounts.revoke_others(caller.user_id(), current, guard.clock.now()).await?;
        for sign_in_id in &ended {
            guard.verified.forget_sign_in(sign_in_id);
        }
        Ok(())
    }
}
