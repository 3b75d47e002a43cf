//! The pipes: the plugs for the sockets of the other rooms, on SQLite and on the file system. It knows how things are
//! kept and nothing of what they mean; no HTTP is spoken here.

pub mod backup;
pub mod objects;
pub mod sqlite;

pub use objects::FileObjects;
pub use sqlite::{Database, SqliteStore, SqliteTables};
