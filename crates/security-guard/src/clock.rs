//! The time and chance that the guard is handed. It never reads either by itself, so that a test can make time
//! stand still and chance repeat.

use contract::Timestamp;

/// Where the time and unguessable bytes come from.
pub trait Clock: Send + Sync {
    /// The present instant.
    fn now(&self) -> Timestamp;

    /// Fills `bytes` from a generator that is fit for secrets.
    fn fill(&self, bytes: &mut [u8]);
}

/// `N` unguessable bytes.
pub(crate) fn random<const N: usize>(clock: &dyn Clock) -> [u8; N] {
    let mut bytes = [0; N];
    clock.fill(&mut bytes);
    bytes
}
