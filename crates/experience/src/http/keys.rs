//! API keys over HTTP: made, shown once, listed, revoked.

use axum::Json as JsonBody;
use contract::{
    ApiKeyId, UserId,
    key::{ApiKeyList, CreateApiKey, CreatedApiKey},
};
use http::StatusCode;
use serde::Deserialize;

use super::{
    json::Json,
    query::{PathId, Query},
};
use crate::{CallContext, Refusal};

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct WhoseQuery {
    /// A member of the tenant whose keys are meant; needs `member:manage`. Absent: the caller.
    #[param(value_type = Option<String>)]
    user_id: Option<UserId>,
}

/// Make an API key.
///
/// The answer is the only place where the key is ever shown. It works in the tenant that the caller is in, as
/// `Authorization: Bearer …`, within its scopes and for as long as its user may do the same. Keys are managed by people who are
/// signed in: a key makes no keys.
#[utoipa::path(
    post, path = "/api/auth/keys", tag = "auth", request_body = CreateApiKey,
    responses((status = 201, body = CreatedApiKey), (status = 409, description = "There are too many.")),
)]
pub(super) async fn create(
    context: CallContext,
    Json(body): Json<CreateApiKey>,
) -> Result<(StatusCode, JsonBody<CreatedApiKey>), Refusal> {
    let created = context.plane().guard.create_key(context.caller()?, body).await?;
    Ok((StatusCode::CREATED, JsonBody(created)))
}

/// List API keys.
///
/// Those that work, newest first, without the keys themselves.
#[utoipa::path(get, path = "/api/auth/keys", tag = "auth", params(WhoseQuery), responses((status = 200, body = ApiKeyList)))]
pub(super) async fn list(
    context: CallContext,
    Query(query): Query<WhoseQuery>,
) -> Result<JsonBody<ApiKeyList>, Refusal> {
    let keys = context.plane().guard.list_keys(context.caller()?, query.user_id).await?;
    Ok(JsonBody(ApiKeyList { keys }))
}

/// Revoke an API key.
///
/// It is refused from the next request on, and its sockets are closed.
#[utoipa::path(
    delete, path = "/api/auth/keys/{key_id}", tag = "auth", params(("key_id" = ApiKeyId, Path), WhoseQuery),
    responses((status = 204, description = "It works no more.")),
)]
pub(super) async fn revoke(
    context: CallContext,
    id: PathId,
    Query(query): Query<WhoseQuery>,
) -> Result<StatusCode, Refusal> {
    let caller = context.caller()?;
    context.plane().guard.revoke_key(caller, query.user_id, &id.of("API key")?).await?;
    Ok(StatusCode::NO_CONTENT)
}
