//! A user's own password.

use axum::response::{IntoResponse, Response};
use contract::auth::ChangePassword;
use http::StatusCode;

use super::{json::Json, second_factor::hold_back, visit::Visit};
use crate::{CallContext, Refusal};

/// Change my password.
///
/// The present one has to be shown. All my other sign-ins end, and their sockets are closed.
#[utoipa::path(
    post, path = "/api/auth/password", tag = "auth", request_body = ChangePassword,
    responses((status = 204, description = "It is changed."), (status = 403, description = "The present password is wrong.")),
)]
pub(super) async fn change(
    context: CallContext,
    visit: Visit,
    Json(body): Json<ChangePassword>,
) -> Result<Response, Refusal> {
    let guard = &context.plane().guard;
    hold_back(guard.change_password(context.caller()?, body, &visit.peer).await).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
