//! The pipes: the plugs for the sockets of the other rooms, on SQLite, on the file system, on the APIs of language models and on other
//! servers. It knows how things are kept and reached and nothing of what they mean; no HTTP is served here.

pub mod backup;
pub mod mail;
pub mod mcp;
pub mod models;
pub mod objects;
pub mod outbound;
pub mod sqlite;

mod folder;

pub use models::RemoteModel;
pub use objects::FileObjects;
pub use outbound::{Outbound, OutboundError};
pub use sqlite::{Database, SqliteStore, SqliteTables};
