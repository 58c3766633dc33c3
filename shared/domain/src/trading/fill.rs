//! A fill: shares that changed hands, with everything that explains the price.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{
    Money, Price, Quantity, Symbol,
    execution::{Side, fees::Fee},
    order::OrderId,
};

/// Which observation gave the reference price; in the order in which a session makes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PriceBasis {
    /// The opening auction.
    Open,
    /// A quote during the session.
    Quote,
    /// A stop or limit level that the session's range reached.
    Level,
    /// The closing auction.
    Close,
    /// What is paid out for shares of a stock that no longer trades. No order asked for it.
    Delisting,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fill {
    pub order_id: OrderId,
    pub symbol: Symbol,
    pub side: Side,
    pub quantity: Quantity,
    /// What was paid or received for a share, slippage included.
    pub price: Price,
    /// Market time: of an auction or a level its own, of a quote the moment at which it was used.
    pub executed_at: Timestamp,
    /// The observed price before slippage.
    pub reference_price: Price,
    /// When that price was observed.
    pub reference_at: Timestamp,
    pub basis: PriceBasis,
    /// Half the spread, in basis points of the reference price.
    pub half_spread_bps: Decimal,
    /// Market impact, in basis points of the reference price.
    pub impact_bps: Decimal,
    /// All slippage, in basis points of the reference price; never below zero.
    pub slippage_bps: Decimal,
    /// Share of the stock's average daily volume, 0..1.
    pub participation: Decimal,
    pub fees: Vec<Fee>,
}

impl Fill {
    pub fn notional(&self) -> Money {
        self.price.times(self.quantity)
    }

    pub fn total_fees(&self) -> Money {
        self.fees.iter().map(|fee| fee.amount).sum()
    }

    /// How old the observed price was when it was used, in seconds.
    pub fn reference_age_seconds(&self) -> i64 {
        self.executed_at.duration_since(self.reference_at).as_secs()
    }

    /// What slippage cost, in dollars.
    pub fn slippage_cost(&self) -> Money {
        let (paid, reference) = (self.notional(), self.reference_price.times(self.quantity));
        match self.side {
            Side::Buy => paid - reference,
            Side::Sell => reference - paid,
        }
    }
}
