//! What a simulated vendor sees when it answers.

use domain::{Date, Decimal, Timestamp, TradingDate, calendar};

use super::{
    market::{Market, Row, Stock},
    plan::Plan,
};

/// What a request is answered from.
pub(super) struct View {
    pub(super) market: Market,
    pub(super) now: Timestamp,
    pub(super) plan: Plan,
    pub(super) url: String,
    pub(super) longest_page: usize,
}

/// What has been seen of a stock's newest session.
pub(super) struct Seen<'a> {
    pub(super) row: &'a Row,
    /// The day before.
    pub(super) before: &'a Row,
    pub(super) is_closed: bool,
    pub(super) last: Decimal,
    /// When that was the price.
    pub(super) at: Timestamp,
}

impl View {
    /// Of a day that is under way the open is all that daily data can tell.
    pub(super) fn seen<'a>(&self, stock: &'a Stock) -> Option<Seen<'a>> {
        let session = if self.now == Timestamp::MAX {
            TradingDate::new(stock.rows.last()?.day).ok()?
        } else {
            calendar::current_or_last_session(self.now)
        };
        let row = stock.between(session.date(), session.date()).first()?;
        let before = stock.rows.iter().rev().find(|other| other.day < row.day)?;
        let is_closed = self.now >= session.close();
        let (last, at) = if is_closed { (row.close, session.close()) } else { (row.open, session.open()) };
        Some(Seen { row, before, is_closed, last, at })
    }

    /// The newest session that can be told of.
    pub(super) fn last_day(&self) -> Date {
        calendar::last_closed_session(self.now).date()
    }

    pub(super) fn today(&self) -> Date {
        calendar::new_york_date(self.now)
    }
}
