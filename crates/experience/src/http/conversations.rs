//! Conversations as they were held.

use axum::Json as JsonBody;
use contract::{
    Code, ConversationId,
    conversation::{Conversation, ConversationPage},
};
use serde::Deserialize;

use super::query::{PageQuery, PathId, Query, page_limit};
use crate::{CallContext, Refusal};

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct MessagesQuery {
    /// How many messages, 1 to 200; 50 when not given.
    limit: Option<u32>,
    /// What an earlier page gave as `next_cursor`: the messages before it.
    before: Option<String>,
}

/// List the caller's conversations, newest first.
#[utoipa::path(
    get, path = "/api/conversations", tag = "conversations", params(PageQuery),
    responses((status = 200, body = ConversationPage)),
)]
pub(super) async fn list(
    context: CallContext,
    Query(query): Query<PageQuery>,
) -> Result<JsonBody<ConversationPage>, Refusal> {
    let page = context.runtime().conversations(context.owner(), query.page()?).await?;
    Ok(JsonBody(ConversationPage { conversations: page.items, next_cursor: page.next_cursor }))
}

/// Read a conversation.
///
/// The newest messages, oldest first. `cursor` is where a socket goes on from.
#[utoipa::path(
    get, path = "/api/conversations/{id}", tag = "conversations", params(("id" = ConversationId, Path), MessagesQuery),
    responses((status = 200, body = Conversation)),
)]
pub(super) async fn get(
    context: CallContext,
    id: PathId,
    Query(query): Query<MessagesQuery>,
) -> Result<JsonBody<Conversation>, Refusal> {
    let limit = page_limit(query.limit)?;
    let before =
        query.before.as_deref().map(str::parse).transpose().map_err(|_| {
            Refusal::new(Code::BadCursor, "`before` has to be what an earlier page gave as `next_cursor`.")
        })?;
    let conversation = context.runtime().conversation(context.owner(), &id.of("conversation")?, before, limit).await?;
    conversation.map(JsonBody).ok_or_else(|| Refusal::not_found("conversation"))
}
