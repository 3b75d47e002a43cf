//! Who is calling. The credentials of a request are read here once, by the rules of the contract, and the Security Guard
//! says what they are worth; a handler gets a [`CallContext`], which nothing else can make.

use std::sync::Arc;

use axum::extract::{FromRequestParts, MatchedPath};
use contract::{Authority, Code, ExecutionId, Owner, SessionId, TenantId, auth::Secret};
use http::{HeaderMap, Method, header, request::Parts};
use runtime::{RuntimeClient, port::store::Decider};
use security_guard::{Asker, Caller, Credential, Permission};

use crate::{Plane, Refusal, client::Client, config::CsrfToken, origin, permissions};

/// The session cookie on plain loopback. Its value is an access token.
pub const COOKIE: &str = "symphainy";
/// The session cookie on TLS; the prefix makes browsers insist on `Secure`, on `Path=/` and on no `Domain` (RFC 6265bis).
pub const COOKIE_TLS: &str = "__Host-symphainy";

/// The header of the CSRF token.
pub const CSRF_TOKEN: &str = "x-csrf-token";

/// Somebody who has been recognised, and what they can reach.
#[derive(Clone)]
pub struct CallContext {
    asker: Asker,
    owner: Owner,
    plane: Arc<Plane>,
}

impl CallContext {
    fn new(asker: Asker, plane: Arc<Plane>) -> Self {
        Self { owner: asker.owner(), asker, plane }
    }

    pub fn asker(&self) -> &Asker {
        &self.asker
    }

    /// Whose the things are that this call makes and may see.
    pub fn owner(&self) -> &Owner {
        &self.owner
    }

    /// With whose rights what this call asks for is executed.
    pub fn authority(&self) -> Authority {
        self.asker.authority()
    }

    pub fn runtime(&self) -> &RuntimeClient {
        &self.plane.runtime
    }

    pub fn plane(&self) -> &Arc<Plane> {
        &self.plane
    }

    /// The session of work that the credential came with.
    pub fn session_id(&self) -> &SessionId {
        self.asker.session_id()
    }

    /// The signed-in user; an anonymous session has to sign in first.
    pub fn caller(&self) -> Result<&Caller, Refusal> {
        self.asker.caller().ok_or_else(Refusal::sign_in_first)
    }

    /// A body may name the caller's own tenant, or none. `""` is what the old client sends for none.
    pub fn check_tenant(&self, tenant_id: Option<&TenantId>) -> Result<(), Refusal> {
        match tenant_id {
            Some(named) if Some(named) != self.owner.tenant_id() => {
                Err(Refusal::new(Code::Forbidden, "The body names a tenant that is not yours. Leave `tenant_id` out."))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// A session that the asker may work in: their own, or an anonymous one whose id they know.
    pub async fn check_session(&self, session_id: &SessionId) -> Result<(), Refusal> {
        Ok(self.plane.guard.check_session(&self.asker, session_id).await?)
    }

    /// How many intents the asker may submit in all; `None` for signed-in users.
    pub fn intent_quota(&self) -> Option<u32> {
        match &self.asker {
            Asker::User(_) => None,
            Asker::Anonymous { .. } => Some(self.plane.config.limits.anonymous_intents),
        }
    }
}

/// The asker as somebody who may decide: for themselves, and with the roles that the guard knows of.
pub(crate) fn decider(asker: &Asker) -> Decider {
    let roles = asker.caller().map(Caller::roles).unwrap_or_default();
    Decider { owner: asker.owner(), roles: roles.iter().map(ToString::to_string).collect() }
}

/// Refuses where the asker's roles do not include the permission.
pub(crate) fn require(asker: &Asker, permission: Permission) -> Result<(), Refusal> {
    if asker.may(permission) {
        return Ok(());
    }
    let detail = match asker {
        Asker::User(caller) if caller.api_key().is_some() => {
            format!(
                "This API key does not include {permission}: neither more than its scopes nor more than its user's roles."
            )
        }
        Asker::User(caller) if caller.actor().is_some() => {
            format!("Whoever acts for somebody may not do what needs {permission}. The person has to do it themselves.")
        }
        Asker::User(_) => format!("Your roles do not include {permission}. Ask an administrator for it."),
        Asker::Anonymous { .. } => "An anonymous session may not do this. Register or sign in first.".to_owned(),
    };
    Err(Refusal::new(Code::Forbidden, detail))
}

impl FromRequestParts<Arc<Plane>> for CallContext {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, plane: &Arc<Plane>) -> Result<Self, Refusal> {
        Credentials::read(parts, plane)?.enter().await
    }
}

/// What a request's head brought along, parsed and not yet verified.
#[derive(Clone)]
pub struct Credentials {
    header: Option<Secret>,
    cookie: Option<Secret>,
    /// What whoever comes with them has to be allowed, on the route that was called.
    needed: &'static [Permission],
    /// What has to fit the cookie's sign-in where nothing else vouches for the request.
    forgery_check: ForgeryCheck,
    plane: Arc<Plane>,
}

/// The second wall against forged requests.
#[derive(Clone)]
enum ForgeryCheck {
    /// The request changes nothing.
    None,
    /// The token that came along.
    Token(Option<String>),
}

impl FromRequestParts<Arc<Plane>> for Credentials {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, plane: &Arc<Plane>) -> Result<Self, Refusal> {
        Self::read(parts, plane)
    }
}

impl Credentials {
    fn read(parts: &Parts, plane: &Arc<Plane>) -> Result<Self, Refusal> {
        let headers = &parts.headers;
        let header = bearer(headers)?;
        let client = Client::of(headers, &parts.extensions, &plane.config.trusted_proxies);
        let cookie = cookie(headers, if client.tls { COOKIE_TLS } else { COOKIE });
        let cookie = cookie.map(|token| Secret(token.to_owned()));
        let unsafe_method = !matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS);
        if header.is_none() && cookie.is_some() && unsafe_method {
            origin::refuse_forgery(headers, client, &plane.config)?;
        }
        let path = parts.extensions.get::<MatchedPath>().map(MatchedPath::as_str).unwrap_or_default();
        // A route that was forgotten there lets nobody in.
        let needed = permissions::needed(&parts.method, path)
            .ok_or_else(|| Refusal::internal(format!("permissions.rs has no row for {} {path}", parts.method)))?;
        let csrf_token = || headers.get(CSRF_TOKEN).map(|token| token.to_str().unwrap_or_default().to_owned());
        let forgery_check = if unsafe_method { ForgeryCheck::Token(csrf_token()) } else { ForgeryCheck::None };
        Ok(Self { header, cookie, needed, forgery_check, plane: Arc::clone(plane) })
    }

    /// Whether the request's head carries any credential.
    pub fn is_empty(&self) -> bool {
        self.header.is_none() && self.cookie.is_none()
    }

    /// Whether a cookie is the only credential; sockets then want an origin.
    pub fn only_cookie(&self) -> bool {
        self.header.is_none() && self.cookie.is_some()
    }

    /// A token from elsewhere (a body, a subprotocol): it has to be the header's where there is one.
    pub fn with_token(mut self, token: Option<&str>) -> Result<Self, Refusal> {
        let Some(token) = token else { return Ok(self) };
        match &self.header {
            Some(header) if header.0 != token => Err(contradiction()),
            Some(_) => Ok(self),
            None => {
                self.header = Some(Secret(token.to_owned()));
                Ok(self)
            }
        }
    }

    /// Who is asking, or `None` where there is no credential at all. Whoever may not call this route is refused.
    pub async fn asker(&self) -> Result<Option<Asker>, Refusal> {
        let asker = self.recognise().await?;
        if let Some(asker) = &asker {
            self.check(asker)?;
        }
        Ok(asker)
    }

    fn check(&self, asker: &Asker) -> Result<(), Refusal> {
        self.needed.iter().try_for_each(|permission| require(asker, *permission))
    }

    async fn recognise(&self) -> Result<Option<Asker>, Refusal> {
        let guard = &self.plane.guard;
        match (&self.header, &self.cookie) {
            (None, None) => Ok(None),
            (None, Some(cookie)) => {
                let asker = guard.verify(&Credential::Cookie(cookie.clone())).await?;
                self.check_csrf_token(&asker)?;
                Ok(Some(asker))
            }
            (Some(header), None) => Ok(Some(guard.verify(&Credential::Bearer(header.clone())).await?)),
            (Some(header), Some(cookie)) => {
                let asker = guard.verify(&Credential::Bearer(header.clone())).await?;
                // A cookie that has run out contradicts nobody.
                match guard.verify(&Credential::Cookie(cookie.clone())).await {
                    Ok(other) if sign_in_of(&other) != sign_in_of(&asker) => Err(contradiction()),
                    Ok(_) | Err(_) => Ok(Some(asker)),
                }
            }
        }
    }

    fn check_csrf_token(&self, asker: &Asker) -> Result<(), Refusal> {
        let is_right = match &self.forgery_check {
            ForgeryCheck::None => true,
            ForgeryCheck::Token(None) => self.plane.config.csrf_token == CsrfToken::Offered,
            ForgeryCheck::Token(Some(token)) => {
                asker.caller().is_some_and(|caller| self.plane.guard.is_csrf_token(caller, token))
            }
        };
        let said =
            "Send the header X-CSRF-Token with the token of this sign-in: its answer has it, and so has a cookie.";
        if is_right { Ok(()) } else { Err(Refusal::new(Code::CsrfTokenInvalid, said)) }
    }

    /// Lets in whoever the head's credential stands for.
    pub async fn enter(self) -> Result<CallContext, Refusal> {
        let asker = self.asker().await?.ok_or_else(Refusal::sign_in_first)?;
        Ok(CallContext::new(asker, self.plane))
    }

    /// The same, and where the head has no credential, the id of an anonymous session is one; for submit, upload and ticket.
    /// Under `legacy_client` so is the id of an owned session.
    pub async fn enter_with_session(self, session_id: Option<&SessionId>) -> Result<CallContext, Refusal> {
        match session_id {
            Some(session_id) if self.is_empty() => {
                let asker = self.plane.guard.verify(&Credential::LegacySession(session_id.clone())).await?;
                self.check(&asker)?;
                Ok(CallContext::new(asker, self.plane))
            }
            Some(_) | None => self.enter().await,
        }
    }

    /// The same for calls where a session's id is a credential under `legacy_client` only.
    pub async fn enter_with_legacy_session(self, session_id: Option<&SessionId>) -> Result<CallContext, Refusal> {
        let session_id = session_id.filter(|_| self.plane.config.legacy_client);
        self.enter_with_session(session_id).await
    }

    /// The same for an execution's status: under `legacy_client` the execution's id opens what its session opens.
    pub async fn enter_with_legacy_execution(self, execution_id: &ExecutionId) -> Result<CallContext, Refusal> {
        if !self.is_empty() || !self.plane.config.legacy_client {
            return self.enter().await;
        }
        let runtime = &self.plane.runtime;
        let owner = runtime.execution_owner(execution_id).await?.ok_or_else(Refusal::sign_in_first)?;
        let execution = runtime.execution(&owner, execution_id).await?.ok_or_else(Refusal::sign_in_first)?;
        let context = self.enter_with_session(Some(&execution.session_id)).await?;
        if context.owner == owner { Ok(context) } else { Err(Refusal::sign_in_first()) }
    }
}

fn sign_in_of(asker: &Asker) -> Option<&contract::SignInId> {
    asker.caller().and_then(Caller::descends_from)
}

fn contradiction() -> Refusal {
    Refusal::new(
        Code::ConflictingCredentials,
        "The request carries two credentials that are not the same sign-in's. Send one of them.",
    )
}

fn bearer(headers: &HeaderMap) -> Result<Option<Secret>, Refusal> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Refusal::new(Code::ConflictingCredentials, "Send the Authorization header once."));
    }
    // What is no ASCII is no token of anybody, which the guard says.
    let token = std::str::from_utf8(value.as_bytes()).ok().and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    match token {
        Some(token) if !token.is_empty() => Ok(Some(Secret(token.to_owned()))),
        Some(_) | None => Err(Refusal::new(
            Code::TokenInvalid,
            "The Authorization header has to read `Bearer` and the access token, with one space between them.",
        )),
    }
}

/// The value of a cookie, where it is there and not empty.
pub(crate) fn cookie<'headers>(headers: &'headers HeaderMap, name: &str) -> Option<&'headers str> {
    let pairs = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    pairs
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(found, value)| *found == name && !value.is_empty())
        .map(|(_, value)| value.trim_matches('"'))
}
