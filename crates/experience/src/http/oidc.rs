//! Signing in at the operator's identity provider, with a browser.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use contract::auth::Secret;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use security_guard::oidc::OidcCallback;
use serde::Deserialize;

use super::{
    auth::set_cookies,
    cookies::{CookieKind, needs_tls},
    query::Query,
    visit::Visit,
};
use crate::{Plane, Refusal};

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct CallbackQuery {
    // What else a provider sends changes nothing: without a code nobody comes in.
    code: Option<String>,
    state: Option<String>,
    iss: Option<String>,
}

/// Sign in at the identity provider.
///
/// For browsers: the answer leads to the provider, which leads back. The operator configures it (`auth.oidc`).
#[utoipa::path(
    get, path = "/api/auth/oidc/start", tag = "auth", security(()),
    responses((status = 303, description = "To the identity provider."), (status = 404, description = "None is configured.")),
)]
pub(super) async fn start(State(plane): State<Arc<Plane>>, visit: Visit) -> Result<Response, Refusal> {
    let kind = CookieKind::of(visit.client).ok_or_else(needs_tls)?;
    let start = plane.guard.oidc_start(&visit.peer).await?;
    let mut response = see_other(&start.location)?;
    kind.set_oidc(response.headers_mut(), &start.cookie.0, start.cookie_seconds)?;
    Ok(response)
}

/// Come back from the identity provider.
///
/// The browser has to be the one that was sent. It is signed in with cookies, and led to `/`.
#[utoipa::path(
    get, path = "/api/auth/oidc/callback", tag = "auth", params(CallbackQuery), security(()),
    responses((status = 303, description = "Signed in."), (status = 403, description = "The provider does not vouch for them.")),
)]
pub(super) async fn callback(
    State(plane): State<Arc<Plane>>,
    visit: Visit,
    headers: HeaderMap,
    Query(query): Query<CallbackQuery>,
) -> Result<Response, Refusal> {
    let kind = CookieKind::of(visit.client).ok_or_else(needs_tls)?;
    let CallbackQuery { code, state, iss } = query;
    let callback = OidcCallback { code: code.map(Secret), state, iss };
    let signed_in = plane.guard.oidc_finish(kind.oidc(&headers), &callback, &visit.peer).await?;
    let mut response = see_other("/")?;
    set_cookies(&plane, kind, &signed_in, response.headers_mut())?;
    kind.set_oidc(response.headers_mut(), "", 0)?;
    Ok(response)
}

fn see_other(location: &str) -> Result<Response, Refusal> {
    let location = HeaderValue::try_from(location).map_err(Refusal::internal)?;
    Ok((StatusCode::SEE_OTHER, [(header::LOCATION, location), (header::CACHE_CONTROL, NO_STORE)]).into_response())
}

const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
