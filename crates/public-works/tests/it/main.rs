//! The pipes, tested through their front doors.

mod database;
mod kill;
mod store;
