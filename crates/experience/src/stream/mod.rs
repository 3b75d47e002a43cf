//! The events of one execution as they happen: as Server-Sent Events and over a WebSocket, from any cursor, to the end of the
//! execution. It knows no dialect: every event is told as it is stored.

mod cursor;
mod places;
mod sse;
mod ws;

use std::sync::Arc;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::Plane;

pub(crate) use places::Places;

/// `/api/execution/{id}/events` and `/api/execution/{id}/stream`.
pub fn routes() -> OpenApiRouter<Arc<Plane>> {
    OpenApiRouter::new()
        .routes(routes!(sse::execution_events)) // GET /api/execution/{id}/events
        .routes(routes!(ws::execution_stream)) // GET /api/execution/{id}/stream
}
