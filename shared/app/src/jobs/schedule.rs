//! When which job is due: New York time where it follows the market, UTC where it does not, sessions only.

use domain::{
    Date, Timestamp, ToSpan, TradingDate,
    calendar::{self, new_york_date},
};
use jiff::{SignedDuration, tz::TimeZone};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobKind {
    /// First among those due at the same instant: the others use what it brings.
    Ingest,
    GenerateSignals,
    Revalue,
    ResetOtps,
}

impl JobKind {
    pub const ALL: [Self; 4] = [Self::Ingest, Self::GenerateSignals, Self::Revalue, Self::ResetOtps];

    pub fn name(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::GenerateSignals => "generate_signals",
            Self::Revalue => "revalue",
            Self::ResetOtps => "reset_otps",
        }
    }
}

/// A job and its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Due {
    pub at: Timestamp,
    pub job: JobKind,
}

/// Portfolios are revalued this often while the market is open.
const REVALUE_EVERY: SignedDuration = SignedDuration::from_mins(15);
/// Signals are generated this often while the market is open.
const SIGNALS_EVERY: SignedDuration = SignedDuration::from_hours(1);

/// The first job due after `instant`.
pub fn next_after(instant: Timestamp) -> Due {
    let mut day = new_york_date(instant);
    loop {
        if let Some(due) = due_on(day).into_iter().find(|due| due.at > instant) {
            return due;
        }
        day = day.tomorrow().expect("the calendar ends long after any replay");
    }
}

/// Every job due at exactly this instant, in the order in which they run.
pub fn due_at(instant: Timestamp) -> Vec<JobKind> {
    due_on(new_york_date(instant)).into_iter().filter(|due| due.at == instant).map(|due| due.job).collect()
}

/// Everything due on one New York date, in order.
pub fn due_on(day: Date) -> Vec<Due> {
    let mut due = vec![Due { at: utc_midnight_within(day), job: JobKind::ResetOtps }];
    if let Ok(session) = TradingDate::new(day) {
        let (open, close) = (session.open(), session.close());
        due.extend(every(REVALUE_EVERY, open, close).chain([close]).map(|at| Due { at, job: JobKind::Revalue }));
        due.extend(every(SIGNALS_EVERY, open, close).map(|at| Due { at, job: JobKind::GenerateSignals }));
        due.push(Due { at: ingestion_of(session), job: JobKind::Ingest });
    }
    due.sort_unstable();
    due.dedup();
    due
}

/// Whether a timer that only knows weekdays and hours has anything to do at `at`: the market's jobs rest on holidays, after the
/// early close of a half day, and before and after each session.
pub fn is_wanted(job: JobKind, at: Timestamp) -> bool {
    let session = TradingDate::new(new_york_date(at));
    match (job, session) {
        (JobKind::ResetOtps, _) => true,
        (_, Err(_)) => false,
        (JobKind::Ingest, Ok(session)) => at >= session.close(),
        (JobKind::GenerateSignals | JobKind::Revalue, Ok(session)) => (session.open()..=session.close()).contains(&at),
    }
}

/// 22:00 UTC: 17:00 or 18:00 in New York, when vendors have the day's bars.
pub fn ingestion_of(session: TradingDate) -> Timestamp {
    session.date().at(22, 0, 0, 0).to_zoned(TimeZone::UTC).expect("UTC has no gaps").timestamp()
}

/// Instants from `open` on, before `close`.
fn every(step: SignedDuration, open: Timestamp, close: Timestamp) -> impl Iterator<Item = Timestamp> {
    std::iter::successors(Some(open), move |at| at.checked_add(step).ok()).take_while(move |at| *at < close)
}

/// 00:00 UTC falls on the evening of the same New York date that began the day before.
fn utc_midnight_within(day: Date) -> Timestamp {
    let next = day.saturating_add(1.day());
    next.at(0, 0, 0, 0).to_zoned(TimeZone::UTC).expect("UTC has no gaps").timestamp()
}

/// The instant that stands for a whole trading day: 10:00 New York, half an hour after the open.
pub fn morning_of(session: TradingDate) -> Timestamp {
    calendar::new_york_instant(session.date(), jiff::civil::time(10, 0, 0, 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn table(day: Date) -> Vec<String> {
        let zone = calendar::new_york();
        due_on(day).iter().map(|due| format!("{} {}", due.at.to_zoned(zone.clone()).strftime("%H:%M"), due.job.name())).collect()
    }

    #[test]
    fn a_session_has_its_jobs_in_new_york_time_in_winter_and_summer() {
        for (day, ingestion, reset) in
            [(date(2022, 1, 3), "17:00 ingest", "19:00 reset_otps"), (date(2022, 7, 5), "18:00 ingest", "20:00 reset_otps")]
        {
            let due = table(day);
            assert_eq!(due.iter().filter(|line| line.ends_with("revalue")).count(), 27, "every quarter of an hour and the close");
            assert_eq!(due.iter().filter(|line| line.ends_with("generate_signals")).count(), 7);
            assert_eq!(due[0], "09:30 generate_signals");
            assert_eq!(due[due.len() - 3..], ["16:00 revalue", ingestion, reset]);
        }
    }

    #[test]
    fn half_days_end_at_one_and_holidays_have_no_market_jobs() {
        let half = table(date(2022, 11, 25));
        assert_eq!(half[half.len() - 3], "13:00 revalue");
        assert_eq!(table(date(2022, 12, 26)), ["19:00 reset_otps"]);
    }

    #[test]
    fn timers_that_know_weekdays_only_are_told_when_to_rest() {
        use JobKind::{GenerateSignals, Ingest, ResetOtps, Revalue};
        for (at, wanted) in [
            // An ordinary Monday; 22:00 UTC is 17:00 in New York.
            ("2022-01-03T09:15[America/New_York]", vec![ResetOtps]),
            ("2022-01-03T09:30[America/New_York]", vec![GenerateSignals, Revalue, ResetOtps]),
            ("2022-01-03T16:00[America/New_York]", vec![Ingest, GenerateSignals, Revalue, ResetOtps]),
            ("2022-01-03T16:15[America/New_York]", vec![Ingest, ResetOtps]),
            ("2022-01-03T22:00[UTC]", vec![Ingest, ResetOtps]),
            // The Friday after Thanksgiving ends at 13:00.
            ("2022-11-25T13:00[America/New_York]", vec![Ingest, GenerateSignals, Revalue, ResetOtps]),
            ("2022-11-25T13:15[America/New_York]", vec![Ingest, ResetOtps]),
            // Christmas is observed on the Monday; Saturdays never trade.
            ("2022-12-26T10:00[America/New_York]", vec![ResetOtps]),
            ("2022-01-08T10:00[America/New_York]", vec![ResetOtps]),
        ] {
            let instant = at.parse::<jiff::Zoned>().unwrap().timestamp();
            let found: Vec<_> = JobKind::ALL.into_iter().filter(|job| is_wanted(*job, instant)).collect();
            assert_eq!(found, wanted, "{at}");
        }
    }

    #[test]
    fn whatever_is_due_is_wanted() {
        for day in [date(2022, 1, 3), date(2022, 7, 5), date(2022, 11, 25), date(2022, 12, 26)] {
            assert!(due_on(day).iter().all(|due| is_wanted(due.job, due.at)), "{day}");
        }
    }

    #[test]
    fn walking_from_job_to_job_misses_none() {
        let start = calendar::open_instant(date(2022, 3, 10));
        let end = calendar::open_instant(date(2022, 3, 16));
        let mut walked = vec![];
        let mut at = start;
        // Jobs due at the same instant count as one stop.
        loop {
            let next = next_after(at);
            if next.at > end {
                break;
            }
            walked.push(next.at);
            at = next.at;
        }
        let mut listed: Vec<Timestamp> =
            (10..=16).flat_map(|day| due_on(date(2022, 3, day))).map(|due| due.at).filter(|at| *at > start && *at <= end).collect();
        listed.dedup();
        assert_eq!(walked, listed);
    }
}
