//! What is done again and again: made, looked at, paused and deleted.

use axum::Json as JsonBody;
use contract::{
    ScheduleId,
    schedule::{ChangeSchedule, CreateSchedule, Schedule, SchedulePage},
};
use http::StatusCode;

use super::{
    json::Json,
    query::{PageQuery, PathId, Query},
};
use crate::{CallContext, Refusal};

/// Schedule an intent.
///
/// It is submitted whenever the cron pattern comes, in its time zone, once for each time whatever happens in between.
#[utoipa::path(
    post, path = "/api/schedules", tag = "schedules", request_body = CreateSchedule,
    responses((status = 201, body = Schedule), (status = 404, description = "There is no such intent, or no such session.")),
)]
pub(super) async fn create(
    context: CallContext,
    Json(body): Json<CreateSchedule>,
) -> Result<(StatusCode, JsonBody<Schedule>), Refusal> {
    // An anonymous session is gone before long; what it would schedule is not.
    context.caller()?;
    context.check_session(&body.session_id).await?;
    let schedule = context.runtime().create_schedule(context.owner(), context.authority(), body).await?;
    Ok((StatusCode::CREATED, JsonBody(schedule)))
}

/// List the caller's schedules, newest first.
#[utoipa::path(
    get, path = "/api/schedules", tag = "schedules", params(PageQuery), responses((status = 200, body = SchedulePage)),
)]
pub(super) async fn list(
    context: CallContext,
    Query(query): Query<PageQuery>,
) -> Result<JsonBody<SchedulePage>, Refusal> {
    let listing = context.runtime().schedules(context.owner(), query.page()?).await?;
    Ok(JsonBody(SchedulePage { schedules: listing.items, next_cursor: listing.next_cursor }))
}

/// Read a schedule.
#[utoipa::path(
    get, path = "/api/schedules/{id}", tag = "schedules", params(("id" = ScheduleId, Path)),
    responses((status = 200, body = Schedule)),
)]
pub(super) async fn get(context: CallContext, id: PathId) -> Result<JsonBody<Schedule>, Refusal> {
    let schedule = context.runtime().schedule(context.owner(), &id.of("schedule")?).await?;
    schedule.map(JsonBody).ok_or_else(|| Refusal::not_found("schedule"))
}

/// Pause a schedule, or let it go on.
///
/// What passes while it is paused is not missed: it goes on with the first time after now.
#[utoipa::path(
    patch, path = "/api/schedules/{id}", tag = "schedules", params(("id" = ScheduleId, Path)), request_body = ChangeSchedule,
    responses((status = 200, body = Schedule)),
)]
pub(super) async fn change(
    context: CallContext,
    id: PathId,
    Json(body): Json<ChangeSchedule>,
) -> Result<JsonBody<Schedule>, Refusal> {
    let schedule = context.runtime().pause_schedule(context.owner(), &id.of("schedule")?, body.paused).await?;
    schedule.map(JsonBody).ok_or_else(|| Refusal::not_found("schedule"))
}

/// Delete a schedule.
///
/// What it has submitted goes on.
#[utoipa::path(
    delete, path = "/api/schedules/{id}", tag = "schedules", params(("id" = ScheduleId, Path)), responses((status = 204)),
)]
pub(super) async fn delete(context: CallContext, id: PathId) -> Result<StatusCode, Refusal> {
    if context.runtime().delete_schedule(context.owner(), &id.of("schedule")?).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(Refusal::not_found("schedule"))
}
