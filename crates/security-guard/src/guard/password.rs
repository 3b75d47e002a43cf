//! A user changes their password: they show the old one, and their other sign-ins end.

use std::time::Duration;

use contract::{
    UserId,
    audit::AuditAction,
    auth::{ChangePassword, Secret},
};

use super::{SecurityGuard, audit::Note};
use crate::{
    Caller, GuardError,
    accounts::PasswordHash,
    config::PasswordConfig,
    email::EmailAddress,
    hashing::Verified,
    mailbox::LetterKind,
    password::{self, MAX_CHARACTERS},
    peer::Peer,
    secrets::hash_token,
};

/// The outcome of showing a password again, and how long to hold it back; see [`super::LoginAnswer`].
#[derive(Debug)]
#[must_use = "the outcome has to be held back for the delay"]
pub struct HeldBack<T> {
    pub delay: Duration,
    pub outcome: Result<T, GuardError>,
}

impl SecurityGuard {
    /// Sets a new password after the old one was shown, and ends the caller's other sign-ins. Wrong tries count like those of
    /// a sign-in.
    ///
    /// The outcome's errors are `Forbidden` for a wrong password, `Invalid` for a new one that will not do, `Busy`.
    pub async fn change_password(&self, caller: &Caller, request: ChangePassword, peer: &Peer) -> HeldBack<()> {
        self.held_back(caller, async {
            let outcome = self.try_change(caller, request).await;
            self.recorded(Note::of(AuditAction::ChangePassword, peer).by(caller), outcome).await
        })
        .await
    }

    /// Does what may be a guess, after it was looked up how long guesses at this account wait.
    pub(super) async fn held_back<T>(
        &self,
        caller: &Caller,
        work: impl Future<Output = Result<T, GuardError>>,
    ) -> HeldBack<T> {
        match self.delay_of(caller).await {
            Ok(delay) => HeldBack { delay, outcome: work.await },
            Err(error) => HeldBack { delay: Duration::ZERO, outcome: Err(error) },
        }
    }

    async fn try_change(&self, caller: &Caller, request: ChangePassword) -> Result<(), GuardError> {
        let guard = &self.0;
        let current = caller.sign_in_id().ok_or(GuardError::NotSignedIn)?;
        let ChangePassword { current_password, new_password } = request;
        if current_password == new_password {
            return Err(GuardError::invalid("new_password", "Use another password than before."));
        }
        let email: EmailAddress = caller.email().parse().map_err(GuardError::internal)?;
        password::check_new(&new_password.0, self.min_length_for(caller.user_id()).await?, &email, caller.name())
            .map_err(|sentence| GuardError::invalid("new_password", sentence))?;
        let verified = self.show_password(caller, current_password).await?;
        let new_hash = guard.hashing.hash(new_password, &*guard.clock).await?;
        let changed = guard.accounts.change_password(caller.user_id(), verified, new_hash, current, guard.clock.now());
        let Some(ended) = changed.await? else {
            return Err(GuardError::Forbidden("The password was changed meanwhile. Sign in again with the new one."));
        };
        for sign_in_id in &ended {
            guard.verified.forget_sign_in(sign_in_id);
        }
        self.notify(LetterKind::PasswordChanged, caller.user_id()).await;
        Ok(())
    }

    /// The hash of the caller's password, where this is it.
    ///
    /// # Errors
    /// `Forbidden` where it is not: the caller's token is good, so that a client is not to try and refresh it.
    pub(super) async fn show_password(&self, caller: &Caller, password: Secret) -> Result<PasswordHash, GuardError> {
        const WRONG: GuardError =
            GuardError::Forbidden("The current password is wrong. Enter the one that you signed in with.");
        let guard = &self.0;
        if password.0.chars().count() > MAX_CHARACTERS {
            return Err(WRONG);
        }
        let email: EmailAddress = caller.email().parse().map_err(GuardError::internal)?;
        let credentials = guard.accounts.credentials(email.key()).await?.ok_or(WRONG)?;
        let hash = credentials.password_hash;
        match guard.hashing.verify(password, Some(hash.clone())).await? {
            Verified::Right | Verified::RightButOutdated => Ok(hash),
            Verified::Wrong => {
                self.count_failure(caller).await?;
                Err(WRONG)
            }
        }
    }

    /// The shortest password of somebody who has a second factor, or has none.
    pub(super) fn min_length(&self, has_factor: bool) -> usize {
        let PasswordConfig { min_length, min_length_without_second_factor, .. } = &self.0.config.auth.password;
        match has_factor {
            true => *min_length,
            false => *min_length.max(min_length_without_second_factor),
        }
    }

    pub(super) async fn min_length_for(&self, user_id: &UserId) -> Result<usize, GuardError> {
        Ok(self.min_length(self.has_factor(user_id).await?))
    }

    /// Counts a wrong guess at the caller's account.
    pub(super) async fn count_failure(&self, caller: &Caller) -> Result<(), GuardError> {
        let guard = &self.0;
        let email: EmailAddress = caller.email().parse().map_err(GuardError::internal)?;
        let window = guard.config.limits.login_account.window();
        Ok(guard.accounts.record_failure(hash_token(email.key()), guard.clock.now(), window).await?)
    }

    async fn delay_of(&self, caller: &Caller) -> Result<Duration, GuardError> {
        let email: EmailAddress = caller.email().parse().map_err(GuardError::internal)?;
        self.delay(hash_token(email.key())).await
    }
}
