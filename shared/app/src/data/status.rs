//! How fresh the data is.

use domain::{Date, Source, Timestamp, TradingDate, calendar};

use super::{Data, RunState};
use crate::UseCaseError;

#[derive(Debug, Clone, PartialEq)]
pub struct DataStatus {
    pub vendor: Source,
    /// When the last ingestion that stored anything ended, in market time.
    pub last_ingestion: Option<Timestamp>,
    pub latest_bar_date: Option<Date>,
    pub symbols: usize,
    /// How old the newest bar is; `None` without any.
    pub age: Option<Age>,
}

/// The age of a session's bar.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Age {
    /// Sessions that have closed since: 0 while none has.
    pub sessions: usize,
    /// Hours since its close.
    pub hours: f64,
}

impl Age {
    fn of(newest: TradingDate, now: Timestamp) -> Self {
        let since = calendar::sessions(newest.next().date(), calendar::last_closed_session(now).date());
        Self { sessions: since.count(), hours: newest.close().duration_until(now).as_secs_f64() / 3600.0 }
    }
}

impl Data {
    pub async fn status(&self, now: Timestamp) -> Result<DataStatus, UseCaseError> {
        let (runs, snapshot) = futures::try_join!(async { Ok(self.market.companies().runs(20).await?) }, self.market.snapshot())?;
        let last_ingestion =
            runs.iter().filter(|run| matches!(run.state, RunState::Succeeded | RunState::Partial)).find_map(|run| run.finished_at);
        Ok(DataStatus {
            vendor: self.vendor.source(),
            last_ingestion,
            latest_bar_date: snapshot.latest_date().map(TradingDate::date),
            symbols: snapshot.stocks.len(),
            age: snapshot.latest_date().map(|newest| Age::of(newest, now)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn age_counts_sessions_that_have_closed_since() {
        let friday = TradingDate::new(jiff::civil::date(2022, 1, 14)).unwrap();
        // Monday is Martin Luther King Jr. Day.
        for (now, sessions, hours) in [
            ("2022-01-14T21:00:00Z", 0, 0.0),
            ("2022-01-18T14:00:00Z", 0, 89.0),
            ("2022-01-18T21:00:00Z", 1, 96.0),
            ("2022-01-19T22:00:00Z", 2, 121.0),
        ] {
            assert_eq!(Age::of(friday, now.parse().unwrap()), Age { sessions, hours }, "{now}");
        }
    }
}
