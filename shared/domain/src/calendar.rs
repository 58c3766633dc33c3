//! The New York Stock Exchange's calendar: sessions, holidays and half days by rule, closures that no rule foresees by list.
//!
//! Source: NYSE Rule 7.2 and the exchange's announcements of special closings. Valid from 1986.

use std::sync::LazyLock;

use jiff::{
    Timestamp, ToSpan,
    civil::{Date, Time, Weekday, date},
    tz::{TimeZone, TimeZoneDatabase},
};

use crate::TradingDate;

/// Closings announced for one occasion.
const SPECIAL_CLOSURES: [(Date, &str); 11] = [
    (date(1994, 4, 27), "day of mourning for Richard Nixon"),
    (date(2001, 9, 11), "attacks of September 11"),
    (date(2001, 9, 12), "attacks of September 11"),
    (date(2001, 9, 13), "attacks of September 11"),
    (date(2001, 9, 14), "attacks of September 11"),
    (date(2004, 6, 11), "day of mourning for Ronald Reagan"),
    (date(2007, 1, 2), "day of mourning for Gerald Ford"),
    (date(2012, 10, 29), "Hurricane Sandy"),
    (date(2012, 10, 30), "Hurricane Sandy"),
    (date(2018, 12, 5), "day of mourning for George H. W. Bush"),
    (date(2025, 1, 9), "day of mourning for Jimmy Carter"),
];

/// Why the exchange does not trade on `day`; `None` on a session.
pub fn closure(day: Date) -> Option<&'static str> {
    if matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) {
        return Some("weekend");
    }
    holiday(day).or_else(|| SPECIAL_CLOSURES.iter().find(|(closed, _)| *closed == day).map(|(_, reason)| *reason))
}

pub fn is_session(day: Date) -> bool {
    closure(day).is_none()
}

fn holiday(day: Date) -> Option<&'static str> {
    let year = day.year();
    // Saturday holidays are kept on Friday, unless that ends a year (then the exchange trades); Sunday ones on Monday.
    let observed = |holiday: Date| match holiday.weekday() {
        Weekday::Saturday => holiday.yesterday().ok(),
        Weekday::Sunday => holiday.tomorrow().ok(),
        _ => Some(holiday),
    };
    let nth = |month, nth, weekday| date(year, month, 1).nth_weekday_of_month(nth, weekday).ok();

    // Months first: most days need no more than this match.
    match day.month() {
        1 => {
            let new_year = observed(date(year, 1, 1));
            if Some(day) == new_year {
                return Some("New Year's Day");
            }
            (year >= 1998 && Some(day) == nth(1, 3, Weekday::Monday)).then_some("Martin Luther King Jr. Day")
        }
        2 => (Some(day) == nth(2, 3, Weekday::Monday)).then_some("Washington's Birthday"),
        3 | 4 => (day == easter_sunday(year).saturating_sub(2.days())).then_some("Good Friday"),
        5 => (Some(day) == nth(5, -1, Weekday::Monday)).then_some("Memorial Day"),
        6 => (year >= 2022 && Some(day) == observed(date(year, 6, 19))).then_some("Juneteenth"),
        7 => (Some(day) == observed(date(year, 7, 4))).then_some("Independence Day"),
        9 => (Some(day) == nth(9, 1, Weekday::Monday)).then_some("Labor Day"),
        11 => (Some(day) == nth(11, 4, Weekday::Thursday)).then_some("Thanksgiving Day"),
        12 => (Some(day) == observed(date(year, 12, 25))).then_some("Christmas Day"),
        _ => None,
    }
}

/// Whether the session closes at 13:00 New York.
pub fn is_half_day(day: Date) -> bool {
    if !is_session(day) {
        return false;
    }
    let year = day.year();
    let thanksgiving = date(year, 11, 1).nth_weekday_of_month(4, Weekday::Thursday).ok();
    match (day.month(), day.day()) {
        (11, _) => year >= 1993 && day.yesterday().ok() == thanksgiving,
        (12, 24) => year >= 1993,
        // From 2013 the eve of Independence Day, before that only when it was not a Wednesday.
        (7, 3) => year >= 1995 && (year >= 2013 || day.weekday() != Weekday::Wednesday),
        (7, 5) => (1995..2013).contains(&year) && day.weekday() == Weekday::Friday,
        (12, 26) => year == 1997 || year == 2003,
        (12, 31) => year == 1999,
        _ => false,
    }
}

/// Gauss's algorithm in the form of Meeus, Astronomical Algorithms, chapter 8.
#[allow(clippy::many_single_char_names, clippy::cast_possible_truncation)] // the book's names; a month and a day are small
fn easter_sunday(year: i16) -> Date {
    let y = i32::from(year);
    let (a, b, c) = (y % 19, y / 100, y % 100);
    let (d, e) = (b / 4, b % 4);
    let g = (8 * b + 13) / 25;
    let h = (19 * a + b - d - g + 15) % 30;
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k) % 7;
    let m = (a + 11 * h + 22 * l) / 451;
    let n = h + l - 7 * m + 114;
    date(year, (n / 31) as i8, (n % 31 + 1) as i8)
}

/// New York's time zone, from the tables compiled in: no machine's files matter.
pub fn new_york() -> TimeZone {
    static ZONE: LazyLock<TimeZone> =
        LazyLock::new(|| TimeZoneDatabase::bundled().get("America/New_York").expect("the bundled time zone database has New York"));
    ZONE.clone()
}

/// The instant at which New York's clocks show `time` on `day`.
pub fn new_york_instant(day: Date, time: Time) -> Timestamp {
    day.to_datetime(time).to_zoned(new_york()).expect("trading hours are never in a gap of local time").timestamp()
}

/// 09:30 New York.
pub fn open_instant(day: Date) -> Timestamp {
    new_york_instant(day, Time::constant(9, 30, 0, 0))
}

/// 16:00 New York, 13:00 on a half day.
pub fn close_instant(day: Date) -> Timestamp {
    let hour = if is_half_day(day) { 13 } else { 16 };
    new_york_instant(day, Time::constant(hour, 0, 0, 0))
}

/// The calendar date in New York at `instant`.
pub fn new_york_date(instant: Timestamp) -> Date {
    instant.to_zoned(new_york()).date()
}

/// Whether the regular session is on: from the open, up to but not at the close.
pub fn is_open(instant: Timestamp) -> bool {
    let day = new_york_date(instant);
    is_session(day) && open_instant(day) <= instant && instant < close_instant(day)
}

/// All sessions from `first` to `last`, both included.
pub fn sessions(first: Date, last: Date) -> impl Iterator<Item = TradingDate> {
    std::iter::successors(Some(TradingDate::on_or_after(first)), |day| Some(day.next())).take_while(move |day| day.date() <= last)
}

/// The newest session whose open is not after `instant`.
pub fn current_or_last_session(instant: Timestamp) -> TradingDate {
    let today = TradingDate::on_or_before(new_york_date(instant));
    if today.open() <= instant { today } else { today.previous() }
}

/// The newest session that has closed at `instant`.
pub fn last_closed_session(instant: Timestamp) -> TradingDate {
    let today = TradingDate::on_or_before(new_york_date(instant));
    if today.close() <= instant { today } else { today.previous() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Closed weekdays and half days as the public package `exchange_calendars` 4 lists them (calendar XNYS).
    #[test]
    fn agrees_with_a_public_calendar_from_1986_to_2030() {
        let listed: std::collections::BTreeMap<Date, &str> = include_str!("golden/xnys_1986_2030.csv")
            .lines()
            .skip(1)
            .map(|line| line.split_once(',').expect("two columns"))
            .map(|(day, kind)| (day.parse().expect("a date"), kind))
            .collect();
        let mut day = date(1986, 1, 2);
        while day <= date(2030, 12, 31) {
            let expected = match day.weekday() {
                Weekday::Saturday | Weekday::Sunday => "closed",
                _ => listed.get(&day).copied().unwrap_or("full"),
            };
            let ours = match (is_session(day), is_half_day(day)) {
                (false, _) => "closed",
                (true, true) => "half",
                (true, false) => "full",
            };
            assert_eq!(ours, expected, "{day}");
            day = day.tomorrow().unwrap();
        }
    }

    #[test]
    fn sessions_follow_new_york_across_daylight_saving() {
        for (day, open, close) in [
            (date(2022, 3, 11), "2022-03-11T14:30:00Z", "2022-03-11T21:00:00Z"),
            (date(2022, 3, 14), "2022-03-14T13:30:00Z", "2022-03-14T20:00:00Z"),
            (date(2022, 11, 25), "2022-11-25T14:30:00Z", "2022-11-25T18:00:00Z"),
        ] {
            assert_eq!((open_instant(day).to_string().as_str(), close_instant(day).to_string().as_str()), (open, close));
        }
    }

    #[test]
    fn the_session_is_open_from_its_first_instant_to_before_its_last() {
        let day = TradingDate::new(date(2022, 1, 3)).unwrap();
        assert!(is_open(day.open()) && !is_open(day.close()));
        assert_eq!(current_or_last_session(day.open()), day);
        assert_eq!(last_closed_session(day.open()).date(), date(2021, 12, 31));
        assert_eq!(last_closed_session(day.close()), day);
    }
}
