//! One-time tickets for sockets: bound to whoever asked, gone with the first use. They live in memory only, because
//! they live for seconds.

use std::{collections::HashMap, sync::Mutex, time::Duration};

use contract::{Timestamp, auth::Secret};

use crate::{
    Asker, Clock, GuardError, LimitReached, RateLimit,
    accounts::TokenHash,
    clock::random,
    secrets::{base64url, hash_token},
};

/// Tickets that are valid at a time; one more is told to wait for the oldest to end.
const MAX_TICKETS: usize = 20_000;
/// Tickets that one asker may have open; they are used within seconds.
const MAX_TICKETS_EACH: usize = 50;
const PREFIX: &str = "symt_";

/// The tickets that nobody has used yet.
pub(crate) struct Tickets {
    ttl: Duration,
    max: usize,
    max_each: usize,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    tickets: HashMap<TokenHash, (Asker, Timestamp)>,
    /// How many each owner has.
    by_owner: HashMap<String, usize>,
}

impl Open {
    fn add(&mut self, ticket: TokenHash, asker: Asker, expires_at: Timestamp) {
        *self.by_owner.entry(asker.owner().space()).or_default() += 1;
        self.tickets.insert(ticket, (asker, expires_at));
    }

    fn take(&mut self, ticket: &TokenHash) -> Option<(Asker, Timestamp)> {
        let (asker, expires_at) = self.tickets.remove(ticket)?;
        let owner = asker.owner().space();
        match self.by_owner.get_mut(&owner) {
            Some(count) if *count > 1 => *count -= 1,
            Some(_) | None => {
                self.by_owner.remove(&owner);
            }
        }
        Some((asker, expires_at))
    }

    fn forget_expired(&mut self, now: Timestamp) {
        let expired = |(_, (_, expires_at)): &(&TokenHash, &(Asker, Timestamp))| *expires_at <= now;
        let expired: Vec<TokenHash> = self.tickets.iter().filter(expired).map(|(ticket, _)| *ticket).collect();
        for ticket in expired {
            self.take(&ticket);
        }
    }
}

impl Tickets {
    pub(crate) fn new(ttl: Duration) -> Self {
        Self { ttl, max: MAX_TICKETS, max_each: MAX_TICKETS_EACH, open: Mutex::default() }
    }

    pub(crate) fn ttl(&self) -> Duration {
        self.ttl
    }

    pub(crate) fn issue(&self, asker: Asker, clock: &dyn Clock) -> Result<Secret, GuardError> {
        let now = clock.now();
        let text = format!("{PREFIX}{}", base64url(&random::<32>(clock)));
        let owner = asker.owner().space();
        let own = |open: &Open| open.by_owner.get(&owner).copied().unwrap_or_default();
        let mut open = self.open.lock().expect("no holder of this lock can panic");
        if open.tickets.len() >= self.max || own(&open) >= self.max_each {
            open.forget_expired(now);
        }
        // Whoever has too many is told so; it is not the server that is busy.
        if own(&open) >= self.max_each {
            let limit = RateLimit::new(u32::try_from(self.max_each).unwrap_or(u32::MAX), self.ttl);
            return Err(GuardError::TooMany(LimitReached { limit, retry_after: self.ttl }));
        }
        if open.tickets.len() >= self.max {
            return Err(GuardError::Busy { retry_after: self.ttl });
        }
        open.add(hash_token(&text), asker, now.after(self.ttl));
        Ok(Secret(text))
    }

    /// Takes the ticket out: whoever comes second finds nothing.
    pub(crate) fn redeem(&self, ticket: &str, now: Timestamp) -> Option<Asker> {
        let entry = self.open.lock().expect("no holder of this lock can panic").take(&hash_token(ticket));
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
        let tickets = Tickets { ttl: Duration::from_secs(30), max: 3, max_each: 2, open: Mutex::default() };
        tickets.issue(asker(), &clock).unwrap();
        tickets.issue(asker(), &clock).unwrap();
        assert!(matches!(tickets.issue(asker(), &clock), Err(GuardError::TooMany(_))));
        let other = |number| Asker::Anonymous { session_id: contract::SessionId::from_random([number; 16]) };
        tickets.issue(other(2), &clock).unwrap();
        assert!(matches!(tickets.issue(other(3), &clock), Err(GuardError::Busy { .. })));
        clock.advance(Duration::from_secs(30));
        assert!(tickets.issue(asker(), &clock).is_ok());
    }
}
