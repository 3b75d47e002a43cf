//! Sign-in with a password. Known and unknown addresses, disabled and enabled accounts take the same steps until the
//! password has been found right, so that neither the answer nor its time tells which it was.

use std::time::Duration;

use contract::{UserId, audit::AuditAction, auth::Login};

use super::{SecurityGuard, SignedIn, audit::Note};
use crate::{
    GuardError,
    accounts::{Credentials, SignInOutcome, SignInRequest, TokenHash},
    config::VerifyEmail,
    email::EmailAddress,
    hashing::Verified,
    mailbox::LetterKind,
    password::MAX_CHARACTERS,
    peer::Peer,
    refresh_token::RefreshToken,
    secrets::hash_token,
};

/// What the first try waits after too many failures; each further one waits twice as long.
const FIRST_DELAY: Duration = Duration::from_secs(1);
/// No try waits longer: a lock-out would let anybody shut anybody else out.
const LONGEST_DELAY: Duration = Duration::from_secs(10);

/// The outcome of a try to sign in, and how long to hold it back. The delay is for good and bad outcomes alike.
#[derive(Debug)]
#[must_use = "the outcome has to be held back for the delay"]
pub struct LoginAnswer {
    pub delay: Duration,
    pub outcome: Result<SignedIn, GuardError>,
}

impl SecurityGuard {
    /// Signs a person in, and claims the anonymous session that came along.
    ///
    /// The outcome's errors are `WrongPassword`, `AccountDisabled`, `Invalid`, `TooMany` and `Busy`.
    pub async fn login(&self, request: Login, peer: &Peer) -> LoginAnswer {
        let guard = &self.0;
        let limited = guard.logins.check(&peer.limit_key(), guard.clock.now()).map_err(GuardError::TooMany);
        match limited.and_then(|()| parse(&request)) {
            Err(error) => {
                let outcome = self.recorded(Note::of(AuditAction::SignIn, peer), Err(error)).await;
                LoginAnswer { delay: Duration::ZERO, outcome }
            }
            Ok(email) => self.try_password(request, &email, peer).await,
        }
    }

    async fn try_password(&self, request: Login, email: &EmailAddress, peer: &Peer) -> LoginAnswer {
        let account_key = hash_token(email.key());
        match self.delay(account_key).await {
            Err(error) => LoginAnswer { delay: Duration::ZERO, outcome: Err(error) },
            Ok(delay) => LoginAnswer { delay, outcome: self.sign_in(request, email, account_key, peer).await },
        }
    }

    pub(super) async fn delay(&self, account_key: TokenHash) -> Result<Duration, GuardError> {
        let guard = &self.0;
        let limit = guard.config.limits.login_account;
        let failures = guard.accounts.failures(account_key, guard.clock.now(), limit.window()).await?;
        Ok(delay_after(failures, limit.count()))
    }

    async fn sign_in(
        &self,
        request: Login,
        email: &EmailAddress,
        account_key: TokenHash,
        peer: &Peer,
    ) -> Result<SignedIn, GuardError> {
        let guard = &self.0;
        let credentials = guard.accounts.credentials(email.key()).await?;
        let standing = match &credentials {
            Some(credentials) => guard.accounts.standing_of(&credentials.user_id).await?,
            None => None,
        };
        let outcome = self.check_password(request, credentials, account_key, peer).await;
        let note = Note::of(AuditAction::SignIn, peer);
        let note = match (&outcome, &standing) {
            (Ok(signed_in), _) => note.by(&signed_in.caller).about(signed_in.caller.sign_in_id()),
            (Err(_), Some(standing)) => note.standing(standing),
            (Err(_), None) => note,
        };
        self.recorded(note, outcome).await
    }

    async fn check_password(
        &self,
        request: Login,
        credentials: Option<Credentials>,
        account_key: TokenHash,
        peer: &Peer,
    ) -> Result<SignedIn, GuardError> {
        let hash = credentials.as_ref().map(|credentials| credentials.password_hash.clone());
        let verified = self.0.hashing.verify(request.password.clone(), hash).await?;
        let Some(credentials) = credentials.filter(|_| verified != Verified::Wrong) else {
            return Err(self.wrong_password(account_key).await?);
        };
        if credentials.disabled_at.is_some() {
            return Err(GuardError::AccountDisabled);
        }
        self.check_factor(&credentials.user_id, request.code.as_ref(), account_key).await?;
        self.check_address(&credentials.user_id, &request.email).await?;
        self.write_sign_in(request, credentials, verified, account_key, peer).await
    }

    /// Whether somebody who showed the right password may come in, as far as their address goes. Where it is not confirmed, the letter
    /// goes out again.
    async fn check_address(&self, user_id: &UserId, email: &str) -> Result<(), GuardError> {
        let guard = &self.0;
        if guard.config.auth.verify_email == VerifyEmail::Off || guard.accounts.has_verified_address(user_id).await? {
            return Ok(());
        }
        let email: EmailAddress = email.parse().map_err(GuardError::internal)?;
        self.post_to(LetterKind::Verification, &email).await?;
        Err(GuardError::EmailNotVerified)
    }

    async fn write_sign_in(
        &self,
        request: Login,
        credentials: Credentials,
        verified: Verified,
        account_key: TokenHash,
        peer: &Peer,
    ) -> Result<SignedIn, GuardError> {
        let guard = &self.0;
        let new_hash = match verified {
            Verified::RightButOutdated => Some(guard.hashing.hash(request.password, &*guard.clock).await?),
            Verified::Right | Verified::Wrong => None,
        };
        let refresh_token = RefreshToken::first(&*guard.clock);
        let claimed = request.session_id.clone();
        let request = SignInRequest {
            user_id: credentials.user_id,
            verified_hash: credentials.password_hash,
            new_hash,
            account_key,
            sign_in: guard.new_sign_in(&refresh_token, request.session_id, peer),
        };
        match guard.accounts.sign_in(request).await? {
            SignInOutcome::Done(found) => {
                guard.claimed(claimed.as_ref());
                guard.signed_in(*found, refresh_token)
            }
            SignInOutcome::Disabled => Err(GuardError::AccountDisabled),
            SignInOutcome::Changed => Err(self.wrong_password(account_key).await?),
        }
    }

    async fn wrong_password(&self, account_key: TokenHash) -> Result<GuardError, GuardError> {
        let guard = &self.0;
        let window = guard.config.limits.login_account.window();
        guard.accounts.record_failure(account_key, guard.clock.now(), window).await?;
        Ok(GuardError::WrongPassword)
    }
}

/// An address or a password that nobody can have is refused before anything is computed.
fn parse(request: &Login) -> Result<EmailAddress, GuardError> {
    if request.password.0.is_empty() {
        return Err(GuardError::invalid("password", "Enter the password."));
    }
    if request.password.0.chars().count() > MAX_CHARACTERS {
        return Err(GuardError::invalid("password", "A password has at most 1024 characters. Check what was entered."));
    }
    request.email.parse().map_err(|error| GuardError::invalid("email", format!("{error}")))
}

fn delay_after(failures: u32, free: u32) -> Duration {
    match failures.checked_sub(free) {
        None => Duration::ZERO,
        Some(over) => FIRST_DELAY.saturating_mul(2_u32.saturating_pow(over)).min(LONGEST_DELAY),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_wait_longer_and_longer_but_never_long() {
        for (failures, seconds) in
            [(0, 0), (9, 0), (10, 1), (11, 2), (12, 4), (13, 8), (14, 10), (15, 10), (u32::MAX, 10)]
        {
            assert_eq!(delay_after(failures, 10), Duration::from_secs(seconds), "{failures}");
        }
    }
}
