//! Whose the sessions of work are that were looked up lately, so that a request in a session costs no query. What ends or
//! changes hands in this process is forgotten at once; everything else is looked up again after a second.

use std::{collections::HashMap, sync::Mutex, time::Duration};

use contract::{Owner, SessionId, Timestamp, session::Session};

/// Sessions that are remembered at a time.
const MAX_SESSIONS: usize = 20_000;
/// How long a session is believed without asking the accounts.
const RECHECK_AFTER: Duration = Duration::from_secs(1);

/// Which state of the cache a look-up began with; see [`KnownSessions::remember`].
#[derive(Clone, Copy)]
pub(crate) struct Generation(u64);

#[derive(Default)]
pub(crate) struct KnownSessions(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    sessions: HashMap<SessionId, Entry>,
    /// Counts what has been forgotten on purpose.
    generation: u64,
}

struct Entry {
    owner: Owner,
    good_until: Timestamp,
}

impl KnownSessions {
    /// The session's owner, where that was looked up a moment ago.
    pub(crate) fn look(&self, session_id: &SessionId, now: Timestamp) -> (Option<Owner>, Generation) {
        let inner = self.lock();
        let entry = inner.sessions.get(session_id).filter(|entry| now < entry.good_until);
        (entry.map(|entry| entry.owner.clone()), Generation(inner.generation))
    }

    /// Remembers what was found, unless a session has been forgotten since the look-up began: it might be this one.
    pub(crate) fn remember(&self, session: &Session, now: Timestamp, began: Generation) {
        let mut inner = self.lock();
        if inner.generation != began.0 {
            return;
        }
        if inner.sessions.len() >= MAX_SESSIONS {
            inner.sessions.retain(|_, entry| now < entry.good_until);
        }
        if inner.sessions.len() >= MAX_SESSIONS {
            // A full cache starts again; that costs each session one look-up.
            inner.sessions.clear();
        }
        let good_until = now.after(RECHECK_AFTER).min(session.expires_at);
        inner.sessions.insert(session.session_id.clone(), Entry { owner: owner_of(session), good_until });
    }

    pub(crate) fn forget(&self, session_id: &SessionId) {
        let mut inner = self.lock();
        inner.generation += 1;
        inner.sessions.remove(session_id);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.0.lock().expect("no holder of this lock can panic")
    }
}

/// Whose the session is; an anonymous one is its own.
pub(crate) fn owner_of(session: &Session) -> Owner {
    match (&session.tenant_id, &session.user_id) {
        (Some(tenant_id), Some(user_id)) => Owner::User { tenant_id: tenant_id.clone(), user_id: user_id.clone() },
        _ => Owner::Anonymous { session_id: session.session_id.clone() },
    }
}
