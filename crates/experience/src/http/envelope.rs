//! What every answer has, whoever made it: a request id, security headers, one line in the log, and, where it is no
//! success, the problem document. A panic of a handler ends here, as a problem like any other.

use std::{panic::AssertUnwindSafe, sync::Arc};

use axum::{
    body::Body,
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use contract::{Code, problem::Problem};
use futures_util::FutureExt;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use security_guard::duration;
use tokio::time::Instant;
use tracing::{Instrument, error, info, info_span};

use crate::{Plane, Refusal, logged, problem::Reason};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const RATE_LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const RATE_WINDOW: HeaderName = HeaderName::from_static("x-ratelimit-window");

/// The longest request id of a client that is kept, in bytes.
const MAX_REQUEST_ID_BYTES: usize = 64;

/// The id under which a request stands in the log and in its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RequestId(HeaderValue);

impl RequestId {
    pub(super) fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }
}

/// Wraps every route.
pub(super) async fn wrap(State(plane): State<Arc<Plane>>, mut request: Request, next: Next) -> Response {
    let id = request_id(request.headers(), &plane);
    request.extensions_mut().insert(id.clone());
    let method = request.method().clone();
    let path = logged::path(request.uri().path());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let began = Instant::now();
    let span = info_span!("experience.request", request_id = id.as_str());
    let answered = AssertUnwindSafe(next.run(request)).catch_unwind().instrument(span.clone()).await;
    let response = answered.unwrap_or_else(|_| Refusal::internal("a handler panicked").into_response());
    let _entered = span.enter();
    let mut response = problem_document(response, &id);
    let took = began.elapsed();
    // A number in JSON has 64 bits at most; what is wider is written as a text.
    let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    let route = route.as_ref().map(MatchedPath::as_str);
    plane.metrics.count_request(&method, route, response.status(), took);
    info!(%method, path, status = response.status().as_u16(), took_ms, "answered");
    finish(response.headers_mut(), id);
    response
}

fn request_id(headers: &HeaderMap, plane: &Plane) -> RequestId {
    let sane = |value: &&HeaderValue| {
        let bytes = value.as_bytes();
        (1..=MAX_REQUEST_ID_BYTES).contains(&bytes.len())
            && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(byte))
    };
    match headers.get(REQUEST_ID).filter(sane) {
        Some(value) => RequestId(value.clone()),
        None => RequestId(new_request_id(plane)),
    }
}

fn new_request_id(plane: &Plane) -> HeaderValue {
    let mut random = [0; 16];
    plane.clock.fill(&mut random);
    let mut text = *b"req_00000000000000000000000000000000";
    for (index, byte) in random.into_iter().enumerate() {
        text[4 + 2 * index] = b"0123456789abcdef"[usize::from(byte >> 4)];
        text[5 + 2 * index] = b"0123456789abcdef"[usize::from(byte & 15)];
    }
    HeaderValue::from_bytes(&text).expect("letters and digits are a header value")
}

/// Writes the problem document of an answer that is no success and has none yet.
fn problem_document(response: Response, id: &RequestId) -> Response {
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let (mut parts, _body) = response.into_parts();
    let refusal = parts.extensions.remove::<Refusal>().unwrap_or_else(|| from_status(status));
    let Reason { code, detail, errors, retry_after, limit, source } = refusal.reason();
    if status.is_server_error() {
        let cause = source.as_ref().map(|source| source.to_string()).unwrap_or_default();
        error!(code = code.as_str(), cause, "the request failed");
    }
    let problem =
        Problem { errors: errors.clone(), retry_after: *retry_after, ..code.problem(detail.clone(), id.as_str()) };
    let headers = &mut parts.headers;
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.remove(header::CONTENT_LENGTH);
    if let Some(challenge) = challenge(*code) {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    }
    if let Some(seconds) = retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(*seconds));
    }
    if let Some(limit) = limit {
        headers.insert(RATE_LIMIT, HeaderValue::from(limit.count()));
        headers.insert(RATE_WINDOW, HeaderValue::from(duration::whole_seconds(limit.window())));
    }
    let body = serde_json::to_vec(&problem).expect("a problem document is JSON");
    Response::from_parts(parts, Body::from(body))
}

/// The challenge of a 401 (RFC 6750, section 3): which error it is, where a credential came along.
fn challenge(code: Code) -> Option<&'static str> {
    match (code.status(), code) {
        (401, Code::TokenExpired) => {
            Some("Bearer realm=\"symphainy\", error=\"invalid_token\", error_description=\"The token has expired\"")
        }
        (401, Code::TokenInvalid | Code::TokenReused) => Some("Bearer realm=\"symphainy\", error=\"invalid_token\""),
        (401, _) => Some("Bearer realm=\"symphainy\""),
        _ => None,
    }
}

/// What stands behind an answer that the framework made by itself.
fn from_status(status: StatusCode) -> Refusal {
    match status {
        StatusCode::METHOD_NOT_ALLOWED => Refusal::new(
            Code::MethodNotAllowed,
            "This path does not take that method. The Allow header lists those that it takes.",
        ),
        StatusCode::NOT_FOUND => Refusal::new(Code::NotFound, "There is nothing at this path."),
        StatusCode::PAYLOAD_TOO_LARGE => Refusal::new(Code::PayloadTooLarge, "The body is too large. Send less."),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            Refusal::new(Code::UnsupportedMediaType, "The content type is not one that this path takes.")
        }
        StatusCode::UPGRADE_REQUIRED => {
            Refusal::new(Code::UpgradeRequired, "This path speaks WebSocket. Connect with a WebSocket client.")
        }
        StatusCode::SERVICE_UNAVAILABLE => Refusal::new(Code::Unavailable, "Not available just now. Try again."),
        status if status.is_client_error() => Refusal::new(Code::BadRequest, "The request cannot be understood."),
        _ => Refusal::internal("an answer came without its reason"),
    }
}

/// The headers of every answer. The API's answers are somebody's own and are kept by no cache; a page that wants to be kept says so itself.
fn finish(headers: &mut HeaderMap, id: RequestId) {
    headers.insert(REQUEST_ID, id.0);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
}
