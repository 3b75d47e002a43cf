//! Whether the server lives, and whether it can be given work.

use std::{sync::Arc, time::Duration};

use axum::{Json, extract::State};
use contract::Code;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{Plane, Refusal};

/// How the server is.
#[derive(Serialize, ToSchema)]
pub(super) struct Health {
    /// Always `healthy`; a server that is not answers with a problem.
    status: &'static str,
    service: &'static str,
    version: &'static str,
}

/// How long storage and Runtime may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

const NOT_READY: &str = "The storage or the Runtime does not answer. Ask another server, or this one later.";

const HEALTHY: Health = Health { status: "healthy", service: "symphainy", version: env!("CARGO_PKG_VERSION") };

/// Whether the server answers.
#[utoipa::path(get, path = "/health", tag = "health", security(()), responses((status = 200, body = Health)))]
pub(super) async fn health() -> Json<Health> {
    Json(HEALTHY)
}

/// Whether the process lives; it says nothing about storage.
#[utoipa::path(get, path = "/health/live", tag = "health", security(()), responses((status = 200, body = Health)))]
pub(super) async fn live() -> Json<Health> {
    Json(HEALTHY)
}

/// Whether storage and Runtime answer and the server is not draining.
#[utoipa::path(get, path = "/health/ready", tag = "health", security(()), responses((status = 200, body = Health)))]
pub(super) async fn ready(State(plane): State<Arc<Plane>>) -> Result<Json<Health>, Refusal> {
    if plane.draining.is_cancelled() {
        return Err(Refusal::new(Code::Unavailable, "The server is draining. Ask another one, or this one later."));
    }
    match tokio::time::timeout(PATIENCE, plane.runtime.ready()).await {
        Ok(Ok(())) => Ok(Json(HEALTHY)),
        Ok(Err(error)) => Err(Refusal::new(Code::Unavailable, NOT_READY).because(error)),
        Err(_) => Err(Refusal::new(Code::Unavailable, NOT_READY)),
    }
}
