//! The Experience Plane put together: everything that a request may need, made once at start-up and shared.

use std::sync::Arc;

use contract::agent::AgentSummary;
use runtime::RuntimeClient;
use security_guard::{Clock, SecurityGuard};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::{config::ExperienceConfig, http, metrics::Metrics, socket::Sockets, stream::Places};

/// How many may upload at a time who have shown no credential yet.
const STRANGERS_UPLOADS: usize = 32;

/// What routes and sockets share.
pub struct Plane {
    pub guard: SecurityGuard,
    pub runtime: RuntimeClient,
    /// Everybody that routing can choose, and that `GET /api/agents` lists.
    pub agents: Vec<AgentSummary>,
    pub config: ExperienceConfig,
    pub clock: Arc<dyn Clock>,
    /// Cancelled when the server begins to drain: nothing new is taken, sockets are told to come back.
    pub draining: CancellationToken,
    /// The open sockets.
    pub sockets: Sockets,
    /// Places for uploads of whoever has shown no credential yet.
    pub(crate) strangers_uploads: Semaphore,
    pub(crate) metrics: Metrics,
    /// The open streams over HTTP.
    pub(crate) streams: Places,
}

/// The Experience Plane. Cheap to clone.
#[derive(Clone)]
pub struct Experience {
    plane: Arc<Plane>,
}

impl Experience {
    pub fn new(
        guard: SecurityGuard,
        runtime: RuntimeClient,
        agents: Vec<AgentSummary>,
        config: ExperienceConfig,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let sockets = Sockets::new(&config.limits);
        let draining = CancellationToken::new();
        let strangers_uploads = Semaphore::new(STRANGERS_UPLOADS);
        let metrics = Metrics::new(runtime.clone(), sockets.clone());
        let streams = Places::new(config.limits.streams_per_user);
        let plane =
            Plane { guard, runtime, agents, config, clock, draining, sockets, strangers_uploads, metrics, streams };
        Self { plane: Arc::new(plane) }
    }

    pub fn plane(&self) -> &Arc<Plane> {
        &self.plane
    }

    /// What only the operator sees: `/metrics`, and health.
    pub fn operator_router(&self) -> axum::Router {
        http::operator_router(Arc::clone(&self.plane))
    }

    /// All routes, ready to be served.
    pub fn router(&self) -> axum::Router {
        http::router(Arc::clone(&self.plane))
    }
}
