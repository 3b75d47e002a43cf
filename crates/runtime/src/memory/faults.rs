//! What befalls the writes of a store in memory, from a seed: they take their time, find no space, and when the process dies some
//! of those under way are there afterwards and some are not, while nobody is told.

use std::{future::pending, sync::Mutex};

use tokio::sync::Notify;

use crate::{port::StoreError, worker::lock};

/// How often a write lets others go first at most, before and after it is made.
const MOST_YIELDS: u64 = 4;

/// Faults that come when they are asked for.
pub struct Faults {
    inner: Mutex<Inner>,
    crash: Notify,
}

struct Inner {
    /// The state of a generator (splitmix64).
    chance: u64,
    /// How many writes still begin before the process dies, where it does.
    left: Option<u64>,
    is_dead: bool,
    /// How many writes still find no space.
    full: u64,
}

impl Faults {
    /// None until they are asked for; what comes then follows from the seed.
    pub fn from_seed(seed: u64) -> Self {
        let inner = Inner { chance: seed, left: None, is_dead: false, full: 0 };
        Self { inner: Mutex::new(inner), crash: Notify::new() }
    }

    /// Begins a new life, which ends with the write of this number.
    pub fn live_for(&self, writes: Option<u64>) {
        let mut inner = lock(&self.inner);
        inner.left = writes;
        inner.is_dead = false;
        inner.full = 0;
    }

    /// The next writes find no space.
    pub fn fill_for(&self, writes: u64) {
        lock(&self.inner).full = writes;
    }

    /// Returns when the process is to die. From then on no write is answered.
    pub async fn died(&self) {
        while !lock(&self.inner).is_dead {
            self.crash.notified().await;
        }
    }

    pub(super) async fn before(&self) -> Result<(), StoreError> {
        let yields = {
            let mut inner = lock(&self.inner);
            if let Some(left) = &mut inner.left {
                *left = left.saturating_sub(1);
                if *left == 0 && !inner.is_dead {
                    inner.is_dead = true;
                    self.crash.notify_one();
                }
            }
            inner.roll(MOST_YIELDS)
        };
        yield_times(yields).await;
        let is_lost = {
            let mut inner = lock(&self.inner);
            if inner.full > 0 {
                inner.full -= 1;
                return Err(StoreError::Full);
            }
            inner.is_dead && inner.roll(2) == 0
        };
        if is_lost {
            pending::<()>().await;
        }
        Ok(())
    }

    pub(super) async fn after(&self) {
        let yields = lock(&self.inner).roll(MOST_YIELDS);
        yield_times(yields).await;
        if lock(&self.inner).is_dead {
            pending::<()>().await;
        }
    }
}

async fn yield_times(times: u64) {
    for _ in 0..times {
        tokio::task::yield_now().await;
    }
}

impl Inner {
    /// A number below `sides`.
    fn roll(&mut self, sides: u64) -> u64 {
        self.chance = self.chance.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.chance;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides
    }
}
