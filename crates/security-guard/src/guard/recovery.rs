//! What somebody does by a letter: set a new password in place of a forgotten one, and show that an address is theirs. Whoever asks for a
//! letter gets the same answer after the same work, whether there is such an account or not.

use contract::{
    UserId,
    audit::AuditAction,
    auth::{ConfirmEmail, RequestLetter, ResetPassword},
};

use super::{SecurityGuard, audit::Note, post::PREFIX};
use crate::{
    GuardError,
    email::EmailAddress,
    mailbox::{LetterKind, MailPurpose, RecoverRequest},
    password,
    peer::Peer,
    secrets::hash_token,
};

const NO_TOKEN: GuardError =
    GuardError::Forbidden("This link was used before, or its time is over. Ask for a new letter.");

impl SecurityGuard {
    /// Asks for a letter with which a new password can be set.
    ///
    /// # Errors
    /// `Invalid` for what cannot be an address, `TooMany`.
    pub async fn request_reset(&self, request: &RequestLetter, peer: &Peer) -> Result<(), GuardError> {
        let asked = self.ask_for(LetterKind::Reset, request, peer).await;
        self.recorded(Note::of(AuditAction::RequestReset, peer), asked).await
    }

    /// Asks again for the letter that verifies an address.
    ///
    /// # Errors
    /// Those of [`Self::request_reset`].
    pub async fn request_verification(&self, request: &RequestLetter, peer: &Peer) -> Result<(), GuardError> {
        let asked = self.ask_for(LetterKind::Verification, request, peer).await;
        self.recorded(Note::of(AuditAction::RequestVerification, peer), asked).await
    }

    async fn ask_for(&self, kind: LetterKind, request: &RequestLetter, peer: &Peer) -> Result<(), GuardError> {
        let guard = &self.0;
        guard.letters.check(&peer.limit_key(), guard.clock.now()).map_err(GuardError::TooMany)?;
        let email: EmailAddress =
            request.email.parse().map_err(|error| GuardError::invalid("email", format!("{error}")))?;
        self.post_to(kind, &email).await
    }

    /// Posts a letter to an address, unless it has had enough of them: nobody is to be flooded through us. Whoever asked does not
    /// learn which.
    pub(super) async fn post_to(&self, kind: LetterKind, email: &EmailAddress) -> Result<(), GuardError> {
        let guard = &self.0;
        if guard.letters_to.check(&hash_token(email.key()), guard.clock.now()).is_ok() {
            self.post(kind, email.key()).await?;
        }
        Ok(())
    }

    /// Sets a new password by a token out of a letter, and ends every sign-in of the user. Their second factor stays.
    ///
    /// # Errors
    /// `Forbidden` for a token that is none, `Invalid` for a password that will not do, `TooMany`, `Busy`.
    pub async fn recover_password(&self, request: ResetPassword, peer: &Peer) -> Result<(), GuardError> {
        let outcome = self.try_recover(request, peer).await;
        let note = self.note_of(AuditAction::RecoverPassword, peer, outcome.as_ref().ok()).await?;
        let user_id = self.recorded(note, outcome).await?;
        self.notify(LetterKind::PasswordChanged, &user_id).await;
        Ok(())
    }

    async fn try_recover(&self, request: ResetPassword, peer: &Peer) -> Result<UserId, GuardError> {
        let guard = &self.0;
        let now = guard.clock.now();
        guard.logins.check(&peer.limit_key(), now).map_err(GuardError::TooMany)?;
        let ResetPassword { token, new_password } = request;
        let token = if token.0.starts_with(PREFIX) { hash_token(&token.0) } else { return Err(NO_TOKEN) };
        let subject = guard.accounts.mail_token(token, MailPurpose::Reset, now).await?.ok_or(NO_TOKEN)?;
        let user_id: UserId = subject.parse().map_err(GuardError::internal)?;
        let user = guard.accounts.standing_of(&user_id).await?.ok_or(NO_TOKEN)?.user;
        let email: EmailAddress = user.email.parse().map_err(GuardError::internal)?;
        password::check_new(&new_password.0, self.min_length_for(&user_id).await?, &email, &user.name)
            .map_err(|sentence| GuardError::invalid("new_password", sentence))?;
        let hash = guard.hashing.hash(new_password, &*guard.clock).await?;
        let request = RecoverRequest { token, user_id: user_id.clone(), hash, now: guard.clock.now() };
        if !guard.accounts.recover(request).await? {
            return Err(NO_TOKEN);
        }
        guard.verified.forget_user(&user_id);
        Ok(user_id)
    }

    /// Takes the address for verified to which a letter with this token went.
    ///
    /// # Errors
    /// `Forbidden` for a token that is none, `TooMany`.
    pub async fn confirm_email(&self, request: &ConfirmEmail, peer: &Peer) -> Result<(), GuardError> {
        let outcome = self.try_confirm_email(request, peer).await;
        let note = self.note_of(AuditAction::VerifyEmail, peer, outcome.as_ref().ok()).await?;
        self.recorded(note, outcome).await.map(drop)
    }

    async fn try_confirm_email(&self, request: &ConfirmEmail, peer: &Peer) -> Result<UserId, GuardError> {
        let guard = &self.0;
        let now = guard.clock.now();
        guard.logins.check(&peer.limit_key(), now).map_err(GuardError::TooMany)?;
        if !request.token.0.starts_with(PREFIX) {
            return Err(NO_TOKEN);
        }
        guard.accounts.verify_address(hash_token(&request.token.0), now).await?.ok_or(NO_TOKEN)
    }

    async fn note_of<'a>(
        &self,
        action: AuditAction,
        peer: &'a Peer,
        user_id: Option<&UserId>,
    ) -> Result<Note<'a>, GuardError> {
        let note = Note::of(action, peer);
        let Some(user_id) = user_id else { return Ok(note) };
        Ok(match self.0.accounts.standing_of(user_id).await? {
            Some(standing) => note.standing(&standing),
            None => note.about(user_id),
        })
    }
}
