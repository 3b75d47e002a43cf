//! The caller's executions as a list, and the dead letters among them.

use axum::Json as JsonBody;
use contract::{
    ConversationId, ExecutionId, SessionId,
    execution::{ExecutionPage, ExecutionStatus},
};
use runtime::port::store::ExecutionFilter;
use serde::Deserialize;

use super::query::{PageQuery, Query, parameter};
use crate::{CallContext, Refusal};

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ExecutionsQuery {
    /// `pending`, `running`, `awaiting_approval`, `completed`, `failed` or `cancelled`.
    status: Option<String>,
    intent_type: Option<String>,
    session_id: Option<String>,
    conversation_id: Option<String>,
    /// Those that this execution called.
    parent: Option<String>,
    /// `true`: only what failed for good and was called by no other execution, which is what can be driven again.
    dead_letters: Option<bool>,
    /// 1 to 200; 50 when not given.
    limit: Option<u32>,
    /// What an earlier page gave as `next_cursor`.
    cursor: Option<String>,
}

impl ExecutionsQuery {
    fn filter(&self) -> Result<ExecutionFilter, Refusal> {
        let status = self.status.as_deref().map(|word| {
            ExecutionStatus::from_word(word).ok_or_else(|| {
                let words = ExecutionStatus::ALL.map(ExecutionStatus::as_str).join(", ");
                Refusal::field("status", format!("has to be one of {words}"))
            })
        });
        Ok(ExecutionFilter {
            status: status.transpose()?,
            intent_type: self.intent_type.clone(),
            session_id: parameter::<SessionId>("session_id", self.session_id.as_deref())?,
            conversation_id: parameter::<ConversationId>("conversation_id", self.conversation_id.as_deref())?,
            parent: parameter::<ExecutionId>("parent", self.parent.as_deref())?,
            dead_letters: self.dead_letters.unwrap_or_default(),
        })
    }
}

/// List the caller's executions.
///
/// Newest first. Filters join. With `dead_letters=true` those that failed for good and can be driven again.
#[utoipa::path(
    get, path = "/api/executions", tag = "executions", params(ExecutionsQuery), responses((status = 200, body = ExecutionPage)),
)]
pub(super) async fn list(
    context: CallContext,
    Query(query): Query<ExecutionsQuery>,
) -> Result<JsonBody<ExecutionPage>, Refusal> {
    let filter = query.filter()?;
    let page = PageQuery { limit: query.limit, cursor: query.cursor }.page()?;
    let listing = context.runtime().executions(context.owner(), &filter, page).await?;
    Ok(JsonBody(ExecutionPage { executions: listing.items, next_cursor: listing.next_cursor }))
}
