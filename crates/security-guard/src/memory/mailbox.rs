//! The outbox in memory, and a plug of mail that keeps letters rather than sending them.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use contract::{Timestamp, UserId};

use super::{MemoryAccounts, State};
use crate::{
    accounts::{StoreError, TokenHash},
    mail::{Letter, Mail, NotDelivered},
    mailbox::{MAX_WAITING, MailPurpose, Mailbox, NewLetter, NewMailToken, RecoverRequest, WaitingLetter},
};

/// Letters that [`MemoryMail`] keeps.
const MAX_KEPT: usize = 100;

/// Keeps the last letters, for whoever wants to read them.
#[derive(Default)]
pub struct MemoryMail(Mutex<VecDeque<Letter>>);

impl MemoryMail {
    /// The letters that came since the last call, oldest first.
    pub fn take(&self) -> Vec<Letter> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).drain(..).collect()
    }
}

#[async_trait]
impl Mail for MemoryMail {
    async fn deliver(&self, letter: &Letter) -> Result<(), NotDelivered> {
        let mut letters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        letters.push_back(letter.clone());
        if letters.len() > MAX_KEPT {
            letters.pop_front();
        }
        Ok(())
    }
}

#[derive(Default)]
pub(super) struct Outbox {
    letters: Vec<(WaitingLetter, Timestamp)>,
    posted: i64,
    tokens: Vec<NewMailToken>,
}

impl Outbox {
    pub(super) fn is_full(&self) -> bool {
        self.letters.len() >= MAX_WAITING
    }

    pub(super) fn post(&mut self, letter: NewLetter) -> bool {
        if self.is_full() {
            return false;
        }
        self.posted += 1;
        let NewLetter { kind, subject, now } = letter;
        let waiting = WaitingLetter { number: self.posted, kind, subject, posted_at: now, attempts: 0 };
        self.letters.push((waiting, now));
        true
    }

    /// Whom or what an open token is for.
    pub(super) fn subject_of(&self, token: TokenHash, purpose: MailPurpose, now: Timestamp) -> Option<&str> {
        let opens = |kept: &&NewMailToken| kept.hash == token && kept.purpose == purpose && now < kept.expires_at;
        self.tokens.iter().find(opens).map(|kept| kept.subject.as_str())
    }

    pub(super) fn forget_expired(&mut self, now: Timestamp) {
        self.tokens.retain(|kept| now < kept.expires_at);
    }

    fn use_up(&mut self, subject: &str, purpose: MailPurpose) {
        self.tokens.retain(|kept| kept.purpose != purpose || kept.subject != subject);
    }
}

impl State {
    fn user_of_token(&self, token: TokenHash, purpose: MailPurpose, now: Timestamp) -> Option<UserId> {
        self.outbox.subject_of(token, purpose, now)?.parse().ok()
    }
}

#[async_trait]
impl Mailbox for MemoryAccounts {
    async fn post(&self, letter: NewLetter) -> Result<bool, StoreError> {
        Ok(self.lock().outbox.post(letter))
    }

    async fn due_letters(&self, now: Timestamp, limit: usize) -> Result<Vec<WaitingLetter>, StoreError> {
        let state = self.lock();
        let mut due: Vec<&(WaitingLetter, Timestamp)> =
            state.outbox.letters.iter().filter(|(_, due_at)| *due_at <= now).collect();
        due.sort_by_key(|(letter, due_at)| (*due_at, letter.number));
        Ok(due.into_iter().take(limit).map(|(letter, _)| letter.clone()).collect())
    }

    async fn next_letter(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.lock().outbox.letters.iter().map(|(_, due_at)| *due_at).min())
    }

    async fn put_off(&self, number: i64, until: Timestamp) -> Result<(), StoreError> {
        if let Some((letter, due_at)) =
            self.lock().outbox.letters.iter_mut().find(|(letter, _)| letter.number == number)
        {
            letter.attempts += 1;
            *due_at = until;
        }
        Ok(())
    }

    async fn take_out(&self, number: i64) -> Result<(), StoreError> {
        self.lock().outbox.letters.retain(|(letter, _)| letter.number != number);
        Ok(())
    }

    async fn keep_mail_token(&self, token: NewMailToken) -> Result<(), StoreError> {
        self.lock().outbox.tokens.push(token);
        Ok(())
    }

    async fn mail_token(
        &self,
        token: TokenHash,
        purpose: MailPurpose,
        now: Timestamp,
    ) -> Result<Option<String>, StoreError> {
        Ok(self.lock().outbox.subject_of(token, purpose, now).map(str::to_owned))
    }

    async fn recover(&self, request: RecoverRequest) -> Result<bool, StoreError> {
        let RecoverRequest { token, user_id, hash, now } = request;
        let mut state = self.lock();
        if state.user_of_token(token, MailPurpose::Reset, now).as_ref() != Some(&user_id) {
            return Ok(false);
        }
        let Some(row) = state.users.get_mut(&user_id) else { return Ok(false) };
        row.password_hash = hash;
        state.outbox.use_up(user_id.as_str(), MailPurpose::Reset);
        state.verified.insert(user_id.clone());
        state.revoke_user(&user_id);
        Ok(true)
    }

    async fn verify_address(&self, token: TokenHash, now: Timestamp) -> Result<Option<UserId>, StoreError> {
        let mut state = self.lock();
        let Some(user_id) = state.user_of_token(token, MailPurpose::Verify, now) else { return Ok(None) };
        state.outbox.use_up(user_id.as_str(), MailPurpose::Verify);
        state.verified.insert(user_id.clone());
        Ok(Some(user_id))
    }

    async fn vouch_for_address(&self, user_id: &UserId, _now: Timestamp) -> Result<(), StoreError> {
        self.lock().verified.insert(user_id.clone());
        Ok(())
    }

    async fn has_verified_address(&self, user_id: &UserId) -> Result<bool, StoreError> {
        Ok(self.lock().verified.contains(user_id))
    }
}
