//! One-time tickets for sockets: bound to whoever asked, gone with the first use. They live in memory only, because
//! they live for seconds.

use std::{collections::HashMap, sync::Mutex, time::Duration};

use contract::{Timestamp, auth::Secret};

use crate::{
    Asker, Clock, GuardError,
    accounts::TokenHash,
    clock::random,
    secrets::{base64url, hash_token},
};

/// Tickets that are valid at a time; one more is told to wait for the oldest to end.
const MAX_TICKETS: usize = 20_000;
const PREFIX: &str = "symt_";

/// The tickets that nobody has used yet.
pub(crate) struct Tickets {
    ttl: Duration,
    max: usize,
    open: Mutex<HashMap<TokenHash, (Asker, Timestamp)>>,
}

impl Tickets {
    pub(crate) fn new(ttl: Duration) -> Self {
        Self { ttl, max: MAX_TICKETS, open: Mutex::default() }
    }

    pub(crate) fn ttl(&self) -> Duration {
        self.ttl
    }

    pub(crate) fn issue(&self, asker: Asker, clock: &dyn Clock) -> Result<Secret, GuardError> {
        let now = clock.now();
        let text = format!("{PREFIX}{}", base64url(&random::<32>(clock)));
        let mut open = self.open.lock().expect("no holder of this lock can panic");
        if open.len() >= self.max {
            open.retain(|_, (_, expires_at)| *expires_at > now);
        }
        if open.len() >= self.max {
            return Err(GuardError::Busy { retry_after: self.ttl });
        }
        open.insert(hash_token(&text), (asker, now.after(self.ttl)));
        Ok(Secret(text))
    }

    /// Takes the ticket out: whoever comes second finds nothing.
    pub(crate) fn redeem(&self, ticket: &str, now: Timestamp) -> Option<Asker> {
        let entry = self.open.lock().expect("no holder of this lock can panic").remove(&hash_token(ticket));
        entry.filter(|(_, expires_at)| now < *expires_at).map(|(asker, _)| asker)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::TestClock;

    fn asker() -> Asker {
        Asker::Anonymous { session_id: contract::SessionId::from_random([1; 16]) }
    }

    #[test]
    fn a_ticket_opens_once_and_in_time() {
        let clock = TestClock::new(1);
        let tickets = Tickets::new(Duration::from_secs(30));
        let ticket = tickets.issue(asker(), &clock).unwrap();
        assert_eq!(tickets.redeem(&ticket.0, clock.now()), Some(asker()));
        assert_eq!(tickets.redeem(&ticket.0, clock.now()), None);
        let late = tickets.issue(asker(), &clock).unwrap();
        clock.advance(Duration::from_secs(30));
        assert_eq!(tickets.redeem(&late.0, clock.now()), None);
        assert_eq!(tickets.redeem("symt_made-up", clock.now()), None);
    }

    #[test]
    fn there_are_only_so_many() {
        let clock = TestClock::new(2);
        let tickets = Tickets { ttl: Duration::from_secs(30), max: 2, open: Mutex::default() };
        tickets.issue(asker(), &clock).unwrap();
        tickets.issue(asker(), &clock).unwrap();
        assert!(matches!(tickets.issue(asker(), &clock), Err(GuardError::Busy { .. })));
        clock.advance(Duration::from_secs(30));
        assert!(tickets.issue(asker(), &clock).is_ok());
    }
}
