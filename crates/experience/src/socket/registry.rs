//! The open sockets: how many there may be, whose they are, and how to reach each of them from outside when the server drains or a
//! sign-in ends. A socket holds a [`Seat`] for as long as it is open.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use contract::{ApiKeyId, Code, SessionId, SignInId, UserId};
use security_guard::{Asker, Caller, Ended, SecurityGuard, limits::address_key};
use tokio::sync::{Notify, broadcast::error::RecvError};
use tokio_util::sync::CancellationToken;

use crate::{ExperienceLimits, Refusal};

/// When somebody with too many sockets may try again, in seconds: one of the others has to close first.
const RETRY_AFTER_CLOSING: u64 = 30;

/// When to come back to a server that is full or draining, in seconds.
const RETRY_AFTER_DRAINING: u64 = 5;

/// In how many batches sockets are told to leave, so that not all clients come back in the same instant.
const DRAIN_BATCHES: u32 = 50;

/// The open sockets, within their limits. Cheap to clone.
#[derive(Clone)]
pub struct Sockets {
    registry: Arc<Registry>,
}

struct Registry {
    limits: Limits,
    seated: Mutex<Seated>,
    /// Told when the last one has left.
    all_left: Notify,
}

struct Limits {
    in_all: usize,
    per_user: usize,
    per_address: usize,
}

#[derive(Default)]
struct Seated {
    draining: bool,
    next_id: u64,
    sockets: HashMap<u64, Arc<Line>>,
    by_user: HashMap<String, usize>,
    by_address: HashMap<IpAddr, usize>,
}

/// What can be said to a socket from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Say goodbye: the server drains.
    Leave,
    /// Look whether your caller still stands.
    LookAgain,
}

/// The way to one socket. The last order counts, and leaving comes before all.
struct Line {
    whose: Mutex<Whose>,
    order: Mutex<Option<Order>>,
    rings: Notify,
}

#[derive(Default)]
struct Whose {
    sign_in_id: Option<SignInId>,
    key_id: Option<ApiKeyId>,
    user_id: Option<UserId>,
    /// The session that is the credential.
    anonymous: Option<SessionId>,
    actor: Option<UserId>,
}

impl Whose {
    fn of(asker: &Asker) -> Self {
        let caller = asker.caller();
        let anonymous = match asker {
            Asker::Anonymous { session_id } => Some(session_id.clone()),
            Asker::User(_) => None,
        };
        Self {
            sign_in_id: caller.and_then(Caller::descends_from).cloned(),
            key_id: caller.and_then(Caller::api_key_id).cloned(),
            user_id: caller.map(Caller::user_id).cloned(),
            actor: caller.and_then(Caller::actor).cloned(),
            anonymous,
        }
    }

    fn is_ended_by(&self, ended: &Ended) -> bool {
        match ended {
            Ended::SignIn(sign_in_id) => self.sign_in_id.as_ref() == Some(sign_in_id),
            Ended::Key(key_id) => self.key_id.as_ref() == Some(key_id),
            Ended::User(user_id) => [&self.user_id, &self.actor].into_iter().flatten().any(|found| found == user_id),
            Ended::Session(session_id) => self.anonymous.as_ref() == Some(session_id),
        }
    }
}

impl Line {
    fn say(&self, order: Order) {
        let mut waiting = lock(&self.order);
        if *waiting != Some(Order::Leave) {
            *waiting = Some(order);
        }
        self.rings.notify_one();
    }
}

/// A socket's place among the open ones; given back when it is dropped.
pub(crate) struct Seat {
    registry: Arc<Registry>,
    id: u64,
    user: String,
    address: IpAddr,
    line: Arc<Line>,
}

impl Seat {
    /// Waits for somebody outside to want something. Safe to drop while it waits.
    pub(crate) async fn order(&self) -> Order {
        loop {
            if let Some(order) = lock(&self.line.order).take() {
                return order;
            }
            self.line.rings.notified().await;
        }
    }

    /// The socket's caller has another credential now.
    pub(crate) fn is_now(&self, asker: &Asker) {
        *lock(&self.line.whose) = Whose::of(asker);
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut seated = lock(&self.registry.seated);
        seated.sockets.remove(&self.id);
        leave(&mut seated.by_user, &self.user);
        leave(&mut seated.by_address, &self.address);
        if seated.sockets.is_empty() {
            self.registry.all_left.notify_waiters();
        }
    }
}

fn leave<K: std::hash::Hash + Eq>(counts: &mut HashMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

impl Sockets {
    pub fn new(limits: &ExperienceLimits) -> Self {
        let limits = Limits {
            in_all: limits.sockets,
            per_user: limits.sockets_per_user,
            per_address: limits.sockets_per_address,
        };
        let registry = Registry { limits, seated: Mutex::default(), all_left: Notify::new() };
        Self { registry: Arc::new(registry) }
    }

    /// How many are open.
    pub fn len(&self) -> usize {
        lock(&self.registry.seated).sockets.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A place for one more, or why there is none.
    pub(crate) fn enter(&self, asker: &Asker, address: IpAddr) -> Result<Seat, Refusal> {
        let user = asker.owner().space();
        let address = address_key(address);
        let mut seated = lock(&self.registry.seated);
        seated.admit(&self.registry.limits, &user, address)?;
        let line = Line { whose: Mutex::new(Whose::of(asker)), order: Mutex::default(), rings: Notify::new() };
        let line = Arc::new(line);
        let id = seated.next_id;
        seated.next_id += 1;
        seated.sockets.insert(id, Arc::clone(&line));
        *seated.by_user.entry(user.clone()).or_default() += 1;
        *seated.by_address.entry(address).or_default() += 1;
        Ok(Seat { registry: Arc::clone(&self.registry), id, user, address, line })
    }

    /// Passes on what the guard tells, until `stop`: a socket closes within a second of the end of its sign-in.
    pub async fn heed(&self, guard: &SecurityGuard, stop: CancellationToken) {
        let mut endings = guard.endings();
        loop {
            let ended = tokio::select! {
                () = stop.cancelled() => return,
                ended = endings.recv() => ended,
            };
            match ended {
                Ok(ended) => self.say_where(Order::LookAgain, |whose| whose.is_ended_by(&ended)),
                Err(RecvError::Lagged(_)) => self.say_where(Order::LookAgain, |_| true),
                Err(RecvError::Closed) => return,
            }
        }
    }

    fn say_where(&self, order: Order, is_meant: impl Fn(&Whose) -> bool) {
        for line in self.lines() {
            if is_meant(&lock(&line.whose)) {
                line.say(order);
            }
        }
    }

    fn lines(&self) -> Vec<Arc<Line>> {
        lock(&self.registry.seated).sockets.values().cloned().collect()
    }

    /// Takes no new sockets and tells the open ones to leave, batch by batch over the first half of `patience`; then waits for
    /// them. What is still open at the end of `patience` is left to the end of the process.
    pub async fn drain(&self, patience: Duration) {
        lock(&self.registry.seated).draining = true;
        let leaving = async {
            let lines = self.lines();
            let batch = lines.len().div_ceil(DRAIN_BATCHES as usize).max(1);
            let pause = patience / 2 / DRAIN_BATCHES;
            for (index, batch) in lines.chunks(batch).enumerate() {
                if index > 0 {
                    tokio::time::sleep(pause).await;
                }
                batch.iter().for_each(|line| line.say(Order::Leave));
            }
            loop {
                let left = self.registry.all_left.notified();
                if self.is_empty() {
                    return;
                }
                left.await;
            }
        };
        if tokio::time::timeout(patience, leaving).await.is_err() {
            tracing::warn!(sockets = self.len(), "sockets were still open at the end");
        }
    }
}

impl Seated {
    fn admit(&self, limits: &Limits, user: &str, address: IpAddr) -> Result<(), Refusal> {
        if self.draining {
            return Err(draining());
        }
        if self.sockets.len() >= limits.in_all {
            let said = "The server has no room for another socket just now. Try again in a moment.";
            return Err(Refusal::new(Code::Unavailable, said).retry_after(RETRY_AFTER_DRAINING));
        }
        if self.by_user.get(user).is_some_and(|count| *count >= limits.per_user) {
            let said =
                format!("You have {} sockets open, which is all you may have. Close one first.", limits.per_user);
            return Err(Refusal::new(Code::TooManyRequests, said).retry_after(RETRY_AFTER_CLOSING));
        }
        if self.by_address.get(&address).is_some_and(|count| *count >= limits.per_address) {
            let said = "There are too many sockets open from your address. Close one first.";
            return Err(Refusal::new(Code::TooManyRequests, said).retry_after(RETRY_AFTER_CLOSING));
        }
        Ok(())
    }
}

/// The refusal of a server that is going away.
pub(crate) fn draining() -> Refusal {
    Refusal::new(Code::Unavailable, "The server is restarting. Connect again in a few seconds.")
        .retry_after(RETRY_AFTER_DRAINING)
}

/// Locks, also after a panic elsewhere: what these locks guard is whole between two statements.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asker(number: u8) -> Asker {
        Asker::Anonymous { session_id: SessionId::from_random([number; 16]) }
    }

    fn sockets(in_all: usize, per_user: usize, per_address: usize) -> Sockets {
        let limits = ExperienceLimits {
            sockets: in_all,
            sockets_per_user: per_user,
            sockets_per_address: per_address,
            ..ExperienceLimits::default()
        };
        Sockets::new(&limits)
    }

    #[test]
    fn each_limit_holds_and_a_seat_is_given_back() {
        let home = IpAddr::from([127, 0, 0, 1]);
        // in all, per user, per address; users who enter in their order → the code of the last one
        for (limits, users, code) in [
            ((1, 9, 9), vec![1, 2], Code::Unavailable),
            ((9, 2, 9), vec![1, 1, 2, 1], Code::TooManyRequests),
            ((9, 9, 2), vec![1, 2, 3], Code::TooManyRequests),
        ] {
            let sockets = sockets(limits.0, limits.1, limits.2);
            let (last, others) = users.split_last().unwrap();
            let mut seats: Vec<Seat> = others.iter().map(|user| sockets.enter(&asker(*user), home).unwrap()).collect();
            let refusal = sockets.enter(&asker(*last), home).err().unwrap();
            assert_eq!(refusal.code(), code, "{limits:?}");
            assert!(refusal.reason().retry_after.is_some());
            seats.remove(0);
            seats.push(sockets.enter(&asker(*last), home).unwrap());
            drop(seats);
            assert!(sockets.is_empty());
            let seated = lock(&sockets.registry.seated);
            assert!(seated.by_user.is_empty() && seated.by_address.is_empty());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_drain_tells_everybody_and_lets_nobody_in() {
        let sockets = sockets(1_000, 1_000, 1_000);
        let home = IpAddr::from([127, 0, 0, 1]);
        let seats: Vec<Seat> = (0..200).map(|_| sockets.enter(&asker(1), home).unwrap()).collect();
        let leaving = async {
            for seat in seats {
                assert_eq!(seat.order().await, Order::Leave);
            }
        };
        let began = tokio::time::Instant::now();
        tokio::join!(sockets.drain(Duration::from_secs(10)), leaving);
        assert!(began.elapsed() <= Duration::from_secs(5), "{:?}", began.elapsed());
        assert_eq!(sockets.enter(&asker(2), home).err().unwrap().code(), Code::Unavailable);
    }
}
