//! SQLite: one file, one writer, a few readers, and what is built on them.

mod accounts;
pub(crate) mod audit;
pub(crate) mod connect;
pub(crate) mod database;
mod error;
pub(crate) mod inspect;
mod ledger;
pub(crate) mod migrate;
mod past;
mod reader;
mod store;
mod tables;
mod writer;

pub use accounts::{MoveSpace, SqliteAccounts};
pub use audit::{Check, Problem, audit};
pub use database::Database;
pub use error::{DatabaseError, OpenError};
pub use inspect::{Inspection, inspect};
pub use ledger::SqliteLedger;
pub use migrate::{Pending, pending};
pub use past::{Held, Past, PastError};
pub use rusqlite;
pub use store::{Abandoned, Expired, Folded, Found, KeptFrom, Pass, SqliteStore, move_space};
pub use tables::SqliteTables;
