//! Access tokens that have been verified lately, so that an authenticated request costs a hash and a look-up rather
//! than a signature and a query. What is remembered is forgotten at once when its sign-in ends here, and looked at
//! again after a second in case it ended in another process.

use std::{collections::HashMap, sync::Mutex, time::Duration};

use contract::{ApiKeyId, SessionId, SignInId, Timestamp, UserId};
use tokio::sync::broadcast;

use crate::{Caller, accounts::TokenHash};

/// Tokens that are remembered at a time.
const MAX_TOKENS: usize = 20_000;
/// How long a caller is believed without asking the accounts.
const RECHECK_AFTER: Duration = Duration::from_secs(1);

/// Endings that a listener may be behind before it has to look at everything again.
const MAX_ENDINGS_BEHIND: usize = 1_024;

/// What has ended in this process; see [`crate::SecurityGuard::endings`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    SignIn(SignInId),
    Key(ApiKeyId),
    /// Every sign-in of this user.
    User(UserId),
    /// A session of work: it was claimed or deleted, and its id opens nothing any more.
    Session(SessionId),
}

/// What is remembered of a token.
pub(crate) enum Remembered {
    /// Good enough to act on.
    Fresh(Caller),
    /// The signature was good; whether the sign-in still stands has to be looked up.
    Stale(Caller),
    Nothing,
}

/// Which state of the cache a look-up began with; see [`Verified::remember`].
#[derive(Clone, Copy)]
pub(crate) struct Generation(u64);

pub(crate) struct Verified {
    max: usize,
    inner: Mutex<Inner>,
    endings: broadcast::Sender<Ended>,
}

#[derive(Default)]
struct Inner {
    tokens: HashMap<TokenHash, Entry>,
    /// Counts what has been forgotten on purpose.
    generation: u64,
}

struct Entry {
    caller: Caller,
    checked_at: Timestamp,
}

impl Verified {
    pub(crate) fn new() -> Self {
        Self { max: MAX_TOKENS, inner: Mutex::default(), endings: broadcast::channel(MAX_ENDINGS_BEHIND).0 }
    }

    pub(crate) fn look(&self, token: &TokenHash, now: Timestamp) -> (Remembered, Generation) {
        let inner = self.lock();
        let remembered = match inner.tokens.get(token) {
            None => Remembered::Nothing,
            Some(entry) if now < entry.checked_at.after(RECHECK_AFTER) => Remembered::Fresh(entry.caller.clone()),
            Some(entry) => Remembered::Stale(entry.caller.clone()),
        };
        (remembered, Generation(inner.generation))
    }

    /// Remembers what was found, unless a sign-in has ended since the look-up began: it might be this one.
    pub(crate) fn remember(&self, token: TokenHash, caller: Caller, checked_at: Timestamp, began: Generation) {
        let mut inner = self.lock();
        if inner.generation != began.0 {
            return;
        }
        if inner.tokens.len() >= self.max {
            inner.tokens.retain(|_, entry| entry.caller.expires_at() > checked_at);
        }
        if inner.tokens.len() >= self.max {
            // A full cache of living tokens starts again; that costs each of them one look-up.
            inner.tokens.clear();
        }
        inner.tokens.insert(token, Entry { caller, checked_at });
    }

    pub(crate) fn forget(&self, token: &TokenHash) {
        self.lock().tokens.remove(token);
    }

    pub(crate) fn forget_sign_in(&self, sign_in_id: &SignInId) {
        self.forget_where(|caller| caller.descends_from() == Some(sign_in_id));
        self.tell(Ended::SignIn(sign_in_id.clone()));
    }

    pub(crate) fn forget_key(&self, key_id: &ApiKeyId) {
        self.forget_where(|caller| caller.api_key_id() == Some(key_id));
        self.tell(Ended::Key(key_id.clone()));
    }

    pub(crate) fn forget_user(&self, user_id: &UserId) {
        self.forget_where(|caller| caller.user_id() == user_id || caller.actor() == Some(user_id));
        self.tell(Ended::User(user_id.clone()));
    }

    /// Forgets every token: each is verified anew.
    pub(crate) fn forget_all(&self) {
        self.forget_where(|_| true);
    }

    pub(crate) fn session_ended(&self, session_id: &SessionId) {
        self.tell(Ended::Session(session_id.clone()));
    }

    pub(crate) fn endings(&self) -> broadcast::Receiver<Ended> {
        self.endings.subscribe()
    }

    fn tell(&self, ended: Ended) {
        // It is no error that nobody listens.
        let _ = self.endings.send(ended);
    }

    fn forget_where(&self, ended: impl Fn(&Caller) -> bool) {
        let mut inner = self.lock();
        inner.generation += 1;
        inner.tokens.retain(|_, entry| !ended(&entry.caller));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().expect("no holder of this lock can panic")
    }
}
