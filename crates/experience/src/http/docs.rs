//! Pages for people: the API to try, and what each error code means.

use std::fmt::Write;

use axum::{
    extract::Path,
    response::{IntoResponse, Redirect, Response},
};
use bytes::Bytes;
use contract::Code;
use http::{HeaderValue, header};

use super::swagger_ui;
use crate::Refusal;

/// The pages bring their own scripts and styles, and load nothing from anywhere else.
const PAGE_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'",
);

/// `GET /openapi.json`.
pub(super) fn document(json: Bytes) -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], json).into_response()
}

/// `GET /docs`.
pub(super) async fn docs() -> Redirect {
    Redirect::permanent("/docs/")
}

/// `GET /docs/`.
pub(super) async fn index() -> Result<Response, Refusal> {
    file("index.html")
}

/// `GET /docs/{file}`.
pub(super) async fn asset(Path(name): Path<String>) -> Result<Response, Refusal> {
    file(&name)
}

fn file(name: &str) -> Result<Response, Refusal> {
    let asset = swagger_ui::asset(name).ok_or_else(|| Refusal::not_found("page"))?;
    let content_type = HeaderValue::from_static(asset.content_type);
    let headers = [(header::CONTENT_TYPE, content_type), (header::CONTENT_SECURITY_POLICY, PAGE_POLICY)];
    let encoding = asset.is_gzip.then_some([(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"))]);
    Ok((headers, encoding, asset.bytes).into_response())
}

/// `GET /docs/errors`: every code with its status and what to do. The `type` of a problem document links here.
pub(super) async fn errors() -> Response {
    let mut page = String::from(PAGE_HEAD);
    for code in Code::ALL {
        let (name, status, title, advice) = (code.as_str(), code.status(), code.title(), advice(*code));
        writeln!(
            page,
            "<section id=\"{name}\"><h2><code>{name}</code> <small>{status}</small></h2>\
             <p><b>{title}.</b> {advice}</p></section>"
        )
        .expect("a string takes everything");
    }
    page.push_str("</main></body></html>\n");
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    ([(header::CONTENT_TYPE, html), (header::CONTENT_SECURITY_POLICY, PAGE_POLICY)], page).into_response()
}

const PAGE_HEAD: &str = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Symphainy: errors</title>\
<meta name=\"viewport\" content=\"width=device-width\"><style>body{font:16px/1.5 system-ui,sans-serif;margin:2rem}\
main{max-width:44rem;margin:auto}h2{font-size:1.1rem;margin:1.5rem 0 0}p{margin:.2rem 0}small{color:#666}\
:target{background:#ffd}</style></head><body><main><h1>Errors</h1><p>Every answer that is no success is a problem \
document (RFC 9457). Its <code>error</code> is one of these codes; its <code>request_id</code> finds it in the log.</p>\n";

/// What somebody who meets the code can do about it.
fn advice(code: Code) -> &'static str {
    match code {
        Code::BadRequest => {
            "Read the detail: it names the part that cannot be understood. Correct it and send it again."
        }
        Code::MalformedJson => "Check the body with a JSON parser; the detail has the line and the column.",
        Code::ConflictingCredentials => "Send one credential, or two of the same sign-in.",
        Code::BadIdempotencyKey => "Use a key of 1 to 255 visible ASCII characters, such as a UUID.",
        Code::BadCursor => "Use a cursor exactly as an answer gave it, or begin without one.",
        Code::AuthenticationRequired => "Sign in, and send <code>Authorization: Bearer</code> with the access token.",
        Code::AuthenticationFailed => "Check the address and the password. After many failures each try waits longer.",
        Code::SecondFactorRequired => {
            "The address and the password are right. Send them again with <code>code</code>: what the authenticator shows, or a \
             recovery code."
        }
        Code::SecondFactorWrong => "Each code is good once. Wait for the next one, or use a recovery code.",
        Code::TokenExpired => "Refresh the token at <code>POST /api/auth/refresh</code>, or sign in again.",
        Code::TokenInvalid => "The token is not ours, was changed, or its sign-in has ended. Sign in again.",
        Code::TokenReused => {
            "A refresh token came back after it had been used, so that its sign-in was ended: somebody may have copied it. \
             Sign in again, and keep the newest token only."
        }
        Code::Forbidden => "You are known, and may not do this. Ask an administrator of your tenant for the role.",
        Code::PolicyRefused => {
            "The detail names the rule. An operator can change it; <code>symphainy policy check</code> explains each decision."
        }
        Code::ForeignOrigin => {
            "A page of another site sent this. If the site is yours, the operator adds it to <code>experience.origins</code>."
        }
        Code::CsrfTokenInvalid => {
            "Send <code>X-CSRF-Token</code> with the token that the sign-in answered; the cookie <code>symphainy-csrf</code> has it too."
        }
        Code::AccountDisabled => "An administrator has disabled the account and can enable it again.",
        Code::EmailNotVerified => {
            "Follow the link in the letter that went to the address, then sign in. <code>POST /api/auth/email/verify</code> sends another."
        }
        Code::NotFound => "It is not there, or it is not yours. Check the address and the id.",
        Code::UnknownIntent => "<code>GET /api/intents</code> lists what can be asked for.",
        Code::UnknownAgent => "<code>GET /api/agents</code> lists who can be asked.",
        Code::MethodNotAllowed => "The <code>Allow</code> header lists the methods of this path.",
        Code::Conflict => "Read what is there now, and decide again.",
        Code::EmailTaken => "Sign in with this address, or use another one.",
        Code::AlreadyDecided => "Somebody was faster. Read the approval to see what was decided.",
        Code::TurnInProgress => {
            "Wait for the end of the turn, cancel it, or send the message with another <code>turn_policy</code>: \
             <code>queue</code>, <code>merge</code> or <code>interrupt</code>."
        }
        Code::TooManyWaiting => "Wait for as many seconds as <code>Retry-After</code> says, or use another key.",
        Code::NotRedrivable => {
            "Only what failed for good is driven again; the detail says how this one stands. \
             <code>GET /api/executions?dead_letters=true</code> lists those that can be."
        }
        Code::Gone => "It was deleted and will not come back.",
        Code::PayloadTooLarge => "Send less; files go to <code>POST /api/files</code>.",
        Code::UnsupportedMediaType => "Send the content type that the API page names for this path.",
        Code::ValidationFailed => "<code>errors</code> names each field and what it has to be.",
        Code::IdempotencyMismatch => "Use a new key for a new request, and the old key only for the very same one.",
        Code::UpgradeRequired => "Connect with a WebSocket client (version 13).",
        Code::TooManyRequests => "Wait for as many seconds as <code>Retry-After</code> says.",
        Code::BudgetExhausted => {
            "What calls of the model may cost is used up for now. Ask again later, or have the budget raised."
        }
        Code::QuotaReached => "Register or sign in, and claim the session: nothing of it is lost.",
        Code::HeadersTooLarge => "Send fewer or smaller headers; often it is the cookies.",
        Code::VersionMismatch => {
            "What began under another version, or under another definition of its agent, cannot be finished or read by this one. Ask again."
        }
        Code::Internal => "It is our fault. Try again; if it stays, report the request id.",
        Code::Unavailable => "Wait for as many seconds as <code>Retry-After</code> says, and try again.",
        Code::StorageFull => "The operator has to make room. Nothing of what was there is lost.",
        Code::ExecutionFailed => "Read the execution's error and events; then submit again, corrected.",
        Code::HandlerPanicked => "It is our fault; the other executions go on. Report the execution's id.",
        Code::ResultTooLarge => "Ask for less at once; what is large belongs into an artifact's content.",
        Code::Timeout => "The work took longer than its limit. Look at the execution, or ask for less at once.",
        Code::Cancelled => "Somebody stopped it. Submit it again if it is still wanted.",
        Code::UnreadableFile => {
            "The file is damaged or not what its name says; the detail has the place. The file is kept."
        }
        Code::UnsupportedFormat => "Save the file in one of the formats that the intent names, and upload it again.",
        Code::QueryRefused => "Only reading questions are answered, within limits on time and rows. Ask for less.",
        Code::ModelUnavailable => "The language model does not answer. Try again; the operator sees why in the log.",
        Code::ApprovalRejected => "Somebody said no; nothing of the proposal was done.",
        Code::ApprovalExpired => "Nobody decided in time; nothing of the proposal was done. Ask again.",
        Code::BadFrame => "Send frames as the protocol describes them; the socket stays open.",
    }
}
