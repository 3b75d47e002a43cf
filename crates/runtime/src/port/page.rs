//! Pages of lists: which one is asked for, and what it holds.

/// Which page of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageRequest {
    pub limit: u32,
    pub offset: u32,
    /// Opaque; what an earlier page gave as `next_cursor`. One that cannot be read is `StoreError::BadCursor`.
    pub cursor: Option<String>,
}

impl PageRequest {
    pub fn first(limit: u32) -> Self {
        Self { limit, offset: 0, cursor: None }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// How many there are in all, without paging.
    pub total: u64,
    pub next_cursor: Option<String>,
}

/// A page of a list that nobody counts, because counting would cost more the more there is.
#[derive(Clone, Debug, PartialEq)]
pub struct Listing<T> {
    pub items: Vec<T>,
    pub next_cursor: Option<String>,
}
