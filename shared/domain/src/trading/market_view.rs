//! What is known of stocks at the moment someone wants to trade them.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::{Money, Price, Sector, Symbol, execution::Liquidity, trading::portfolio::Portfolio};

/// One stock as order entry sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct StockView {
    pub sector: Option<Sector>,
    /// Inactive stocks cannot be bought.
    pub is_active: bool,
    pub last_price: Price,
    /// When `last_price` traded.
    pub priced_at: Timestamp,
    pub liquidity: Liquidity,
}

/// Every stock that matters to one portfolio and one request.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MarketView {
    pub stocks: BTreeMap<Symbol, StockView>,
}

impl MarketView {
    pub fn price(&self, symbol: &Symbol) -> Option<Price> {
        self.stocks.get(symbol).map(|stock| stock.last_price)
    }

    pub fn sector(&self, symbol: &Symbol) -> Option<Sector> {
        self.stocks.get(symbol).and_then(|stock| stock.sector)
    }

    pub fn equity(&self, portfolio: &Portfolio) -> Money {
        portfolio.equity(|symbol| self.price(symbol))
    }
}
