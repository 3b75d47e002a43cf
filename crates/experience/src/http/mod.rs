//! HTTP, a file a noun. The routes stand together in `router.rs`.

mod envelope;
mod health;
mod router;

pub use router::router;
