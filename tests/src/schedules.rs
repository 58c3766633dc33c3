//! The schedules of the deployment against those of the program.
//!
//! `EventBridge` Scheduler refuses an expression that breaks its rules only when the stack is deployed, and takes one that means
//! something else than intended. So they are read here by the service's own rules
//! (<https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html>) and compared with `app::jobs::schedule`, year by year.

use std::{
    collections::{BTreeMap, BTreeSet},
    str::FromStr,
};

use app::jobs::{JobKind, schedule};
use domain::{Date, Timestamp, TradingDate, calendar};
use jiff::{civil::date, tz::TimeZone};

const TEMPLATE: &str = include_str!("../../template.yaml");

/// `cron(minutes hours day-of-month month day-of-week year)`, as far as schedules of ours need it: no `L`, `W` or `#`.
#[derive(Debug, PartialEq)]
struct Cron {
    minutes: Vec<i16>,
    hours: Vec<i16>,
    days: Days,
    months: Vec<i16>,
    years: Vec<i16>,
}

#[derive(Debug, PartialEq)]
enum Days {
    OfMonth(Vec<i16>),
    /// Sunday is 1.
    OfWeek(Vec<i16>),
}

const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

impl FromStr for Cron {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let inner = text.strip_prefix("cron(").and_then(|rest| rest.strip_suffix(')')).ok_or("not of the form cron(…)")?;
        let fields: Vec<&str> = inner.split(' ').collect();
        let [minutes, hours, of_month, months, of_week, years] = fields[..] else { return Err("not six fields".into()) };
        let days = match (of_month, of_week) {
            ("?", "?") => return Err("no day at all".into()),
            (of_month, "?") => Days::OfMonth(values(of_month, 1, 31, &[])?),
            ("?", of_week) => Days::OfWeek(values(of_week, 1, 7, &WEEKDAYS)?),
            _ => return Err("one of the days must be ?".into()),
        };
        Ok(Self {
            minutes: values(minutes, 0, 59, &[])?,
            hours: values(hours, 0, 23, &[])?,
            days,
            months: values(months, 1, 12, &MONTHS)?,
            years: values(years, 1970, 2199, &[])?,
        })
    }
}

/// A field's values: `*`, numbers or names, ranges, steps, and lists of them.
fn values(field: &str, first: i16, last: i16, names: &[&str]) -> Result<Vec<i16>, String> {
    let one = |text: &str| -> Result<i16, String> {
        let by_name = names.iter().position(|name| *name == text).and_then(|index| i16::try_from(index + 1).ok());
        let value = by_name.or_else(|| text.parse().ok()).ok_or_else(|| format!("`{text}` is no value"))?;
        if (first..=last).contains(&value) { Ok(value) } else { Err(format!("{value} is not within {first} and {last}")) }
    };
    let mut all = BTreeSet::new();
    for part in field.split(',') {
        let (range, step) = part.split_once('/').map_or((part, None), |(range, step)| (range, Some(step)));
        let step: usize = step.map_or(Ok(1), str::parse).map_err(|_| format!("`{part}` has no step"))?;
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (first, last),
            Some((from, to)) => (one(from)?, one(to)?),
            // Steps begin at the value and go on to the end of the field.
            None if part.contains('/') => (one(range)?, last),
            None => (one(range)?, one(range)?),
        };
        if from > to || step == 0 {
            return Err(format!("`{part}` has no value"));
        }
        all.extend((from..=to).step_by(step));
    }
    Ok(all.into_iter().collect())
}

impl Cron {
    fn falls_on(&self, day: Date) -> bool {
        let in_days = match &self.days {
            Days::OfMonth(days) => days.contains(&day.day().into()),
            Days::OfWeek(days) => days.contains(&day.weekday().to_sunday_one_offset().into()),
        };
        in_days && self.months.contains(&day.month().into()) && self.years.contains(&day.year())
    }

    /// Every instant from the beginning of `first` to the end of `last` in the zone.
    fn instants(&self, zone: &TimeZone, first: Date, last: Date) -> BTreeSet<Timestamp> {
        let days = first.series(jiff::Span::new().days(1)).take_while(|day| *day <= last).filter(|day| self.falls_on(*day));
        let times = |day: Date| self.hours.iter().flat_map(move |hour| self.minutes.iter().map(move |minute| (day, *hour, *minute)));
        let clock = |value: i16| i8::try_from(value).expect("hours and minutes are small");
        let instant = |(day, hour, minute): (Date, i16, i16)| day.at(clock(hour), clock(minute), 0, 0).to_zoned(zone.clone()).unwrap();
        days.flat_map(times).map(|time| instant(time).timestamp()).collect()
    }
}

/// The expressions and zones of each job's schedules in the template, where a function's name comes before its events.
fn deployed() -> BTreeMap<&'static str, Vec<(Cron, TimeZone)>> {
    let mut found: BTreeMap<_, Vec<_>> = BTreeMap::new();
    let (mut function, mut expression) = ("", None);
    for line in TEMPLATE.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix("FunctionName: !Sub stockgpt-${Stage}-") {
            function = name;
        } else if let Some(text) = line.strip_prefix("ScheduleExpression: ") {
            expression = Some(text.parse::<Cron>().unwrap_or_else(|error| panic!("{function}: {text}: {error}")));
        } else if let Some(zone) = line.strip_prefix("ScheduleExpressionTimezone: ") {
            let cron = expression.take().expect("the zone follows its expression");
            found.entry(function).or_default().push((cron, TimeZone::get(zone).expect("a zone")));
        }
    }
    assert!(expression.is_none(), "an expression without a zone would be in UTC by accident");
    found
}

#[test]
fn what_the_deployment_starts_is_what_the_program_has_due() {
    let (first, last) = (date(2023, 1, 1), date(2028, 12, 31));
    let days = || first.series(jiff::Span::new().days(1)).take_while(|day| *day <= last);
    let deployed = deployed();
    assert_eq!(deployed.keys().copied().collect::<BTreeSet<_>>(), JobKind::ALL.map(JobKind::name).into());

    for job in JobKind::ALL {
        let due: BTreeSet<Timestamp> = days().flat_map(schedule::due_on).filter(|due| due.job == job).map(|due| due.at).collect();
        let started: BTreeSet<Timestamp> =
            deployed[job.name()].iter().flat_map(|(cron, zone)| cron.instants(zone, first, last.tomorrow().unwrap())).collect();
        let never: Vec<_> = due.difference(&started).take(3).collect();
        assert!(never.is_empty(), "{job:?} is due and not started at {never:?}");

        // Cron knows no holidays and no half days; the rest is the same.
        let in_vain = started.difference(&due).filter(|at| calendar::new_york_date(**at) <= last && !is_rest(job, **at));
        let in_vain: Vec<_> = in_vain.filter(|at| **at >= calendar::open_instant(first)).take(3).collect();
        assert!(in_vain.is_empty(), "{job:?} is started at {in_vain:?} and not due");
    }
}

/// Whether the exchange rests at an instant at which it would trade on an ordinary weekday.
fn is_rest(job: JobKind, at: Timestamp) -> bool {
    let session = TradingDate::new(calendar::new_york_date(at)).ok();
    match job {
        JobKind::ResetOtps => false,
        JobKind::Ingest => session.is_none(),
        JobKind::GenerateSignals => session.is_none_or(|session| at >= session.close()),
        JobKind::Revalue => session.is_none_or(|session| at > session.close()),
    }
}

#[test]
fn expressions_are_read_by_the_rules_of_the_service() {
    for (text, is_valid) in [
        ("cron(0 22 ? * MON-FRI *)", true),
        ("cron(0/15 10-15 ? * 2-6 *)", true),
        ("cron(0 0 1,15 * ? 2026-2030)", true),
        ("0 22 ? * MON-FRI *", false),
        ("cron(0 22 * * MON-FRI)", false),
        ("cron(0 22 * * * *)", false),
        ("cron(0 22 * * MON-FRI *)", false),
        ("cron(0 22 ? * ? *)", false),
        ("cron(0 24 ? * MON *)", false),
        ("cron(60 0 ? * MON *)", false),
        ("cron(0 0 ? * 0-6 *)", false),
        ("cron(0 0 ? * FRI-MON *)", false),
        ("cron(0/0 0 ? * MON *)", false),
        ("cron(0 0  ? * MON *)", false),
    ] {
        assert_eq!(text.parse::<Cron>().is_ok(), is_valid, "{text}");
    }
    let cron: Cron = "cron(30,45 9 ? * MON *)".parse().unwrap();
    let zone = TimeZone::get("America/New_York").unwrap();
    // The clocks went forward on the tenth.
    let instants: Vec<_> = cron.instants(&zone, date(2024, 3, 4), date(2024, 3, 11)).iter().map(ToString::to_string).collect();
    assert_eq!(instants, ["2024-03-04T14:30:00Z", "2024-03-04T14:45:00Z", "2024-03-11T13:30:00Z", "2024-03-11T13:45:00Z"]);
}
