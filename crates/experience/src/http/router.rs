//! All routes on one page.

use std::sync::Arc;

use axum::{Router, middleware};
use contract::Code;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{envelope, health};
use crate::{Plane, Refusal, socket, stream};

/// Every route of the face, with its layers.
pub fn router(plane: Arc<Plane>) -> Router {
    let (router, _document) = all().split_for_parts();
    router
        .fallback(not_found)
        .layer(middleware::from_fn_with_state(Arc::clone(&plane), envelope::wrap))
        .with_state(plane)
}

fn all() -> OpenApiRouter<Arc<Plane>> {
    OpenApiRouter::new()
        .routes(routes!(health::health)) // GET /health
        .routes(routes!(health::live)) // GET /health/live
        .routes(routes!(health::ready)) // GET /health/ready
        .merge(stream::routes())
        .merge(socket::routes())
}

async fn not_found() -> Refusal {
    Refusal::new(Code::NotFound, "There is nothing at this path. GET /openapi.json lists what there is.")
}
