//! Server-Sent Events: one event of the execution each, with its `seq` as the id, so that a browser resumes by itself.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    extract::{Path, Query, State},
    response::{
        IntoResponse, Response, Sse,
        sse::{Event, KeepAlive},
    },
};
use futures_util::{StreamExt, stream};
use http::{HeaderMap, StatusCode};
use runtime::port::store::JournalEvent;
use serde::Deserialize;
use tracing::error;

use super::{
    cursor::{ExecutionEvents, parse_cursor},
    places::Place,
};
use crate::{CallContext, Plane, Refusal};

/// How often a comment keeps an idle stream open through proxies.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// With which a client that lost its stream comes back (HTML, section 9.2).
const LAST_EVENT_ID: &str = "last-event-id";

#[derive(Deserialize)]
pub(super) struct After {
    after: Option<String>,
}

/// Watch an execution.
///
/// Its events as they happen, from any cursor; the stream ends after the last one. `Last-Event-ID` goes before `after`. Where nothing
/// comes after the cursor any more the answer is 204, which tells a browser's `EventSource` not to come back.
#[utoipa::path(
    get,
    path = "/api/execution/{id}/events",
    tag = "executions",
    params(
        ("id" = String, Path, description = "The execution."),
        ("after" = Option<u64>, Query, description = "The `seq` of the last event that is known already."),
    ),
    responses(
        (status = 200, description = "The events; `id:` is the `seq`.", content_type = "text/event-stream", body = contract::Event),
        (status = 204, description = "The execution has ended, and its last event is known already."),
        (status = 400, description = "The cursor cannot be used."),
        (status = 401, description = "No credential, or a bad one."),
        (status = 404, description = "There is no such execution, or it is not the caller's."),
        (status = 429, description = "The caller has as many streams open as somebody may have."),
    ),
)]
pub(super) async fn execution_events(
    State(plane): State<Arc<Plane>>,
    context: CallContext,
    Path(execution_id): Path<String>,
    Query(query): Query<After>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let last_event_id = headers.get(LAST_EVENT_ID).map(|id| id.to_str().unwrap_or("unreadable"));
    let after = parse_cursor(last_event_id.or(query.after.as_deref()))?;
    let asker = context.asker().clone();
    let events = ExecutionEvents::open(Arc::clone(&plane), asker, &execution_id, after).await?;
    if after > 0 && events.are_over().await? {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let place = plane.streams.take(context.asker())?;
    let draining = plane.draining.clone().cancelled_owned();
    let pages = stream::unfold((events, place), next_page).take_until(draining);
    let events = pages.flat_map(|page| stream::iter(page.into_iter().map(|event| Ok::<_, Infallible>(told(&event)))));
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response())
}

async fn next_page(
    (mut events, place): (ExecutionEvents, Place),
) -> Option<(Vec<JournalEvent>, (ExecutionEvents, Place))> {
    match events.next().await {
        Ok(page) => page.map(|page| (page, (events, place))),
        Err(error) => {
            // The client comes back from where it stood.
            error!(%error, "the events of an execution cannot be read");
            None
        }
    }
}

fn told(event: &JournalEvent) -> Event {
    Event::default().id(event.seq.to_string()).event(event.event_type.as_str()).data(&*event.json)
}
