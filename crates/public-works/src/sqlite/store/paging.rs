//! Pages of lists that go from new to old. A cursor is the number of the last row that was shown, so that a page does
//! not shift when something is added.

use runtime::port::store::{Listing, MAX_PAGE, Page, PageRequest};

/// Where a page begins and how long it is.
pub(super) struct Window {
    /// Only rows with smaller numbers.
    pub(super) below: i64,
    pub(super) offset: i64,
    /// One more than is shown: whether there is a next page.
    pub(super) limit: i64,
}

impl Window {
    /// `None` where the cursor is none of ours.
    pub(super) fn of(page: &PageRequest) -> Option<Self> {
        let limit = i64::from(page.limit.min(MAX_PAGE)) + 1;
        match &page.cursor {
            Some(cursor) => Some(Self { below: cursor.parse().ok()?, offset: 0, limit }),
            None => Some(Self { below: i64::MAX, offset: i64::from(page.offset), limit }),
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

/// The page of a cursor that cannot be read.
pub(super) fn nothing<T>(total: u64) -> Page<T> {
    Page { items: Vec::new(), total, next_cursor: None }
}

/// The page of a list that is not counted.
pub(super) fn listing<T>(page: Page<T>) -> Listing<T> {
    Listing { items: page.items, next_cursor: page.next_cursor }
}
