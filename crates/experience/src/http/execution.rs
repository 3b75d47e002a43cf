//! How an execution stands, and stopping it. Its events are streamed by `stream/`.

use std::time::Duration;

use axum::Json as JsonBody;
use contract::{
    Code, ExecutionId,
    execution::{CancelExecution, Execution},
};
use http::StatusCode;

use super::{json::OptionalJson, query::PathId};
use crate::{CallContext, Credentials, Refusal};

/// The longest reason of a cancellation, in characters.
const MAX_REASON_CHARACTERS: usize = 500;

/// How an execution stands.
///
/// Readable the moment that the submission was answered.
#[utoipa::path(
    get, path = "/api/execution/{id}/status", tag = "executions", params(("id" = ExecutionId, Path)),
    responses((status = 200, body = Execution)),
)]
pub(super) async fn status(credentials: Credentials, id: PathId) -> Result<JsonBody<Execution>, Refusal> {
    let execution_id = match id.of("execution") {
        Ok(execution_id) => execution_id,
        Err(not_found) => return Err(credentials.enter().await.err().unwrap_or(not_found)),
    };
    let context = credentials.enter_with_legacy_execution(&execution_id).await?;
    let execution = context.runtime().execution(context.owner(), &execution_id).await?;
    execution.map(JsonBody).ok_or_else(|| Refusal::not_found("execution"))
}

/// Stop an execution.
///
/// It reaches the steps that run. An execution that has ended stays as it ended.
#[utoipa::path(
    post, path = "/api/execution/{id}/cancel", tag = "executions", params(("id" = ExecutionId, Path)),
    request_body(content = Option<CancelExecution>), responses((status = 202, body = Execution)),
)]
pub(super) async fn cancel(
    context: CallContext,
    id: PathId,
    OptionalJson(body): OptionalJson<CancelExecution>,
) -> Result<(StatusCode, JsonBody<Execution>), Refusal> {
    let reason = body.reason.unwrap_or_else(|| "The caller cancelled it.".to_owned());
    if reason.chars().count() > MAX_REASON_CHARACTERS {
        return Err(Refusal::field("reason", format!("has at most {MAX_REASON_CHARACTERS} characters")));
    }
    let execution = context.runtime().cancel(context.owner(), &id.of("execution")?, &reason).await?;
    let execution = execution.ok_or_else(|| Refusal::not_found("execution"))?;
    Ok((StatusCode::ACCEPTED, JsonBody(execution)))
}

/// Drive a dead letter again.
///
/// An execution that failed for good gets another round of attempts; the steps that it recorded are kept and do not run again. Asked
/// twice, it is one: while it is under way again, this answers how it stands.
#[utoipa::path(
    post, path = "/api/execution/{id}/redrive", tag = "executions", params(("id" = ExecutionId, Path)),
    responses(
        (status = 202, body = Execution),
        (status = 409, description = "It cannot be driven again, and the answer says why."),
    ),
)]
pub(super) async fn redrive(context: CallContext, id: PathId) -> Result<(StatusCode, JsonBody<Execution>), Refusal> {
    let execution = context.runtime().redrive(context.owner(), &id.of("execution")?).await?;
    let execution = execution.ok_or_else(|| Refusal::not_found("execution"))?;
    Ok((StatusCode::ACCEPTED, JsonBody(execution)))
}

/// Waits for the end of an execution that this call began, for at most `patience`. The execution goes on when nobody waits.
pub(super) async fn wait(
    context: &CallContext,
    execution_id: &ExecutionId,
    patience: Duration,
) -> Result<Execution, Refusal> {
    match tokio::time::timeout(patience, context.runtime().wait(context.owner(), execution_id)).await {
        Ok(ended) => ended?.ok_or_else(|| Refusal::not_found("execution")),
        Err(_) => Err(Refusal::new(
            Code::Timeout,
            format!("It takes longer than we wait here, and goes on: see /api/execution/{execution_id}/status."),
        )),
    }
}
