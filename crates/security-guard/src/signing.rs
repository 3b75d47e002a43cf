//! Which of the server's signing keys does what, by the time of day: a new key is published before it signs, so that those
//! who verify our tokens have it by then, and an old one verifies until the last token that it signed has ended.

use std::time::Duration;

use contract::Timestamp;
use serde::Serialize;

use crate::accounts::SigningKey;

/// How long a new key is published before it signs: as long as others may keep the list of keys (`Cache-Control` of
/// `/.well-known/jwks.json`).
pub const PUBLISHED_AHEAD: Duration = Duration::from_secs(5 * 60);

/// What a key does just now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// Published, and will sign.
    Next,
    Signing,
    /// Signs nothing more; its tokens are good to their end.
    Verifying,
    /// Its last token has ended.
    Retired,
}

/// A key as an operator sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeySummary {
    pub key_id: String,
    pub state: KeyState,
    pub created_at: Timestamp,
    /// From when on it signs; the first key of all signs at once.
    pub signs_from: Timestamp,
    /// When its last token ends; known as soon as there is a later key.
    pub ends_at: Option<Timestamp>,
}

/// What each key does at this instant; `keys` are in the order in which they were made, and tokens live for `ttl`.
pub(crate) fn states(keys: &[SigningKey], now: Timestamp, ttl: Duration) -> Vec<KeySummary> {
    let signs_from = |index: usize, key: &SigningKey| {
        if index == 0 { key.created_at } else { key.created_at.after(PUBLISHED_AHEAD) }
    };
    let starts: Vec<Timestamp> = keys.iter().enumerate().map(|(index, key)| signs_from(index, key)).collect();
    let signing = starts.iter().rposition(|start| *start <= now).unwrap_or(0);
    let summary = |(index, key): (usize, &SigningKey)| {
        let ends_at = starts[index + 1..].iter().min().map(|next| next.after(ttl));
        let state = match ends_at {
            _ if index > signing => KeyState::Next,
            _ if index == signing => KeyState::Signing,
            Some(end) if end <= now => KeyState::Retired,
            Some(_) | None => KeyState::Verifying,
        };
        KeySummary { key_id: key.key_id.clone(), state, created_at: key.created_at, signs_from: starts[index], ends_at }
    };
    keys.iter().enumerate().map(summary).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_take_turns_and_overlap() {
        use KeyState::{Next, Retired, Signing, Verifying};
        let at = |minute: i64| Timestamp::from_millis(minute * 60_000);
        let key = |minute| SigningKey { key_id: String::new(), pkcs8: Vec::new(), created_at: at(minute) };
        let ttl = Duration::from_secs(10 * 60);
        let keys = [key(0), key(100), key(102)];
        for (minute, expected) in [
            (0, [Signing, Next, Next]),
            (104, [Signing, Next, Next]),
            (105, [Verifying, Signing, Next]),
            (107, [Verifying, Verifying, Signing]),
            (114, [Verifying, Verifying, Signing]),
            (115, [Retired, Verifying, Signing]),
            (117, [Retired, Retired, Signing]),
        ] {
            let states: Vec<KeyState> = states(&keys, at(minute), ttl).iter().map(|key| key.state).collect();
            assert_eq!(states, expected, "minute {minute}");
        }
        assert_eq!(states(&keys[..1], at(-5), ttl)[0].state, Signing, "a clock that was set back signs all the same");
    }
}
