//! The newest bar of every stock in one object, so that a portfolio is valued with one read.

use std::collections::BTreeMap;

use domain::{Decimal, Price, PriceHistory, Symbol, TradingDate, execution::Liquidity};
use serde::{Deserialize, Serialize};

use super::liquidity_after;

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct MarketSnapshot {
    pub stocks: BTreeMap<Symbol, StockSnapshot>,
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
        })
    }

    pub fn liquidity(&self) -> Liquidity {
        Liquidity { average_daily_volume: self.average_daily_volume, daily_volatility: self.daily_volatility }
    }
}

impl MarketSnapshot {
    /// The newest session of any stock.
    pub fn latest_date(&self) -> Option<TradingDate> {
        self.stocks.values().map(|stock| stock.date).max()
    }
}
