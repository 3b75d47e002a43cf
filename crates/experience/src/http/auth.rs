//! Sign-in over HTTP: the bodies of the Security Guard's verbs, and where the tokens travel.

use std::sync::Arc;

use axum::{
    Json as JsonBody,
    extract::State,
    response::{IntoResponse, Response},
};
use contract::{
    Code,
    auth::{AuthResponse, LetterPromised, Login, Me, Refresh, Register, RequestTicket, Secret, Ticket},
    tenant::{Delegate, Delegated},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use security_guard::{GuardError, Peer, SignedIn, Welcome, duration};
use serde::Deserialize;

use super::{
    cookies::{CookieKind, SignInCookies, needs_tls},
    json::{Json, OptionalJson},
    letters::promised,
    query::Query,
    visit::Visit,
};
use crate::{CallContext, Credentials, Plane, Refusal, client::Client, origin};

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ModeQuery {
    /// `cookie`: the tokens travel as HttpOnly cookies and are not in the body.
    mode: Option<String>,
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct LogoutQuery {
    /// Every session of the user, not only this one.
    #[serde(default)]
    all: bool,
}

/// Where the tokens of a sign-in travel.
enum Delivery {
    Body,
    Cookies(CookieKind),
    /// The front end of today reads the body, and its pages the cookie.
    Both(CookieKind),
}

impl Delivery {
    fn asked(query: &ModeQuery, client: Client, plane: &Plane) -> Result<Self, Refusal> {
        let kind = CookieKind::of(client);
        match (query.mode.as_deref(), kind) {
            (Some("cookie"), Some(kind)) => Ok(Self::Cookies(kind)),
            (Some("cookie"), None) => Err(needs_tls()),
            (Some(_), _) => {
                Err(Refusal::new(Code::BadRequest, "`mode` can only be `cookie`. Leave it out for tokens."))
            }
            (None, Some(kind)) if plane.config.legacy_client => Ok(Self::Both(kind)),
            (None, _) => Ok(Self::Body),
        }
    }
}

/// Register.
///
/// A new user gets a tenant of their own, or begins in the one that invited them, and is signed in. Where addresses have to be confirmed
/// (`auth.verify_email`), a letter goes there instead, and the answer does not tell whether the address is known.
#[utoipa::path(
    post, path = "/api/auth/register", tag = "auth", params(ModeQuery), request_body = Register, security(()),
    responses(
        (status = 200, body = AuthResponse), (status = 202, body = LetterPromised),
        (status = 409, description = "The address cannot be registered."),
    ),
)]
pub(super) async fn register(
    State(plane): State<Arc<Plane>>,
    visit: Visit,
    Query(query): Query<ModeQuery>,
    Json(body): Json<Register>,
) -> Result<Response, Refusal> {
    let delivery = Delivery::asked(&query, visit.client, &plane)?;
    match plane.guard.register(body, &visit.peer).await? {
        Welcome::SignedIn(signed_in) => {
            deliver(&plane, delivery, &signed_in, "Welcome. You are registered and signed in.")
        }
        Welcome::ConfirmFirst => {
            Ok(promised("A letter is on its way to this address. Follow what it says, and sign in then.")
                .into_response())
        }
    }
}

/// Sign in.
///
/// A wrong address and a wrong password get the same answer. An anonymous session that comes along is claimed.
#[utoipa::path(
    post, path = "/api/auth/login", tag = "auth", params(ModeQuery), request_body = Login, security(()),
    responses((status = 200, body = AuthResponse), (status = 401, description = "The address or the password is wrong.")),
)]
pub(super) async fn login(
    State(plane): State<Arc<Plane>>,
    visit: Visit,
    Query(query): Query<ModeQuery>,
    Json(body): Json<Login>,
) -> Result<Response, Refusal> {
    let delivery = Delivery::asked(&query, visit.client, &plane)?;
    let signed_in = sign_in(&plane, body, &visit.peer).await?;
    deliver(&plane, delivery, &signed_in, "You are signed in.")
}

/// Tries a password, and holds the answer back for as long as the guard says.
pub(super) async fn sign_in(plane: &Plane, body: Login, peer: &Peer) -> Result<SignedIn, GuardError> {
    let answer = plane.guard.login(body, peer).await;
    tokio::time::sleep(answer.delay).await;
    answer.outcome
}

/// Get a new access token.
///
/// The refresh token is used up and comes back as its successor. A replay within ten seconds gets the same successor; any later
/// one ends the sign-in.
#[utoipa::path(
    post, path = "/api/auth/refresh", tag = "auth", params(ModeQuery), request_body(content = Option<Refresh>), security(()),
    responses((status = 200, body = AuthResponse), (status = 401, description = "The token is not valid, expired or reused.")),
)]
pub(super) async fn refresh(
    State(plane): State<Arc<Plane>>,
    Visit { client, peer }: Visit,
    headers: HeaderMap,
    Query(query): Query<ModeQuery>,
    OptionalJson(body): OptionalJson<Refresh>,
) -> Result<Response, Refusal> {
    let asked = Delivery::asked(&query, client, &plane)?;
    let kind = CookieKind::of(client);
    let cookie = kind.and_then(|kind| Some((kind, kind.refresh_token(&headers)?)));
    let (token, delivery) = match (body.refresh_token, cookie) {
        (Some(token), _) => (token.0, asked),
        (None, Some((kind, token))) => {
            origin::refuse_forgery(&headers, client, &plane.config)?;
            // Who holds the token in a cookie is not to see it in a body, where a script could read it.
            (token, if plane.config.legacy_client { Delivery::Both(kind) } else { Delivery::Cookies(kind) })
        }
        (None, None) => {
            let detail = "Send the refresh token: as `refresh_token` in the body, or as the cookie of a sign-in.";
            return Err(Refusal::new(Code::AuthenticationRequired, detail));
        }
    };
    let signed_in = plane.guard.refresh(&token, &peer).await?;
    deliver(&plane, delivery, &signed_in, "The tokens are new.")
}

/// Sign out.
#[utoipa::path(
    post, path = "/api/auth/logout", tag = "auth", params(LogoutQuery),
    responses((status = 204, description = "The sign-in has ended, and its sockets are closed.")),
)]
pub(super) async fn logout(
    context: CallContext,
    Visit { client, peer }: Visit,
    Query(query): Query<LogoutQuery>,
) -> Result<Response, Refusal> {
    let guard = &context.plane().guard;
    let caller = context.caller()?;
    if query.all {
        guard.logout_everywhere(caller, &peer).await?;
    } else {
        guard.logout(caller, &peer).await?;
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    if let Some(kind) = CookieKind::of(client) {
        kind.clear(response.headers_mut())?;
    }
    Ok(response)
}

/// Who am I?
#[utoipa::path(get, path = "/api/auth/me", tag = "auth", responses((status = 200, body = Me)))]
pub(super) async fn me(context: CallContext) -> Result<JsonBody<Me>, Refusal> {
    Ok(JsonBody(context.caller()?.me()?))
}

/// Let a service account act for me.
///
/// The token names both, the person and the one who acts (RFC 8693), and does what both may: what is made with it is the person's, and
/// each execution says who acted. It decides no approvals, manages nothing, and ends with the person's sign-in or the service account.
#[utoipa::path(
    post, path = "/api/auth/delegate", tag = "auth", request_body = Delegate,
    responses((status = 200, body = Delegated), (status = 404, description = "There is no such service account.")),
)]
pub(super) async fn delegate(context: CallContext, Json(body): Json<Delegate>) -> Result<JsonBody<Delegated>, Refusal> {
    Ok(JsonBody(context.plane().guard.delegate(context.caller()?, body.actor).await?))
}

/// Get a ticket for a socket.
///
/// It opens one socket, once, within half a minute: for clients that cannot send a header with a WebSocket. An anonymous session
/// names itself by `session_id`.
#[utoipa::path(
    post, path = "/api/auth/ticket", tag = "auth", request_body(content = Option<RequestTicket>),
    security((), ("bearer" = []), ("cookie" = [])),
    responses((status = 200, body = Ticket), (status = 404, description = "There is no such session, or it is not yours.")),
)]
pub(super) async fn ticket(
    credentials: Credentials,
    OptionalJson(body): OptionalJson<RequestTicket>,
) -> Result<JsonBody<Ticket>, Refusal> {
    let context = credentials.enter_with_session(body.session_id.as_ref()).await?;
    if let Some(session_id) = &body.session_id {
        context.check_session(session_id).await?;
    }
    Ok(JsonBody(context.plane().guard.issue_ticket(context.asker())?))
}

/// The public keys of access tokens (RFC 7517).
#[utoipa::path(get, path = "/.well-known/jwks.json", tag = "auth", security(()), responses((status = 200, body = Object)))]
pub(super) async fn jwks(State(plane): State<Arc<Plane>>) -> Response {
    // As long as a new key is published before it signs (`PUBLISHED_AHEAD` of the guard).
    const FIVE_MINUTES: HeaderValue = HeaderValue::from_static("public, max-age=300");
    ([(header::CACHE_CONTROL, FIVE_MINUTES)], JsonBody(plane.guard.jwks())).into_response()
}

fn deliver(plane: &Plane, delivery: Delivery, signed_in: &SignedIn, message: &str) -> Result<Response, Refusal> {
    let mut body: AuthResponse = signed_in.response(message);
    let kind = match delivery {
        Delivery::Body => return Ok(JsonBody(body).into_response()),
        Delivery::Both(kind) => kind,
        Delivery::Cookies(kind) => {
            body.access_token = None;
            body.refresh_token = None;
            body.csrf_token = plane.guard.csrf_token(&signed_in.caller).map(Secret);
            kind
        }
    };
    let mut response = JsonBody(body).into_response();
    set_cookies(plane, kind, signed_in, response.headers_mut())?;
    Ok(response)
}

/// Puts the tokens of a sign-in into cookies.
pub(super) fn set_cookies(
    plane: &Plane,
    kind: CookieKind,
    signed_in: &SignedIn,
    headers: &mut HeaderMap,
) -> Result<(), Refusal> {
    let ends = signed_in.caller.me()?.session.expires_at;
    let cookies = SignInCookies {
        access_token: &signed_in.access_token.0,
        access_seconds: signed_in.expires_in,
        refresh_token: &signed_in.refresh_token.0,
        refresh_seconds: duration::whole_seconds(ends.since(plane.clock.now())),
        csrf_token: &plane.guard.csrf_token(&signed_in.caller).unwrap_or_default(),
    };
    kind.set(headers, &cookies)
}
