//! Whether there is still somebody at the other end who reads: asked every so often, and given up when nothing comes back. It is
//! told the time.

use axum::extract::ws::Message;
use bytes::Bytes;
use tokio::time::{Duration, Instant};

use super::{Close, Outbox};

/// The pulse of one socket.
pub(crate) struct Pulse {
    interval: Duration,
    patience: Duration,
    ask_at: Instant,
    asked: Option<Asked>,
}

/// What we wait for.
struct Asked {
    give_up_at: Instant,
    /// With data that waits to be read, nothing but reading it is an answer: how much had been sent when we began to wait.
    stuck_at: Option<u64>,
}

impl Pulse {
    pub(crate) fn new(interval: Duration, patience: Duration, now: Instant) -> Self {
        Self { interval, patience, ask_at: now + interval, asked: None }
    }

    /// When to call [`Pulse::tick`].
    pub(crate) fn next_at(&self) -> Instant {
        self.asked.as_ref().map_or(self.ask_at, |asked| asked.give_up_at)
    }

    /// Something was heard.
    pub(crate) fn beats(&mut self, now: Instant) {
        if self.asked.as_ref().is_some_and(|asked| asked.stuck_at.is_none()) {
            self.rest(now);
        }
    }

    /// Something was sent as far as the client took it.
    pub(crate) fn sent(&mut self, now: Instant, outbox: &Outbox) {
        if self.asked.is_none() && !outbox.is_empty() {
            self.asked = Some(Asked { give_up_at: now + self.patience, stuck_at: Some(outbox.sent()) });
        }
    }

    pub(crate) fn tick(&mut self, now: Instant, outbox: &mut Outbox) -> Result<(), Close> {
        if now < self.next_at() {
            return Ok(());
        }
        match self.asked.take() {
            None if outbox.is_empty() => {
                self.asked = Some(Asked { give_up_at: now + self.patience, stuck_at: None });
                outbox.push(Message::Ping(Bytes::new()))
            }
            None => {
                // Behind what waits already, a ping would come too late to tell anything.
                self.sent(now, outbox);
                Ok(())
            }
            Some(Asked { stuck_at: None, .. }) => Err(Close::Gone),
            Some(Asked { stuck_at: Some(sent), .. }) if !outbox.is_empty() && outbox.sent() == sent => Err(Close::Slow),
            Some(Asked { stuck_at: Some(_), .. }) => {
                // It reads, however slowly.
                self.rest(now);
                self.sent(now, outbox);
                Ok(())
            }
        }
    }

    fn rest(&mut self, now: Instant) {
        self.asked = None;
        self.ask_at = now + self.interval;
    }
}
