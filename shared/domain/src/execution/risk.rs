//! What a portfolio must not do: limits with names, and refusals that say by how much and what to do about it.

use std::fmt;

use rust_decimal::{Decimal, dec};
use serde::{Deserialize, Serialize};

use super::{
    Side,
    participation::ParticipationCap,
    wording::{dollars, percent},
};
use crate::{Money, Quantity, TradingDate};

/// How much loss a user accepts on one trade; the word `risk_tolerance` of a user's profile.
///
/// It scales the risk fraction and nothing else: half of it for `low`, twice for `high`. With the default of 1 % that is 0.5 %,
/// 1 % and 2 % of equity, the upper end being the well-known two-percent rule (A. Elder, "Trading for a Living", 1993).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RiskProfile {
    Low,
    #[default]
    Medium,
    High,
}

impl RiskProfile {
    pub fn scale(self) -> Decimal {
        match self {
            Self::Low => dec!(0.5),
            Self::Medium => Decimal::ONE,
            Self::High => Decimal::TWO,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// The limits of one portfolio; fractions are of equity, 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RiskLimits {
    /// What a trade may lose between its entry and its stop, before the user's [`RiskProfile`] scales it.
    pub risk_fraction: Decimal,
    /// The most that one stock may be.
    pub position_weight: Decimal,
    /// The most that one sector may be.
    pub sector_weight: Decimal,
    pub max_open_positions: u32,
    /// No further buying on a day that lost this much since the close before.
    pub daily_loss: Decimal,
    /// No further buying once equity is this far below its peak.
    pub drawdown_halt: Decimal,
    /// Sessions, counted from the one of the stop-out, in which the same stock is not bought again; 0 turns it off.
    pub cooldown_sessions: u32,
    /// The most of a day's volume that one order may be.
    pub participation: ParticipationCap,
}

impl Default for RiskLimits {
    fn default() -> Self {
        Self {
            risk_fraction: dec!(0.01),
            position_weight: dec!(0.10),
            sector_weight: dec!(0.30),
            max_open_positions: 20,
            daily_loss: dec!(0.03),
            drawdown_halt: dec!(0.20),
            cooldown_sessions: 3,
            participation: ParticipationCap::DEFAULT,
        }
    }
}

impl RiskLimits {
    /// What one trade of a user with this profile may lose, as a fraction of equity.
    pub fn risk_fraction_for(&self, profile: RiskProfile) -> Decimal {
        self.risk_fraction * profile.scale()
    }
}

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

/// The numbers of a portfolio that the limits look at, before the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RiskView {
    /// Cash plus the market value of all positions.
    pub equity: Money,
    /// Cash that no other open order has reserved.
    pub cash: Money,
    /// Shares of the order's stock that can be sold: held, and not promised to another open sell order.
    pub holding: Quantity,
    /// Market value of the order's stock, open buy orders included.
    pub position_value: Money,
    /// Market value of the stock's whole sector, the position included; `None` when the stock's sector is not known.
    pub sector_value: Option<Money>,
    /// Number of stocks held or being bought.
    pub open_positions: u32,
    /// Equity now less equity at the close before, without deposits and withdrawals.
    pub day_pnl: Money,
    /// Equity at the close before.
    pub day_start_equity: Money,
    /// The highest equity there ever was.
    pub peak_equity: Money,
    /// When a stop last closed a position in the order's stock.
    pub last_stop_out: Option<TradingDate>,
    /// The user's own limit in dollars for one position.
    pub max_position_size: Option<Money>,
}

/// An order as the limits see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proposal {
    pub side: Side,
    /// The session on which it would trade.
    pub date: TradingDate,
    pub quantity: Quantity,
    /// What the shares cost or bring at the estimated price, slippage included.
    pub notional: Money,
    /// All fees.
    pub costs: Money,
}

/// Why an order is refused. The serialised form carries the limit's name in `limit`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "limit", rename_all = "kebab-case")]
pub enum Refusal {
    /// More shares than there are to sell; the account is long only.
    ExceedsHolding { held: Quantity, ordered: Quantity, excess: Quantity },
    /// The account has no margin: cash must cover price and costs.
    InsufficientCash { cash: Money, needed: Money, short: Money },
    /// Fractions of equity; `excess` in dollars.
    PositionWeight { maximum: Decimal, actual: Decimal, excess: Money },
    /// Fractions of equity; `excess` in dollars.
    SectorWeight { maximum: Decimal, actual: Decimal, excess: Money },
    MaxPositionSize { maximum: Money, actual: Money, excess: Money },
    MaxOpenPositions { maximum: u32, actual: u32, excess: u32 },
    /// Fractions of equity at the close before.
    DailyLoss { maximum: Decimal, actual: Decimal, excess: Decimal },
    /// Fractions of the peak.
    DrawdownHalt { maximum: Decimal, actual: Decimal, excess: Decimal },
    /// `again_on` is the first session on which the stock may be bought.
    Cooldown { stopped_out_on: TradingDate, again_on: TradingDate, sessions: u32 },
}

impl Refusal {
    pub fn limit(&self) -> Limit {
        match self {
            Self::ExceedsHolding { .. } => Limit::ExceedsHolding,
            Self::InsufficientCash { .. } => Limit::InsufficientCash,
            Self::PositionWeight { .. } => Limit::PositionWeight,
            Self::SectorWeight { .. } => Limit::SectorWeight,
            Self::MaxPositionSize { .. } => Limit::MaxPositionSize,
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
            Self::MaxOpenPositions { maximum, actual, .. } => {
                write!(f, "It would be open position {actual}; at most {maximum} are allowed. Close one first.")
            }
            Self::DailyLoss { maximum, actual, .. } => write!(
                f,
                "The portfolio lost {} today; buying stops at {} until the next session. Selling is always possible.",
                percent(*actual),
                percent(*maximum)
            ),
            Self::DrawdownHalt { maximum, actual, .. } => write!(
                f,
                "The portfolio is {} below its peak; buying stops at {} until it recovers. Selling is always possible.",
                percent(*actual),
                percent(*maximum)
            ),
            Self::Cooldown { stopped_out_on, again_on, .. } => {
                write!(f, "This stock was stopped out on {stopped_out_on}; it may be bought again from {again_on} on.")
            }
        }
    }
}

/// Every limit that the order would break, the most decisive first.
///
/// Limits restrain buying. A sale lowers risk, so that it needs only the shares, and cash enough for its costs.
pub fn check(limits: &RiskLimits, view: &RiskView, order: &Proposal) -> Result<(), Vec<Refusal>> {
    let refusals: Vec<Refusal> = match order.side {
        Side::Sell => [exceeds_holding(view, order), insufficient_cash(view, order)].into_iter().flatten().collect(),
        Side::Buy => [
            drawdown_halt(limits, view),
            daily_loss(limits, view),
            cooldown(limits, view, order),
            max_open_positions(limits, view),
            insufficient_cash(view, order),
            max_position_size(view, order),
            position_weight(limits, view, order),
            sector_weight(limits, view, order),
        ]
        .into_iter()
        .flatten()
        .collect(),
    };
    if refusals.is_empty() { Ok(()) } else { Err(refusals) }
}

fn exceeds_holding(view: &RiskView, order: &Proposal) -> Option<Refusal> {
    let excess = order.quantity.checked_sub(view.holding).filter(|excess| !excess.is_zero())?;
    Some(Refusal::ExceedsHolding { held: view.holding, ordered: order.quantity, excess })
}

fn insufficient_cash(view: &RiskView, order: &Proposal) -> Option<Refusal> {
    let needed = match order.side {
        Side::Buy => order.notional + order.costs,
        Side::Sell => order.costs - order.notional,
    };
    (needed > view.cash.max(Money::ZERO)).then(|| Refusal::InsufficientCash { cash: view.cash, needed, short: needed - view.cash })
}

fn position_weight(limits: &RiskLimits, view: &RiskView, order: &Proposal) -> Option<Refusal> {
    let (actual, excess) = overweight(limits.position_weight, view.equity, view.position_value + order.notional)?;
    Some(Refusal::PositionWeight { maximum: limits.position_weight, actual, excess })
}

fn sector_weight(limits: &RiskLimits, view: &RiskView, order: &Proposal) -> Option<Refusal> {
    let (actual, excess) = overweight(limits.sector_weight, view.equity, view.sector_value? + order.notional)?;
    Some(Refusal::SectorWeight { maximum: limits.sector_weight, actual, excess })
}

/// The weight of `value` and the dollars by which it is too much. Without equity every weight is too much: it counts as all of it.
fn overweight(maximum: Decimal, equity: Money, value: Money) -> Option<(Decimal, Money)> {
    let allowed = share_of(equity, maximum);
    let weight = if equity > Money::ZERO { value.fraction_of(equity)? } else { Decimal::ONE };
    (value > allowed).then(|| (weight, value - allowed))
}

/// `fraction` of `equity`, rounded down to the cent so that a limit is never exceeded by rounding.
pub(super) fn share_of(equity: Money, fraction: Decimal) -> Money {
    let exact = (equity.decimal() * fraction).max(Decimal::ZERO);
    Money::round(exact.trunc_with_scale(Money::PLACES))
}

fn max_position_size(view: &RiskView, order: &Proposal) -> Option<Refusal> {
    let maximum = view.max_position_size?;
    let actual = view.position_value + order.notional;
    (actual > maximum).then(|| Refusal::MaxPositionSize { maximum, actual, excess: actual - maximum })
}

fn max_open_positions(limits: &RiskLimits, view: &RiskView) -> Option<Refusal> {
    let opens_another = view.position_value.is_zero() && view.holding.is_zero();
    let actual = view.open_positions.saturating_add(u32::from(opens_another));
    let excess = actual.saturating_sub(limits.max_open_positions);
    (opens_another && excess > 0).then_some(Refusal::MaxOpenPositions { maximum: limits.max_open_positions, actual, excess })
}

fn daily_loss(limits: &RiskLimits, view: &RiskView) -> Option<Refusal> {
    let actual = -view.day_pnl.fraction_of(view.day_start_equity)?;
    (actual >= limits.daily_loss && actual > Decimal::ZERO).then(|| Refusal::DailyLoss {
        maximum: limits.daily_loss,
        actual,
        excess: actual - limits.daily_loss,
    })
}

fn drawdown_halt(limits: &RiskLimits, view: &RiskView) -> Option<Refusal> {
    let actual = (view.peak_equity - view.equity).fraction_of(view.peak_equity)?;
    (actual >= limits.drawdown_halt && actual > Decimal::ZERO).then(|| Refusal::DrawdownHalt {
        maximum: limits.drawdown_halt,
        actual,
        excess: actual - limits.drawdown_halt,
    })
}

fn cooldown(limits: &RiskLimits, view: &RiskView, order: &Proposal) -> Option<Refusal> {
    let stopped_out_on = view.last_stop_out?;
    let again_on = stopped_out_on.plus_sessions(limits.cooldown_sessions as usize);
    (order.date < again_on).then_some(Refusal::Cooldown { stopped_out_on, again_on, sessions: limits.cooldown_sessions })
}
