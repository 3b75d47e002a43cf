//! The times of a schedule: a cron pattern in a time zone. It is handed the time and knows no clock.

use std::time::Duration;

use contract::{Timestamp, schedule::MissedRuns};
use croner::{
    Cron, Direction,
    parser::{CronParser, Seconds, Year},
};
use jiff::{Zoned, tz::TimeZone};

/// The longest pattern, in bytes.
const MAX_PATTERN_BYTES: usize = 100;

/// The longest name of a time zone, in bytes.
const MAX_ZONE_BYTES: usize = 100;

/// A time that is this long ago is not missed but late, as things are on a busy machine.
const GRACE: Duration = Duration::from_secs(60);

/// How many missed times are made up for.
const MAX_MADE_UP: usize = 100;

pub(crate) struct Timetable {
    cron: Cron,
    zone: TimeZone,
}

/// What a pattern or a zone is not, with the field that says it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BadTimetable {
    pub(crate) field: &'static str,
    pub(crate) message: String,
}

/// What is to be done at a moment.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Due {
    /// The times for which it is to be done, oldest first.
    pub(crate) at: Vec<Timestamp>,
    /// The first time after the moment; `None` where there is none any more.
    pub(crate) next_at: Option<Timestamp>,
}

impl Timetable {
    pub(crate) fn parse(cron: &str, time_zone: &str) -> Result<Self, BadTimetable> {
        let bad = |field, message: String| BadTimetable { field, message };
        if cron.len() > MAX_PATTERN_BYTES {
            return Err(bad("cron", format!("has at most {MAX_PATTERN_BYTES} characters")));
        }
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let cron = parser.parse(cron).map_err(|_| {
            bad(
                "cron",
                "has to be five fields (minute, hour, day of month, month, day of week), such as `0 9 * * MON-FRI`"
                    .to_owned(),
            )
        })?;
        let known = (time_zone.len() <= MAX_ZONE_BYTES).then(|| TimeZone::get(time_zone).ok()).flatten();
        let zone = known.ok_or_else(|| {
            bad("time_zone", "has to be a name of the IANA database, such as `Europe/Berlin` or `UTC`".to_owned())
        })?;
        Ok(Self { cron, zone })
    }

    /// The first time after `after`. `None` where there is none, or none before the calendar ends.
    pub(crate) fn next(&self, after: Timestamp) -> Option<Timestamp> {
        self.cron.find_next_occurrence(&self.zoned(after)?, false).ok().map(|next| instant(&next))
    }

    /// What is to be done at `now` for a schedule whose next time was `first`.
    pub(crate) fn due(&self, first: Timestamp, now: Timestamp, missed: MissedRuns) -> Due {
        let mut at = self.latest(first, now, MAX_MADE_UP);
        let on_time = |at: &Timestamp| now.since(*at) < GRACE;
        match missed {
            MissedRuns::RunAll => {}
            MissedRuns::RunOnce => drop(at.drain(..at.len().saturating_sub(1))),
            MissedRuns::Skip => at.retain(on_time),
        }
        Due { at, next_at: self.next(now) }
    }

    /// The latest times from `first` to `now`, both of them included, oldest first.
    fn latest(&self, first: Timestamp, now: Timestamp, most: usize) -> Vec<Timestamp> {
        let Some(now) = self.zoned(now) else { return Vec::new() };
        let earlier = self.cron.iter_from(now, Direction::Backward).map(|zoned| instant(&zoned));
        let mut at: Vec<Timestamp> = earlier.take_while(|at| *at >= first).take(most).collect();
        at.reverse();
        at
    }

    fn zoned(&self, at: Timestamp) -> Option<Zoned> {
        let at = jiff::Timestamp::from_millisecond(at.as_millis()).ok()?;
        Some(at.to_zoned(self.zone.clone()))
    }
}

fn instant(zoned: &Zoned) -> Timestamp {
    Timestamp::from_millis(zoned.timestamp().as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::from_millis(text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
    }

    /// The next times after `after`, in UTC.
    fn times(cron: &str, zone: &str, after: &str, count: usize) -> Vec<String> {
        let timetable = Timetable::parse(cron, zone).unwrap();
        let mut last = at(after);
        let mut times = Vec::new();
        while times.len() < count
            && let Some(next) = timetable.next(last)
        {
            assert!(next > last, "time goes forward: {cron} in {zone} after {last}");
            times.push(next.to_string());
            last = next;
        }
        times
    }

    #[test]
    fn times_are_those_of_the_zone() {
        for (cron, zone, after, expected) in [
            ("0 9 * * MON-FRI", "UTC", "2026-11-27T09:00:00Z", vec!["2026-11-30T09:00:00.000Z"]),
            ("0 9 * * *", "Europe/Berlin", "2026-07-01T00:00:00Z", vec!["2026-07-01T07:00:00.000Z"]),
            ("0 9 * * *", "Europe/Berlin", "2026-12-01T00:00:00Z", vec!["2026-12-01T08:00:00.000Z"]),
            ("30 0 29 2 *", "Asia/Kolkata", "2026-01-01T00:00:00Z", vec!["2028-02-28T19:00:00.000Z"]),
            ("@daily", "America/New_York", "2026-01-01T12:00:00Z", vec!["2026-01-02T05:00:00.000Z"]),
            // Never.
            ("0 0 30 2 *", "UTC", "2026-01-01T00:00:00Z", vec![]),
        ] {
            assert_eq!(times(cron, zone, after, 1), expected, "{cron} in {zone}");
        }
    }

    #[test]
    fn a_time_that_the_clock_leaves_out_is_made_up_for() {
        // In Berlin 02:00 to 03:00 is left out on 28 March 2027.
        let daily = times("30 2 * * *", "Europe/Berlin", "2027-03-27T00:00:00Z", 3);
        assert_eq!(daily, ["2027-03-27T01:30:00.000Z", "2027-03-28T01:00:00.000Z", "2027-03-29T00:30:00.000Z"]);
        let quarterly = times("*/30 * * * *", "Europe/Berlin", "2027-03-28T00:20:00Z", 3);
        assert_eq!(quarterly, ["2027-03-28T00:30:00.000Z", "2027-03-28T01:00:00.000Z", "2027-03-28T01:30:00.000Z"]);
    }

    #[test]
    fn a_time_that_comes_twice_counts_once_unless_it_is_of_every_hour() {
        // In Berlin 02:00 to 03:00 comes twice on 25 October 2026.
        let daily = times("30 2 * * *", "Europe/Berlin", "2026-10-24T00:00:00Z", 3);
        assert_eq!(daily, ["2026-10-24T00:30:00.000Z", "2026-10-25T00:30:00.000Z", "2026-10-26T01:30:00.000Z"]);
        let hourly = times("30 * * * *", "Europe/Berlin", "2026-10-24T23:00:00Z", 4);
        let expected = [
            "2026-10-24T23:30:00.000Z",
            "2026-10-25T00:30:00.000Z",
            "2026-10-25T01:30:00.000Z",
            "2026-10-25T02:30:00.000Z",
        ];
        assert_eq!(hourly, expected);
    }

    #[test]
    fn what_was_missed_is_made_up_for_as_it_is_wanted() {
        let hourly = Timetable::parse("0 * * * *", "UTC").unwrap();
        let first = at("2026-11-25T06:00:00Z");
        let due = |now: &str, missed| hourly.due(first, at(now), missed);
        for missed in [MissedRuns::Skip, MissedRuns::RunOnce, MissedRuns::RunAll] {
            let due = due("2026-11-25T06:00:00.250Z", missed);
            assert_eq!((due.at, due.next_at), (vec![first], Some(at("2026-11-25T07:00:00Z"))), "on time: {missed:?}");
        }
        let later = "2026-11-25T08:30:00Z";
        assert_eq!(due(later, MissedRuns::Skip).at, []);
        assert_eq!(due(later, MissedRuns::RunOnce).at, [at("2026-11-25T08:00:00Z")]);
        let all = due(later, MissedRuns::RunAll);
        assert_eq!(all.at, [first, at("2026-11-25T07:00:00Z"), at("2026-11-25T08:00:00Z")]);
        assert_eq!(all.next_at, Some(at("2026-11-25T09:00:00Z")));
        let much_later = due("2027-11-25T06:00:00Z", MissedRuns::RunAll);
        assert_eq!((much_later.at.len(), much_later.at.last()), (MAX_MADE_UP, Some(&at("2027-11-25T06:00:00Z"))));
        // The clock went back: nothing is due, and the next time is the one that was.
        let back = due("2026-11-25T05:10:00Z", MissedRuns::RunAll);
        assert_eq!((back.at, back.next_at), (vec![], Some(first)));
    }

    #[test]
    fn what_is_no_timetable_is_told_by_its_field() {
        let long = "0 ".repeat(60);
        for (cron, zone, field) in [
            ("", "UTC", "cron"),
            ("soon", "UTC", "cron"),
            ("0 9 * *", "UTC", "cron"),
            ("0 0 9 * * *", "UTC", "cron"),
            ("99 * * * *", "UTC", "cron"),
            (long.as_str(), "UTC", "cron"),
            ("0 9 * * *", "Europe/Atlantis", "time_zone"),
            ("0 9 * * *", "", "time_zone"),
            ("0 9 * * *", "../../etc/passwd", "time_zone"),
        ] {
            assert_eq!(Timetable::parse(cron, zone).err().map(|bad| bad.field), Some(field), "{cron:?} in {zone:?}");
        }
    }
}
