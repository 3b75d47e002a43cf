//! What waits for somebody's word, and the word.

use axum::Json as JsonBody;
use contract::{
    HookId,
    approval::{Approval, ApprovalPage, ApprovalStatus, Decision},
};
use serde::Deserialize;

use super::{
    json::Json,
    query::{PageQuery, PathId, Query},
};
use crate::{CallContext, Refusal, call::decider};

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ApprovalQuery {
    /// `pending` when not given; `approved`, `rejected`, `expired`, `withdrawn`, or `all`.
    status: Option<String>,
    /// 1 to 200; 50 when not given.
    limit: Option<u32>,
    /// What an earlier page gave as `next_cursor`.
    cursor: Option<String>,
}

/// List approvals.
///
/// The caller's own, and those of the tenant that wait for a role of the caller's. Pending ones, unless another status is asked for;
/// newest first.
#[utoipa::path(
    get, path = "/api/approvals", tag = "approvals", params(ApprovalQuery), responses((status = 200, body = ApprovalPage)),
)]
pub(super) async fn list(
    context: CallContext,
    Query(query): Query<ApprovalQuery>,
) -> Result<JsonBody<ApprovalPage>, Refusal> {
    let status = match query.status.as_deref() {
        None => Some(ApprovalStatus::Pending),
        Some("all") => None,
        Some(word) => Some(ApprovalStatus::from_word(word).ok_or_else(|| {
            Refusal::field("status", "has to be pending, approved, rejected, expired, withdrawn or all")
        })?),
    };
    let page = PageQuery { limit: query.limit, cursor: query.cursor }.page()?;
    let page = context.runtime().approvals(decider(context.asker()), status, page).await?;
    Ok(JsonBody(ApprovalPage { approvals: page.items, next_cursor: page.next_cursor }))
}

/// Decide an approval.
///
/// Exactly once, here or on a socket. Corrections are merged into the proposed parameters.
#[utoipa::path(
    post, path = "/api/approvals/{hook_id}", tag = "approvals", params(("hook_id" = HookId, Path)), request_body = Decision,
    responses((status = 200, body = Approval), (status = 409, description = "Somebody has decided already.")),
)]
pub(super) async fn decide(
    context: CallContext,
    id: PathId,
    Json(decision): Json<Decision>,
) -> Result<JsonBody<Approval>, Refusal> {
    let decided = context.runtime().decide(decider(context.asker()), &id.of("approval")?, decision).await?;
    decided.map(JsonBody).ok_or_else(|| Refusal::not_found("approval"))
}
