//! Intents that somebody means to submit later, for an artifact.

use axum::Json as JsonBody;
use contract::pending::{CreatePendingIntent, ListPendingIntents, PendingIntent, PendingIntentList};
use runtime::{
    NewPendingIntent,
    port::store::{PageRequest, PendingFilter},
};

use super::{
    json::{Json, OptionalJson},
    query::page_limit,
};
use crate::{Credentials, Refusal};

/// The largest context, in bytes of JSON.
const MAX_CONTEXT_BYTES: usize = 16 * 1024;

/// Mean to submit an intent.
///
/// It is kept and nothing is executed: `POST /api/intent/submit` with the same `intent_id` carries it out, in this session or a later
/// one. The same `intent_id` again answers what is kept.
#[utoipa::path(
    post, path = "/api/intent/pending/create", tag = "intents", request_body = CreatePendingIntent,
    responses(
        (status = 200, body = PendingIntent),
        (status = 404, description = "There is no such intent, or no such artifact."),
    ),
)]
pub(super) async fn create(
    credentials: Credentials,
    Json(body): Json<CreatePendingIntent>,
) -> Result<JsonBody<PendingIntent>, Refusal> {
    let context = credentials.enter_with_legacy_session(body.session_id.as_ref()).await?;
    context.check_tenant(body.tenant_id.as_ref())?;
    let size_bytes = serde_json::to_vec(&body.context).map_err(Refusal::internal)?.len();
    if size_bytes > MAX_CONTEXT_BYTES {
        return Err(Refusal::field("context", "has at most 16 KiB"));
    }
    let new = NewPendingIntent {
        intent_id: body.intent_id,
        intent_type: body.intent_type,
        target_artifact_id: body.target_artifact_id,
        context: body.context,
    };
    let kept = context.runtime().keep_pending(context.owner(), new).await?;
    kept.map(JsonBody).ok_or_else(|| Refusal::not_found("artifact"))
}

/// List what is meant to be submitted.
///
/// Newest first; with `include_submitted` also what was submitted meanwhile, and how it stands.
#[utoipa::path(
    post, path = "/api/intent/pending/list", tag = "intents", request_body(content = Option<ListPendingIntents>),
    responses((status = 200, body = PendingIntentList)),
)]
pub(super) async fn list(
    credentials: Credentials,
    OptionalJson(body): OptionalJson<ListPendingIntents>,
) -> Result<JsonBody<PendingIntentList>, Refusal> {
    let context = credentials.enter_with_legacy_session(body.session_id.as_ref()).await?;
    context.check_tenant(body.tenant_id.as_ref())?;
    let filter = PendingFilter {
        target_artifact_id: body.target_artifact_id,
        intent_type: body.intent_type,
        include_submitted: body.include_submitted,
    };
    let page = PageRequest { limit: page_limit(body.limit)?, offset: 0, cursor: body.cursor };
    let page = context.runtime().pending_intents(context.owner(), &filter, page).await?;
    Ok(JsonBody(PendingIntentList { intents: page.items, total: page.total, next_cursor: page.next_cursor }))
}
