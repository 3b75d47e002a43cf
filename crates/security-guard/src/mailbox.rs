//! The port for the outbox and for what letters carry: a part of the accounts. A letter that waits says what it is about and to whom,
//! and has no token: that is made when the letter goes out, and only its hash is kept.

use std::{fmt, str::FromStr};

use async_trait::async_trait;
use contract::{Timestamp, UserId};

use crate::accounts::{PasswordHash, StoreError, TokenHash};

/// Letters that wait at a time; one more is not taken.
pub const MAX_WAITING: usize = 10_000;

/// What a letter is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LetterKind {
    /// Somebody forgot the password of an address.
    Reset,
    /// Somebody registered with an address, which may be known already.
    Registered,
    /// Somebody asks again for the letter that verifies an address.
    Verification,
    PasswordChanged,
    FactorAdded,
    FactorRemoved,
    Invitation,
}

impl LetterKind {
    pub const ALL: [Self; 7] = [
        Self::Reset,
        Self::Registered,
        Self::Verification,
        Self::PasswordChanged,
        Self::FactorAdded,
        Self::FactorRemoved,
        Self::Invitation,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reset => "reset",
            Self::Registered => "registered",
            Self::Verification => "verification",
            Self::PasswordChanged => "password_changed",
            Self::FactorAdded => "factor_added",
            Self::FactorRemoved => "factor_removed",
            Self::Invitation => "invitation",
        }
    }
}

impl fmt::Display for LetterKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The text is no kind of letter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no kind of letter")]
pub struct NotALetter(String);

impl FromStr for LetterKind {
    type Err = NotALetter;

    fn from_str(text: &str) -> Result<Self, NotALetter> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or_else(|| NotALetter(text.to_owned()))
    }
}

/// A letter to be put into the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewLetter {
    pub kind: LetterKind,
    /// Whom or what it concerns: an address as it is compared, a user, an invitation.
    pub subject: String,
    pub now: Timestamp,
}

/// A letter that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingLetter {
    /// Its name in the outbox.
    pub number: i64,
    pub kind: LetterKind,
    pub subject: String,
    pub posted_at: Timestamp,
    /// How often it has been tried.
    pub attempts: u32,
}

/// What a token of a letter opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MailPurpose {
    Reset,
    Verify,
    Invitation,
}

impl MailPurpose {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reset => "reset",
            Self::Verify => "verify",
            Self::Invitation => "invitation",
        }
    }
}

/// A token that is about to go out.
#[derive(Clone, Debug)]
pub struct NewMailToken {
    pub hash: TokenHash,
    pub purpose: MailPurpose,
    /// The user or the invitation that it is for.
    pub subject: String,
    pub expires_at: Timestamp,
}

/// A token for a new password was shown.
#[derive(Clone, Debug)]
pub struct RecoverRequest {
    pub token: TokenHash,
    pub user_id: UserId,
    pub hash: PasswordHash,
    pub now: Timestamp,
}

/// Where letters wait.
#[async_trait]
pub trait Mailbox: Send + Sync {
    /// Puts a letter into the outbox; `false` where there are [`MAX_WAITING`].
    async fn post(&self, letter: NewLetter) -> Result<bool, StoreError>;

    /// Letters whose time has come, those that wait longest first, at most `limit`.
    async fn due_letters(&self, now: Timestamp, limit: usize) -> Result<Vec<WaitingLetter>, StoreError>;

    /// When the next one is due, of those that wait.
    async fn next_letter(&self) -> Result<Option<Timestamp>, StoreError>;

    /// Counts a try, and waits until then.
    async fn put_off(&self, number: i64, until: Timestamp) -> Result<(), StoreError>;

    /// A letter is out, or given up.
    async fn take_out(&self, number: i64) -> Result<(), StoreError>;

    async fn keep_mail_token(&self, token: NewMailToken) -> Result<(), StoreError>;

    /// Whom or what a token is for, where it is one and has not ended. It is not used up.
    async fn mail_token(
        &self,
        token: TokenHash,
        purpose: MailPurpose,
        now: Timestamp,
    ) -> Result<Option<String>, StoreError>;

    /// Uses up every token for a new password of a user, one of which was shown: sets the password, takes the address for verified, and
    /// ends every sign-in. `false` where the token is none.
    async fn recover(&self, request: RecoverRequest) -> Result<bool, StoreError>;

    /// Uses up every such token of the user whose token it is, and takes the address for verified; whose it was.
    async fn verify_address(&self, token: TokenHash, now: Timestamp) -> Result<Option<UserId>, StoreError>;

    /// Takes a user's address for verified, because somebody vouches for it.
    async fn vouch_for_address(&self, user_id: &UserId, now: Timestamp) -> Result<(), StoreError>;

    async fn has_verified_address(&self, user_id: &UserId) -> Result<bool, StoreError>;
}
