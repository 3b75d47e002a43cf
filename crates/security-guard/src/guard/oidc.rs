//! From somebody who comes back from the operator's identity provider to a sign-in of ours, with tokens and all.

use contract::audit::AuditAction;

use super::{SecurityGuard, SignedIn, audit::Note};
use crate::{
    GuardError,
    identities::IdentitySignIn,
    oidc::{OidcCallback, OidcStart},
    peer::Peer,
    refresh_token::RefreshToken,
};

impl SecurityGuard {
    /// Where a browser goes to sign in at the identity provider.
    ///
    /// # Errors
    /// `NotFound` where none is configured, `Forbidden` where it cannot be reached, `TooMany`.
    pub async fn oidc_start(&self, peer: &Peer) -> Result<OidcStart, GuardError> {
        let guard = &self.0;
        guard.logins.check(&peer.limit_key(), guard.clock.now()).map_err(GuardError::TooMany)?;
        guard.oidc.start(&*guard.clock).await
    }

    /// Signs in whoever comes back, in the browser that has this cookie. The first time makes a user with a tenant of their own, bound by
    /// issuer and subject and by nothing else.
    ///
    /// # Errors
    /// `Forbidden` for whoever the provider does not vouch for, `AccountDisabled`, `NotFound`, `TooMany`.
    pub async fn oidc_finish(
        &self,
        cookie: Option<&str>,
        callback: &OidcCallback,
        peer: &Peer,
    ) -> Result<SignedIn, GuardError> {
        let outcome = self.try_oidc(cookie, callback, peer).await;
        let note = Note::of(AuditAction::SignInByProvider, peer);
        let note = match &outcome {
            Ok(signed_in) => note.by(&signed_in.caller).about(signed_in.caller.sign_in_id()),
            Err(_) => note,
        };
        self.recorded(note, outcome).await
    }

    async fn try_oidc(
        &self,
        cookie: Option<&str>,
        callback: &OidcCallback,
        peer: &Peer,
    ) -> Result<SignedIn, GuardError> {
        let guard = &self.0;
        let now = guard.clock.now();
        guard.logins.check(&peer.limit_key(), now).map_err(GuardError::TooMany)?;
        let identity = guard.oidc.finish(cookie, callback, now).await?;
        let refresh_token = RefreshToken::first(&*guard.clock);
        let request = IdentitySignIn {
            identity: self.new_identity(identity, now),
            sign_in: guard.new_sign_in(&refresh_token, None, peer),
        };
        let found = guard.accounts.sign_in_identity(request).await?.ok_or(GuardError::AccountDisabled)?;
        guard.signed_in(found, refresh_token)
    }
}
