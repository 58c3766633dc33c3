//! What it costs, how far it moves the price, how much may be bought and what is refused: the economics of executing an order.
//!
//! Everything is decimal and a pure function of its arguments; a trade's date is one of them. The parts, in the order in
//! which an order meets them:
//!
//! 1. [`sizing`] turns a signal into a number of shares,
//! 2. [`risk`] refuses what the portfolio must not do,
//! 3. [`participation`] says how much of the order the market can take on one day,
//! 4. [`slippage`] says at which price, against the trader,
//! 5. [`mod@fees`] says what the broker and the regulators charge for it.

mod configured;
pub mod fees;
pub mod participation;
pub mod risk;
pub mod sizing;
pub mod slippage;
mod wording;

use std::fmt;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

pub use configured::OutOfRange;
pub use fees::{EarlierFills, Fee, FeeName, FeeSchedule, fees, fees_of_part, rates::RateTable, total};
pub use participation::{ParticipationCap, Shares};
pub use risk::{Limit, Proposal, Refusal, RiskLimits, RiskProfile, RiskView, check};
pub use sizing::{Cut, Sizing, SizingRequest, size};
pub use slippage::{SlippageModel, SlippedPrice};

/// Which way an order trades.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    Buy,
    Sell,
}

impl Side {
    pub fn name(self) -> &'static str {
        match self {
            Self::Buy => "buy",
            Self::Sell => "sell",
        }
    }

    pub fn opposite(self) -> Self {
        match self {
            Self::Buy => Self::Sell,
            Self::Sell => Self::Buy,
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How readily a stock trades, from the days before the order so that nothing looks ahead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Liquidity {
    /// Mean number of shares traded in a session, zero or more; the usual window is 20 sessions.
    pub average_daily_volume: Decimal,
    /// Standard deviation of daily returns as a fraction (0.02 is 2 %), zero or more.
    pub daily_volatility: Decimal,
}
