//! What a portfolio can observe of one stock in one session.

use jiff::Timestamp;
use rust_decimal::Decimal;

use crate::{ActionKind, Bar, Price, TradingDate, execution::Liquidity};

/// One session of one stock as far as it has been seen, and what the engine needs to know of the days before it.
///
/// Before the close there is an open and nothing else: the range and the close of a session that still runs are not
/// known to anyone.
#[derive(Debug, Clone, PartialEq)]
pub struct DayTape {
    pub date: TradingDate,
    /// Events effective before the open of this date.
    pub actions: Vec<ActionKind>,
    pub open: Option<Price>,
    /// High, low, close: only once the session is over.
    pub rest: Option<SessionRest>,
    /// A real-time price observed during the session, where there is such a feed.
    pub quote: Option<(Price, Timestamp)>,
    pub before: Background,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionRest {
    pub high: Price,
    pub low: Price,
    pub close: Price,
}

/// What was known of the stock before the session opened.
#[derive(Debug, Clone, PartialEq)]
pub struct Background {
    /// The last close before, on the share basis of the session before: as traded, unless the stock split since without trading.
    pub previous_close: Option<Price>,
    /// Over the 20 sessions before, on this date's share basis.
    pub liquidity: Liquidity,
}

impl DayTape {
    /// The tape of a session that is over.
    pub fn of_bar(bar: &Bar, actions: Vec<ActionKind>, before: Background) -> Self {
        let rest = SessionRest { high: bar.high, low: bar.low, close: bar.close };
        // A day without trades opened and closed nothing.
        let traded = bar.volume > 0;
        Self { date: bar.date, actions, open: traded.then_some(bar.open), rest: traded.then_some(rest), quote: None, before }
    }

    /// The tape of a session of which nothing was seen: nothing trades, and what is held is worth its last close. `None` for a stock
    /// that never had one.
    pub fn without_prices(date: TradingDate, actions: Vec<ActionKind>, before: Background) -> Option<Self> {
        before.previous_close.is_some().then_some(Self { date, actions, open: None, rest: None, quote: None, before })
    }

    /// What the close before is on this session's share basis: what a share is worth while the stock does not trade.
    pub fn close_carried_over(&self) -> Option<Price> {
        let ratio: Decimal = self.actions.iter().map(ActionKind::price_ratio).product();
        self.before.previous_close.and_then(|close| Price::round(close.decimal() / ratio).ok())
    }

    /// The newest price on the tape and when it was observed.
    pub fn last_price(&self) -> Option<(Price, Timestamp)> {
        self.rest.map(|rest| (rest.close, self.date.close())).or(self.quote).or(self.open.map(|open| (open, self.date.open())))
    }
}
