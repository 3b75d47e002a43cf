//! Reads dates as people write them in tables. It knows the calendar and nothing of the present day.

use jiff::{ToSpan, civil};

use super::table::DateOrder;

/// What a text is, as a date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    Date(Dated),
    DateTime(Dated),
    /// It is written like a date, but there is no such day or time.
    Impossible,
    NotADate,
}

/// A text that is a date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Dated {
    /// ISO 8601, in UTC where the text names an offset.
    pub(crate) iso: String,
    pub(crate) style: DateStyle,
    /// Day and month could be the other way round.
    pub(crate) ambiguous: bool,
}

/// How a date is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum DateStyle {
    /// `2026-03-04`
    Iso,
    /// `2026/03/04` or `2026.03.04`
    YearFirst,
    /// `04.03.2026`
    Dots,
    /// `03/04/2026`
    Slashes,
    /// `03-04-2026`
    Dashes,
    /// `4 March 2026`, `04-Mar-2026`
    DayAndName,
    /// `March 4, 2026`
    NameAndDay,
}

impl DateStyle {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Iso => "2026-03-04",
            Self::YearFirst => "2026/03/04",
            Self::Dots => "04.03.2026",
            Self::Slashes => "03/04/2026",
            Self::Dashes => "03-04-2026",
            Self::DayAndName => "4 Mar 2026",
            Self::NameAndDay => "Mar 4, 2026",
        }
    }
}

/// The longest text that can be a date, in bytes: anything longer is not looked at.
const LONGEST: usize = 40;

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// Reads one text. `order` says how `03/04/2026` is meant; a number above 12 says it for itself.
pub(crate) fn read(text: &str, order: DateOrder) -> Reading {
    let text = text.trim();
    if text.len() > LONGEST || !text.bytes().any(|byte| byte.is_ascii_digit()) || !text.is_ascii() {
        return Reading::NotADate;
    }
    let (day_text, time_text) = split_time(text);
    let Some(day) = read_day(day_text, order) else { return Reading::NotADate };
    let Ok(date) = civil::Date::new(day.year, day.month, day.day) else { return Reading::Impossible };
    let Some(time_text) = time_text else {
        return Reading::Date(Dated { iso: date.to_string(), style: day.style, ambiguous: day.ambiguous });
    };
    let Some(time) = read_time(time_text) else { return Reading::NotADate };
    let Some(iso) = time.on(date) else { return Reading::Impossible };
    Reading::DateTime(Dated { iso, style: day.style, ambiguous: day.ambiguous })
}

/// What the texts of a column say about the order of day and month. Without evidence the month comes first.
pub(crate) fn order_of<'a>(texts: impl Iterator<Item = &'a str>) -> DateOrder {
    let (mut day_first, mut month_first) = (0_usize, 0_usize);
    for text in texts.filter(|text| text.len() <= LONGEST) {
        let (day_text, _) = split_time(text.trim());
        if let Some([first, second, _]) = three_numbers(day_text, '/').or_else(|| three_numbers(day_text, '-')) {
            match (first.parse::<u32>(), second.parse::<u32>()) {
                (Ok(13..=31), Ok(1..=12)) => day_first += 1,
                (Ok(1..=12), Ok(13..=31)) => month_first += 1,
                _ => {}
            }
        }
    }
    if day_first > month_first { DateOrder::DayFirst } else { DateOrder::MonthFirst }
}

struct Day {
    year: i16,
    month: i8,
    day: i8,
    style: DateStyle,
    ambiguous: bool,
}

fn read_day(text: &str, order: DateOrder) -> Option<Day> {
    for separator in ['-', '/', '.'] {
        if let Some(numbers) = three_numbers(text, separator) {
            return day_of_numbers(numbers, separator, order);
        }
    }
    day_with_name(text)
}

fn three_numbers(text: &str, separator: char) -> Option<[&str; 3]> {
    let mut pieces = text.split(separator);
    let numbers = [pieces.next()?, pieces.next()?, pieces.next()?];
    let digits = |piece: &&str| (1..=4).contains(&piece.len()) && piece.bytes().all(|byte| byte.is_ascii_digit());
    (pieces.next().is_none() && numbers.iter().all(digits)).then_some(numbers)
}

fn day_of_numbers([first, second, third]: [&str; 3], separator: char, order: DateOrder) -> Option<Day> {
    let number = |text: &str| text.parse::<i8>().ok();
    if first.len() == 4 {
        let style = if separator == '-' { DateStyle::Iso } else { DateStyle::YearFirst };
        let (month, day) = (number(second)?, number(third)?);
        return Some(Day { year: first.parse().ok()?, month, day, style, ambiguous: false });
    }
    // Two digits of a year only after slashes: 1.2.34 is more often a version or a chapter than a day.
    let year = match third.len() {
        4 => third.parse().ok()?,
        2 if separator == '/' => {
            third.parse::<i16>().ok().map(|year| if year < 70 { 2000 + year } else { 1900 + year })?
        }
        _ => return None,
    };
    let (first, second) = (number(first)?, number(second)?);
    let (style, day_first) = match separator {
        '.' => (DateStyle::Dots, true),
        '/' => (DateStyle::Slashes, order == DateOrder::DayFirst),
        _ => (DateStyle::Dashes, order == DateOrder::DayFirst),
    };
    let both_could_be_months = (1..=12).contains(&first) && (1..=12).contains(&second);
    let day_first = if both_could_be_months || separator == '.' { day_first } else { first > 12 };
    let (day, month) = if day_first { (first, second) } else { (second, first) };
    let ambiguous = both_could_be_months && separator != '.' && first != second;
    Some(Day { year, month, day, style, ambiguous })
}

fn day_with_name(text: &str) -> Option<Day> {
    let mut words = text.split([' ', '-', ',']).filter(|word| !word.is_empty());
    let (first, second, year) = (words.next()?, words.next()?, words.next()?);
    if words.next().is_some() || year.len() != 4 {
        return None;
    }
    let (month, day, style) = match (month_of(first), month_of(second)) {
        (Some(month), None) => (month, second, DateStyle::NameAndDay),
        (None, Some(month)) => (month, first, DateStyle::DayAndName),
        (Some(_), Some(_)) | (None, None) => return None,
    };
    let day = day.trim_end_matches(|sign: char| sign.is_ascii_alphabetic());
    Some(Day { year: year.parse().ok()?, month, day: day.parse().ok()?, style, ambiguous: false })
}

fn month_of(word: &str) -> Option<i8> {
    let word = word.trim_end_matches('.').to_ascii_lowercase();
    let place = MONTHS.iter().position(|month| word == *month || word.len() == 3 && month.starts_with(&word))?;
    i8::try_from(place + 1).ok()
}

/// Splits off what comes after the day: behind a `T`, or behind a space where there is a colon.
fn split_time(text: &str) -> (&str, Option<&str>) {
    let iso =
        text.split_once('T').filter(|(day, _)| day.len() >= 8 && day.ends_with(|sign: char| sign.is_ascii_digit()));
    if let Some((day, time)) = iso {
        return (day, Some(time));
    }
    let Some(colon) = text.find(':') else { return (text, None) };
    match text[..colon].rfind(' ') {
        Some(space) => (text[..space].trim_end_matches([' ', ',']), Some(&text[space + 1..])),
        None => (text, None),
    }
}

/// A time as it is written; whether it exists is seen when it is put on a day.
struct Time {
    hour: i8,
    minute: i8,
    second: i8,
    nanosecond: i32,
    offset_minutes: Option<i64>,
}

fn read_time(text: &str) -> Option<Time> {
    let (text, offset_minutes) = split_offset(text.trim())?;
    let upper = text.to_ascii_uppercase();
    let (clock, afternoon) = match (upper.strip_suffix("AM"), upper.strip_suffix("PM")) {
        (Some(clock), _) => (clock.trim(), Some(false)),
        (None, Some(clock)) => (clock.trim(), Some(true)),
        (None, None) => (upper.as_str(), None),
    };
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let mut pieces = clock.split(':');
    let hour: i8 = pieces.next()?.parse().ok()?;
    let minute = pieces.next()?.parse().ok()?;
    let second = pieces.next().map_or(Some(0), |piece| piece.parse().ok())?;
    let digits = fraction.bytes().all(|byte| byte.is_ascii_digit());
    if pieces.next().is_some() || !digits || !(1..=9).contains(&fraction.len()) {
        return None;
    }
    let hour = match afternoon {
        Some(afternoon) if (1..=12).contains(&hour) => hour % 12 + if afternoon { 12 } else { 0 },
        // No such hour: it is refused when the time is put on a day.
        Some(_) => 99,
        None => hour,
    };
    Some(Time { hour, minute, second, nanosecond: format!("{fraction:0<9}").parse().ok()?, offset_minutes })
}

/// The text without `Z` or `±hh:mm`, and the offset in minutes.
fn split_offset(text: &str) -> Option<(&str, Option<i64>)> {
    if let Some(clock) = text.strip_suffix(['Z', 'z']) {
        return Some((clock.trim_end(), Some(0)));
    }
    let Some(place) = text.rfind(['+', '-']) else { return Some((text, None)) };
    let digits = text[place + 1..].replace(':', "");
    let (hours, minutes) = match digits.len() {
        2 => (digits.as_str(), "0"),
        4 => digits.split_at(2),
        _ => return None,
    };
    let minutes = hours.parse::<i64>().ok()? * 60 + minutes.parse::<i64>().ok()?;
    let signed = if text[place..].starts_with('-') { -minutes } else { minutes };
    Some((text[..place].trim_end(), Some(signed)))
}

impl Time {
    fn on(&self, date: civil::Date) -> Option<String> {
        let time = civil::Time::new(self.hour, self.minute, self.second, self.nanosecond).ok()?;
        let local = date.to_datetime(time);
        match self.offset_minutes {
            Some(minutes) if minutes.abs() <= 18 * 60 => {
                Some(format!("{}Z", local.checked_sub(minutes.minutes()).ok()?))
            }
            Some(_) => None,
            None => Some(local.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_as_people_write_them() {
        use DateOrder::{DayFirst, MonthFirst};
        for (text, order, wanted) in [
            ("2026-03-04", MonthFirst, "2026-03-04"),
            ("2026/3/4", MonthFirst, "2026-03-04"),
            ("04.03.2026", MonthFirst, "2026-03-04"),
            ("03/04/2026", MonthFirst, "2026-03-04"),
            ("03/04/2026", DayFirst, "2026-04-03"),
            ("25/12/2026", MonthFirst, "2026-12-25"),
            ("12-25-2026", DayFirst, "2026-12-25"),
            ("1/2/26", MonthFirst, "2026-01-02"),
            ("1/2/71", MonthFirst, "1971-01-02"),
            ("4 March 2026", MonthFirst, "2026-03-04"),
            ("04-Mar-2026", MonthFirst, "2026-03-04"),
            ("Mar. 4th, 2026", MonthFirst, "2026-03-04"),
            ("2024-02-29", MonthFirst, "2024-02-29"),
            ("2026-03-04T05:06", MonthFirst, "2026-03-04T05:06:00"),
            ("2026-03-04 05:06:07.250", MonthFirst, "2026-03-04T05:06:07.25"),
            ("2026-03-04T01:00:00+02:00", MonthFirst, "2026-03-03T23:00:00Z"),
            ("2026-03-04T05:06:07Z", MonthFirst, "2026-03-04T05:06:07Z"),
            ("03/04/2026 11:30 PM", MonthFirst, "2026-03-04T23:30:00"),
            ("03/04/2026 12:05 am", MonthFirst, "2026-03-04T00:05:00"),
            ("4 Mar 2026, 9:15", MonthFirst, "2026-03-04T09:15:00"),
        ] {
            match read(text, order) {
                Reading::Date(dated) | Reading::DateTime(dated) => assert_eq!(dated.iso, wanted, "{text:?}"),
                other => panic!("{text:?}: {other:?}"),
            }
        }
    }

    #[test]
    fn what_no_calendar_has_is_impossible() {
        for text in ["2026-02-30", "31.04.2026", "13/13/2026", "2026-13-01", "2026-03-04T25:00", "1/1/2026 13:00 PM"] {
            assert_eq!(read(text, DateOrder::MonthFirst), Reading::Impossible, "{text:?}");
        }
    }

    #[test]
    fn other_texts_are_no_dates() {
        for text in [
            "",
            "1.2.3",
            "1.2.34",
            "192.168.0.1",
            "12-34",
            "2026",
            "20260304",
            "March",
            "a/b/c",
            "12:30",
            "May 5",
            "ä 2026",
            "T1",
        ] {
            assert_eq!(read(text, DateOrder::MonthFirst), Reading::NotADate, "{text:?}");
        }
    }

    #[test]
    fn a_column_shows_its_order() {
        assert_eq!(order_of(["01/02/2026", "25/02/2026"].into_iter()), DateOrder::DayFirst);
        assert_eq!(order_of(["01/02/2026", "02/25/2026"].into_iter()), DateOrder::MonthFirst);
        assert_eq!(order_of(["01/02/2026"].into_iter()), DateOrder::MonthFirst);
        assert!(matches!(read("01/02/2026", DateOrder::DayFirst), Reading::Date(Dated { ambiguous: true, .. })));
        assert!(matches!(read("02/02/2026", DateOrder::DayFirst), Reading::Date(Dated { ambiguous: false, .. })));
    }
}
