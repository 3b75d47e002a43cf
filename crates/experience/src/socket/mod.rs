//! The agent socket. It knows HTTP only until the upgrade.

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;

use crate::{ExperienceLimits, Plane};

/// The open sockets, within their limits.
pub struct Sockets {}

impl Sockets {
    pub fn new(_limits: &ExperienceLimits) -> Self {
        Self {}
    }
}

/// `/api/runtime/agent` and `/api/experience/agent`.
pub fn routes() -> OpenApiRouter<Arc<Plane>> {
    OpenApiRouter::new()
}
