//! The second factor: an authenticator that shows a code every half minute, and recovery codes for when it is lost. It is
//! offered, confirmed with a code, asked for at each sign-in, and removed by whoever shows the password and a code.

use contract::{
    UserId,
    audit::AuditAction,
    auth::{ConfirmFactor, FactorOffer, FactorStanding, RecoveryCodes, RemoveFactor, Secret, ShowPassword},
};

use super::{HeldBack, SecurityGuard, audit::Note};
use crate::{
    Caller, GuardError,
    accounts::TokenHash,
    clock::random,
    factors::FactorSecret,
    mailbox::LetterKind,
    peer::Peer,
    secrets::hash_token,
    totp::{self, SECRET_BYTES},
};

/// What an authenticator shows above the code.
const ISSUER: &str = "Symphainy";
const RECOVERY_CODES: usize = 10;
/// 120 random bits: nobody guesses them, so that a fast hash is enough (ASVS 6.5.2 draws the line at 112).
const RECOVERY_CODE_BYTES: usize = 15;
/// The longest text that is looked at as a code.
const MAX_CODE_BYTES: usize = 64;

const WRONG_CODE: GuardError =
    GuardError::Forbidden("The code is wrong or was used before. Wait for the next one and enter that.");

const TOO_SHORT_ALONE: GuardError =
    GuardError::Forbidden("Your password is too short to be the only thing you show. Change it to a longer one first.");

impl SecurityGuard {
    /// Whether the caller has a second factor.
    pub async fn factor(&self, caller: &Caller) -> Result<FactorStanding, GuardError> {
        let factor = self.0.accounts.factor(caller.user_id()).await?.filter(|factor| factor.is_confirmed);
        Ok(FactorStanding {
            enrolled: factor.is_some(),
            recovery_codes_left: factor.map_or(0, |factor| factor.recovery_codes),
        })
    }

    /// Offers a secret to an authenticator, after the password was shown. Nothing changes until a code is.
    pub async fn offer_factor(&self, caller: &Caller, request: ShowPassword, peer: &Peer) -> HeldBack<FactorOffer> {
        self.held_back(caller, async {
            let offered = self.try_offer(caller, request).await;
            self.recorded(Note::of(AuditAction::OfferFactor, peer).by(caller), offered).await
        })
        .await
    }

    async fn try_offer(&self, caller: &Caller, request: ShowPassword) -> Result<FactorOffer, GuardError> {
        let guard = &self.0;
        caller.sign_in_id().ok_or(GuardError::NotSignedIn)?;
        self.show_password(caller, request.password).await?;
        let secret: [u8; SECRET_BYTES] = random(&*guard.clock);
        if !guard.accounts.offer_factor(caller.user_id(), FactorSecret(secret)).await? {
            return Err(GuardError::Forbidden("There is a second factor already. Remove it first."));
        }
        let uri = totp::uri(&secret, ISSUER, caller.email());
        Ok(FactorOffer { secret: Secret(totp::base32(&secret)), uri: Secret(uri) })
    }

    /// Confirms the offer with a code, and ends the caller's other sign-ins, which were made without one. The recovery codes
    /// are shown this once.
    pub async fn confirm_factor(
        &self,
        caller: &Caller,
        request: ConfirmFactor,
        peer: &Peer,
    ) -> HeldBack<RecoveryCodes> {
        self.held_back(caller, async {
            let confirmed = self.try_confirm(caller, request).await;
            self.recorded(Note::of(AuditAction::ConfirmFactor, peer).by(caller), confirmed).await
        })
        .await
    }

    async fn try_confirm(&self, caller: &Caller, request: ConfirmFactor) -> Result<RecoveryCodes, GuardError> {
        let guard = &self.0;
        let current = caller.sign_in_id().ok_or(GuardError::NotSignedIn)?;
        let factor = guard.accounts.factor(caller.user_id()).await?.filter(|factor| !factor.is_confirmed);
        let factor = factor.ok_or(GuardError::Forbidden("No second factor is offered. Ask for one first."))?;
        let code = plain(&request.code.0);
        let Some(step) = totp::matching_step(&factor.secret.0, &code, guard.clock.now()) else {
            self.count_failure(caller).await?;
            return Err(WRONG_CODE);
        };
        let codes: Vec<String> = (0..RECOVERY_CODES).map(|_| self.recovery_code()).collect();
        let hashes = codes.iter().map(|code| hash_token(&plain(code))).collect();
        if !guard.accounts.confirm_factor(caller.user_id(), step, hashes).await? {
            return Err(GuardError::Forbidden("No second factor is offered. Ask for one first."));
        }
        self.end_others(caller, current).await?;
        self.notify(LetterKind::FactorAdded, caller.user_id()).await;
        Ok(RecoveryCodes { recovery_codes: codes.into_iter().map(Secret).collect() })
    }

    /// Removes the second factor of whoever shows the password and a code.
    pub async fn remove_factor(&self, caller: &Caller, request: RemoveFactor, peer: &Peer) -> HeldBack<()> {
        self.held_back(caller, async {
            let removed = self.try_remove(caller, request).await;
            self.recorded(Note::of(AuditAction::RemoveFactor, peer).by(caller), removed).await
        })
        .await
    }

    async fn try_remove(&self, caller: &Caller, request: RemoveFactor) -> Result<(), GuardError> {
        let guard = &self.0;
        caller.sign_in_id().ok_or(GuardError::NotSignedIn)?;
        let length = request.password.0.chars().count();
        self.show_password(caller, request.password).await?;
        if length < self.min_length(false) {
            return Err(TOO_SHORT_ALONE);
        }
        if !self.is_good_code(caller.user_id(), &request.code.0).await? {
            self.count_failure(caller).await?;
            return Err(WRONG_CODE);
        }
        guard.accounts.remove_factor(caller.user_id()).await?;
        self.notify(LetterKind::FactorRemoved, caller.user_id()).await;
        Ok(())
    }

    /// Uses up a code of the user's authenticator, or a recovery code.
    pub(super) async fn is_good_code(&self, user_id: &UserId, code: &str) -> Result<bool, GuardError> {
        let guard = &self.0;
        let factor = guard.accounts.factor(user_id).await?.filter(|factor| factor.is_confirmed);
        let Some(factor) = factor.filter(|_| code.len() <= MAX_CODE_BYTES) else { return Ok(false) };
        let code = plain(code);
        match totp::matching_step(&factor.secret.0, &code, guard.clock.now()) {
            Some(step) => Ok(guard.accounts.use_step(user_id, step).await?),
            None => Ok(guard.accounts.use_recovery_code(user_id, hash_token(&code)).await?),
        }
    }

    /// Whether a user who showed the right password may come in, as far as the second factor goes.
    ///
    /// # Errors
    /// `SecondFactorRequired` where there is one and no code came along, `SecondFactorWrong` for a wrong code, which counts
    /// as a failure of the account.
    pub(super) async fn check_factor(
        &self,
        user_id: &UserId,
        code: Option<&Secret>,
        account_key: TokenHash,
    ) -> Result<(), GuardError> {
        let guard = &self.0;
        match code {
            _ if !self.has_factor(user_id).await? => Ok(()),
            None => Err(GuardError::SecondFactorRequired),
            Some(code) if self.is_good_code(user_id, &code.0).await? => Ok(()),
            Some(_) => {
                let window = guard.config.limits.login_account.window();
                guard.accounts.record_failure(account_key, guard.clock.now(), window).await?;
                Err(GuardError::SecondFactorWrong)
            }
        }
    }

    pub(super) async fn has_factor(&self, user_id: &UserId) -> Result<bool, GuardError> {
        Ok(self.0.accounts.factor(user_id).await?.is_some_and(|factor| factor.is_confirmed))
    }

    fn recovery_code(&self) -> String {
        let text = totp::base32(&random::<RECOVERY_CODE_BYTES>(&*self.0.clock));
        let groups: Vec<&str> = [0, 4, 8, 12, 16, 20].into_iter().map(|from| &text[from..from + 4]).collect();
        groups.join("-")
    }
}

/// A code as it is compared: people write spaces and dashes into it.
fn plain(code: &str) -> String {
    code.chars()
        .filter(|character| character.is_ascii_alphanumeric())
        .map(|letter| letter.to_ascii_uppercase())
        .collect()
}
