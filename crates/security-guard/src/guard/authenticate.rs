//! From a credential to whoever is asking. A token that was verified within the last second costs one hash; any
//! other one its signature and a look at the accounts.

use contract::{SessionId, Timestamp};

use super::SecurityGuard;
use crate::{
    Asker, Caller, Credential, GuardError,
    access_token::MAX_TOKEN_BYTES,
    accounts::Standing,
    api_key,
    config::AnonymousSessions,
    secrets::hash_token,
    verified::{Ended, Remembered},
};

impl SecurityGuard {
    /// Who is asking. A ticket is used up by this, whatever comes of it.
    ///
    /// # Errors
    /// `TokenInvalid`, `TokenExpired`, `AccountDisabled`, and `NotSignedIn` for a session id that opens nothing.
    pub async fn verify(&self, credential: &Credential) -> Result<Asker, GuardError> {
        match credential {
            Credential::Bearer(token) | Credential::Cookie(token) => self.authenticate(&token.0).await.map(Asker::User),
            Credential::Ticket(ticket) => self.redeem_ticket(&ticket.0).await,
            Credential::AnonymousSession(session_id) => self.anonymous(session_id).await,
            Credential::LegacySession(session_id) => self.legacy(session_id).await,
        }
    }

    /// The caller that an access token, an API key or a token of an identity provider stands for.
    pub async fn authenticate(&self, token: &str) -> Result<Caller, GuardError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(GuardError::TokenInvalid);
        }
        let guard = &self.0;
        let now = guard.clock.now();
        let fingerprint = hash_token(token);
        let (remembered, began) = guard.verified.look(&fingerprint, now);
        let found = match remembered {
            Remembered::Fresh(caller) => return self.in_time(caller, now),
            Remembered::Stale(caller) => self.look_again(&caller, now).await,
            Remembered::Nothing if api_key::is_one(token) => self.verify_key(token, now).await,
            Remembered::Nothing if guard.providers.claim(token) => self.verify_identity(token, now).await,
            Remembered::Nothing => self.verify_token(token, now).await,
        };
        match found {
            Ok(caller) => {
                guard.verified.remember(fingerprint, caller.clone(), now, began);
                Ok(caller)
            }
            Err(error) => {
                guard.verified.forget(&fingerprint);
                Err(error)
            }
        }
    }

    /// Whether a caller from before still stands: for sockets, which outlive a request. The answer has the roles of
    /// now.
    pub async fn recheck(&self, caller: &Caller) -> Result<Caller, GuardError> {
        self.look_again(caller, self.0.clock.now()).await
    }

    /// Tells which sign-ins end in this process, right after it is so, for sockets that outlive a request. Those that
    /// other processes end are not told: look at each caller again now and then as well.
    pub fn endings(&self) -> tokio::sync::broadcast::Receiver<Ended> {
        self.0.verified.endings()
    }

    async fn look_again(&self, caller: &Caller, now: Timestamp) -> Result<Caller, GuardError> {
        let caller = self.in_time(caller.clone(), now)?;
        if let Some(key_id) = caller.api_key_id() {
            return self.look_again_at_key(key_id, now).await;
        }
        if let Some(key) = caller.identity() {
            return self.look_again_at_identity(key, caller.expires_at()).await;
        }
        let Some(sign_in_id) = caller.descends_from() else {
            let Asker::User(caller) = self.legacy(caller.session_id()).await? else {
                return Err(GuardError::TokenInvalid);
            };
            return Ok(caller);
        };
        let standing = self.0.accounts.standing(sign_in_id, now).await?;
        let standing = check_standing(standing)?;
        // The sign-in has gone over to another tenant: its tokens for this one open nothing any more.
        if standing.tenant.tenant_id != *caller.tenant_id() {
            return Err(GuardError::TokenInvalid);
        }
        let found = Caller::new(standing, caller.session_id().clone(), caller.expires_at());
        self.through(found, caller.actor().cloned()).await
    }

    async fn verify_token(&self, token: &str, now: Timestamp) -> Result<Caller, GuardError> {
        let guard = &self.0;
        let claims = guard.tokens().verify(token, now)?;
        let standing = check_standing(guard.accounts.standing(&claims.sid, now).await?)?;
        if standing.user.user_id != claims.sub || standing.tenant.tenant_id != claims.tid {
            return Err(GuardError::TokenInvalid);
        }
        let expires_at = claims.expires_at();
        self.through(Caller::new(standing, claims.ses, expires_at), claims.act.map(|actor| actor.sub)).await
    }

    fn in_time(&self, caller: Caller, now: Timestamp) -> Result<Caller, GuardError> {
        if self.0.tokens().is_over(caller.expires_at(), now) { Err(GuardError::TokenExpired) } else { Ok(caller) }
    }

    /// An anonymous session's id opens the session until somebody claims it, and nothing afterwards.
    pub(super) async fn anonymous(&self, session_id: &SessionId) -> Result<Asker, GuardError> {
        let guard = &self.0;
        let session = guard.accounts.session(session_id, guard.clock.now()).await?;
        let allowed = guard.config.session.anonymous == AnonymousSessions::Allow;
        let found = session.filter(|session| allowed && session.is_anonymous);
        found.map(|session| Asker::Anonymous { session_id: session.session_id }).ok_or(GuardError::NotSignedIn)
    }

    async fn legacy(&self, session_id: &SessionId) -> Result<Asker, GuardError> {
        let guard = &self.0;
        if !guard.config.legacy_client {
            return self.anonymous(session_id).await;
        }
        let session = guard.accounts.session(session_id, guard.clock.now()).await?.ok_or(GuardError::NotSignedIn)?;
        let (Some(user_id), Some(tenant_id)) = (&session.user_id, &session.tenant_id) else {
            return self.anonymous(session_id).await;
        };
        let standing = check_standing(guard.accounts.standing_of(user_id).await?)?;
        if standing.tenant.tenant_id != *tenant_id {
            return Err(GuardError::NotSignedIn);
        }
        Ok(Asker::User(Caller::new(standing, session.session_id, session.expires_at)))
    }
}

pub(super) fn check_standing(standing: Option<Standing>) -> Result<Standing, GuardError> {
    let standing = standing.ok_or(GuardError::TokenInvalid)?;
    if standing.user.disabled_at.is_some() { Err(GuardError::AccountDisabled) } else { Ok(standing) }
}
