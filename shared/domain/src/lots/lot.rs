//! One purchase and what is left of it.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{Money, Quantity};

/// Identifies a lot within its position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LotId(pub u64);

/// What is left of one purchase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lot {
    pub(super) id: LotId,
    pub(super) opened_at: Timestamp,
    pub(super) quantity: Quantity,
    pub(super) cost: Money,
    /// Quantity and cost from which the parts sold are counted.
    base_quantity: Quantity,
    base_cost: Money,
}

impl Lot {
    pub(super) fn bought(id: LotId, quantity: Quantity, cost: Money, opened_at: Timestamp) -> Self {
        Self { id, opened_at, quantity, cost, base_quantity: quantity, base_cost: cost }
    }

    pub fn id(&self) -> LotId {
        self.id
    }

    pub fn opened_at(&self) -> Timestamp {
        self.opened_at
    }

    /// Above zero.
    pub fn quantity(&self) -> Quantity {
        self.quantity
    }

    /// Buying costs included.
    pub fn cost(&self) -> Money {
        self.cost
    }

    /// Dollars a share, unrounded.
    pub fn unit_cost(&self) -> Decimal {
        self.cost.per(self.quantity).unwrap_or_default()
    }

    /// Takes `quantity`, at most all of it, off the lot and returns the cost that goes with it.
    pub(super) fn take(&mut self, quantity: Quantity) -> Money {
        let left = self.quantity.checked_sub(quantity).expect("no more is taken than there is");
        let cost_left = portion(self.base_cost, left.decimal(), self.base_quantity.decimal());
        let taken = self.cost - cost_left;
        (self.quantity, self.cost) = (left, cost_left);
        taken
    }

    pub(super) fn renumbered(self, id: LotId) -> Self {
        Self { id, ..self }
    }

    /// Counts later parts from what is left now.
    pub(super) fn rebase(&mut self) {
        (self.base_quantity, self.base_cost) = (self.quantity, self.cost);
    }
}

/// `part / whole` of `amount`, to the cent.
pub(super) fn portion(amount: Money, part: Decimal, whole: Decimal) -> Money {
    if whole.is_zero() { Money::ZERO } else { Money::round(amount.decimal() * part / whole) }
}
