//! Where a request came from, in the guard's words.

use std::{convert::Infallible, sync::Arc};

use axum::extract::FromRequestParts;
use http::{header, request::Parts};
use security_guard::Peer;

use super::envelope::RequestId;
use crate::{Plane, client::Client};

/// A request's other end: as cookies and limits see it, and as the guard writes it down.
pub(super) struct Visit {
    pub(super) client: Client,
    pub(super) peer: Peer,
}

impl FromRequestParts<Arc<Plane>> for Visit {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, plane: &Arc<Plane>) -> Result<Self, Infallible> {
        let client = Client::of(&parts.headers, &parts.extensions, &plane.config.trusted_proxies);
        let agent = parts.headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
        let request_id = parts.extensions.get::<RequestId>().map(RequestId::as_str);
        Ok(Self { client, peer: Peer::new(client.address, agent, request_id) })
    }
}
