//! What can go wrong at the guard: a small enum of what its callers do differently, and one table that turns each
//! into the contract's code. Every error has two faces: a sentence for the person, and a source for the log.

use std::time::Duration;

use contract::{Code, problem::FieldError};

use crate::{accounts::StoreError, config::BadSetting, duration::whole_seconds, limits::LimitReached};

/// Why the guard refused, or could not answer. `Display` is the sentence for the person.
#[derive(Debug, thiserror::Error)]
pub enum GuardError {
    /// A body's fields do not fit.
    #[error("{}", invalid_sentence(.0))]
    Invalid(Vec<FieldError>),
    /// No credential, where one is needed.
    #[error("Sign in, and send the access token with the request.")]
    NotSignedIn,
    /// A wrong address or a wrong password; nobody learns which.
    #[error("The e-mail address or the password is wrong. Check both and try again.")]
    WrongPassword,
    /// The password was right, and the account has a second factor.
    #[error("Enter the code that your authenticator shows: send it as `code`, with the address and the password.")]
    SecondFactorRequired,
    #[error("The code is wrong or was used before. Wait for the next one, or use a recovery code.")]
    SecondFactorWrong,
    /// The token was good and its time is over.
    #[error("The sign-in has expired. Refresh the token, or sign in again.")]
    TokenExpired,
    /// Not a token of ours, or of a sign-in that has ended.
    #[error("The credential is not valid here. Sign in again.")]
    TokenInvalid,
    /// A refresh token was replayed: its family has been ended.
    #[error("This refresh token was used before, so that its sign-in has been ended. Sign in again.")]
    TokenReused,
    #[error("This account is disabled. Ask an administrator to enable it.")]
    AccountDisabled,
    #[error("This e-mail address is not confirmed. Follow the link in the letter that was sent there, then sign in.")]
    EmailNotVerified,
    #[error("This e-mail address cannot be registered. Sign in instead, or use another address.")]
    EmailTaken,
    /// It is known who asks, and they may not.
    #[error("{0}")]
    Forbidden(&'static str),
    /// It cannot be done as things stand.
    #[error("{0}")]
    Conflict(&'static str),
    /// Not there, or not the caller's: nobody learns which.
    #[error("There is no such {0}, or it is not yours.")]
    NotFound(&'static str),
    #[error("{0}")]
    TooMany(LimitReached),
    /// The queue for password hashes is full.
    #[error("Too many people are signing in just now. Try again in {} seconds.", whole_seconds(*.retry_after))]
    Busy { retry_after: Duration },
    /// The accounts cannot be reached, are full or broken.
    #[error("{}", store_sentence(.0))]
    Store(#[source] StoreError),
    /// A setting that the guard cannot start with.
    #[error(transparent)]
    Config(#[from] BadSetting),
    /// Something that should not happen, such as a stored hash that cannot be read.
    #[error("Something broke on our side. Try again, and tell us if it stays.")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

fn store_sentence(error: &StoreError) -> &'static str {
    match error {
        StoreError::Full(_) => "There is no space left to store this. Ask the operator to make room, then try again.",
        StoreError::Unavailable(_) | StoreError::Broken(_) => {
            "Accounts cannot be reached just now. Try again in a moment."
        }
    }
}

fn invalid_sentence(errors: &[FieldError]) -> String {
    match errors {
        [] => "The body does not fit.".to_owned(),
        [only] => only.message.clone(),
        several => {
            let fields: Vec<&str> = several.iter().map(|error| error.field.as_str()).collect();
            format!("Correct these fields: {}.", fields.join(", "))
        }
    }
}

impl GuardError {
    /// The table.
    pub fn code(&self) -> Code {
        match self {
            Self::Invalid(_) => Code::ValidationFailed,
            Self::NotSignedIn => Code::AuthenticationRequired,
            Self::WrongPassword => Code::AuthenticationFailed,
            Self::SecondFactorRequired => Code::SecondFactorRequired,
            Self::SecondFactorWrong => Code::SecondFactorWrong,
            Self::TokenExpired => Code::TokenExpired,
            Self::TokenInvalid => Code::TokenInvalid,
            Self::TokenReused => Code::TokenReused,
            Self::AccountDisabled => Code::AccountDisabled,
            Self::EmailNotVerified => Code::EmailNotVerified,
            Self::EmailTaken => Code::EmailTaken,
            Self::Forbidden(_) => Code::Forbidden,
            Self::Conflict(_) => Code::Conflict,
            Self::NotFound(_) => Code::NotFound,
            Self::TooMany(_) => Code::TooManyRequests,
            Self::Busy { .. } | Self::Store(StoreError::Unavailable(_)) => Code::Unavailable,
            Self::Store(StoreError::Full(_)) => Code::StorageFull,
            Self::Store(StoreError::Broken(_)) | Self::Config(_) | Self::Internal(_) => Code::Internal,
        }
    }

    /// What is wrong with single fields; empty for every error but [`GuardError::Invalid`].
    pub fn field_errors(&self) -> &[FieldError] {
        match self {
            Self::Invalid(errors) => errors,
            _ => &[],
        }
    }

    /// Seconds to wait, where waiting helps: the value of `Retry-After`.
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            Self::TooMany(reached) => Some(reached.retry_after_seconds()),
            Self::Busy { retry_after } => Some(whole_seconds(*retry_after).max(1)),
            Self::Store(StoreError::Unavailable(_)) => Some(1),
            _ => None,
        }
    }

    pub(crate) fn invalid(field: &str, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError::new(field, message)])
    }

    pub(crate) fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(source.into())
    }
}

impl From<StoreError> for GuardError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
