//! Pages of lists that go from new to old. A cursor is the number of the last row that was shown, so that a page does
//! not shift when something is added.

use runtime::port::store::{Listing, MAX_PAGE, Page, PageRequest, StoreError};

/// Where a page begins and how long it is.
pub(super) struct Window {
    /// Only rows with smaller numbers.
    pub(super) below: i64,
    pub(super) offset: i64,
    /// One more than is shown: whether there is a next page.
    pub(super) limit: i64,
}

impl Window {
    /// `StoreError::BadCursor` where the cursor is none of ours.
    pub(super) fn of(page: &PageRequest) -> Result<Self, StoreError> {
        let limit = i64::from(page.limit.min(MAX_PAGE)) + 1;
        match &page.cursor {
            Some(cursor) => {
                let below = cursor.parse().map_err(|_| StoreError::BadCursor)?;
                Ok(Self { below, offset: 0, limit })
            }
            None => Ok(Self { below: i64::MAX, offset: i64::from(page.offset), limit }),
        }
    }

    /// The page out of the numbered rows that were found.
    pub(super) fn page<T>(&self, mut rows: Vec<(i64, T)>, total: u64) -> Page<T> {
        let shown = usize::try_from(self.limit - 1).expect("a page's limit is small");
        let more = rows.len() > shown;
        rows.truncate(shown);
        let next_cursor = rows.last().filter(|_| more).map(|(number, _)| number.to_string());
        Page { items: rows.into_iter().map(|(_, item)| item).collect(), total, next_cursor }
    }
}

/// The page of an owner who has nothing.
pub(super) fn nothing<T>() -> Page<T> {
    Page { items: Vec::new(), total: 0, next_cursor: None }
}

/// The page of a list that is not counted.
pub(super) fn listing<T>(page: Page<T>) -> Listing<T> {
    Listing { items: page.items, next_cursor: page.next_cursor }
}
