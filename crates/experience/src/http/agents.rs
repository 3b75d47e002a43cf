//! Who can be talked to.

use axum::Json as JsonBody;
use contract::agent::AgentList;

use crate::CallContext;

/// List the agents.
#[utoipa::path(get, path = "/api/agents", tag = "agents", responses((status = 200, body = AgentList)))]
pub(super) async fn list(context: CallContext) -> JsonBody<AgentList> {
    JsonBody(AgentList { agents: context.plane().agents.clone() })
}
