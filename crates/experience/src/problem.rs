//! Refusals: what a handler answers when it will not or cannot do what was asked, and the tables that turn the errors of
//! the rooms below into it. The problem document itself is written in one place, `http/envelope.rs`, which knows the
//! request's id.

use std::{borrow::Cow, error::Error, sync::Arc};

use axum::response::{IntoResponse, Response};
use contract::{
    Code,
    execution::{ExecutionProblem, ExecutionStatus},
    problem::FieldError,
};
use http::StatusCode;
use runtime::{RuntimeError, machine::RedriveRefusal};
use security_guard::{GuardError, LimitReached, RateLimit};

/// Why there is no good answer. It is boxed so that results stay small.
#[derive(Clone, Debug)]
pub struct Refusal(Box<Reason>);

/// What a refusal says, to the client and to the log.
#[derive(Clone, Debug)]
pub struct Reason {
    pub code: Code,
    /// One sentence for a person that says what to do.
    pub detail: Cow<'static, str>,
    pub errors: Vec<FieldError>,
    /// Seconds.
    pub retry_after: Option<u64>,
    /// The limit that was reached, for `X-RateLimit-*`.
    pub limit: Option<RateLimit>,
    /// What broke, for the log alone.
    pub source: Option<Arc<dyn Error + Send + Sync>>,
}

/// How soon to come back where nothing better is known, in seconds.
const RETRY_SOON: u64 = 1;

impl Refusal {
    pub fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        let retry_after = match code.status() {
            429 | 503 => Some(RETRY_SOON),
            _ => None,
        };
        Self(Box::new(Reason {
            code,
            detail: detail.into(),
            errors: Vec::new(),
            retry_after,
            limit: None,
            source: None,
        }))
    }

    /// There is no such thing, or it is somebody else's: nobody learns which.
    pub fn not_found(what: &str) -> Self {
        Self::new(Code::NotFound, format!("There is no such {what}, or it is not yours."))
    }

    /// No credential, where one is needed.
    pub fn sign_in_first() -> Self {
        GuardError::NotSignedIn.into()
    }

    /// One field of the body does not fit.
    pub fn field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::fields(vec![FieldError::new(field, message)])
    }

    /// Fields of the body do not fit.
    pub fn fields(errors: Vec<FieldError>) -> Self {
        let detail = match errors.as_slice() {
            [] => "The body does not fit. See /docs for what it has to look like.".to_owned(),
            [FieldError { field, message }] if field.is_empty() => format!("The body {message}."),
            [FieldError { field, message }] => format!("Correct `{field}`: {}", sentence(message)),
            several => {
                let fields: Vec<&str> = several.iter().map(|error| error.field.as_str()).collect();
                format!("Correct these fields: {}.", fields.join(", "))
            }
        };
        let mut refusal = Self::new(Code::ValidationFailed, detail);
        refusal.0.errors = errors;
        refusal
    }

    /// Something broke on our side. The client learns no more than that; the log gets the source.
    pub fn internal(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(Code::Internal, "Something broke on our side. Try again, and tell us the request id if it stays.")
            .because(source)
    }

    /// Why an execution that a call waited for has failed.
    pub fn from_execution(problem: &ExecutionProblem) -> Self {
        let code = Code::ALL.iter().copied().find(|code| code.as_str() == problem.code);
        Self::new(code.unwrap_or(Code::ExecutionFailed), problem.message.clone())
    }

    /// The same, where it concerns some of several things and so many others are done; `told` says which.
    pub fn for_some(mut self, done: usize, told: Vec<FieldError>) -> Self {
        let all = told.len();
        self.0.detail = format!("{done} of {all} were taken in, and `errors` says which. {}", self.0.detail).into();
        self.0.errors = told;
        self
    }

    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.0.retry_after = Some(seconds);
        self
    }

    /// What broke, for the log.
    pub fn because(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.0.source = Some(Arc::from(source.into()));
        self
    }

    pub fn reason(&self) -> &Reason {
        &self.0
    }

    pub fn code(&self) -> Code {
        self.0.code
    }
}

fn sentence(message: &str) -> String {
    if message.ends_with(['.', '!', '?']) { message.to_owned() } else { format!("{message}.") }
}

/// An answer without a body; the envelope writes the problem document where it finds the refusal beside it.
impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<GuardError> for Refusal {
    fn from(error: GuardError) -> Self {
        let mut refusal = Self::new(error.code(), error.to_string());
        refusal.0.errors = error.field_errors().to_vec();
        refusal.0.retry_after = error.retry_after();
        if let GuardError::TooMany(reached) = &error {
            refusal.0.limit = Some(reached.limit);
        }
        if error.code().status() >= 500 { refusal.because(error) } else { refusal }
    }
}

impl From<LimitReached> for Refusal {
    fn from(reached: LimitReached) -> Self {
        GuardError::TooMany(reached).into()
    }
}

impl From<RuntimeError> for Refusal {
    fn from(error: RuntimeError) -> Self {
        match error {
            RuntimeError::UnknownIntent(name) => Self::new(
                Code::UnknownIntent,
                format!("There is no intent {:?}. GET /api/intents lists those that there are.", shortened(&name)),
            ),
            RuntimeError::Refused(reason) => Self::new(Code::PolicyRefused, reason),
            RuntimeError::InvalidParameters(errors) => Self::fields(errors),
            RuntimeError::IdempotencyMismatch => Self::new(
                Code::IdempotencyMismatch,
                "This idempotency key was used with another request. Send the same request again, or use a new key.",
            ),
            RuntimeError::QuotaReached => Self::new(
                Code::QuotaReached,
                "An anonymous session can do no more than this. Register or sign in, and claim the session to go on.",
            ),
            RuntimeError::NobodyToAgree => Self::new(
                Code::Forbidden,
                "This needs an approval, which an anonymous session cannot give. Register or sign in, claim the session, \
                 and ask again.",
            ),
            RuntimeError::RoleNeeded(role) => Self::new(
                Code::Forbidden,
                format!("This takes the word of somebody with the role {role}. They find it under GET /api/approvals."),
            ),
            RuntimeError::AlreadyDecided(status) => Self::new(
                Code::AlreadyDecided,
                format!("This approval has been decided already: it is {}.", status.as_str()),
            ),
            RuntimeError::TurnInProgress => Self::new(
                Code::TurnInProgress,
                "The agent is still answering in this conversation, and takes one message at a time. Wait for its answer, or cancel it.",
            ),
            RuntimeError::TooManyWaiting => Self::new(
                Code::TooManyWaiting,
                "As many as may are waiting behind the one that runs. Wait until some of them have ended.",
            ),
            RuntimeError::Held => Self::internal("a gate has left the Runtime"),
            RuntimeError::ConversationInUse => Self::new(
                Code::Conflict,
                "Something in this conversation is under way. Stop it, or wait for its end, and delete it then.",
            ),
            RuntimeError::NotRedrivable(why) => Self::new(Code::NotRedrivable, not_redrivable(&why)),
            RuntimeError::BadCursor => Self::new(
                Code::BadCursor,
                "The cursor is none that an earlier page gave as `next_cursor`. Leave it out for the first page.",
            ),
            RuntimeError::Unavailable => {
                Self::new(Code::Unavailable, "The server takes nothing more just now. Try again in a moment.")
            }
            RuntimeError::StorageFull => Self::new(
                Code::StorageFull,
                "There is no space left to store this. Ask the operator to make room, then try again.",
            ),
            RuntimeError::OtherVersion(source) => Self::new(
                Code::VersionMismatch,
                "This was written by another version of the server, and this one cannot read it. Ask the operator for that version.",
            )
            .because(source),
            RuntimeError::Storage(source) => Self::internal(source),
        }
    }
}

/// Why an execution is not driven again, and what to do instead.
fn not_redrivable(why: &RedriveRefusal) -> String {
    match why {
        RedriveRefusal::NotFailed(ExecutionStatus::Completed) => {
            "It has completed; there is nothing to do again.".to_owned()
        }
        RedriveRefusal::NotFailed(ExecutionStatus::Cancelled) => {
            "It was cancelled, which is what somebody wanted. Submit the intent anew if it is wanted after all."
                .to_owned()
        }
        RedriveRefusal::NotFailed(status) => format!("It has not failed: it is {status}. Wait for its end."),
        RedriveRefusal::DeadlinePassed(deadline) => {
            format!("Its deadline passed at {deadline}, so that no attempt could begin. Submit the intent anew.")
        }
        RedriveRefusal::IsCalled(parent) => {
            format!("It was called by {parent}. Drive that one again: what had failed below it is tried again with it.")
        }
    }
}

/// A client's own word, fit to be said back.
fn shortened(text: &str) -> String {
    const MAX_CHARACTERS: usize = 100;
    text.chars().take(MAX_CHARACTERS).collect()
}
