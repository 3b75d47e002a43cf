//! The outbox: letters are put into it beside what they tell of, and go out afterwards, so that nobody waits for a mail server and none
//! is lost in a restart. A token is made when its letter goes out, which is why a known and an unknown address make the same work for
//! whoever asks.

use std::time::Duration;

use contract::Timestamp;

use super::{
    SecurityGuard,
    letters::{TokenLetter, notice, with_token},
};
use crate::{
    GuardError,
    accounts::StoreError,
    clock::random,
    mail::{Letter, NotDelivered},
    mailbox::{LetterKind, MailPurpose, NewLetter, NewMailToken, WaitingLetter},
    secrets::{base64url, hash_token},
};

/// What tokens in letters begin with, so that people can tell what they have found.
pub(super) const PREFIX: &str = "symm_";
/// How long a new password can be set.
const RESET_TTL: Duration = Duration::from_secs(30 * 60);
/// How long an address can be confirmed.
const VERIFY_TTL: Duration = Duration::from_secs(24 * 3_600);
/// Letters that one call delivers.
const BATCH: usize = 20;
/// The wait after the first try; it doubles from there.
const FIRST_WAIT: Duration = Duration::from_secs(60);
const LONGEST_WAIT: Duration = Duration::from_secs(4 * 3_600);
/// After so many tries, some 20 hours, a letter is given up.
const MAX_ATTEMPTS: u32 = 12;

impl SecurityGuard {
    /// Delivers what is due, a bounded number at a time; when the next letter is due, if one waits. To be called whenever
    /// [`Self::letter_posted`] returns, and at that time.
    pub async fn deliver_letters(&self) -> Result<Option<Timestamp>, GuardError> {
        let guard = &self.0;
        for letter in guard.accounts.due_letters(guard.clock.now(), BATCH).await? {
            self.deliver(letter).await?;
        }
        Ok(guard.accounts.next_letter().await?)
    }

    /// Waits until a letter is put into the outbox. It is a hint: a letter may wait without it.
    pub async fn letter_posted(&self) {
        self.0.posted.notified().await;
    }

    async fn deliver(&self, waiting: WaitingLetter) -> Result<(), GuardError> {
        let guard = &self.0;
        let Some(letter) = self.write(&waiting).await? else {
            return Ok(guard.accounts.take_out(waiting.number).await?);
        };
        let (number, kind) = (waiting.number, waiting.kind);
        match guard.mail.deliver(&letter).await {
            Ok(()) => {
                tracing::info!(number, %kind, "a letter is out");
                guard.accounts.take_out(number).await?;
            }
            Err(NotDelivered::Later(error)) if waiting.attempts + 1 < MAX_ATTEMPTS => {
                let wait = wait_after(waiting.attempts);
                tracing::warn!(number, %kind, ?wait, error = chain(&*error), "a letter could not be delivered; it is tried again");
                guard.accounts.put_off(number, guard.clock.now().after(wait)).await?;
            }
            Err(NotDelivered::Later(error) | NotDelivered::Never(error)) => {
                tracing::error!(number, %kind, error = chain(&*error), "a letter could not be delivered and is given up");
                guard.accounts.take_out(number).await?;
            }
        }
        Ok(())
    }

    /// The letter as it goes out now; `None` where there is nothing to say to anybody any more.
    async fn write(&self, waiting: &WaitingLetter) -> Result<Option<Letter>, GuardError> {
        let accounts = &self.0.accounts;
        match waiting.kind {
            LetterKind::Reset => {
                let user = accounts.user_by_email(&waiting.subject).await?;
                let Some(user) = user.filter(|user| user.disabled_at.is_none()) else { return Ok(None) };
                let token = self.mail_token(MailPurpose::Reset, user.user_id.as_str(), RESET_TTL).await?;
                Ok(Some(self.token_letter(&user.email, TokenLetter::Reset, &token)))
            }
            LetterKind::Registered | LetterKind::Verification => {
                let user = accounts.user_by_email(&waiting.subject).await?;
                let Some(user) = user.filter(|user| user.disabled_at.is_none()) else { return Ok(None) };
                if accounts.has_verified_address(&user.user_id).await? {
                    return Ok(notice(&user.email, waiting.kind));
                }
                let token = self.mail_token(MailPurpose::Verify, user.user_id.as_str(), VERIFY_TTL).await?;
                Ok(Some(self.token_letter(&user.email, TokenLetter::Verify, &token)))
            }
            LetterKind::PasswordChanged | LetterKind::FactorAdded | LetterKind::FactorRemoved => {
                let Ok(user_id) = waiting.subject.parse() else { return Ok(None) };
                let standing = accounts.standing_of(&user_id).await?;
                Ok(standing.and_then(|standing| notice(&standing.user.email, waiting.kind)))
            }
            LetterKind::Invitation => self.write_invitation(&waiting.subject).await,
        }
    }

    async fn write_invitation(&self, invitation_id: &str) -> Result<Option<Letter>, GuardError> {
        let guard = &self.0;
        let Ok(invitation_id) = invitation_id.parse() else { return Ok(None) };
        let now = guard.clock.now();
        let Some(invitation) = guard.accounts.invitation(&invitation_id, now).await? else { return Ok(None) };
        let Some(by) = guard.accounts.standing_of(&invitation.invited_by).await? else { return Ok(None) };
        let left = invitation.expires_at.since(now);
        let token = self.mail_token(MailPurpose::Invitation, invitation_id.as_str(), left).await?;
        let what = TokenLetter::Invitation { by: &by.user.email };
        Ok(Some(self.token_letter(&invitation.email, what, &token)))
    }

    async fn mail_token(&self, purpose: MailPurpose, subject: &str, ttl: Duration) -> Result<String, GuardError> {
        let guard = &self.0;
        let token = format!("{PREFIX}{}", base64url(&random::<32>(&*guard.clock)));
        let new = NewMailToken {
            hash: hash_token(&token),
            purpose,
            subject: subject.to_owned(),
            expires_at: guard.clock.now().after(ttl),
        };
        guard.accounts.keep_mail_token(new).await?;
        Ok(token)
    }

    fn token_letter(&self, to: &str, what: TokenLetter<'_>, token: &str) -> Letter {
        with_token(to, what, token, self.0.config.auth.mail_link.as_deref())
    }

    pub(super) fn new_letter(&self, kind: LetterKind, subject: &str) -> NewLetter {
        NewLetter { kind, subject: subject.to_owned(), now: self.0.clock.now() }
    }

    /// Puts a letter into the outbox. Where that is full, the log says so and nobody else: what the letter tells of has happened.
    pub(super) async fn post(&self, kind: LetterKind, subject: &str) -> Result<(), StoreError> {
        match self.0.accounts.post(self.new_letter(kind, subject)).await? {
            true => self.0.posted.notify_one(),
            false => tracing::error!(%kind, "the outbox is full, and a letter was not taken"),
        }
        Ok(())
    }

    /// Tells a user of a change that has been made. It cannot be undone by a letter that is not taken.
    pub(super) async fn notify(&self, kind: LetterKind, user_id: &contract::UserId) {
        if let Err(error) = self.post(kind, user_id.as_str()).await {
            tracing::error!(%kind, %error, "a notice could not be put into the outbox");
        }
    }
}

fn wait_after(attempts: u32) -> Duration {
    FIRST_WAIT.saturating_mul(2_u32.saturating_pow(attempts)).min(LONGEST_WAIT)
}

/// An error with what it came from, for the log.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        source = inner.source();
    }
    text
}
