//! Conversations as they were held: listed, found, read, renamed, deleted.

use axum::Json as JsonBody;
use contract::{
    Code, ConversationId,
    conversation::{
        Conversation, ConversationPage, ConversationSummary, EventPage, ForkConversation, Forked, RenameConversation,
    },
};
use http::StatusCode;
use runtime::{ForkOutcome, port::store::StreamKey};
use serde::Deserialize;

use super::{
    json::Json,
    query::{PageQuery, PathId, Query, page_limit},
};
use crate::{CallContext, Refusal};

/// The longest text that is searched for, and the longest title, in characters.
const MAX_SEARCH_CHARACTERS: usize = 200;
const MAX_TITLE_CHARACTERS: usize = 200;

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ConversationsQuery {
    /// Only conversations in whose title or messages this stands; up to 200 characters.
    search: Option<String>,
    /// 1 to 200; 50 when not given.
    limit: Option<u32>,
    /// What an earlier page gave as `next_cursor`.
    cursor: Option<String>,
}

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
    get, path = "/api/conversations", tag = "conversations", params(ConversationsQuery),
    responses((status = 200, body = ConversationPage)),
)]
pub(super) async fn list(
    context: CallContext,
    Query(query): Query<ConversationsQuery>,
) -> Result<JsonBody<ConversationPage>, Refusal> {
    let text = query.search.as_deref().map(str::trim).filter(|text| !text.is_empty());
    if text.is_some_and(|text| text.chars().count() > MAX_SEARCH_CHARACTERS) {
        return Err(Refusal::field("search", format!("has at most {MAX_SEARCH_CHARACTERS} characters")));
    }
    let page = PageQuery { limit: query.limit, cursor: query.cursor }.page()?;
    let page = context.runtime().conversations(context.owner(), text, page).await?;
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

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct EventsQuery {
    /// The `seq` of the last event that is known already; 0 when not given.
    after: Option<u64>,
    /// How many events, 1 to 200; 50 when not given.
    limit: Option<u32>,
}

/// Read a conversation's events.
///
/// The same events as on a socket, after a cursor and oldest first. An empty page is the end.
#[utoipa::path(
    get, path = "/api/conversations/{id}/events", tag = "conversations", params(("id" = ConversationId, Path), EventsQuery),
    responses((status = 200, body = EventPage)),
)]
pub(super) async fn events(
    context: CallContext,
    id: PathId,
    Query(query): Query<EventsQuery>,
) -> Result<JsonBody<EventPage>, Refusal> {
    let limit = page_limit(query.limit)?;
    let key = StreamKey::Conversation(context.owner().clone(), id.of("conversation")?);
    let events = context.runtime().events(&key, query.after.unwrap_or_default(), limit).await?;
    let events = events.ok_or_else(|| Refusal::not_found("conversation"))?;
    Ok(JsonBody(EventPage { events: events.iter().map(|event| event.event()).collect() }))
}

/// Begin a new conversation with what was said in this one.
///
/// Its messages up to the event `at` are the first ones of the new conversation. This one stays as it is.
#[utoipa::path(
    post, path = "/api/conversations/{id}/fork", tag = "conversations", params(("id" = ConversationId, Path)),
    request_body = ForkConversation, responses((status = 201, body = Forked)),
)]
pub(super) async fn fork(
    context: CallContext,
    id: PathId,
    Json(body): Json<ForkConversation>,
) -> Result<(StatusCode, JsonBody<Forked>), Refusal> {
    match context.runtime().fork(context.owner(), &id.of("conversation")?, body.at).await? {
        ForkOutcome::Forked(forked) => Ok((StatusCode::CREATED, JsonBody(forked))),
        ForkOutcome::NoConversation => Err(Refusal::not_found("conversation")),
        ForkOutcome::Beyond(cursor) => {
            Err(Refusal::field("at", format!("has to be the `seq` of an event; the newest one is {cursor}")))
        }
        ForkOutcome::NothingSaid => Err(Refusal::field("at", "has to be an event after the first message")),
    }
}

/// Rename a conversation.
#[utoipa::path(
    patch, path = "/api/conversations/{id}", tag = "conversations", params(("id" = ConversationId, Path)),
    request_body = RenameConversation, responses((status = 200, body = ConversationSummary)),
)]
pub(super) async fn rename(
    context: CallContext,
    id: PathId,
    Json(body): Json<RenameConversation>,
) -> Result<JsonBody<ConversationSummary>, Refusal> {
    let title = body.title.trim();
    let characters = title.chars().count();
    if !(1..=MAX_TITLE_CHARACTERS).contains(&characters) || title.chars().any(char::is_control) {
        return Err(Refusal::field("title", format!("has to have 1 to {MAX_TITLE_CHARACTERS} characters in one line")));
    }
    let id = id.of("conversation")?;
    let renamed = context.runtime().rename_conversation(context.owner(), &id, title).await?;
    renamed.map(JsonBody).ok_or_else(|| Refusal::not_found("conversation"))
}

/// Delete a conversation.
///
/// Its messages go, and cannot be brought back. What was done in it stays: executions with their events, and artifacts.
#[utoipa::path(
    delete, path = "/api/conversations/{id}", tag = "conversations", params(("id" = ConversationId, Path)),
    responses(
        (status = 204, description = "It is gone."),
        (status = 409, description = "Something in it is under way."),
    ),
)]
pub(super) async fn delete(context: CallContext, id: PathId) -> Result<StatusCode, Refusal> {
    let was_there = context.runtime().delete_conversation(context.owner(), &id.of("conversation")?).await?;
    if was_there { Ok(StatusCode::NO_CONTENT) } else { Err(Refusal::not_found("conversation")) }
}
