//! The limits' names, and what a refusal tells the user.

use std::fmt;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{
    Money, Quantity, TradingDate,
    execution::wording::{dollars, percent},
};

/// The limits by name; the names are part of the interface and never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Limit {
    RiskBudget,
    PositionWeight,
    SectorWeight,
    MaxPositionSize,
    InsufficientCash,
    Participation,
    MinimumOrder,
    MaxOpenPositions,
    DailyLoss,
    DrawdownHalt,
    Cooldown,
    ExceedsHolding,
}

impl Limit {
    pub fn name(self) -> &'static str {
        match self {
            Self::RiskBudget => "risk-budget",
            Self::PositionWeight => "position-weight",
            Self::SectorWeight => "sector-weight",
            Self::MaxPositionSize => "max-position-size",
            Self::InsufficientCash => "insufficient-cash",
            Self::Participation => "participation",
            Self::MinimumOrder => "minimum-order",
            Self::MaxOpenPositions => "max-open-positions",
            Self::DailyLoss => "daily-loss",
            Self::DrawdownHalt => "drawdown-halt",
            Self::Cooldown => "cooldown",
            Self::ExceedsHolding => "exceeds-holding",
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why an order is refused. The serialised form carries the limit's name in `limit`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "limit", rename_all = "kebab-case")]
pub enum Refusal {
    /// More shares than there are to sell; the account is long only.
    ExceedsHolding {
        held: Quantity,
        ordered: Quantity,
        excess: Quantity,
    },
    /// The account has no margin: cash must cover price and costs.
    InsufficientCash {
        cash: Money,
        needed: Money,
        short: Money,
    },
    /// Fractions of equity; `excess` in dollars.
    PositionWeight {
        maximum: Decimal,
        actual: Decimal,
        excess: Money,
    },
    /// Fractions of equity; `excess` in dollars.
    SectorWeight {
        maximum: Decimal,
        actual: Decimal,
        excess: Money,
    },
    MaxPositionSize {
        maximum: Money,
        actual: Money,
        excess: Money,
    },
    /// So little that it would round to nothing.
    MinimumOrder {
        minimum: Money,
        actual: Money,
        short: Money,
    },
    MaxOpenPositions {
        maximum: u32,
        actual: u32,
        excess: u32,
    },
    /// Fractions of equity at the close before.
    DailyLoss {
        maximum: Decimal,
        actual: Decimal,
        excess: Decimal,
    },
    /// Fractions of the peak; buying goes on `sessions` after the halt began at the latest.
    DrawdownHalt {
        maximum: Decimal,
        actual: Decimal,
        excess: Decimal,
        sessions: u32,
    },
    /// `again_on` is the first session on which the stock may be bought.
    Cooldown {
        stopped_out_on: TradingDate,
        again_on: TradingDate,
        sessions: u32,
    },
}

impl Refusal {
    pub fn limit(&self) -> Limit {
        match self {
            Self::ExceedsHolding { .. } => Limit::ExceedsHolding,
            Self::InsufficientCash { .. } => Limit::InsufficientCash,
            Self::PositionWeight { .. } => Limit::PositionWeight,
            Self::SectorWeight { .. } => Limit::SectorWeight,
            Self::MaxPositionSize { .. } => Limit::MaxPositionSize,
            Self::MinimumOrder { .. } => Limit::MinimumOrder,
            Self::MaxOpenPositions { .. } => Limit::MaxOpenPositions,
            Self::DailyLoss { .. } => Limit::DailyLoss,
            Self::DrawdownHalt { .. } => Limit::DrawdownHalt,
            Self::Cooldown { .. } => Limit::Cooldown,
        }
    }

    /// The limit's stable name, such as `insufficient-cash`.
    pub fn name(&self) -> &'static str {
        self.limit().name()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ExceedsHolding { held, ordered, .. } if held.is_zero() => {
                write!(f, "There is nothing to sell: the order is for {ordered} shares and none are free. The account is long only.")
            }
            Self::ExceedsHolding { held, ordered, excess } => {
                write!(f, "The order sells {ordered} shares, {excess} more than the {held} that are free. Sell at most {held}.")
            }
            Self::InsufficientCash { cash, needed, short } => write!(
                f,
                "The order needs {} with its costs, and {} is available: {} short. Lower the quantity or sell something first.",
                dollars(*needed),
                dollars(*cash),
                dollars(*short)
            ),
            Self::PositionWeight { maximum, actual, excess } => write!(
                f,
                "The position would be {} of equity; at most {} is allowed. Lower the order by {} or more.",
                percent(*actual),
                percent(*maximum),
                dollars(*excess)
            ),
            Self::SectorWeight { maximum, actual, excess } => write!(
                f,
                "The sector would be {} of equity; at most {} is allowed. Lower the order by {} or more, or choose another sector.",
                percent(*actual),
                percent(*maximum),
                dollars(*excess)
            ),
            Self::MaxPositionSize { maximum, actual, excess } => write!(
                f,
                "The position would be worth {}; your own maximum is {}. Lower the order by {} or raise max_position_size in your profile.",
                dollars(*actual),
                dollars(*maximum),
                dollars(*excess)
            ),
            Self::MinimumOrder { minimum, actual, short } => write!(
                f,
                "The order is worth {}; at least {} is needed. Raise it by {} or more.",
                dollars(*actual),
                dollars(*minimum),
                dollars(*short)
            ),
            Self::MaxOpenPositions { maximum, actual, excess } => {
                write!(f, "It would be open position {actual}; at most {maximum} are allowed. Close {excess} first.")
            }
            Self::DailyLoss { maximum, actual, excess } => write!(
                f,
                "The portfolio lost {} today, {} beyond the {} at which buying stops until the next session. Selling is always possible.",
                percent(*actual),
                percent(*excess),
                percent(*maximum)
            ),
            Self::DrawdownHalt { maximum, actual, excess, sessions } => write!(
                f,
                "The portfolio is {} below its peak, {} beyond the {} at which buying stops until it recovers, for {sessions} sessions at \
                 most. Selling is always possible.",
                percent(*actual),
                percent(*excess),
                percent(*maximum)
            ),
            Self::Cooldown { stopped_out_on, again_on, .. } => {
                write!(f, "This stock was stopped out on {stopped_out_on}; it may be bought again from {again_on} on.")
            }
        }
    }
}
