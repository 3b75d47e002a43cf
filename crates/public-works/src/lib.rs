//! The pipes: the plugs for the sockets of the other rooms, on SQLite, on the file system and on other servers. It knows how things
//! are kept and reached and nothing of what they mean; no HTTP is served here.

pub mod backup;
pub mod objects;
pub mod outbound;
pub mod sqlite;

pub use objects::FileObjects;
pub use outbound::{Outbound, OutboundError};
pub use sqlite::{Database, SqliteStore, SqliteTables};
