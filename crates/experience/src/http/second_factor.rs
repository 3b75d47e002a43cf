//! A user's second factor.

use axum::Json as JsonBody;
use contract::auth::{ConfirmFactor, FactorOffer, FactorStanding, RecoveryCodes, RemoveFactor, ShowPassword};
use http::StatusCode;
use security_guard::HeldBack;

use super::{json::Json, visit::Visit};
use crate::{CallContext, Refusal};

/// Have I a second factor?
#[utoipa::path(get, path = "/api/auth/second-factor", tag = "auth", responses((status = 200, body = FactorStanding)))]
pub(super) async fn standing(context: CallContext) -> Result<JsonBody<FactorStanding>, Refusal> {
    Ok(JsonBody(context.plane().guard.factor(context.caller()?).await?))
}

/// Begin with a second factor.
///
/// The answer's `uri` is for an authenticator, mostly as a QR code. Nothing changes until a code is shown to
/// `/api/auth/second-factor/confirm`.
#[utoipa::path(
    post, path = "/api/auth/second-factor", tag = "auth", request_body = ShowPassword,
    responses((status = 200, body = FactorOffer), (status = 403, description = "The password is wrong, or there is one already.")),
)]
pub(super) async fn offer(
    context: CallContext,
    visit: Visit,
    Json(body): Json<ShowPassword>,
) -> Result<JsonBody<FactorOffer>, Refusal> {
    let answer = context.plane().guard.offer_factor(context.caller()?, body, &visit.peer).await;
    hold_back(answer).await.map(JsonBody)
}

/// Confirm my second factor.
///
/// From now on each sign-in needs a code. The recovery codes are shown this once, and my other sign-ins end.
#[utoipa::path(
    post, path = "/api/auth/second-factor/confirm", tag = "auth", request_body = ConfirmFactor,
    responses((status = 200, body = RecoveryCodes), (status = 403, description = "The code is wrong.")),
)]
pub(super) async fn confirm(
    context: CallContext,
    visit: Visit,
    Json(body): Json<ConfirmFactor>,
) -> Result<JsonBody<RecoveryCodes>, Refusal> {
    let answer = context.plane().guard.confirm_factor(context.caller()?, body, &visit.peer).await;
    hold_back(answer).await.map(JsonBody)
}

/// Remove my second factor.
///
/// With the password and a code of it, or a recovery code.
#[utoipa::path(
    post, path = "/api/auth/second-factor/remove", tag = "auth", request_body = RemoveFactor,
    responses((status = 204, description = "It is removed."), (status = 403, description = "The password or the code is wrong.")),
)]
pub(super) async fn remove(
    context: CallContext,
    visit: Visit,
    Json(body): Json<RemoveFactor>,
) -> Result<StatusCode, Refusal> {
    let answer = context.plane().guard.remove_factor(context.caller()?, body, &visit.peer).await;
    hold_back(answer).await.map(|()| StatusCode::NO_CONTENT)
}

/// Waits for as long as the guard says before anybody learns the outcome.
pub(super) async fn hold_back<T>(answer: HeldBack<T>) -> Result<T, Refusal> {
    tokio::time::sleep(answer.delay).await;
    Ok(answer.outcome?)
}
