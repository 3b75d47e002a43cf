//! The numbers, for whoever watches over the server. They are on the operator's listener alone: they say how much there is of
//! everything, of all tenants.

use std::sync::Arc;

use axum::{extract::State, response::IntoResponse};
use http::header;

use crate::{Plane, Refusal, metrics::CONTENT_TYPE};

pub(super) async fn metrics(State(plane): State<Arc<Plane>>) -> Result<impl IntoResponse, Refusal> {
    let text = plane.metrics.text().map_err(Refusal::internal)?;
    Ok(([(header::CONTENT_TYPE, CONTENT_TYPE)], text))
}
