//! What the tests of this crate share: a clock that stands still, and a guard over accounts in memory.

use std::{
    sync::Mutex,
    time::Duration,
};

use contract::Timestamp;

use crate::{Clock, secrets::keyed_hash};

/// Stands still until it is advanced; its chance repeats for the same seed.
pub(crate) struct TestClock(Mutex<(Timestamp, u64, u64)>);

impl TestClock {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Mutex::new((Timestamp::from_millis(1_795_339_800_000), seed, 0)))
    }

    pub(crate) fn advance(&self, duration: Duration) {
        let mut inner = self.0.lock().unwrap();
        inner.0 = inner.0.after(duration);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        self.0.lock().unwrap().0
    }

    fn fill(&self, bytes: &mut [u8]) {
        let mut inner = self.0.lock().unwrap();
        for chunk in bytes.chunks_mut(32) {
            inner.2 += 1;
            let mut key = [0; 32];
            key[..8].copy_from_slice(&inner.1.to_le_bytes());
            chunk.copy_from_slice(&keyed_hash(&key, &inner.2.to_le_bytes())[..chunk.len()]);
        }
    }
}
