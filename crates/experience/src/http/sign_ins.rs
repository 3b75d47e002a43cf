//! A user's own sign-ins: each browser, terminal and program that they are signed in with, and ending them.

use axum::Json as JsonBody;
use contract::{SignInId, auth::OwnSignIns};
use http::StatusCode;

use super::{query::PathId, visit::Visit};
use crate::{CallContext, Refusal};

/// List my sign-ins.
///
/// Newest first: what each was made with, from where, and when it was used last.
#[utoipa::path(get, path = "/api/auth/sign-ins", tag = "auth", responses((status = 200, body = OwnSignIns)))]
pub(super) async fn list(context: CallContext) -> Result<JsonBody<OwnSignIns>, Refusal> {
    Ok(JsonBody(context.plane().guard.sign_ins(context.caller()?).await?))
}

/// End one of my sign-ins.
///
/// Its tokens open nothing from now on, and its sockets are closed. It may be the one that this request uses.
#[utoipa::path(
    delete, path = "/api/auth/sign-ins/{id}", tag = "auth", params(("id" = SignInId, Path)),
    responses((status = 204, description = "It has ended.")),
)]
pub(super) async fn end(context: CallContext, visit: Visit, id: PathId) -> Result<StatusCode, Refusal> {
    let sign_in_id: SignInId = id.of("sign-in")?;
    context.plane().guard.end_sign_in(context.caller()?, &sign_in_id, &visit.peer).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// End all my other sign-ins.
///
/// The one that this request uses goes on; `POST /api/auth/logout?all=true` ends that one too.
#[utoipa::path(
    delete, path = "/api/auth/sign-ins", tag = "auth", responses((status = 204, description = "The others have ended.")),
)]
pub(super) async fn end_others(context: CallContext, visit: Visit) -> Result<StatusCode, Refusal> {
    context.plane().guard.end_other_sign_ins(context.caller()?, &visit.peer).await?;
    Ok(StatusCode::NO_CONTENT)
}
