//! Whether whoever opened a socket may still use it: tokens end, sign-ins are ended, and a fresh token goes on. It is told the time.

use contract::Timestamp;
use security_guard::{Asker, Credential, GuardError, SecurityGuard};
use tokio::time::{Duration, Instant};

use super::Close;

/// How long before its end a client is told to bring a fresh token.
const EXPIRING_NOTICE: Duration = Duration::from_secs(60);

/// How often it is looked whether the sign-in still stands, beside what the guard tells by itself: another process may have
/// ended it.
const LOOK_AGAIN_EVERY: Duration = Duration::from_secs(10);

/// When to look again at a token that should have ended.
const POSTPONED: Duration = Duration::from_secs(1);

/// What has come due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// The token ends soon.
    Expiring,
    /// The token should have ended by now.
    Expired,
    LookAgain,
}

/// The caller of a socket and until when they may stay.
pub(super) struct Standing {
    pub(super) asker: Asker,
    notice_at: Option<Instant>,
    expires_at: Option<Instant>,
    look_at: Instant,
}

impl Standing {
    pub(super) fn new(asker: Asker, now: Timestamp, instant: Instant) -> Self {
        let left = asker.caller().map(|caller| caller.expires_at().since(now));
        Self {
            notice_at: left.map(|left| instant + left.saturating_sub(EXPIRING_NOTICE)),
            expires_at: left.map(|left| instant + left),
            look_at: instant + LOOK_AGAIN_EVERY,
            asker,
        }
    }

    /// When the token ends, in the clients' time.
    pub(super) fn token_ends_at(&self) -> Option<Timestamp> {
        self.asker.caller().map(|caller| caller.expires_at())
    }

    /// When something comes due next.
    pub(super) fn next_at(&self) -> Instant {
        [self.notice_at, self.expires_at].into_iter().flatten().fold(self.look_at, Instant::min)
    }

    /// What has come due by now; each is told once.
    pub(super) fn due(&mut self, instant: Instant) -> Option<Due> {
        if self.expires_at.is_some_and(|at| at <= instant) {
            return Some(Due::Expired);
        }
        if self.notice_at.is_some_and(|at| at <= instant) {
            self.notice_at = None;
            return Some(Due::Expiring);
        }
        if self.look_at <= instant {
            self.look_at = instant + LOOK_AGAIN_EVERY;
            return Some(Due::LookAgain);
        }
        None
    }

    /// The token should have ended and has not: the clock was set back, or forgives a little. It is looked at again soon.
    pub(super) fn postpone(&mut self, instant: Instant) {
        self.expires_at = Some(instant + POSTPONED);
    }

    /// Looks whether the caller still stands, and takes the roles of now.
    pub(super) async fn look_again(&mut self, guard: &SecurityGuard) -> Result<(), Close> {
        let found = match &self.asker {
            Asker::User(caller) => guard.recheck(caller).await.map(Asker::User),
            Asker::Anonymous { session_id } => guard.verify(&Credential::AnonymousSession(session_id.clone())).await,
        };
        match found {
            Ok(asker) => {
                self.asker = asker;
                Ok(())
            }
            Err(GuardError::TokenExpired) => Err(Close::TokenExpired),
            // Nothing is known; whoever was let in stays until something is.
            Err(GuardError::Store(_) | GuardError::Busy { .. } | GuardError::Internal(_)) => Ok(()),
            Err(_) => Err(Close::NotAllowed),
        }
    }
}
