//! Bytes that are too many for a row.

mod files;

/// The folder of a data directory that the objects lie in.
pub const FOLDER: &str = "objects";

pub use files::FileObjects;
pub(crate) use files::{ids, place_of};
