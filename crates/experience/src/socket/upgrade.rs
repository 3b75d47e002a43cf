//! From an HTTP request to a socket. Whoever may not come in learns it here, as an HTTP answer: a client that is let in and then
//! thrown out resets its retry counter and comes back for ever.

use std::sync::Arc;

use axum::{
    extract::{FromRequestParts, Query, Request, State, WebSocketUpgrade, ws::WebSocket},
    response::{IntoResponse, Response},
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use contract::{Code, SessionId, auth::Secret};
use http::{HeaderMap, HeaderName, HeaderValue, header, request::Parts};
use security_guard::{Asker, Credential};
use serde_json::Map;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Seat, connection::Connection, registry::draining};
use crate::{
    Credentials, Plane, Refusal,
    client::Client,
    origin::{Origin, foreign},
};

/// The subprotocol of the agent socket.
const PROTOCOL: &str = "agent.v1";

/// What precedes a token among the subprotocols.
const PROTOCOL_BEARER: &str = "bearer.";

/// The version of the WebSocket protocol (RFC 6455 section 4.1).
const VERSION: &str = "13";

/// The read buffer of one socket, in bytes; ten thousand of them are idle most of the time.
const READ_BUFFER_BYTES: usize = 4 * 1024;

/// How much is gathered before it is written, in bytes; what is ready together goes out together.
const WRITE_BUFFER_BYTES: usize = 8 * 1024;

/// `/api/runtime/agent` and `/api/experience/agent`.
pub fn routes() -> OpenApiRouter<Arc<Plane>> {
    OpenApiRouter::new()
        .routes(routes!(runtime_agent)) // GET /api/runtime/agent
        .routes(routes!(experience_agent)) // GET /api/experience/agent
}

/// Talk with agents.
///
/// A WebSocket. The path says "invoke the Runtime on my behalf"; both paths are the same door.
#[utoipa::path(
    get,
    path = "/api/runtime/agent",
    tag = "agents",
    params(
        ("session_id" = Option<String>, Query, description = "A session of the caller's; without it a new one is made."),
        ("ticket" = Option<String>, Query, description = "A one-time ticket from POST /api/auth/ticket."),
    ),
    responses(
        (status = 101, description = "The socket is open."),
        (status = 401, description = "No credential, or a bad one."),
        (status = 403, description = "A foreign origin."),
        (status = 404, description = "The session is not the caller's."),
        (status = 426, description = "Not a WebSocket."),
        (status = 429, description = "Too many sockets."),
        (status = 503, description = "No room, or the server is restarting."),
    ),
)]
async fn runtime_agent(State(plane): State<Arc<Plane>>, request: Request) -> Response {
    open(plane, request).await
}

/// Talk with agents.
///
/// The same door as `/api/runtime/agent`.
#[utoipa::path(
    get,
    path = "/api/experience/agent",
    tag = "agents",
    responses((status = 101, description = "The socket is open."), (status = 426, description = "Not a WebSocket.")),
)]
async fn experience_agent(State(plane): State<Arc<Plane>>, request: Request) -> Response {
    open(plane, request).await
}

async fn open(plane: Arc<Plane>, request: Request) -> Response {
    let upgrade = match Upgrade::read(request, &plane).await {
        Ok(upgrade) => upgrade,
        Err(refusal) => return refuse(refusal),
    };
    match enter(&plane, &upgrade).await {
        Ok((asker, session_id, seat)) => {
            let greets = plane.config.legacy_client && upgrade.query("access_token").is_some();
            accept(upgrade, &plane, move |plane, socket| {
                Connection::new(plane, seat, asker, session_id).run(socket, greets)
            })
        }
        Err(refusal) => refuse(refusal),
    }
}

async fn enter(plane: &Arc<Plane>, upgrade: &Upgrade) -> Result<(Asker, SessionId, Seat), Refusal> {
    let asker = upgrade.asker(plane).await?;
    let wanted = match upgrade.query("session_id") {
        Some(wanted) => Some(own_session(plane, &asker, wanted).await?),
        None => None,
    };
    let seat = plane.sockets.enter(&asker, upgrade.client.address)?;
    let session_id = match (wanted, &asker) {
        (Some(session_id), _) => session_id,
        (None, Asker::Anonymous { session_id }) => session_id.clone(),
        (None, Asker::User(caller)) => plane.guard.create_session(caller, Map::new()).await?.session_id,
    };
    Ok((asker, session_id, seat))
}

/// The session, where it belongs to whoever asks.
async fn own_session(plane: &Plane, asker: &Asker, wanted: &str) -> Result<SessionId, Refusal> {
    let not_theirs = || Refusal::not_found("session");
    let session_id: SessionId = wanted.parse().map_err(|_| not_theirs())?;
    let session = plane.guard.session(Some(asker), &session_id).await?;
    let is_own = match asker {
        Asker::User(caller) => session.user_id.as_ref() == Some(caller.user_id()),
        Asker::Anonymous { session_id } => session.is_anonymous && session.session_id == *session_id,
    };
    if is_own { Ok(session_id) } else { Err(not_theirs()) }
}

/// A request for a socket whose form is right.
pub(crate) struct Upgrade {
    socket: WebSocketUpgrade,
    credentials: Credentials,
    protocols: Protocols,
    query: Vec<(String, String)>,
    origin: Origin,
    pub(crate) client: Client,
}

impl Upgrade {
    /// Checks the form of the request: RFC 6455 section 4.2.1, and that the server takes sockets at all.
    pub(crate) async fn read(request: Request, plane: &Arc<Plane>) -> Result<Self, Refusal> {
        let (mut parts, _body) = request.into_parts();
        check_form(&parts.headers)?;
        Self::parse(&mut parts, plane).await
    }

    async fn parse(parts: &mut Parts, plane: &Arc<Plane>) -> Result<Self, Refusal> {
        if plane.draining.is_cancelled() {
            return Err(draining());
        }
        let client = Client::of(&parts.headers, &parts.extensions, &plane.config.trusted_proxies);
        let origin = Origin::of(&parts.headers, client, &plane.config);
        if origin == Origin::Foreign {
            return Err(Refusal::new(
                Code::ForeignOrigin,
                "A socket has to be opened from this site, or from one that the server allows (experience.origins).",
            ));
        }
        let protocols = Protocols::of(&parts.headers)?;
        let Query(query) = Query::from_request_parts(parts, plane)
            .await
            .map_err(|_| Refusal::new(Code::BadRequest, "The query of the address cannot be read."))?;
        let credentials = Credentials::from_request_parts(parts, plane).await?;
        let socket = WebSocketUpgrade::from_request_parts(parts, plane)
            .await
            .map_err(|_| Refusal::new(Code::UpgradeRequired, NOT_A_SOCKET))?;
        Ok(Self { socket, credentials, protocols, query, origin, client })
    }

    /// A parameter of the query that is not empty.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(key, value)| key == name && !value.is_empty());
        found.map(|(_, value)| value.as_str())
    }

    /// Who asks, by whichever credential came along. Two have to be the same user's.
    pub(crate) async fn asker(&self, plane: &Plane) -> Result<Asker, Refusal> {
        let mut credentials = self.credentials.clone().with_token(self.protocols.token.as_deref())?;
        if plane.config.legacy_client {
            for name in ["access_token", "session_token"] {
                credentials = credentials.with_token(self.query(name))?;
            }
        }
        let Some(ticket) = self.query("ticket") else {
            if credentials.only_cookie() && self.origin == Origin::Absent {
                return Err(foreign());
            }
            return credentials.asker().await?.ok_or_else(Refusal::sign_in_first);
        };
        let asker = plane.guard.verify(&Credential::Ticket(Secret(ticket.to_owned()))).await?;
        match credentials.asker().await {
            Ok(Some(other)) if other.owner() != asker.owner() => Err(Refusal::new(
                Code::ConflictingCredentials,
                "The ticket is not the same user's as the other credential. Send one of them.",
            )),
            // Another credential that has run out contradicts nobody.
            Ok(_) | Err(_) => Ok(asker),
        }
    }
}

/// Lets the client in and hands its socket to `run`.
pub(crate) fn accept<Run, Running>(upgrade: Upgrade, plane: &Arc<Plane>, run: Run) -> Response
where
    Run: FnOnce(Arc<Plane>, WebSocket) -> Running + Send + 'static,
    Running: Future<Output = ()> + Send + 'static,
{
    let message_bytes = plane.config.limits.socket_message_bytes;
    let mut socket = upgrade
        .socket
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(WRITE_BUFFER_BYTES)
        .max_message_size(message_bytes)
        // A frame that is somewhat too long is read, so that the goodbye after it is an orderly one.
        .max_frame_size(2 * message_bytes);
    if upgrade.protocols.is_offered {
        socket.set_selected_protocol(HeaderValue::from_static(PROTOCOL));
    }
    let plane = Arc::clone(plane);
    socket.on_upgrade(move |socket| run(plane, socket))
}

const NOT_A_SOCKET: &str = "This path speaks WebSocket. Connect with a WebSocket client.";

fn check_form(headers: &HeaderMap) -> Result<(), Refusal> {
    if !has_word(headers, &header::CONNECTION, "upgrade") || !has_word(headers, &header::UPGRADE, "websocket") {
        return Err(Refusal::new(Code::UpgradeRequired, NOT_A_SOCKET));
    }
    if headers.get(header::SEC_WEBSOCKET_VERSION).is_none_or(|version| version != VERSION) {
        return Err(Refusal::new(Code::UpgradeRequired, "Speak version 13 of the WebSocket protocol (RFC 6455)."));
    }
    let key = headers.get(header::SEC_WEBSOCKET_KEY).and_then(|key| STANDARD.decode(key.as_bytes()).ok());
    if key.is_none_or(|key| key.len() != 16) || headers.get_all(header::SEC_WEBSOCKET_KEY).iter().count() > 1 {
        let said = "Sec-WebSocket-Key has to be 16 bytes in base64, once (RFC 6455 section 4.2.1).";
        return Err(Refusal::new(Code::BadRequest, said));
    }
    Ok(())
}

/// The answer to whoever may not come in. One who has to upgrade is told to what (RFC 9110 section 15.5.22, RFC 6455 section 4.4).
pub(crate) fn refuse(refusal: Refusal) -> Response {
    let is_to_upgrade = refusal.code() == Code::UpgradeRequired;
    let mut response = refusal.into_response();
    if is_to_upgrade {
        let headers = response.headers_mut();
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static(VERSION));
    }
    response
}

/// The comma-separated words of a header, over all its lines.
fn words<'headers>(headers: &'headers HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'headers str> {
    let lines = headers.get_all(name).into_iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim)
}

fn has_word(headers: &HeaderMap, name: &HeaderName, wanted: &str) -> bool {
    words(headers, name).any(|word| word.eq_ignore_ascii_case(wanted))
}

/// What `Sec-WebSocket-Protocol` offers: ours, and perhaps a token, which browsers can send in no other header.
#[derive(Debug, Default, PartialEq)]
struct Protocols {
    is_offered: bool,
    token: Option<String>,
}

impl Protocols {
    fn of(headers: &HeaderMap) -> Result<Self, Refusal> {
        let mut found = Self::default();
        for word in words(headers, &header::SEC_WEBSOCKET_PROTOCOL) {
            found.is_offered |= word == PROTOCOL;
            let Some(encoded) = word.strip_prefix(PROTOCOL_BEARER) else { continue };
            let token = URL_SAFE_NO_PAD.decode(encoded).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            let token = token.filter(|token| !token.is_empty() && found.token.is_none());
            found.token = Some(token.ok_or_else(|| {
                Refusal::new(Code::TokenInvalid, "Send one subprotocol `bearer.` with the access token in base64url.")
            })?);
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn a_request_for_a_socket_has_a_form() {
        const GOOD: [(&str, &str); 4] = [
            ("connection", "keep-alive, Upgrade"),
            ("upgrade", "WebSocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ];
        assert!(check_form(&headers(&GOOD)).is_ok());
        for (name, bad, status) in [
            ("connection", "keep-alive", 426),
            ("upgrade", "h2c", 426),
            ("sec-websocket-version", "8", 426),
            ("sec-websocket-version", "", 426),
            ("sec-websocket-key", "", 400),
            ("sec-websocket-key", "short", 400),
            ("sec-websocket-key", "dGhlIHNhbXBsZQ==", 400),
        ] {
            let mut headers = headers(&GOOD);
            headers.insert(name, HeaderValue::from_static(bad));
            assert_eq!(check_form(&headers).unwrap_err().code().status(), status, "{name}: {bad}");
            headers.remove(name);
            assert_eq!(check_form(&headers).unwrap_err().code().status(), status, "no {name}");
        }
    }

    #[test]
    fn a_token_can_stand_among_the_subprotocols() {
        let token = |text: &str| Some(text.to_owned());
        for (offered, expected) in [
            ("", Some(Protocols::default())),
            ("agent.v1", Some(Protocols { is_offered: true, token: None })),
            ("agent.v1, bearer.YWJj", Some(Protocols { is_offered: true, token: token("abc") })),
            ("bearer.YWJj", Some(Protocols { is_offered: false, token: token("abc") })),
            ("agent.v1, bearer.YWJj, bearer.YWJj", None),
            ("agent.v1, bearer.", None),
            ("agent.v1, bearer.YWJj=", None),
            ("agent.v1, bearer.%%", None),
        ] {
            let protocols = Protocols::of(&headers(&[("sec-websocket-protocol", offered)])).ok();
            assert_eq!(protocols, expected, "{offered}");
        }
    }
}
