//! The guide over plain HTTP: the same turn as over the socket, waiting for its end.

use std::time::Duration;

use axum::Json as JsonBody;
use contract::{
    ConversationId, EventType, MessageId, SessionId,
    agent::{Surface, TurnPolicy},
    conversation::Message,
    execution::{Execution, ExecutionStatus},
    intent::Timing,
};
use runtime::{SubmitRequest, port::store::StreamKey};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::{
    execution,
    json::Json,
    query::{PathId, Query, page_limit},
};
use crate::{
    CallContext, Credentials, Refusal,
    turn::{Begun, Turn, check_text, submit_turn},
};

/// How long a call waits for the end of its turn.
const PATIENCE: Duration = Duration::from_secs(120);

const ANALYZE: &str = "analyze_user_intent";

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Chat {
    /// 1 to 32,000 characters.
    message: String,
    session_id: SessionId,
    /// The screen that it comes from.
    #[serde(default)]
    surface: Option<String>,
    /// What becomes of it while an earlier turn has not ended; the guide's own policy where nothing is said.
    #[serde(default)]
    turn_policy: Option<TurnPolicy>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Analyze {
    message: String,
    #[serde(default)]
    surface: Option<String>,
    #[serde(default)]
    session_id: Option<SessionId>,
}

/// What the guide says, in the shape that both calls share.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct GuideAnswer {
    success: bool,
    /// What was said; null where nothing was to be said.
    response: Option<String>,
    /// `{agent_id, intent_type, parameters, confidence, needs_clarification, alternatives}`
    intent_analysis: Value,
    /// `{agent_id, rule, reason}`: who answered, and why.
    routing_info: Value,
    session_id: SessionId,
    /// The approval that the turn waits for; decide it under `/api/approvals/{hook_id}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    approval: Option<Value>,
    /// One sentence, or null.
    error: Option<String>,
}

/// What was said with the guide in a session, oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct GuideHistory {
    success: bool,
    session_id: SessionId,
    conversation_id: ConversationId,
    messages: Vec<Message>,
    next_cursor: Option<String>,
    error: Option<String>,
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct HistoryQuery {
    /// How many messages, 1 to 200; 50 when not given.
    limit: Option<u32>,
}

/// Say something to the guide.
///
/// The session is the conversation. Answers when the turn has ended, or when it waits for an approval.
#[utoipa::path(
    post, path = "/api/v1/guide-agent/chat", tag = "guide", request_body = Chat,
    responses((status = 200, body = GuideAnswer), (status = 404, description = "There is no such session, or it is not yours.")),
)]
pub(super) async fn chat(credentials: Credentials, Json(body): Json<Chat>) -> Result<JsonBody<GuideAnswer>, Refusal> {
    let context = credentials.enter_with_legacy_session(Some(&body.session_id)).await?;
    context.check_session(&body.session_id).await?;
    check_text("message", &body.message)?;
    let conversation_id = conversation_of(&body.session_id)?;
    let before = context.runtime().conversation_summary(context.owner(), &conversation_id).await?;
    let after = before.map_or(0, |conversation| conversation.cursor);
    let turn = Turn {
        owner: context.owner().clone(),
        authority: context.authority(),
        session_id: body.session_id.clone(),
        conversation_id: conversation_id.clone(),
        message_id: new_message_id(&context),
        text: body.message,
        surface: body.surface.as_deref().map_or(Surface::General, Surface::from_word),
        project_id: None,
        named: None,
        policy: body.turn_policy,
        quota: context.intent_quota(),
    };
    let begun = submit_turn(context.plane(), turn).await?;
    tokio::select! {
        ended = execution::wait(&context, &begun.submitted.execution_id, PATIENCE) => {
            Ok(JsonBody(answer(ended?, &begun, body.session_id)))
        }
        asked = approval_asked(&context, conversation_id, after) => {
            Ok(JsonBody(waiting(asked?, &begun, body.session_id)))
        }
    }
}

/// A session's conversation with the guide has the session's id.
fn conversation_of(session_id: &SessionId) -> Result<ConversationId, Refusal> {
    session_id.as_str().parse().map_err(Refusal::internal)
}

fn new_message_id(context: &CallContext) -> MessageId {
    let clock = &context.plane().clock;
    let mut random = [0; 10];
    clock.fill(&mut random);
    MessageId::from_parts(clock.now(), random)
}

fn answer(ended: Execution, begun: &Begun, session_id: SessionId) -> GuideAnswer {
    let success = ended.status == ExecutionStatus::Completed;
    let of_result = |name: &str| ended.result.get(name).cloned().unwrap_or(Value::Null);
    GuideAnswer {
        success,
        response: of_result("response").as_str().map(str::to_owned),
        intent_analysis: of_result("intent_analysis"),
        routing_info: routing_info(begun),
        session_id,
        approval: None,
        error: ended.error,
    }
}

fn waiting(approval: Value, begun: &Begun, session_id: SessionId) -> GuideAnswer {
    let reason = approval.get("reason").and_then(Value::as_str).unwrap_or("It is only done when you agree.");
    GuideAnswer {
        success: true,
        response: Some(format!("I need your word before I go on. {reason}")),
        intent_analysis: Value::Null,
        routing_info: routing_info(begun),
        session_id,
        approval: Some(approval),
        error: None,
    }
}

fn routing_info(begun: &Begun) -> Value {
    json!({ "agent_id": begun.agent_id, "rule": begun.routing.rule, "reason": begun.routing.reason })
}

/// Waits until something in the conversation needs somebody's word, which may be never.
async fn approval_asked(context: &CallContext, id: ConversationId, after: u64) -> Result<Value, Refusal> {
    let key = StreamKey::Conversation(context.owner().clone(), id);
    let watch = context.runtime().watch(&key, after).await?;
    let mut watch = watch.ok_or_else(|| Refusal::not_found("conversation"))?;
    loop {
        let events = watch.next().await?;
        if let Some(asked) = events.iter().find(|event| event.event_type == EventType::ApprovalPending) {
            return Ok(asked.event().data);
        }
    }
}

/// Ask what a message would be taken to mean.
///
/// Nothing of it is done.
#[utoipa::path(
    post, path = "/api/v1/guide-agent/analyze-intent", tag = "guide", request_body = Analyze,
    responses((status = 200, body = GuideAnswer), (status = 404, description = "There is no such session, or it is not yours.")),
)]
pub(super) async fn analyze_intent(
    credentials: Credentials,
    Json(body): Json<Analyze>,
) -> Result<JsonBody<GuideAnswer>, Refusal> {
    let context = credentials.enter_with_legacy_session(body.session_id.as_ref()).await?;
    let session_id = body.session_id.unwrap_or_else(|| context.session_id().clone());
    context.check_session(&session_id).await?;
    check_text("message", &body.message)?;
    let mut parameters = Map::new();
    parameters.insert("message".to_owned(), Value::String(body.message));
    if let Some(surface) = body.surface {
        parameters.insert("surface".to_owned(), Value::String(surface));
    }
    let request = SubmitRequest {
        owner: context.owner().clone(),
        authority: context.authority(),
        session_id: session_id.clone(),
        intent_type: ANALYZE.to_owned(),
        parameters,
        metadata: Map::new(),
        intent_id: None,
        idempotency_key: None,
        conversation_id: None,
        message: None,
        attachments: Vec::new(),
        timing: Timing::default(),
        quota: context.intent_quota(),
        concurrency_key: None,
    };
    let submitted = context.runtime().submit(request).await?;
    let ended = execution::wait(&context, &submitted.execution_id, PATIENCE).await?;
    let intent_analysis = ended.result.get("intent_analysis").cloned().unwrap_or(Value::Null);
    Ok(JsonBody(GuideAnswer {
        success: ended.status == ExecutionStatus::Completed,
        response: None,
        routing_info: json!({ "agent_id": intent_analysis.get("agent_id") }),
        intent_analysis,
        session_id,
        approval: None,
        error: ended.error,
    }))
}

/// Read what was said with the guide in a session.
#[utoipa::path(
    get, path = "/api/v1/guide-agent/history/{session_id}", tag = "guide",
    params(("session_id" = SessionId, Path), HistoryQuery), responses((status = 200, body = GuideHistory)),
)]
pub(super) async fn history(
    credentials: Credentials,
    id: PathId,
    Query(query): Query<HistoryQuery>,
) -> Result<JsonBody<GuideHistory>, Refusal> {
    let session_id: Option<SessionId> = id.of("session").ok();
    let context = credentials.enter_with_legacy_session(session_id.as_ref()).await?;
    let session_id = session_id.ok_or_else(|| Refusal::not_found("session"))?;
    context.check_session(&session_id).await?;
    let conversation_id = conversation_of(&session_id)?;
    let limit = page_limit(query.limit)?;
    let conversation = context.runtime().conversation(context.owner(), &conversation_id, None, limit).await?;
    let (messages, next_cursor) =
        conversation.map(|conversation| (conversation.messages, conversation.next_cursor)).unwrap_or_default();
    Ok(JsonBody(GuideHistory { success: true, session_id, conversation_id, messages, next_cursor, error: None }))
}
