//! All routes on one page. What a route takes and gives stands beside its handler, from where the OpenAPI document is made.

use std::sync::Arc;

use axum::{Router, extract::DefaultBodyLimit, middleware, routing::get};
use bytes::Bytes;
use contract::Code;
use utoipa::openapi::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    agents, approvals, artifacts, audit, auth, conversations, cors, docs, envelope, execution, executions, files,
    guide, health, intent, keys, letters, metrics, oidc, openapi, password, pending, schedules, second_factor, session,
    sign_ins, tenants,
};
use crate::{Plane, Refusal, console, socket, stream};

fn all() -> OpenApiRouter<Arc<Plane>> {
    OpenApiRouter::with_openapi(openapi::base())
        .routes(routes!(health::health)) // GET /health
        .routes(routes!(health::live)) // GET /health/live
        .routes(routes!(health::ready)) // GET /health/ready
        .routes(routes!(auth::register)) // POST /api/auth/register
        .routes(routes!(auth::login)) // POST /api/auth/login
        .routes(routes!(oidc::start)) // GET /api/auth/oidc/start
        .routes(routes!(oidc::callback)) // GET /api/auth/oidc/callback
        .routes(routes!(auth::refresh)) // POST /api/auth/refresh
        .routes(routes!(auth::logout)) // POST /api/auth/logout
        .routes(routes!(auth::me)) // GET /api/auth/me
        .routes(routes!(password::change)) // POST /api/auth/password
        .routes(routes!(letters::forgot)) // POST /api/auth/password/forgot
        .routes(routes!(letters::reset)) // POST /api/auth/password/reset
        .routes(routes!(letters::verify)) // POST /api/auth/email/verify
        .routes(routes!(letters::confirm)) // POST /api/auth/email/confirm
        .routes(routes!(second_factor::standing, second_factor::offer)) // GET, POST /api/auth/second-factor
        .routes(routes!(second_factor::confirm)) // POST /api/auth/second-factor/confirm
        .routes(routes!(second_factor::remove)) // POST /api/auth/second-factor/remove
        .routes(routes!(sign_ins::list, sign_ins::end_others)) // GET, DELETE /api/auth/sign-ins
        .routes(routes!(sign_ins::end)) // DELETE /api/auth/sign-ins/{id}
        .routes(routes!(audit::list)) // GET /api/audit
        .routes(routes!(auth::ticket)) // POST /api/auth/ticket
        .routes(routes!(auth::delegate)) // POST /api/auth/delegate
        .routes(routes!(keys::create, keys::list)) // POST, GET /api/auth/keys
        .routes(routes!(keys::revoke)) // DELETE /api/auth/keys/{key_id}
        .routes(routes!(auth::jwks)) // GET /.well-known/jwks.json
        .routes(routes!(tenants::list)) // GET /api/tenants
        .routes(routes!(tenants::switch)) // POST /api/tenants/switch
        .routes(routes!(tenants::join)) // POST /api/tenants/join
        .routes(routes!(tenants::members)) // GET /api/tenant/members
        .routes(routes!(tenants::change, tenants::remove)) // PATCH, DELETE /api/tenant/members/{user_id}
        .routes(routes!(tenants::transfer)) // POST /api/tenant/transfer
        .routes(routes!(tenants::create_service_account)) // POST /api/tenant/service-accounts
        .routes(routes!(tenants::invite, tenants::invitations)) // POST, GET /api/tenant/invitations
        .routes(routes!(tenants::withdraw)) // DELETE /api/tenant/invitations/{invitation_id}
        .routes(routes!(session::create_anonymous)) // POST /api/session/create-anonymous
        .routes(routes!(session::create)) // POST /api/session/create
        .routes(routes!(session::get, session::delete)) // GET, DELETE /api/session/{id}
        .routes(routes!(session::upgrade)) // PATCH /api/session/{id}/upgrade
        .routes(routes!(intent::submit)) // POST /api/intent/submit
        .routes(routes!(intent::list)) // GET /api/intents
        .routes(routes!(pending::create)) // POST /api/intent/pending/create
        .routes(routes!(pending::list)) // POST /api/intent/pending/list
        .routes(routes!(execution::status)) // GET /api/execution/{id}/status
        .routes(routes!(execution::cancel)) // POST /api/execution/{id}/cancel
        .routes(routes!(execution::redrive)) // POST /api/execution/{id}/redrive
        .routes(routes!(executions::list)) // GET /api/executions
        .routes(routes!(schedules::list, schedules::create)) // GET, POST /api/schedules
        .routes(routes!(schedules::get, schedules::change, schedules::delete)) // GET, PATCH, DELETE /api/schedules/{id}
        .routes(routes!(approvals::list)) // GET /api/approvals
        .routes(routes!(approvals::decide)) // POST /api/approvals/{hook_id}
        .routes(routes!(agents::list)) // GET /api/agents
        .routes(routes!(conversations::list)) // GET /api/conversations
        .routes(routes!(conversations::get, conversations::rename, conversations::delete)) // GET, PATCH, DELETE /api/conversations/{id}
        .routes(routes!(conversations::events)) // GET /api/conversations/{id}/events
        .routes(routes!(conversations::fork)) // POST /api/conversations/{id}/fork
        .routes(routes!(artifacts::list)) // POST /api/artifact/list
        .routes(routes!(artifacts::resolve)) // POST /api/artifact/resolve
        .routes(routes!(artifacts::get)) // GET /api/artifacts/{id}
        .routes(routes!(artifacts::content)) // GET /api/artifacts/{id}/content
        .routes(routes!(files::upload)) // POST /api/files
        .routes(routes!(guide::chat)) // POST /api/v1/guide-agent/chat
        .routes(routes!(guide::analyze_intent)) // POST /api/v1/guide-agent/analyze-intent
        .routes(routes!(guide::history)) // GET /api/v1/guide-agent/history/{session_id}
        .merge(stream::routes()) // GET /api/execution/{id}/events, GET /api/execution/{id}/stream
        .merge(socket::routes()) // GET /api/runtime/agent, GET /api/experience/agent
}

/// The pages about the routes, which are no part of the API.
fn pages(document: &OpenApi) -> Router<Arc<Plane>> {
    let json = Bytes::from(document.to_json().expect("the document is made of values that are JSON"));
    Router::new()
        .route("/openapi.json", get(move || async move { docs::document(json) }))
        .route("/docs", get(docs::docs))
        .route("/docs/", get(docs::index))
        .route("/docs/errors", get(docs::errors))
        .route("/docs/{file}", get(docs::asset))
}

/// Every route of the face, with its layers; the last one is the outermost.
pub fn router(plane: Arc<Plane>) -> Router {
    let (routes, document) = all().split_for_parts();
    routes
        .merge(pages(&openapi::finish(document)))
        .merge(console::routes())
        .fallback(not_found)
        // Bodies are bounded where they are read, each by its own limit.
        .layer(DefaultBodyLimit::disable())
        .layer(middleware::from_fn_with_state(Arc::clone(&plane), cors::allow))
        .layer(middleware::from_fn_with_state(Arc::clone(&plane), envelope::wrap))
        .with_state(plane)
}

/// What the operator's listener has; it needs no credential, since only the operator reaches it.
pub fn operator_router(plane: Arc<Plane>) -> Router {
    Router::new()
        .route("/metrics", get(metrics::metrics))
        .route("/health", get(health::health))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .fallback(not_found_for_operators)
        .layer(middleware::from_fn_with_state(Arc::clone(&plane), envelope::wrap))
        .with_state(plane)
}

/// The OpenAPI document of all routes.
pub fn document() -> OpenApi {
    openapi::finish(all().into_openapi())
}

async fn not_found() -> Refusal {
    Refusal::new(Code::NotFound, "There is nothing at this path. GET /openapi.json lists what there is.")
}

async fn not_found_for_operators() -> Refusal {
    Refusal::new(Code::NotFound, "There is nothing at this path. This listener has /metrics and /health.")
}
