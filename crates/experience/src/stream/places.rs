//! How many streams somebody has open at a time. Sockets have seats; a stream over HTTP has a place, which it gives back when its answer
//! has been sent or nobody reads it any more.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use contract::Code;
use security_guard::Asker;

use crate::Refusal;

/// When to try again, in seconds: one of the others has to end first.
const RETRY_AFTER: u64 = 5;

/// The open streams of everybody.
pub(crate) struct Places {
    per_user: usize,
    taken: Arc<Mutex<HashMap<String, usize>>>,
}

/// A place among somebody's streams.
pub(crate) struct Place {
    user: String,
    taken: Arc<Mutex<HashMap<String, usize>>>,
}

impl Places {
    pub(crate) fn new(per_user: usize) -> Self {
        Self { per_user, taken: Arc::default() }
    }

    /// A place for one more.
    pub(crate) fn take(&self, asker: &Asker) -> Result<Place, Refusal> {
        let user = asker.owner().space();
        let mut taken = lock(&self.taken);
        let count = taken.entry(user.clone()).or_default();
        if *count >= self.per_user {
            let sentence =
                format!("You have {} streams open. Close one of them, or watch over one socket.", self.per_user);
            return Err(Refusal::new(Code::TooManyRequests, sentence).retry_after(RETRY_AFTER));
        }
        *count += 1;
        Ok(Place { user, taken: Arc::clone(&self.taken) })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = lock(&self.taken);
        if let Some(count) = taken.get_mut(&self.user) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.user);
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
