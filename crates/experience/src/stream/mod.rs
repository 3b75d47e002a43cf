//! The events of one execution as they happen: Server-Sent Events and a WebSocket.

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;

use crate::Plane;

/// `/api/execution/{id}/events` and `/api/execution/{id}/stream`.
pub fn routes() -> OpenApiRouter<Arc<Plane>> {
    OpenApiRouter::new()
}
