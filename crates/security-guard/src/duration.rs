//! Lengths of time as people write them in a config: `"10s"`, `"10m"`, `"24h"`, `"30d"`, `"250ms"`. The functions
//! fit `#[serde(with = "security_guard::duration")]`.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serializer, de};

/// The text is not a length of time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a length of time: write a whole number and a unit, such as \"250ms\", \"10s\", \"10m\", \"24h\" or \
     \"30d\""
)]
pub struct NotADuration(pub String);

/// Units and their milliseconds, longest first, which is also the order in which [`format`] tries them.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Parses a whole number and a unit out of `ms`, `s`, `m`, `h` and `d`.
pub fn parse(text: &str) -> Result<Duration, NotADuration> {
    let refuse = || NotADuration(text.to_owned());
    let end = text.find(|character: char| !character.is_ascii_digit()).ok_or_else(refuse)?;
    let (number, unit) = text.split_at(end);
    let number: u64 = number.parse().map_err(|_| refuse())?;
    let (_, millis) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(refuse)?;
    number.checked_mul(*millis).map(Duration::from_millis).ok_or_else(refuse)
}

/// The shortest text that [`parse`] reads as the same length of time, to the millisecond.
pub fn format(duration: Duration) -> String {
    let total = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let (unit, millis) =
        UNITS.into_iter().find(|(_, millis)| total >= *millis && total % millis == 0).unwrap_or(("s", 1_000));
    format!("{}{unit}", total / millis)
}

/// Whole seconds, rounded up: what `Retry-After` (RFC 9110) wants.
pub fn whole_seconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis().div_ceil(1_000)).unwrap_or(u64::MAX)
}

pub fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&format(*duration))
}

pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse(&text).map_err(de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_survive_the_round_trip() {
        for (text, millis) in [("0s", 0), ("250ms", 250), ("10s", 10_000), ("10m", 600_000), ("30d", 2_592_000_000)] {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
            assert_eq!(format(Duration::from_millis(millis)), text);
        }
        assert_eq!(parse("90m").map(format), Ok("90m".to_owned()));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in
            ["", "10", "m", "-1s", "1.5h", "10 m", "10M", "1w", "99999999999999999999s", "18446744073709551615d"]
        {
            assert_eq!(parse(text), Err(NotADuration(text.to_owned())), "{text:?}");
        }
    }

    #[test]
    fn seconds_are_rounded_up() {
        for (millis, seconds) in [(0, 0), (1, 1), (1_000, 1), (1_001, 2)] {
            assert_eq!(whole_seconds(Duration::from_millis(millis)), seconds);
        }
    }
}
