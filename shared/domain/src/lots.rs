//! Tax lots: what was bought when and at what cost, and what a sale of it earned, exact to the cent.
//!
//! The cents of a lot's cost are never created or lost: each part of a lot that is sold takes its share of the lot's cost counted
//! from the lot's beginning, so that the parts always sum to the whole and are never more than half a cent off. Buying costs
//! belong to the cost, selling costs are taken off the proceeds (IRS Publication 551, "Basis of Assets"; Publication 550,
//! "Investment Income and Expenses").

mod lot;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

pub use lot::{Lot, LotId};

use crate::{
    Money, Quantity,
    money::{AmountError, round_half_up},
};
use lot::portion;

/// Which lots a sale takes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LotMethod {
    /// The oldest first: what the IRS assumes when nothing else is said.
    #[default]
    Fifo,
    /// The newest first.
    Lifo,
    /// The dearest share first, which makes the smallest gain; the oldest among equals.
    HighestCost,
}

/// The part of one lot that a sale closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LotMatch {
    pub lot: LotId,
    pub opened_at: Timestamp,
    pub quantity: Quantity,
    pub cost: Money,
    /// This part's share of the sale, after selling costs.
    pub proceeds: Money,
}

impl LotMatch {
    pub fn realized_pnl(&self) -> Money {
        self.proceeds - self.cost
    }
}

/// A sale, matched with the lots that it closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closing {
    pub quantity: Quantity,
    pub cost: Money,
    pub proceeds: Money,
    /// In the order in which the lots were taken; costs and proceeds sum to those of the whole.
    pub matches: Vec<LotMatch>,
}

impl Closing {
    pub fn realized_pnl(&self) -> Money {
        self.proceeds - self.cost
    }
}

/// The cost that left one lot in a spin-off; the shares received for it begin a lot with the same `opened_at`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MovedCost {
    pub lot: LotId,
    pub opened_at: Timestamp,
    pub quantity: Quantity,
    pub cost: Money,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LotError {
    #[error("a lot needs a quantity above zero")]
    NoQuantity,
    #[error("a cost must not be negative: {0}")]
    NegativeCost(Money),
    #[error("{wanted} shares cannot be sold: only {held} are held")]
    ExceedsHolding { held: Quantity, wanted: Quantity },
    #[error("a split ratio must be above zero: {0}")]
    SplitRatio(Decimal),
    #[error("a part of a cost must be between 0 and 1: {0}")]
    Fraction(Decimal),
    #[error(transparent)]
    Amount(#[from] AmountError),
}

/// The open lots of one position, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Lots {
    lots: Vec<Lot>,
    next_id: u64,
}

impl Lots {
    pub fn open(&self) -> &[Lot] {
        &self.lots
    }

    pub fn is_empty(&self) -> bool {
        self.lots.is_empty()
    }

    pub fn quantity(&self) -> Quantity {
        self.lots.iter().map(Lot::quantity).sum()
    }

    /// What all open lots cost, buying costs included.
    pub fn cost(&self) -> Money {
        self.lots.iter().map(Lot::cost).sum()
    }

    /// Dollars a share, unrounded; `None` when nothing is held.
    pub fn average_cost(&self) -> Option<Decimal> {
        self.cost().per(self.quantity())
    }

    /// Adds a purchase; `cost` is all that was paid, buying costs included.
    pub fn buy(&mut self, quantity: Quantity, cost: Money, opened_at: Timestamp) -> Result<LotId, LotError> {
        if quantity.is_zero() {
            return Err(LotError::NoQuantity);
        }
        if cost.is_negative() {
            return Err(LotError::NegativeCost(cost));
        }
        Quantity::new(self.quantity().decimal() + quantity.decimal())?;

        let id = LotId(self.next_id);
        self.next_id += 1;
        // A lot that a spin-off hands on is older than the day on which it arrives.
        let place = self.lots.partition_point(|lot| lot.opened_at <= opened_at);
        self.lots.insert(place, Lot::bought(id, quantity, cost, opened_at));
        Ok(id)
    }

    /// Closes `quantity` shares for `proceeds`, which is what was received after selling costs and may then be negative.
    pub fn sell(&mut self, quantity: Quantity, proceeds: Money, method: LotMethod) -> Result<Closing, LotError> {
        let held = self.quantity();
        if quantity.is_zero() {
            return Err(LotError::NoQuantity);
        }
        if quantity > held {
            return Err(LotError::ExceedsHolding { held, wanted: quantity });
        }

        let mut matches = Vec::new();
        let (mut sold, mut proceeds_so_far) = (Quantity::ZERO, Money::ZERO);
        for index in self.order_of(method) {
            let wanted = quantity.checked_sub(sold).expect("never more is sold than asked for");
            if wanted.is_zero() {
                break;
            }
            let lot = &mut self.lots[index];
            let taken = wanted.min(lot.quantity);
            let cost = lot.take(taken);
            sold = sold + taken;
            let proceeds_until_here = portion(proceeds, sold.decimal(), quantity.decimal());
            let part = proceeds_until_here - proceeds_so_far;
            matches.push(LotMatch { lot: lot.id, opened_at: lot.opened_at, quantity: taken, cost, proceeds: part });
            proceeds_so_far = proceeds_until_here;
        }
        self.lots.retain(|lot| !lot.quantity.is_zero());
        let cost = matches.iter().map(|part| part.cost).sum();
        Ok(Closing { quantity, cost, proceeds, matches })
    }

    /// Replaces each share by `ratio` shares (4 for a 4:1 split, 0.125 for a 1:8 reverse split) and returns the fraction of a
    /// share that the position then holds.
    ///
    /// The cost stays what it was. The fraction is still held: where a broker pays cash in lieu, the caller sells it for that
    /// cash, which is also how the IRS sees it.
    pub fn split(&mut self, ratio: Decimal) -> Result<Quantity, LotError> {
        self.split_before(ratio, Timestamp::MAX)
    }

    /// As [`Self::split`] for what was acquired before `instant`: later purchases were of new shares already.
    pub fn split_before(&mut self, ratio: Decimal, instant: Timestamp) -> Result<Quantity, LotError> {
        if ratio <= Decimal::ZERO {
            return Err(LotError::SplitRatio(ratio));
        }
        let mut split = self.clone();
        let (mut before, mut after, mut carried_cost) = (Decimal::ZERO, Decimal::ZERO, Money::ZERO);
        for lot in split.lots.iter_mut().filter(|lot| lot.opened_at < instant) {
            // Counted from the first lot on, so that the lots sum to the position's own rounded quantity.
            before += lot.quantity.decimal();
            let until_here = round_half_up(before.checked_mul(ratio).unwrap_or(Decimal::MAX), Quantity::PLACES);
            lot.quantity = Quantity::new(until_here - after)?;
            after = until_here;
            lot.cost += std::mem::take(&mut carried_cost);
            if lot.quantity.is_zero() {
                // Too little to be a quantity any more: what it cost goes with its neighbour.
                carried_cost = std::mem::take(&mut lot.cost);
            }
        }
        split.settle(carried_cost)?;
        Quantity::new(split.lots.iter().map(|lot| lot.quantity.decimal()).sum())?;
        *self = split;
        Ok(self.fraction())
    }

    /// Shares acquired before `instant` and still held.
    pub fn acquired_before(&self, instant: Timestamp) -> Quantity {
        self.lots.iter().filter(|lot| lot.opened_at < instant).map(Lot::quantity).sum()
    }

    /// Takes over the lots of another holding of what is the same stock, each as old as it is.
    pub fn absorb(&mut self, other: Self) {
        for lot in other.lots {
            let place = self.lots.partition_point(|own| own.opened_at <= lot.opened_at);
            self.lots.insert(place, lot.renumbered(LotId(self.next_id)));
            self.next_id += 1;
        }
    }

    /// The part of a share that is held beyond whole ones.
    pub fn fraction(&self) -> Quantity {
        let held = self.quantity();
        held.checked_sub(held.whole()).expect("whole shares are never more than all shares")
    }

    /// Moves `basis_fraction` (0 to 1) of every lot's cost away, to the shares of a company that was spun off, and returns it.
    pub fn spin_off(&mut self, basis_fraction: Decimal) -> Result<Vec<MovedCost>, LotError> {
        self.spin_off_before(basis_fraction, Timestamp::MAX)
    }

    /// As [`Self::spin_off`] for what was acquired before `instant`.
    pub fn spin_off_before(&mut self, basis_fraction: Decimal, instant: Timestamp) -> Result<Vec<MovedCost>, LotError> {
        if !(Decimal::ZERO..=Decimal::ONE).contains(&basis_fraction) {
            return Err(LotError::Fraction(basis_fraction));
        }
        let (mut cost_so_far, mut moved_so_far) = (Money::ZERO, Money::ZERO);
        let mut moved = Vec::with_capacity(self.lots.len());
        for lot in self.lots.iter_mut().filter(|lot| lot.opened_at < instant) {
            // Counted from the first lot on, so that the parts sum to the position's own rounded part.
            cost_so_far += lot.cost;
            let moved_until_here = cost_so_far.scale(basis_fraction);
            let cost = moved_until_here - moved_so_far;
            moved_so_far = moved_until_here;
            lot.cost -= cost;
            lot.rebase();
            moved.push(MovedCost { lot: lot.id, opened_at: lot.opened_at, quantity: lot.quantity, cost });
        }
        Ok(moved)
    }

    /// Drops lots without shares, gives their cost to the last lot that has any, and lets all count from here.
    fn settle(&mut self, left_over: Money) -> Result<(), LotError> {
        match self.lots.iter_mut().rfind(|lot| !lot.quantity.is_zero()) {
            Some(lot) => lot.cost += left_over,
            // A holding does not vanish by rounding: the smallest quantity there is stays.
            None => {
                if let Some(lot) = self.lots.last_mut() {
                    lot.quantity = Quantity::new(Decimal::new(1, Quantity::PLACES))?;
                    lot.cost = left_over;
                }
            }
        }
        self.lots.retain(|lot| !lot.quantity.is_zero());
        self.lots.iter_mut().for_each(Lot::rebase);
        Ok(())
    }

    fn order_of(&self, method: LotMethod) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.lots.len()).collect();
        match method {
            LotMethod::Fifo => {}
            LotMethod::Lifo => order.reverse(),
            LotMethod::HighestCost => order.sort_by_key(|&index| std::cmp::Reverse(self.lots[index].unit_cost())),
        }
        order
    }
}

#[cfg(test)]
mod tests;
