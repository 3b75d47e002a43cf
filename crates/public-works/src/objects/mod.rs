//! Where bytes lie that are too many for a row.

mod files;

pub use files::FileObjects;
