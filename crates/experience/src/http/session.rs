//! Sessions of work over HTTP: anonymous, owned, upgraded, deleted.

use std::sync::Arc;

use axum::{
    Json as JsonBody,
    extract::State,
    response::{IntoResponse, Response},
};
use contract::{
    Code, Owner, SessionId,
    auth::{Login, Secret},
    session::{CreateAnonymousSession, CreateSession, Session, SessionCredentials, UpgradeSession},
};
use http::StatusCode;
use security_guard::{Asker, Caller};
use serde_json::{Map, Value};

use super::{
    auth::{set_cookies, sign_in},
    cookies::CookieKind,
    json::OptionalJson,
    query::PathId,
    visit::Visit,
};
use crate::{Credentials, Plane, Refusal};

/// Begin an anonymous session.
///
/// Its id is its credential until somebody claims it, so it is to be kept like one.
#[utoipa::path(
    post, path = "/api/session/create-anonymous", tag = "sessions", request_body(content = Option<CreateAnonymousSession>),
    security(()), responses((status = 200, body = Session)),
)]
pub(super) async fn create_anonymous(
    State(plane): State<Arc<Plane>>,
    Visit { peer, .. }: Visit,
    OptionalJson(body): OptionalJson<CreateAnonymousSession>,
) -> Result<JsonBody<Session>, Refusal> {
    let metadata = body.metadata.unwrap_or_default();
    Ok(JsonBody(plane.guard.create_anonymous_session(metadata, &peer).await?))
}

/// Begin a session.
///
/// With a credential it is the caller's, with none it is anonymous. `tenant_id` and `user_id` may be empty, or the caller's own.
#[utoipa::path(
    post, path = "/api/session/create", tag = "sessions", request_body(content = Option<CreateSession>),
    security((), ("bearer" = []), ("cookie" = [])),
    responses((status = 200, body = Session), (status = 403, description = "The body names somebody else.")),
)]
pub(super) async fn create(
    State(plane): State<Arc<Plane>>,
    visit: Visit,
    credentials: Credentials,
    OptionalJson(body): OptionalJson<CreateSession>,
) -> Result<Response, Refusal> {
    let metadata = body.metadata.unwrap_or_default();
    if let Some(typed) = body.credentials {
        return create_with_password(&plane, &visit, typed, metadata).await;
    }
    let (tenant_id, user_id) = (named(body.tenant_id.as_deref()), named(body.user_id.as_deref()));
    let session = match credentials.asker().await? {
        Some(Asker::User(caller)) => {
            check_names(&caller, tenant_id, user_id)?;
            plane.guard.create_session(&caller, metadata).await?
        }
        Some(Asker::Anonymous { .. }) | None if tenant_id.is_some() || user_id.is_some() => {
            return Err(Refusal::sign_in_first());
        }
        Some(Asker::Anonymous { .. }) | None => plane.guard.create_anonymous_session(metadata, &visit.peer).await?,
    };
    Ok(JsonBody(session).into_response())
}

/// Signs in for one session. The answer has no tokens, so that the sign-in ends with it, unless a cookie carries it on.
async fn create_with_password(
    plane: &Plane,
    visit: &Visit,
    typed: SessionCredentials,
    metadata: Map<String, Value>,
) -> Result<Response, Refusal> {
    let login = Login { email: typed.email, password: Secret(typed.password), session_id: None, code: None };
    let signed_in = sign_in(plane, login, &visit.peer).await?;
    let session = plane.guard.create_session(&signed_in.caller, metadata).await?;
    let mut response = JsonBody(session).into_response();
    match CookieKind::of(visit.client).filter(|_| plane.config.legacy_client) {
        Some(kind) => set_cookies(plane, kind, &signed_in, response.headers_mut())?,
        None => plane.guard.logout(&signed_in.caller, &visit.peer).await?,
    }
    Ok(response)
}

/// The old client writes `""` for none.
fn named(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}

fn check_names(caller: &Caller, tenant_id: Option<&str>, user_id: Option<&str>) -> Result<(), Refusal> {
    let fits = tenant_id.is_none_or(|named| named == caller.tenant_id().as_str())
        && user_id.is_none_or(|named| named == caller.user_id().as_str());
    if fits {
        Ok(())
    } else {
        Err(Refusal::new(Code::Forbidden, "The body names a tenant or a user that is not you. Leave both out."))
    }
}

/// Read a session.
///
/// With what it has come to, by realm, under `state.realm_state`. The id of an anonymous session suffices.
#[utoipa::path(
    get, path = "/api/session/{id}", tag = "sessions", params(("id" = SessionId, Path)),
    security((), ("bearer" = []), ("cookie" = [])), responses((status = 200, body = Session)),
)]
pub(super) async fn get(
    State(plane): State<Arc<Plane>>,
    credentials: Credentials,
    id: PathId,
) -> Result<JsonBody<Session>, Refusal> {
    let asker = credentials.asker().await?;
    let session_id: SessionId = session_id(&id, asker.as_ref())?;
    let asker = match asker {
        None if plane.config.legacy_client => {
            Some(credentials.enter_with_session(Some(&session_id)).await?.asker().clone())
        }
        asker => asker,
    };
    let mut session = plane.guard.session(asker.as_ref(), &session_id).await?;
    let realms = plane.runtime.realm_state(&owner(&session), &session_id).await?;
    session.state.insert("realm_state".to_owned(), Value::Object(realms));
    Ok(JsonBody(session))
}

fn owner(session: &Session) -> Owner {
    match (&session.tenant_id, &session.user_id) {
        (Some(tenant_id), Some(user_id)) => Owner::User { tenant_id: tenant_id.clone(), user_id: user_id.clone() },
        _ => Owner::Anonymous { session_id: session.session_id.clone() },
    }
}

/// What cannot be an id gets the answer of an id that nobody has.
fn session_id(id: &PathId, asker: Option<&Asker>) -> Result<SessionId, Refusal> {
    id.of("session").map_err(|not_found| if asker.is_some() { not_found } else { Refusal::sign_in_first() })
}

/// Claim an anonymous session.
///
/// Everything that was done in it becomes the caller's. A session that is the caller's already stays as it is.
#[utoipa::path(
    patch, path = "/api/session/{id}/upgrade", tag = "sessions", params(("id" = SessionId, Path)),
    request_body(content = Option<UpgradeSession>), responses((status = 200, body = Session)),
)]
pub(super) async fn upgrade(
    State(plane): State<Arc<Plane>>,
    credentials: Credentials,
    visit: Visit,
    id: PathId,
    OptionalJson(body): OptionalJson<UpgradeSession>,
) -> Result<JsonBody<Session>, Refusal> {
    let context = credentials.with_token(named(body.access_token.as_deref()))?.enter().await?;
    let caller = context.caller()?;
    check_names(caller, named(body.tenant_id.as_deref()), named(body.user_id.as_deref()))?;
    let session_id = id.of("session")?;
    let metadata = body.metadata.unwrap_or_default();
    Ok(JsonBody(plane.guard.upgrade_session(caller, &session_id, metadata, &visit.peer).await?))
}

/// Delete a session.
///
/// What an anonymous session kept goes with it, within some minutes. What a user made stays theirs, as the session is only where it was
/// made.
#[utoipa::path(
    delete, path = "/api/session/{id}", tag = "sessions", params(("id" = SessionId, Path)),
    security((), ("bearer" = []), ("cookie" = [])), responses((status = 204, description = "It is gone.")),
)]
pub(super) async fn delete(
    State(plane): State<Arc<Plane>>,
    credentials: Credentials,
    id: PathId,
) -> Result<StatusCode, Refusal> {
    let asker = credentials.asker().await?;
    let session_id = session_id(&id, asker.as_ref())?;
    plane.guard.delete_session(asker.as_ref(), &session_id).await?;
    Ok(StatusCode::NO_CONTENT)
}
