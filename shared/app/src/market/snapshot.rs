//! The newest bar of every stock in one object, so that a portfolio is valued with one read.

use std::collections::BTreeMap;

use domain::{
    ActionClass, ActionKind, CorporateAction, Date, Decimal, Price, PriceHistory, Symbol, Timestamp, TradingDate, execution::Liquidity,
    trading::Statement,
};
use jiff::SignedDuration;
use rust_decimal::prelude::ToPrimitive;
use serde::{Deserialize, Serialize};

use super::liquidity_after;

/// For how long a late statement is shown to every revaluation: longer than any outage of theirs.
const LATE_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct MarketSnapshot {
    pub stocks: BTreeMap<Symbol, StockSnapshot>,
    /// What has lately become known of ex-dates whose session had opened before.
    #[serde(default)]
    pub late: Vec<LateStatement>,
}

/// What is said of a stock's ex-date and class of action since an instant after its open.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LateStatement {
    pub symbol: Symbol,
    pub ex_date: Date,
    pub kinds: Vec<ActionKind>,
    pub previous_close: Option<Price>,
    pub open: Option<Price>,
    pub known_at: Timestamp,
}

/// A stock as its last session left it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct StockSnapshot {
    pub date: TradingDate,
    /// As traded.
    pub close: Price,
    /// Mean shares a day over the last 20 sessions.
    pub average_daily_volume: Decimal,
    /// Standard deviation of daily returns over the last 20 sessions, as a fraction.
    pub daily_volatility: Decimal,
    /// Its last close against the one before, on the same share basis, as a fraction; absent for a first bar.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day_return: Option<f64>,
    /// First session in which it no longer trades under this symbol: delisted, or renamed.
    #[serde(default)]
    pub ended_on: Option<Date>,
}

impl StockSnapshot {
    /// `None` for a history without bars.
    pub fn of(history: &PriceHistory) -> Option<Self> {
        let last = history.last_bar()?;
        let liquidity = liquidity_after(history, last.date);
        Some(Self {
            date: last.date,
            close: last.close,
            average_daily_volume: liquidity.average_daily_volume,
            daily_volatility: liquidity.daily_volatility,
            day_return: day_return(history),
            ended_on: history
                .actions
                .iter()
                .filter(|action| action.kind.class().ends_symbol() && action.ex_date > last.date.date())
                .map(|action| action.ex_date)
                .min(),
        })
    }

    pub fn liquidity(&self) -> Liquidity {
        Liquidity { average_daily_volume: self.average_daily_volume, daily_volatility: self.daily_volatility }
    }
}

fn day_return(history: &PriceHistory) -> Option<f64> {
    let [.., before, last] = history.bars.as_slice() else { return None };
    let basis = history.ratio_between(before.bar.date.date(), last.bar.date.date(), ActionKind::price_ratio);
    (last.bar.close.decimal() * basis / before.bar.close.decimal() - Decimal::ONE).round_dp(6).to_f64()
}

impl LateStatement {
    pub fn statement(&self) -> Statement {
        Statement {
            symbol: self.symbol.clone(),
            session: TradingDate::on_or_after(self.ex_date),
            kinds: self.kinds.clone(),
            previous_close: self.previous_close,
            open: self.open,
        }
    }

    /// The late statements in a history as it is known at `now`.
    fn of(history: &PriceHistory, now: Timestamp) -> Vec<Self> {
        let mut late: BTreeMap<(Date, ActionClass), Vec<&CorporateAction>> = BTreeMap::new();
        for action in &history.actions {
            let opened = TradingDate::on_or_after(action.ex_date).open();
            if action.known_at > opened && now.duration_since(action.known_at) <= LATE_FOR {
                late.entry((action.ex_date, action.kind.class())).or_default().push(action);
            }
        }
        let statement = |(ex_date, actions): (Date, Vec<&CorporateAction>)| {
            let end = history.bars.partition_point(|record| record.bar.date.date() < ex_date);
            Self {
                symbol: history.symbol.clone(),
                ex_date,
                kinds: actions.iter().map(|action| action.kind.clone()).collect(),
                previous_close: history.bars[..end].last().map(|record| record.bar.close),
                open: history.bar_on(TradingDate::on_or_after(ex_date).date()).map(|record| record.bar.open),
                known_at: actions[0].known_at,
            }
        };
        late.into_iter().map(|((ex_date, _), actions)| statement((ex_date, actions))).collect()
    }
}

impl MarketSnapshot {
    /// As it is stored.
    pub fn to_bytes(&self) -> Vec<u8> {
        crate::objects::to_bytes(self)
    }

    /// Adds what `history`, as known at `now`, comes to.
    pub fn add(&mut self, history: &PriceHistory, now: Timestamp) {
        if let Some(newest) = StockSnapshot::of(history) {
            self.stocks.insert(history.symbol.clone(), newest);
        }
        self.late.extend(LateStatement::of(history, now));
    }

    /// The newest session of any stock.
    pub fn latest_date(&self) -> Option<TradingDate> {
        self.stocks.values().map(|stock| stock.date).max()
    }
}
