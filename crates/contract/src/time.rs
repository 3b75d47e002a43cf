//! Instants as the API writes them: UTC, RFC 3339, milliseconds.

use std::{fmt, str::FromStr, time::Duration};

use jiff::tz::Offset;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// An instant in whole milliseconds since 1970-01-01T00:00:00Z. Written as `2026-11-22T09:30:00.000Z`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// The instant `duration` later; stays at the end of time rather than wrap.
    pub fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// The instant `duration` earlier; stays at the beginning of time rather than wrap.
    pub fn before(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// How long from `earlier` to this instant; zero where `earlier` is the later one.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let instant = match jiff::Timestamp::from_millisecond(self.0) {
            Ok(instant) => instant,
            Err(_) => return write!(formatter, "{}", jiff::Timestamp::MAX),
        };
        let at = Offset::UTC.to_datetime(instant);
        let Ok(year) = u16::try_from(at.year()) else { return write!(formatter, "{instant:.3}") };
        // Every event has an instant: what jiff can do beside this costs eight times as much.
        let mut text = *b"0000-00-00T00:00:00.000Z";
        write_digits(&mut text[..4], year);
        for (place, number) in [(5, at.month()), (8, at.day()), (11, at.hour()), (14, at.minute()), (17, at.second())] {
            write_digits(&mut text[place..place + 2], number.unsigned_abs().into());
        }
        write_digits(&mut text[20..23], at.millisecond().unsigned_abs());
        formatter.write_str(str::from_utf8(&text).expect("digits are UTF-8"))
    }
}

/// Writes a number over zeros.
fn write_digits(zeros: &mut [u8], number: u16) {
    let mut rest = number;
    for digit in zeros.iter_mut().rev() {
        *digit += (rest % 10) as u8;
        rest /= 10;
    }
}

/// The text is not an RFC 3339 instant.
#[derive(Debug, thiserror::Error)]
#[error("not an RFC 3339 instant such as 2026-11-22T09:30:00.000Z")]
pub struct NotAnInstant;

impl FromStr for Timestamp {
    type Err = NotAnInstant;

    fn from_str(text: &str) -> Result<Self, NotAnInstant> {
        let instant: jiff::Timestamp = text.parse().map_err(|_| NotAnInstant)?;
        Ok(Self(instant.as_millisecond()))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl utoipa::PartialSchema for Timestamp {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .format(Some(utoipa::openapi::SchemaFormat::KnownFormat(utoipa::openapi::KnownFormat::DateTime)))
            .into()
    }
}

impl utoipa::ToSchema for Timestamp {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_survive_the_round_trip() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (1_795_339_800_007, "2026-11-22T09:30:00.007Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (1_709_251_199_999, "2024-02-29T23:59:59.999Z"),
            (253_402_207_200_000, "9999-12-30T22:00:00.000Z"),
            (-62_167_219_200_000, "0000-01-01T00:00:00.000Z"),
            (-62_167_219_200_001, "-000001-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(Timestamp::from_millis(millis).to_string(), text);
            assert_eq!(text.parse::<Timestamp>().unwrap().as_millis(), millis);
        }
        assert!("yesterday".parse::<Timestamp>().is_err());
    }
}
