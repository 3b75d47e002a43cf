//! HTTP, a file a noun. The routes stand together in `router.rs`.

mod router;

mod agents;
mod approvals;
mod artifacts;
mod audit;
mod auth;
mod conversations;
mod docs;
mod execution;
mod executions;
mod files;
mod guide;
mod health;
mod intent;
mod keys;
mod letters;
mod metrics;
mod oidc;
mod password;
mod pending;
mod schedules;
mod second_factor;
mod session;
mod sign_ins;
mod tenants;

mod cookies;
mod cors;
mod envelope;
pub(crate) mod json;
mod openapi;
mod query;
mod swagger_ui;
mod visit;

pub use router::{document, operator_router, router};
