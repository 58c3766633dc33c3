//! From a signal to a number of shares: risk a fixed part of equity between entry and stop, then cut by every limit.
//!
//! Fixed-fractional sizing: `shares = equity · risk fraction / (entry − stop)` (R. Vince, "Portfolio Management Formulas", 1990;
//! V. Tharp, "Trade Your Way to Financial Freedom", 1998).

use rust_decimal::{Decimal, dec, prelude::ToPrimitive};
use serde::{Deserialize, Serialize};

use super::{
    Liquidity, Side,
    fees::{self, Fee, FeeSchedule, rates::RateError, rates::RateTable},
    participation::Shares,
    risk::{Limit, RiskLimits, RiskProfile, RiskView, share_of},
    slippage::{SlippageModel, SlippedPrice},
    wording::{dollars, percent},
};
use crate::{Money, Price, Quantity, TradingDate};

/// Finest step of a sized fractional quantity: a ten-thousandth of a share.
const FRACTIONAL_STEP: Decimal = dec!(0.0001);

/// Everything that decides how many shares to buy.
#[derive(Debug, Clone, Copy)]
pub struct SizingRequest<'a> {
    /// The session on which the order is expected to trade: it selects the regulatory rates.
    pub date: TradingDate,
    /// The market's price, from which slippage is counted.
    pub reference: Price,
    /// A limit order's limit: the estimate is never above it.
    pub limit: Option<Price>,
    /// Where the position would be closed at a loss. Without a stop there is no risk to budget, and the limits alone decide.
    pub stop: Option<Price>,
    /// A number of shares that the user asks for: it takes the place of the risk budget, and the limits still cut it.
    /// A fraction is dropped where only whole shares trade.
    pub requested: Option<Quantity>,
    pub shares: Shares,
    pub liquidity: Liquidity,
    pub profile: RiskProfile,
    pub limits: &'a RiskLimits,
    pub view: &'a RiskView,
    pub slippage: SlippageModel,
    pub schedule: FeeSchedule,
    pub rates: &'a RateTable,
}

/// How many shares to buy, at which estimated price, and which limits had their say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sizing {
    /// Zero when a limit leaves nothing; then the last of `binding` says which one.
    pub quantity: Quantity,
    /// Estimated execution price of `quantity`.
    pub estimate: SlippedPrice,
    /// `quantity` at the estimated price.
    pub notional: Money,
    pub fees: Vec<Fee>,
    /// Every limit that made the order smaller, in the order in which they were applied.
    pub binding: Vec<Cut>,
}

impl Sizing {
    /// Price and fees: what the order takes out of cash.
    pub fn total_cost(&self) -> Money {
        self.notional + fees::total(&self.fees)
    }

    /// Why there is nothing to buy; `None` when there is.
    pub fn reason_for_zero(&self) -> Option<&Cut> {
        if self.quantity.is_zero() { self.binding.last() } else { None }
    }
}

/// One limit that made an order smaller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cut {
    pub limit: Limit,
    pub from: Quantity,
    pub to: Quantity,
    /// What the limit allows, for people.
    pub detail: String,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SizingError {
    #[error("the stop at {stop} is not below the entry at {entry}: a long position loses when the price falls")]
    StopNotBelowEntry { stop: Price, entry: Price },
    #[error(transparent)]
    Rate(#[from] RateError),
}

/// The largest order that the risk budget and every limit allow.
///
/// Limits on value count the shares at the estimated price, slippage included; the limit of cash counts the fees too.
pub fn size(request: &SizingRequest<'_>) -> Result<Sizing, SizingError> {
    let RiskView { equity, position_value, .. } = *request.view;
    let limits = request.limits;

    let mut order = Draft::begin(request)?;
    order.cut_to_participation();
    order.cut_to_value(Limit::PositionWeight, share_of(equity, limits.position_weight) - position_value, |room| {
        format!("at most {} of equity in one stock leaves {room}", percent(limits.position_weight))
    });
    if let Some(sector_value) = request.view.sector_value {
        order.cut_to_value(Limit::SectorWeight, share_of(equity, limits.sector_weight) - sector_value, |room| {
            format!("at most {} of equity in one sector leaves {room}", percent(limits.sector_weight))
        });
    }
    if let Some(maximum) = request.view.max_position_size {
        order.cut_to_value(Limit::MaxPositionSize, maximum - position_value, |room| {
            format!("your maximum of {} for one position leaves {room}", dollars(maximum))
        });
    }
    order.cut_to_cash()?;
    order.cut_if_worthless();
    order.finish()
}

/// An order while the limits cut it.
struct Draft<'a> {
    request: &'a SizingRequest<'a>,
    quantity: Quantity,
    binding: Vec<Cut>,
}

impl<'a> Draft<'a> {
    /// What the risk budget, or the user, asks for before any limit.
    fn begin(request: &'a SizingRequest<'a>) -> Result<Self, SizingError> {
        let entry = request.limit.map_or(request.reference, |limit| limit.min(request.reference));
        if let Some(stop) = request.stop.filter(|stop| *stop >= entry) {
            return Err(SizingError::StopNotBelowEntry { stop, entry });
        }
        let mut order = Self { request, quantity: Quantity::ZERO, binding: Vec::new() };
        match (request.requested, request.stop) {
            (Some(requested), _) => order.quantity = request.shares.floor(requested.decimal()),
            (None, Some(stop)) => order.spend_risk_budget(entry, stop),
            (None, None) => order.quantity = order.floor(request.view.equity.decimal() / entry.decimal()),
        }
        Ok(order)
    }

    fn spend_risk_budget(&mut self, entry: Price, stop: Price) {
        let fraction = self.request.limits.risk_fraction_for(self.request.profile);
        let budget = share_of(self.request.view.equity, fraction);
        let distance = entry.decimal() - stop.decimal();
        let exact = budget.decimal() / distance;
        self.quantity = self.floor(exact);
        if self.quantity.is_zero() {
            let detail =
                format!("{} of equity is {}, and one share risks ${distance} down to its stop", percent(fraction), dollars(budget));
            self.binding.push(Cut { limit: Limit::RiskBudget, from: Shares::Fractional.floor(exact), to: Quantity::ZERO, detail });
        }
    }

    fn cut_to_participation(&mut self) {
        let cap = self.request.limits.participation;
        let volume = self.request.liquidity.average_daily_volume;
        let allowed = cap.fillable(self.quantity, volume, Quantity::ZERO, self.request.shares);
        self.cut(Limit::Participation, allowed, || {
            format!("at most {} of a day's volume of {} shares may be one order", percent(cap.fraction()), volume.round())
        });
    }

    fn cut_to_value(&mut self, limit: Limit, room: Money, detail: impl FnOnce(String) -> String) {
        let room = room.max(Money::ZERO);
        let allowed = self.largest(|quantity| self.value_of(quantity) <= room);
        self.cut(limit, allowed, || detail(dollars(room)));
    }

    fn cut_to_cash(&mut self) -> Result<(), SizingError> {
        let cash = self.request.view.cash;
        // Whether the rates of the date are known does not depend on the quantity.
        self.fees_of(self.quantity)?;
        let affordable = |quantity| self.fees_of(quantity).is_ok_and(|charged| self.value_of(quantity) + fees::total(&charged) <= cash);
        let allowed = self.largest(affordable);
        self.cut(Limit::InsufficientCash, allowed, || format!("{} in cash must cover the price and all costs", dollars(cash)));
        Ok(())
    }

    fn cut_if_worthless(&mut self) {
        let worth = self.estimate(self.quantity).price.times(self.quantity);
        let minimum = self.request.limits.minimum_order(self.quantity);
        if worth < minimum {
            self.cut(Limit::MinimumOrder, Quantity::ZERO, || {
                format!("an order of {} is below the least of {}", dollars(worth), dollars(minimum))
            });
        }
    }

    fn finish(self) -> Result<Sizing, SizingError> {
        let estimate = self.estimate(self.quantity);
        let fees = if self.quantity.is_zero() { Vec::new() } else { self.fees_of(self.quantity)? };
        Ok(Sizing { quantity: self.quantity, estimate, notional: estimate.price.times(self.quantity), fees, binding: self.binding })
    }

    fn cut(&mut self, limit: Limit, allowed: Quantity, detail: impl FnOnce() -> String) {
        if allowed < self.quantity {
            self.binding.push(Cut { limit, from: self.quantity, to: allowed, detail: detail() });
            self.quantity = allowed;
        }
    }

    /// The largest quantity up to the present one that is `allowed`. What is allowed for some quantity must be so for all
    /// smaller ones, as it is for everything that grows with the quantity: price, value and fees.
    fn largest(&self, allowed: impl Fn(Quantity) -> bool) -> Quantity {
        if self.quantity.is_zero() || allowed(self.quantity) {
            return self.quantity;
        }
        let step = self.step();
        let of_steps = |steps: u64| Quantity::new(step * Decimal::from(steps)).expect("it is below a quantity");
        let (mut good, mut bad) = (0_u64, (self.quantity.decimal() / step).ceil().to_u64().expect("at most 10^13 steps"));
        while bad - good > 1 {
            let middle = good + (bad - good) / 2;
            if allowed(of_steps(middle)) { good = middle } else { bad = middle }
        }
        of_steps(good)
    }

    fn step(&self) -> Decimal {
        match self.request.shares {
            Shares::Whole => Decimal::ONE,
            Shares::Fractional => FRACTIONAL_STEP,
        }
    }

    fn floor(&self, amount: Decimal) -> Quantity {
        let amount = amount.clamp(Decimal::ZERO, Quantity::MAX);
        self.request.shares.floor((amount / self.step()).floor() * self.step())
    }

    fn estimate(&self, quantity: Quantity) -> SlippedPrice {
        let slipped = self.request.slippage.slip(Side::Buy, self.request.reference, quantity, self.request.liquidity);
        match self.request.limit {
            Some(limit) if slipped.price > limit => SlippedPrice { price: limit, held_at_limit: Some(limit), ..slipped },
            _ => slipped,
        }
    }

    /// The price of the shares, rounded up to the cent so that no limit is exceeded by rounding.
    fn value_of(&self, quantity: Quantity) -> Money {
        Money::round_up(self.estimate(quantity).price.decimal() * quantity.decimal())
    }

    fn fees_of(&self, quantity: Quantity) -> Result<Vec<Fee>, RateError> {
        let price = self.estimate(quantity).price;
        fees::fees(self.request.schedule, self.request.rates, Side::Buy, self.request.date, price, quantity)
    }
}

#[cfg(test)]
mod tests;
