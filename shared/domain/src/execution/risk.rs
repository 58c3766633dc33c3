//! What a portfolio must not do: limits with names, and refusals that say by how much and what to do about it.

mod refusal;

use rust_decimal::{Decimal, dec};
use serde::{Deserialize, Serialize};

pub use refusal::{Limit, Refusal};

use super::{OutOfRange, Side, participation::ParticipationCap};
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
    /// Sessions after the close at which that halt began; then the peak starts again from what equity is, and buying goes on.
    pub drawdown_halt_sessions: u32,
    /// Sessions, counted from the one of the stop-out, in which the same stock is not bought again; 0 turns it off.
    pub cooldown_sessions: u32,
    /// The most of a day's volume that one order may be.
    pub participation: ParticipationCap,
    /// What a purchase with a fraction of a share must at least be worth. Whole shares must be worth a cent: less would be free.
    pub minimum_fractional_order: Money,
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
            drawdown_halt_sessions: 20,
            cooldown_sessions: 3,
            participation: ParticipationCap::DEFAULT,
            minimum_fractional_order: Money::dollars(1),
        }
    }
}

impl RiskLimits {
    /// Refuses what cannot be meant, such as 10 for 10 %.
    pub fn validate(&self) -> Result<(), OutOfRange> {
        let fractions = [
            ("risk_fraction", self.risk_fraction),
            ("position_weight", self.position_weight),
            ("sector_weight", self.sector_weight),
            ("daily_loss", self.daily_loss),
            ("drawdown_halt", self.drawdown_halt),
        ];
        let is_fraction = |value| value > Decimal::ZERO && value <= Decimal::ONE;
        for (key, value) in fractions {
            OutOfRange::unless(is_fraction(value), key, value, "a fraction above 0 and at most 1, such as 0.1 for 10 %")?;
        }
        OutOfRange::unless(self.max_open_positions > 0, "max_open_positions", self.max_open_positions, "1 or more")?;
        let sessions = self.drawdown_halt_sessions;
        OutOfRange::unless((1..=250).contains(&sessions), "drawdown_halt_sessions", sessions, "1 to 250 sessions")?;
        let sessions = self.cooldown_sessions;
        OutOfRange::unless(sessions <= 250, "cooldown_sessions", sessions, "0 to 250 sessions")?;
        let minimum = self.minimum_fractional_order;
        let allowed = Money::cents(1)..=Money::dollars(1_000);
        OutOfRange::unless(allowed.contains(&minimum), "minimum_fractional_order", minimum, "0.01 to 1000 dollars")
    }

    /// What a purchase of `quantity` must at least be worth.
    pub fn minimum_order(&self, quantity: Quantity) -> Money {
        if quantity.is_whole() { Money::cents(1) } else { self.minimum_fractional_order }
    }

    /// What one trade of a user with this profile may lose, as a fraction of equity.
    pub fn risk_fraction_for(&self, profile: RiskProfile) -> Decimal {
        self.risk_fraction * profile.scale()
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
            minimum_order(limits, order),
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

fn minimum_order(limits: &RiskLimits, order: &Proposal) -> Option<Refusal> {
    let minimum = limits.minimum_order(order.quantity);
    (order.notional < minimum).then(|| Refusal::MinimumOrder { minimum, actual: order.notional, short: minimum - order.notional })
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
    let actual = drawdown_that_halts(limits, view.peak_equity, view.equity)?;
    Some(Refusal::DrawdownHalt {
        maximum: limits.drawdown_halt,
        actual,
        excess: actual - limits.drawdown_halt,
        sessions: limits.drawdown_halt_sessions,
    })
}

/// How far `equity` is below `peak`, as a fraction, when that stops buying.
pub(crate) fn drawdown_that_halts(limits: &RiskLimits, peak: Money, equity: Money) -> Option<Decimal> {
    let drawdown = (peak - equity).fraction_of(peak)?;
    (drawdown >= limits.drawdown_halt && drawdown > Decimal::ZERO).then_some(drawdown)
}

fn cooldown(limits: &RiskLimits, view: &RiskView, order: &Proposal) -> Option<Refusal> {
    let stopped_out_on = view.last_stop_out?;
    let again_on = stopped_out_on.plus_sessions(limits.cooldown_sessions as usize);
    (order.date < again_on).then_some(Refusal::Cooldown { stopped_out_on, again_on, sessions: limits.cooldown_sessions })
}

#[cfg(test)]
mod tests;
