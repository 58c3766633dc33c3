//! A day on which the exchange trades.

use std::{fmt, str::FromStr};

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use crate::calendar;

/// A New York trading date: a session of the New York Stock Exchange, never a weekend or holiday.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Date", into = "Date")]
pub struct TradingDate(Date);

/// The exchange is closed all day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TradingDateError {
    #[error("`{0}` is not a date: expected YYYY-MM-DD")]
    NotADate(String),
    #[error("{0} is not a trading day: the exchange is closed ({1})")]
    Closed(Date, &'static str),
}

impl TradingDate {
    pub fn new(date: Date) -> Result<Self, TradingDateError> {
        match calendar::closure(date) {
            None => Ok(Self(date)),
            Some(reason) => Err(TradingDateError::Closed(date, reason)),
        }
    }

    /// The first session on or after `date`.
    pub fn on_or_after(date: Date) -> Self {
        let mut day = date;
        while calendar::closure(day).is_some() {
            day = day.tomorrow().expect("the calendar ends long after any session");
        }
        Self(day)
    }

    /// The last session on or before `date`.
    pub fn on_or_before(date: Date) -> Self {
        let mut day = date;
        while calendar::closure(day).is_some() {
            day = day.yesterday().expect("the calendar begins long before any session");
        }
        Self(day)
    }

    pub fn next(self) -> Self {
        Self::on_or_after(self.0.tomorrow().expect("the calendar ends long after any session"))
    }

    pub fn previous(self) -> Self {
        Self::on_or_before(self.0.yesterday().expect("the calendar begins long before any session"))
    }

    /// The session `count` trading days later.
    pub fn plus_sessions(self, count: usize) -> Self {
        (0..count).fold(self, |date, _| date.next())
    }

    pub fn date(self) -> Date {
        self.0
    }

    /// The opening auction: 09:30 New York.
    pub fn open(self) -> Timestamp {
        calendar::open_instant(self.0)
    }

    /// The closing auction: 16:00 New York, 13:00 on a half day.
    pub fn close(self) -> Timestamp {
        calendar::close_instant(self.0)
    }
}

impl TryFrom<Date> for TradingDate {
    type Error = TradingDateError;
    fn try_from(date: Date) -> Result<Self, TradingDateError> {
        Self::new(date)
    }
}

impl From<TradingDate> for Date {
    fn from(date: TradingDate) -> Date {
        date.0
    }
}

impl FromStr for TradingDate {
    type Err = TradingDateError;
    fn from_str(text: &str) -> Result<Self, TradingDateError> {
        Self::new(text.parse().map_err(|_| TradingDateError::NotADate(text.chars().take(20).collect()))?)
    }
}

impl fmt::Display for TradingDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
