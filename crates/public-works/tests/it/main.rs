//! The pipes, tested through their front doors.

mod database;
