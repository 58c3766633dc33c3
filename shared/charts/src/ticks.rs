//! Round numbers and dates along the axes.

use jiff::civil::Date;

/// Round numbers between `low` and `high`, about `count` of them, and how many decimal places they need.
pub(crate) fn numbers(low: f64, high: f64, count: f64) -> (Vec<f64>, usize) {
    let raw = (high - low) / count.max(1.0);
    if !raw.is_finite() || raw <= 0.0 {
        return (Vec::new(), 0);
    }
    let magnitude = 10_f64.powf(raw.log10().floor());
    let factor = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().find(|factor| factor * magnitude >= raw * 0.999).unwrap_or(10.0);
    let step = factor * magnitude;
    let first = (low / step).ceil();
    let last = (high / step).floor();
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a handful of ticks")]
    let ticks = (0..=((last - first).max(-1.0) + 0.5) as usize).map(|index| (first + index as f64) * step).filter(|tick| *tick <= high);
    let places = (0..6).find(|places| is_whole(step * 10_f64.powi(*places))).unwrap_or(6);
    (ticks.collect(), usize::try_from(places).unwrap_or(0))
}

fn is_whole(number: f64) -> bool {
    (number - number.round()).abs() < 1e-6
}

/// A number for people: thousands apart.
pub(crate) fn written(number: f64, places: usize) -> String {
    let text = format!("{:.places$}", number.abs());
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let groups: Vec<&str> = whole.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).unwrap_or_default()).collect();
    let is_negative = number < 0.0 && text.bytes().any(|byte| (b'1'..=b'9').contains(&byte));
    format!("{}{}{rest}", if is_negative { "−" } else { "" }, groups.join(","))
}

/// `1.2M`: for volumes.
pub(crate) fn short(number: f64) -> String {
    for (unit, name) in [(1e9, "B"), (1e6, "M"), (1e3, "K")] {
        if number.abs() >= unit {
            let places = usize::from(number.abs() < 10.0 * unit && !is_whole(number / unit));
            return format!("{}{name}", written(number / unit, places));
        }
    }
    written(number, 0)
}

/// A gain or loss in percent, with its sign.
pub(crate) fn signed_percent(percent: f64) -> String {
    let text = written(percent, 2);
    let plus = if percent > 0.0 && !text.starts_with('−') { "+" } else { "" };
    format!("{plus}{text} %")
}

/// A date on the axis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DateTick {
    pub(crate) index: usize,
    pub(crate) label: String,
    /// Where a year begins.
    pub(crate) is_major: bool,
}

/// What names the period that a date is in.
type Period<'a> = &'a dyn Fn(&Date) -> (i32, i32);

/// The first session of each year, quarter, month or week, whatever gives no more than `most` of them.
pub(crate) fn dates(dates: &[Date], most: usize) -> Vec<DateTick> {
    let quarter = |date: &Date| (i32::from(date.year()), i32::from((date.month() - 1) / 3));
    let month = |date: &Date| (i32::from(date.year()), i32::from(date.month()));
    let week = |date: &Date| {
        let week = date.iso_week_date();
        (i32::from(week.year()), i32::from(week.week()))
    };
    let year = |date: &Date| (i32::from(date.year()), 0);
    let day = |date: &Date| (i32::from(date.year()), i32::from(date.day_of_year()));
    let periods: [Period<'_>; 4] = [&day, &week, &month, &quarter];
    let fitting = periods.into_iter().map(|period| firsts(dates, period)).find(|ticks| ticks.len() <= most);
    let mut before = dates.first().copied();
    thinned(fitting.unwrap_or_else(|| firsts(dates, &year)), most)
        .into_iter()
        .map(|index| {
            let date = dates[index];
            let last = before.replace(date).unwrap_or(date);
            let is_major = date.year() != last.year();
            let form = if is_major {
                "%Y"
            } else if date.month() != last.month() {
                "%b"
            } else {
                "%-d"
            };
            DateTick { index, label: date.strftime(form).to_string(), is_major }
        })
        .collect()
}

/// Positions at which another period begins than the session before was in.
fn firsts(dates: &[Date], period: Period<'_>) -> Vec<usize> {
    (1..dates.len()).filter(|index| period(&dates[*index]) != period(&dates[index - 1])).collect()
}

fn thinned(ticks: Vec<usize>, most: usize) -> Vec<usize> {
    let every = ticks.len().div_ceil(most.max(1)).max(1);
    ticks.into_iter().step_by(every).collect()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn numbers_along_an_axis_are_round() {
        for (low, high, count, expected, places) in [
            (0.0, 100.0, 5.0, vec![0.0, 20.0, 40.0, 60.0, 80.0, 100.0], 0),
            (171.3, 182.9, 5.0, vec![172.5, 175.0, 177.5, 180.0, 182.5], 1),
            (-1.2, 1.4, 3.0, vec![-1.0, 0.0, 1.0], 0),
            (0.011, 0.029, 4.0, vec![0.015, 0.02, 0.025], 3),
            (5.0, 5.0, 4.0, vec![], 0),
        ] {
            let (ticks, found) = numbers(low, high, count);
            assert!(ticks.iter().zip(&expected).all(|(tick, expected)| (tick - expected).abs() < 1e-9), "{ticks:?} {expected:?}");
            assert_eq!((ticks.len(), found), (expected.len(), places), "{low} {high}");
        }
    }

    #[test]
    fn numbers_are_written_for_people() {
        for (number, places, expected) in
            [(1_234_567.891, 2, "1,234,567.89"), (-1234.5, 1, "−1,234.5"), (12.0, 0, "12"), (-0.001, 2, "0.00"), (999.0, 0, "999")]
        {
            assert_eq!(written(number, places), expected);
        }
        for (number, expected) in [(1_500_000.0, "1.5M"), (80_000_000.0, "80M"), (2e9, "2B"), (999.0, "999"), (0.0, "0")] {
            assert_eq!(short(number), expected);
        }
        assert_eq!([1.234, -0.5, 0.0].map(signed_percent), ["+1.23 %", "−0.50 %", "0.00 %"]);
    }

    #[test]
    fn dates_are_marked_where_a_period_begins() {
        let sessions: Vec<Date> = date(2021, 11, 1).series(jiff::Span::new().days(1)).take(120).collect();
        let ticks = |most: usize| -> Vec<String> { dates(&sessions, most).into_iter().map(|tick| tick.label).collect() };
        assert_eq!(ticks(4), ["Dec", "2022", "Feb"]);
        assert_eq!(ticks(20)[..5], ["8", "15", "22", "29", "Dec"]);
        assert_eq!(dates(&sessions, 1), [DateTick { index: 61, label: "2022".into(), is_major: true }]);
        assert_eq!(dates(&[], 3), []);
    }
}
