//! How much of an order the market can take on one day without the order becoming the market.

use rust_decimal::{Decimal, dec};
use serde::{Deserialize, Serialize};

use crate::Quantity;

/// The largest part of a day's volume that one order may be: a fraction above 0 and at most 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Decimal", into = "Decimal")]
pub struct ParticipationCap(Decimal);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not a participation cap: expected a fraction above 0 and at most 1, such as 0.025 for 2.5 %")]
pub struct ParticipationCapError(Decimal);

/// Whether an order trades in whole shares or in parts of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shares {
    #[default]
    Whole,
    Fractional,
}

impl Shares {
    /// The largest quantity of this kind not above `amount`.
    pub fn floor(self, amount: Decimal) -> Quantity {
        let amount = amount.clamp(Decimal::ZERO, Quantity::MAX);
        let quantity = Quantity::floor(amount).expect("it is between zero and the maximum");
        match self {
            Self::Whole => quantity.whole(),
            Self::Fractional => quantity,
        }
    }
}

impl ParticipationCap {
    pub const DEFAULT: Self = Self(dec!(0.025));

    pub fn new(fraction: Decimal) -> Result<Self, ParticipationCapError> {
        if fraction > Decimal::ZERO && fraction <= Decimal::ONE { Ok(Self(fraction)) } else { Err(ParticipationCapError(fraction)) }
    }

    pub fn fraction(self) -> Decimal {
        self.0
    }

    /// How much of `remaining` may fill now, given the day's expected volume in shares and what the order `filled_today` already.
    ///
    /// The volume is that of the days before (or a bar's own once the day is over): an order at the open cannot know how much
    /// will trade until the close. What does not fill is carried over; a stock that does not trade fills nothing.
    pub fn fillable(self, remaining: Quantity, day_volume: Decimal, filled_today: Quantity, shares: Shares) -> Quantity {
        let room = self.of(day_volume) - filled_today.decimal();
        if room >= remaining.decimal() { remaining } else { shares.floor(room) }
    }

    /// The most that one order may trade of a day's volume, in shares, unrounded.
    pub fn of(self, day_volume: Decimal) -> Decimal {
        self.0 * day_volume.max(Decimal::ZERO)
    }
}

impl Default for ParticipationCap {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl TryFrom<Decimal> for ParticipationCap {
    type Error = ParticipationCapError;
    fn try_from(fraction: Decimal) -> Result<Self, ParticipationCapError> {
        Self::new(fraction)
    }
}

impl From<ParticipationCap> for Decimal {
    fn from(cap: ParticipationCap) -> Self {
        cap.0
    }
}

#[cfg(test)]
mod tests;
