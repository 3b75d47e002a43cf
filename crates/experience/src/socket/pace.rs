//! How fast a client may talk: a rate with a burst above it, in one instant of memory. It is told the time.

use security_guard::RateLimit;
use tokio::time::{Duration, Instant};

/// Counts the messages of one socket (GCRA: the instant at which everything used is earned back).
pub(crate) struct Pace {
    interval: Duration,
    burst: u32,
    earned_back_at: Option<Instant>,
}

impl Pace {
    pub(crate) fn new(limit: RateLimit) -> Self {
        Self { interval: limit.window() / limit.count(), burst: limit.burst(), earned_back_at: None }
    }

    /// Counts one message; whether it is within the limit.
    pub(crate) fn keeps(&mut self, now: Instant) -> bool {
        let owed_until = self.earned_back_at.map_or(now, |instant| instant.max(now));
        let within = owed_until.duration_since(now) <= self.interval * (self.burst - 1);
        if within {
            self.earned_back_at = Some(owed_until + self.interval);
        }
        within
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_and_then_the_rate() {
        let mut pace = Pace::new("20/1s burst 60".parse().unwrap());
        let start = Instant::now();
        assert_eq!((0..100).filter(|_| pace.keeps(start)).count(), 60);
        assert!(!pace.keeps(start + Duration::from_millis(49)));
        assert!(pace.keeps(start + Duration::from_millis(50)));
        let second = start + Duration::from_millis(1_050);
        assert_eq!((0..100).filter(|_| pace.keeps(second)).count(), 20);
    }
}
