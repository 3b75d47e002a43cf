//! One-time tickets, for sockets that cannot send a header.

use contract::auth::{Secret, Ticket};

use super::SecurityGuard;
use crate::{Asker, GuardError};

impl SecurityGuard {
    /// A ticket that stands for this asker, once and for `auth.ticket_ttl`.
    pub fn issue_ticket(&self, asker: &Asker) -> Result<Ticket, GuardError> {
        let guard = &self.0;
        let ticket: Secret = guard.tickets.issue(asker.clone(), &*guard.clock)?;
        Ok(Ticket { ticket, expires_in: crate::duration::whole_seconds(guard.tickets.ttl()) })
    }

    /// Uses a ticket up. Whoever it stood for has to stand still: a sign-out in between counts.
    pub(super) async fn redeem_ticket(&self, ticket: &str) -> Result<Asker, GuardError> {
        let guard = &self.0;
        let asker = guard.tickets.redeem(ticket, guard.clock.now()).ok_or(GuardError::TokenInvalid)?;
        match asker {
            Asker::User(caller) => self.recheck(&caller).await.map(Asker::User),
            Asker::Anonymous { session_id } => self.anonymous(&session_id).await,
        }
    }
}
