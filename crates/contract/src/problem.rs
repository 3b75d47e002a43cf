//! What went wrong, as a client reads it: RFC 9457 problem details with a stable code.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The body of every answer that is not a success (`application/problem+json`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// A page about this code: `/docs/errors#<code>`.
    #[serde(rename = "type")]
    pub kind: String,
    pub title: String,
    pub status: u16,
    /// One sentence for a person that says what to do.
    pub detail: String,
    /// The stable code.
    pub error: String,
    /// The same as `detail`; older clients read it.
    pub message: String,
    pub request_id: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// Seconds to wait, with 429 and 503.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
}

/// What is wrong with one field of a body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldError {
    /// Where it is, as a path: `parameters.limit`.
    pub field: String,
    pub message: String,
}

impl FieldError {
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }
}

macro_rules! codes {
    ($($name:ident = $text:literal, $status:literal, $title:literal;)*) => {
        /// Every code that a client can meet, with its HTTP status and title.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Code {
            $(#[serde(rename = $text)] $name,)*
        }

        impl Code {
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The HTTP status that answers with this code carry.
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }

            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }
        }
    };
}

codes! {
    BadRequest = "bad_request", 400, "The request cannot be understood";
    MalformedJson = "malformed_json", 400, "The body is not JSON";
    ConflictingCredentials = "conflicting_credentials", 400, "The credentials contradict each other";
    BadIdempotencyKey = "bad_idempotency_key", 400, "The idempotency key cannot be used";
    BadCursor = "bad_cursor", 400, "The cursor cannot be used";
    AuthenticationRequired = "authentication_required", 401, "Sign in first";
    AuthenticationFailed = "authentication_failed", 401, "Sign-in failed";
    SecondFactorRequired = "second_factor_required", 401, "A code is needed too";
    SecondFactorWrong = "second_factor_wrong", 401, "The code is wrong";
    TokenExpired = "token_expired", 401, "The token has expired";
    TokenInvalid = "token_invalid", 401, "The token is not valid";
    TokenReused = "token_reused", 401, "The refresh token was used before";
    Forbidden = "forbidden", 403, "Not allowed";
    PolicyRefused = "policy_refused", 403, "The policy does not allow it";
    ForeignOrigin = "foreign_origin", 403, "The origin is not allowed";
    CsrfTokenInvalid = "csrf_token_invalid", 403, "The CSRF token is not valid";
    AccountDisabled = "account_disabled", 403, "The account is disabled";
    EmailNotVerified = "email_not_verified", 403, "The address is not confirmed";
    NotFound = "not_found", 404, "Not found";
    UnknownIntent = "unknown_intent", 404, "No such intent";
    UnknownAgent = "unknown_agent", 404, "No such agent";
    MethodNotAllowed = "method_not_allowed", 405, "The method is not allowed here";
    Conflict = "conflict", 409, "It conflicts with what is there";
    EmailTaken = "email_taken", 409, "The address cannot be registered";
    AlreadyDecided = "already_decided", 409, "Already decided";
    TurnInProgress = "turn_in_progress", 409, "An earlier turn has not ended";
    NotRedrivable = "not_redrivable", 409, "It cannot be driven again";
    Gone = "gone", 410, "It was deleted";
    PayloadTooLarge = "payload_too_large", 413, "Too large";
    UnsupportedMediaType = "unsupported_media_type", 415, "The content type is not supported";
    ValidationFailed = "validation_failed", 422, "The body does not fit";
    IdempotencyMismatch = "idempotency_mismatch", 422, "The idempotency key was used with another body";
    UpgradeRequired = "upgrade_required", 426, "A WebSocket is spoken here";
    TooManyRequests = "too_many_requests", 429, "Too many requests";
    BudgetExhausted = "budget_exhausted", 429, "The budget is used up";
    QuotaReached = "quota_reached", 429, "The limit of an anonymous session is reached";
    TooManyWaiting = "too_many_waiting", 429, "Too many wait already";
    HeadersTooLarge = "headers_too_large", 431, "The headers are too large";
    Internal = "internal", 500, "Something broke on our side";
    VersionMismatch = "version_mismatch", 501, "It belongs to another version";
    Unavailable = "unavailable", 503, "Not available just now";
    StorageFull = "storage_full", 507, "The storage is full";
    // The codes below end an execution or stand in a frame; as an answer they would carry the status beside them.
    ExecutionFailed = "execution_failed", 500, "The execution failed";
    HandlerPanicked = "handler_panicked", 500, "The handler broke";
    ResultTooLarge = "result_too_large", 500, "The result is too large to be kept";
    Timeout = "timeout", 504, "It took too long";
    Cancelled = "cancelled", 409, "It was cancelled";
    UnreadableFile = "unreadable_file", 422, "The file cannot be read";
    UnsupportedFormat = "unsupported_format", 415, "The format is not supported";
    QueryRefused = "query_refused", 422, "The question cannot be answered";
    ModelUnavailable = "model_unavailable", 503, "The model does not answer";
    ApprovalRejected = "approval_rejected", 409, "The approval was refused";
    ApprovalExpired = "approval_expired", 409, "The approval expired";
    BadFrame = "bad_frame", 400, "The frame cannot be understood";
}

impl Code {
    /// The whole problem document.
    pub fn problem(self, detail: impl Into<String>, request_id: impl Into<String>) -> Problem {
        let detail = detail.into();
        Problem {
            kind: format!("/docs/errors#{}", self.as_str()),
            title: self.title().to_owned(),
            status: self.status(),
            message: detail.clone(),
            detail,
            error: self.as_str().to_owned(),
            request_id: request_id.into(),
            errors: Vec::new(),
            retry_after: None,
        }
    }
}
