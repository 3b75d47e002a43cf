//! HTTP, a file a noun. The routes stand together in `router.rs`.

mod router;

mod health;
mod auth;
mod session;
mod intent;
mod execution;
mod approvals;
mod agents;
mod conversations;
mod artifacts;
mod files;
mod guide;
mod docs;

mod cookies;
mod cors;
mod envelope;
mod json;
mod openapi;
mod query;

pub use router::{document, router};
