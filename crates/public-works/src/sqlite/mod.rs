//! SQLite: one file, one writer, a few readers, and what is built on them.

mod accounts;
mod connect;
mod database;
mod error;
mod inspect;
mod migrate;
mod reader;
mod store;
mod tables;
mod writer;

pub use accounts::{MoveSpace, SqliteAccounts};
pub use database::Database;
pub use error::{DatabaseError, OpenError};
pub use inspect::{Inspection, inspect};
pub use rusqlite;
pub use store::{SqliteStore, move_space};
pub use tables::SqliteTables;
