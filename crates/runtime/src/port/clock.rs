//! Time and chance, handed in so that a test can make them stand still.

use contract::Timestamp;

/// Where the time and chance come from.
pub trait Clock: Send + Sync {
    fn now(&self) -> Timestamp;

    /// Fills `bytes` with chance that nobody can guess.
    fn fill(&self, bytes: &mut [u8]);
}

/// 10 random bytes, as the ids that sort by time want them.
pub(crate) fn random_10(clock: &dyn Clock) -> [u8; 10] {
    let mut bytes = [0; 10];
    clock.fill(&mut bytes);
    bytes
}

/// 16 random bytes, as the ids that are a secret want them.
pub(crate) fn random_16(clock: &dyn Clock) -> [u8; 16] {
    let mut bytes = [0; 16];
    clock.fill(&mut bytes);
    bytes
}
