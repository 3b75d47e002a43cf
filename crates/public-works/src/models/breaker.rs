//! Leaves a provider alone that failed several times in a row, and then lets one call try whether it is back.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

pub(super) struct Breaker {
    state: Mutex<State>,
    failures_until_rest: u32,
    rest: Duration,
}

enum State {
    /// Calls go through; so many failed in a row.
    Closed { failures: u32 },
    /// None goes through until then.
    Open { until: Instant },
    /// One is under way, to see.
    Trying,
}

/// A call that may be made. It says in the end how it went; dropped without a word it counts as not made.
pub(super) struct Admission<'a> {
    breaker: &'a Breaker,
    is_told: bool,
}

impl Breaker {
    pub(super) fn new(failures_until_rest: u32, rest: Duration) -> Self {
        Self { state: Mutex::new(State::Closed { failures: 0 }), failures_until_rest, rest }
    }

    /// `None` while the provider is left alone.
    pub(super) fn admit(&self) -> Option<Admission<'_>> {
        let mut state = self.state();
        match &*state {
            State::Closed { .. } => {}
            State::Open { until } if Instant::now() >= *until => *state = State::Trying,
            State::Open { .. } | State::Trying => return None,
        }
        Some(Admission { breaker: self, is_told: false })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Admission<'_> {
    pub(super) fn succeeded(mut self) {
        self.is_told = true;
        *self.breaker.state() = State::Closed { failures: 0 };
    }

    pub(super) fn failed(mut self) {
        self.is_told = true;
        let mut state = self.breaker.state();
        let failures = match &*state {
            State::Closed { failures } => failures + 1,
            State::Trying => self.breaker.failures_until_rest,
            // Another call has closed the door meanwhile.
            State::Open { .. } => return,
        };
        *state = if failures >= self.breaker.failures_until_rest {
            State::Open { until: Instant::now() + self.breaker.rest }
        } else {
            State::Closed { failures }
        };
    }
}

impl Drop for Admission<'_> {
    fn drop(&mut self) {
        if self.is_told {
            return;
        }
        let mut state = self.breaker.state();
        if matches!(*state, State::Trying) {
            *state = State::Open { until: Instant::now() };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_rests_and_lets_one_try() {
        let breaker = Breaker::new(2, Duration::from_secs(30));
        breaker.admit().unwrap().failed();
        breaker.admit().unwrap().succeeded();
        breaker.admit().unwrap().failed();
        breaker.admit().unwrap().failed();
        assert!(breaker.admit().is_none());
        tokio::time::advance(Duration::from_secs(30)).await;
        let trial = breaker.admit().unwrap();
        assert!(breaker.admit().is_none(), "one at a time");
        trial.failed();
        assert!(breaker.admit().is_none(), "it rests again");
        tokio::time::advance(Duration::from_secs(30)).await;
        drop(breaker.admit().unwrap());
        breaker.admit().expect("a trial that was given up is as good as none").succeeded();
        assert!(breaker.admit().is_some() && breaker.admit().is_some());
    }
}
