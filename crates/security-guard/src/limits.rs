//! How often somebody may do something: `"5/1m"`, `"20/1s burst 60"`, and a limiter that counts by key in bounded
//! memory. It is told the time, and does not know what it limits.

use std::{
    collections::HashMap,
    fmt,
    hash::Hash,
    net::{IpAddr, Ipv6Addr},
    str::FromStr,
    sync::Mutex,
    time::Duration,
};

use contract::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::duration;

/// Keys that a limiter remembers at a time, unless it is told otherwise: some 8 MiB at most.
pub const MAX_KEYS: usize = 100_000;
/// The largest count that a limit may name.
const MAX_COUNT: u32 = 1_000_000;

/// So many in a window, with an optional burst above it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    count: u32,
    window: Duration,
    burst: u32,
}

/// The text is not a limit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a limit: write a count and a window, such as \"5/1m\" or \"20/1s burst 60\" (units s, m, h, d)")]
pub struct NotALimit(pub String);

impl RateLimit {
    /// `count` in each `window`, all of them at once if need be.
    ///
    /// # Panics
    /// When either is zero: such a limit would refuse everything or divide by nothing.
    pub const fn new(count: u32, window: Duration) -> Self {
        Self::with_burst(count, window, count)
    }

    /// `count` in each `window`, of which up to `burst` may come at once.
    ///
    /// # Panics
    /// When one of them is zero.
    pub const fn with_burst(count: u32, window: Duration, burst: u32) -> Self {
        assert!(count > 0 && burst > 0 && window.as_millis() > 0, "a limit needs a count and a window");
        Self { count, window, burst }
    }

    pub fn count(&self) -> u32 {
        self.count
    }

    pub fn window(&self) -> Duration {
        self.window
    }

    pub fn burst(&self) -> u32 {
        self.burst
    }

    /// The time in which one more is earned, in nanoseconds.
    fn interval_nanos(&self) -> i128 {
        i128::try_from(self.window.as_nanos()).unwrap_or(i128::MAX) / i128::from(self.count)
    }
}

impl FromStr for RateLimit {
    type Err = NotALimit;

    fn from_str(text: &str) -> Result<Self, NotALimit> {
        parse(text).ok_or_else(|| NotALimit(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<RateLimit> {
    let (rate, burst) = match text.split_once(" burst ") {
        Some((rate, burst)) => (rate, Some(burst)),
        None => (text, None),
    };
    let (count, window) = rate.split_once('/')?;
    let count = parse_count(count)?;
    let window = duration::parse(window).ok().filter(|window| !window.is_zero())?;
    let burst = burst.map_or(Some(count), parse_count)?;
    Some(RateLimit { count, window, burst })
}

fn parse_count(text: &str) -> Option<u32> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|count| digits && (1..=MAX_COUNT).contains(count))
}

impl fmt::Display for RateLimit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.count, duration::format(self.window))?;
        if self.burst == self.count { Ok(()) } else { write!(formatter, " burst {}", self.burst) }
    }
}

impl Serialize for RateLimit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RateLimit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// Too often. `Display` is the sentence for the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "Too many requests: {} in {} are allowed. Try again in {} seconds.",
    .limit.count, duration::format(.limit.window), duration::whole_seconds(*.retry_after).max(1)
)]
pub struct LimitReached {
    /// For `X-RateLimit-Limit` and `X-RateLimit-Window`.
    pub limit: RateLimit,
    pub retry_after: Duration,
}

impl LimitReached {
    /// Whole seconds to wait, at least one.
    pub fn retry_after_seconds(&self) -> u64 {
        duration::whole_seconds(self.retry_after).max(1)
    }
}

/// Counts by key. The algorithm is GCRA: for each key it keeps one instant, at which everything used has been earned
/// back. Over a long time it lets through exactly the rate; at most a burst comes on top.
#[derive(Debug)]
pub struct KeyedLimiter<K> {
    limit: RateLimit,
    max_keys: usize,
    earned_back_at: Mutex<HashMap<K, i128>>,
}

impl<K: Eq + Hash + Clone> KeyedLimiter<K> {
    pub fn new(limit: RateLimit) -> Self {
        Self::with_max_keys(limit, MAX_KEYS)
    }

    /// A limiter that remembers at most `max_keys` keys (at least two). When it is full it forgets those that are
    /// nearest to being forgotten anyway.
    pub fn with_max_keys(limit: RateLimit, max_keys: usize) -> Self {
        Self { limit, max_keys: max_keys.max(2), earned_back_at: Mutex::default() }
    }

    pub fn limit(&self) -> RateLimit {
        self.limit
    }

    /// Counts one for `key`, or says when to come back; a refusal costs nothing.
    pub fn check(&self, key: &K, now: Timestamp) -> Result<(), LimitReached> {
        let now = nanos(now);
        let mut keys = self.earned_back_at.lock().expect("no holder of this lock can panic");
        if keys.len() >= self.max_keys && !keys.contains_key(key) {
            forget(&mut keys, now, self.max_keys / 2);
        }
        let interval = self.limit.interval_nanos();
        let debt_until = keys.get(key).copied().unwrap_or(now).max(now);
        let allowed_from = debt_until - interval * i128::from(self.limit.burst - 1);
        if now < allowed_from {
            let wait = u64::try_from(allowed_from - now).unwrap_or(u64::MAX);
            return Err(LimitReached { limit: self.limit, retry_after: Duration::from_nanos(wait) });
        }
        keys.insert(key.clone(), debt_until + interval);
        Ok(())
    }

    /// How many keys are remembered.
    pub fn len(&self) -> usize {
        self.earned_back_at.lock().expect("no holder of this lock can panic").len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

fn nanos(instant: Timestamp) -> i128 {
    i128::from(instant.as_millis()) * 1_000_000
}

/// Forgets keys that owe nothing, and then those that owe least, down to `keep`.
fn forget<K: Eq + Hash + Clone>(keys: &mut HashMap<K, i128>, now: i128, keep: usize) {
    keys.retain(|_, earned_back_at| *earned_back_at > now);
    if keys.len() <= keep {
        return;
    }
    let mut instants: Vec<i128> = keys.values().copied().collect();
    let position = instants.len() - keep;
    let (_, threshold, _) = instants.select_nth_unstable(position);
    let threshold = *threshold;
    let mut room_at_threshold = keep - instants.iter().filter(|instant| **instant > threshold).count();
    keys.retain(|_, earned_back_at| {
        if *earned_back_at != threshold {
            return *earned_back_at > threshold;
        }
        let stays = room_at_threshold > 0;
        room_at_threshold -= usize::from(stays);
        stays
    });
}

/// What counts as one address: an IPv4 address, or the /64 of an IPv6 address, because one subscriber has all of it.
pub fn address_key(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let network = u128::from(address) & (u128::MAX << 64);
            IpAddr::V6(Ipv6Addr::from(network))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn limits_survive_the_round_trip() {
        for text in ["5/1m", "3/5m", "10/15m", "20/1s burst 60", "1/1d", "600/1h"] {
            assert_eq!(text.parse::<RateLimit>().unwrap().to_string(), text);
        }
        for text in
            ["", "5", "5/", "/1m", "0/1m", "5/0s", "5/1x", "-5/1m", "+5/1m", "5/1m burst", "5/1m burst 0", "5 / 1m"]
        {
            assert_eq!(text.parse::<RateLimit>(), Err(NotALimit(text.to_owned())), "{text:?}");
        }
    }

    #[test]
    fn a_burst_and_then_the_rate() {
        let limiter = KeyedLimiter::new("3/3s".parse().unwrap());
        for _ in 0..3 {
            assert!(limiter.check(&"ada", at(0)).is_ok());
        }
        let refused = limiter.check(&"ada", at(0)).unwrap_err();
        assert_eq!(refused.retry_after, Duration::from_secs(1));
        assert!(limiter.check(&"bob", at(0)).is_ok());
        assert!(limiter.check(&"ada", at(999)).is_err());
        assert!(limiter.check(&"ada", at(1_000)).is_ok());
        assert!(limiter.check(&"ada", at(1_000)).is_err());
    }

    #[test]
    fn waiting_as_told_is_enough() {
        let limiter = KeyedLimiter::new("20/1s burst 60".parse().unwrap());
        let mut now = 0;
        let mut passed = 0;
        while now < 10_000 {
            match limiter.check(&(), at(now)) {
                Ok(()) => passed += 1,
                Err(refused) => now += i64::try_from(refused.retry_after.as_millis()).unwrap().max(1),
            }
        }
        assert_eq!(passed, 60 + 20 * 10 - 1);
    }

    #[test]
    fn the_keys_are_bounded() {
        let limiter = KeyedLimiter::with_max_keys("2/1m".parse().unwrap(), 10);
        for _ in 0..2 {
            limiter.check(&999, at(0)).unwrap();
        }
        for key in 0..900 {
            limiter.check(&key, at(0)).unwrap();
            assert!(limiter.len() <= 10);
        }
        assert!(limiter.check(&999, at(0)).is_err(), "who owes most is remembered longest");
    }

    #[test]
    fn an_ipv6_network_is_one_address() {
        for (text, key) in [
            ("127.0.0.1", "127.0.0.1"),
            ("::ffff:10.1.2.3", "10.1.2.3"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
            ("2001:db8:1:2:ffff::", "2001:db8:1:2::"),
        ] {
            assert_eq!(address_key(text.parse().unwrap()), key.parse::<IpAddr>().unwrap());
        }
    }
}
