//! Content: files come in, are read, found, put away and deleted.

pub mod table;
