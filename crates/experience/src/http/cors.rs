//! Which other sites' pages may call: those of `experience.origins`, with their cookies. Nobody else learns anything
//! (the Fetch standard, "CORS protocol").

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

use crate::{Plane, client::Client, origin::Origin};

const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, PATCH, DELETE");
const HEADERS: HeaderValue =
    HeaderValue::from_static("authorization, content-type, idempotency-key, last-event-id, x-csrf-token, x-request-id");
const EXPOSED: HeaderValue =
    HeaderValue::from_static("location, retry-after, x-request-id, x-ratelimit-limit, x-ratelimit-window");
/// How long a browser may remember the answer to a preflight, in seconds.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");

/// Answers preflights of allowed origins, and marks the answers that their pages may read.
pub(super) async fn allow(State(plane): State<Arc<Plane>>, request: Request, next: Next) -> Response {
    if plane.config.origins.is_empty() {
        return next.run(request).await;
    }
    let headers = request.headers();
    let client = Client::of(headers, request.extensions(), &plane.config.trusted_proxies);
    let origin = match Origin::of(headers, client, &plane.config) {
        Origin::Allowed => headers.get(header::ORIGIN).cloned(),
        Origin::Absent | Origin::Own | Origin::Foreign => None,
    };
    let is_preflight =
        request.method() == Method::OPTIONS && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = match &origin {
        Some(_) if is_preflight => preflight(),
        Some(_) | None => next.run(request).await,
    };
    let headers = response.headers_mut();
    // The same path answers differently to another origin, and caches have to know.
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    if let Some(origin) = origin {
        mark(headers, origin);
    }
    response
}

fn preflight() -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    response
}

fn mark(headers: &mut HeaderMap, origin: HeaderValue) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
}
