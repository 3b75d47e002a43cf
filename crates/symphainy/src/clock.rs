//! The system's time and chance; nothing else in the house reads them.

use std::time::{SystemTime, UNIX_EPOCH};

use contract::Timestamp;
use rand::Rng;

/// The clock and the generator of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl SystemClock {
    /// Now, in whole milliseconds; a machine whose clock stands before 1970 is at its beginning.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
    pub fn now(self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    /// Chance that is fit for secrets, from a generator that the system seeds.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that draws chance")]
    pub fn fill(self, bytes: &mut [u8]) {
        rand::rng().fill_bytes(bytes);
    }

    pub(crate) fn random<const N: usize>(self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }
}

impl runtime::Clock for SystemClock {
    fn now(&self) -> Timestamp {
        (*self).now()
    }

    fn fill(&self, bytes: &mut [u8]) {
        (*self).fill(bytes);
    }
}

impl security_guard::Clock for SystemClock {
    fn now(&self) -> Timestamp {
        (*self).now()
    }

    fn fill(&self, bytes: &mut [u8]) {
        (*self).fill(bytes);
    }
}
