//! Sources of market data: the real data that ships with the program, and the vendors' own interfaces.

pub mod bundled;
mod client;
mod notation;
mod number;
pub mod plan;
pub mod polygon;
mod rows;
#[cfg(test)]
mod testing;
pub mod tiingo;

pub use client::Retry;
pub use plan::{Pace, Plan};

use domain::{Date, Decimal, Timestamp, TradingDate, calendar, money::round_half_up};
use jiff::civil::Time;

/// When the daily ingestion first sees a session's bar: 22:00 UTC, after the close and the vendors' consolidation.
pub(crate) fn bar_known_at(date: TradingDate) -> Timestamp {
    jiff::tz::Offset::UTC.to_timestamp(date.date().at(22, 0, 0, 0)).expect("trading dates are well within what an instant can hold")
}

/// Since when an action counts: the start of its ex-date in New York, before the open. Announcements come earlier, but
/// how much earlier is not known for all history.
pub(crate) fn action_known_at(ex_date: Date) -> Timestamp {
    calendar::new_york_instant(ex_date, Time::midnight())
}

/// How many shares each becomes, to the nine decimal places that are stored: what is read back must equal what a vendor
/// says again tomorrow. `None` unless both numbers are positive.
pub(crate) fn positive_ratio(to: Decimal, from: Decimal) -> Option<Decimal> {
    let ratio = (from > Decimal::ZERO).then(|| to.checked_div(from)).flatten()?;
    Some(round_half_up(ratio, 9).normalize()).filter(|ratio| *ratio > Decimal::ZERO)
}

/// Dollars a share, to the six decimal places that are stored. `None` when nothing is paid.
pub(crate) fn positive_amount(amount: Decimal) -> Option<Decimal> {
    Some(round_half_up(amount, 6).normalize()).filter(|amount| *amount > Decimal::ZERO)
}
