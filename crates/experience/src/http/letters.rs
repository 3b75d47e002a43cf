//! What is asked for and shown by letters. The answer to whoever asks is the same whether there is such an account or not.

use std::sync::Arc;

use axum::{Json as JsonBody, extract::State};
use contract::auth::{ConfirmEmail, LetterPromised, RequestLetter, ResetPassword};
use http::StatusCode;

use super::{json::Json, visit::Visit};
use crate::{Plane, Refusal};

/// An answer that only promises.
pub(super) type Promised = (StatusCode, JsonBody<LetterPromised>);

pub(super) fn promised(message: &str) -> Promised {
    (StatusCode::ACCEPTED, JsonBody(LetterPromised { success: true, message: message.to_owned() }))
}

/// Ask for a letter with which to set a new password.
#[utoipa::path(
    post, path = "/api/auth/password/forgot", tag = "auth", request_body = RequestLetter, security(()),
    responses((status = 202, body = LetterPromised)),
)]
pub(super) async fn forgot(
    State(plane): State<Arc<Plane>>,
    visit: Visit,
    Json(body): Json<RequestLetter>,
) -> Result<Promised, Refusal> {
    plane.guard.request_reset(&body, &visit.peer).await?;
    Ok(promised("If there is an account with this address, a letter is on its way there."))
}

/// Set a new password by the token of a letter.
///
/// The token works once and for half an hour. All sign-ins of the user end; a second factor stays, and is asked for at the next one.
#[utoipa::path(
    post, path = "/api/auth/password/reset", tag = "auth", request_body = ResetPassword, security(()),
    responses((status = 204, description = "It is set."), (status = 403, description = "The token was used, or its time is over.")),
)]
pub(super) async fn reset(
    State(plane): State<Arc<Plane>>,
    visit: Visit,
    Json(body): Json<ResetPassword>,
) -> Result<StatusCode, Refusal> {
    plane.guard.recover_password(body, &visit.peer).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ask again for the letter that confirms an address.
#[utoipa::path(
    post, path = "/api/auth/email/verify", tag = "auth", request_body = RequestLetter, security(()),
    responses((status = 202, body = LetterPromised)),
)]
pub(super) async fn verify(
    State(plane): State<Arc<Plane>>,
    visit: Visit,
    Json(body): Json<RequestLetter>,
) -> Result<Promised, Refusal> {
    plane.guard.request_verification(&body, &visit.peer).await?;
    Ok(promised("If this address waits to be confirmed, a letter is on its way there."))
}

/// Confirm an address by the token of a letter.
///
/// The token works once and for a day. Sign in afterwards.
#[utoipa::path(
    post, path = "/api/auth/email/confirm", tag = "auth", request_body = ConfirmEmail, security(()),
    responses((status = 204, description = "It is confirmed."), (status = 403, description = "The token was used, or its time is over.")),
)]
pub(super) async fn confirm(
    State(plane): State<Arc<Plane>>,
    visit: Visit,
    Json(body): Json<ConfirmEmail>,
) -> Result<StatusCode, Refusal> {
    plane.guard.confirm_email(&body, &visit.peer).await?;
    Ok(StatusCode::NO_CONTENT)
}
