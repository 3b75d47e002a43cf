//! The pipes, tested through their front doors.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod backup;
mod database;
mod history;
mod kill;
mod mcp;
mod models;
mod store;
