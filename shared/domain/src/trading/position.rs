//! A holding of one stock, from the first share bought to the last one sold.

use jiff::{Timestamp, civil::Date};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{Money, Price, Quantity, Symbol, lots::Lots, trading::fill::PriceBasis};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Unique within the portfolio.
    pub id: String,
    pub symbol: Symbol,
    pub lots: Lots,
    pub opened_at: Timestamp,
    /// Set when the last share is gone.
    pub closed_at: Option<Timestamp>,
    /// The ex-date of the delisting that closed it.
    pub delisted_on: Option<Date>,
    /// The newest observation that traded it. Exits look at later ones only, however often a session is run.
    pub last_traded: Option<(Timestamp, PriceBasis)>,
    /// The signal that opened it.
    pub signal_id: Option<String>,
    pub exits: Exits,
    pub notes: Option<String>,
    /// Profit and loss of what has been sold, buying and selling costs included.
    pub realized_pnl: Money,
    pub dividends: Money,
    /// Fees of all its trades; they are part of `realized_pnl` and of the lots' cost already.
    pub fees: Money,
}

/// Where and when a position is to be closed without further ado.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exits {
    pub target_price: Option<Price>,
    pub stop_loss: Option<Price>,
    /// Prices observed before this instant do not act on the levels.
    pub set_at: Option<Timestamp>,
    /// Closed at the market on this session's close.
    pub on_date: Option<Date>,
}

impl Position {
    /// A position without shares yet.
    pub(super) fn opened(id: String, symbol: Symbol, opened_at: Timestamp, signal_id: Option<String>) -> Self {
        Self {
            id,
            symbol,
            lots: Lots::default(),
            opened_at,
            closed_at: None,
            delisted_on: None,
            last_traded: None,
            signal_id,
            exits: Exits::default(),
            notes: None,
            realized_pnl: Money::ZERO,
            dividends: Money::ZERO,
            fees: Money::ZERO,
        }
    }

    /// Whether an observation comes after everything that has traded the position.
    pub(super) fn is_news(&self, observed_at: Timestamp, basis: PriceBasis) -> bool {
        self.last_traded.is_none_or(|last| last < (observed_at, basis))
    }

    pub fn quantity(&self) -> Quantity {
        self.lots.quantity()
    }

    /// What the shares held cost, buying costs included.
    pub fn cost(&self) -> Money {
        self.lots.cost()
    }

    /// Average cost of a share held; `None` once closed.
    pub fn average_cost(&self) -> Option<Decimal> {
        self.cost().per(self.quantity())
    }

    pub fn market_value(&self, price: Price) -> Money {
        price.times(self.quantity())
    }

    pub fn unrealized_pnl(&self, price: Price) -> Money {
        self.market_value(price) - self.cost()
    }

    pub fn is_open(&self) -> bool {
        self.closed_at.is_none()
    }

    /// All that the position has earned or lost once it is closed.
    pub fn total_pnl(&self) -> Money {
        self.realized_pnl + self.dividends
    }
}
