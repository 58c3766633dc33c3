//! Exact decimal amounts: money, prices and quantities, with only the arithmetic that makes sense.
//!
//! | left | operation | right | gives |
//! |---|---|---|---|
//! | `Money` | `+` `-` | `Money` | `Money` |
//! | `Price` | `×` ([`Price::times`]) | `Quantity` | `Money`, rounded to the cent |
//! | `Money` | `/` ([`Money::per`]) | `Quantity` | `Price`-like decimal |
//! | `Quantity` | `+`, checked `-` | `Quantity` | `Quantity` |

use std::{
    fmt,
    iter::Sum,
    ops::{Add, AddAssign, Neg, Sub, SubAssign},
    str::FromStr,
};

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};

/// Why a number is not an amount of its kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    #[error("`{0}` is not a decimal number")]
    NotANumber(String),
    #[error("{0} has more than {1} decimal places")]
    TooPrecise(Decimal, u32),
    #[error("{0} must be above zero")]
    NotPositive(Decimal),
    #[error("{0} must not be negative")]
    Negative(Decimal),
    #[error("{0} is larger than {1}")]
    TooLarge(Decimal, Decimal),
}

/// Rounds half away from zero, as brokers' statements do.
pub fn round_half_up(value: Decimal, places: u32) -> Decimal {
    value.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero)
}

/// US dollars, whole cents, either sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "Decimal", into = "Decimal")]
pub struct Money(Decimal);

impl Money {
    pub const ZERO: Self = Self(Decimal::ZERO);
    pub const PLACES: u32 = 2;

    /// The nearest cent, halves away from zero.
    pub fn round(value: Decimal) -> Self {
        Self(round_half_up(value, Self::PLACES))
    }

    /// The next cent away from zero: how regulators round their fees.
    pub fn round_up(value: Decimal) -> Self {
        Self(value.round_dp_with_strategy(Self::PLACES, RoundingStrategy::AwayFromZero))
    }

    pub fn cents(cents: i64) -> Self {
        Self(Decimal::new(cents, Self::PLACES))
    }

    pub fn dollars(dollars: i64) -> Self {
        Self(Decimal::from(dollars))
    }

    pub fn decimal(self) -> Decimal {
        self.0
    }

    pub fn is_negative(self) -> bool {
        self.0 < Decimal::ZERO
    }

    pub fn is_zero(self) -> bool {
        self.0.is_zero()
    }

    /// This amount times a plain factor, to the nearest cent.
    pub fn scale(self, factor: Decimal) -> Self {
        Self::round(self.0 * factor)
    }

    /// This amount spread over `quantity`, unrounded; `None` when there is nothing to spread it over.
    pub fn per(self, quantity: Quantity) -> Option<Decimal> {
        (!quantity.is_zero()).then(|| self.0 / quantity.decimal())
    }

    /// The share of `whole` that this amount is; `None` when the whole is zero.
    pub fn fraction_of(self, whole: Self) -> Option<Decimal> {
        (!whole.is_zero()).then(|| self.0 / whole.0)
    }
}

impl TryFrom<Decimal> for Money {
    type Error = AmountError;

    /// Refuses what is finer than a cent: whoever has such an amount must say how to round it.
    fn try_from(value: Decimal) -> Result<Self, AmountError> {
        if value.scale() > Self::PLACES && value.normalize().scale() > Self::PLACES {
            return Err(AmountError::TooPrecise(value, Self::PLACES));
        }
        Ok(Self(value))
    }
}

impl From<Money> for Decimal {
    fn from(money: Money) -> Decimal {
        money.0
    }
}

impl Add for Money {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Money {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl Neg for Money {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl AddAssign for Money {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl SubAssign for Money {
    fn sub_assign(&mut self, other: Self) {
        self.0 -= other.0;
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2}", self.0)
    }
}

/// US dollars for one share, above zero, at most four decimal places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Decimal", into = "Decimal")]
pub struct Price(Decimal);

impl Price {
    pub const PLACES: u32 = 4;

    /// Ten million dollars: above any share price there ever was.
    pub const MAX: Decimal = Decimal::from_parts(10_000_000, 0, 0, false, 0);

    /// A hundredth of a cent.
    pub const MIN: Decimal = Decimal::from_parts(1, 0, 0, false, Self::PLACES);

    /// Refuses what is not positive, too large or finer than a hundredth of a cent.
    pub fn new(value: Decimal) -> Result<Self, AmountError> {
        if value.normalize().scale() > Self::PLACES {
            return Err(AmountError::TooPrecise(value, Self::PLACES));
        }
        Self::round(value)
    }

    /// The nearest price; refuses what rounds to zero or below.
    pub fn round(value: Decimal) -> Result<Self, AmountError> {
        Self::checked(round_half_up(value, Self::PLACES))
    }

    /// The nearest price not below `value`: what a buyer pays.
    pub fn round_up(value: Decimal) -> Result<Self, AmountError> {
        Self::checked(value.round_dp_with_strategy(Self::PLACES, RoundingStrategy::ToPositiveInfinity))
    }

    /// The nearest price not above `value`: what a seller gets.
    pub fn round_down(value: Decimal) -> Result<Self, AmountError> {
        Self::checked(value.round_dp_with_strategy(Self::PLACES, RoundingStrategy::ToNegativeInfinity))
    }

    fn checked(value: Decimal) -> Result<Self, AmountError> {
        if value <= Decimal::ZERO {
            return Err(AmountError::NotPositive(value));
        }
        if value > Self::MAX {
            return Err(AmountError::TooLarge(value, Self::MAX));
        }
        Ok(Self(value))
    }

    /// From units of a hundredth of a cent, as stored in Parquet.
    pub fn from_units(units: i64) -> Result<Self, AmountError> {
        Self::checked(Decimal::new(units, Self::PLACES))
    }

    /// In units of a hundredth of a cent.
    pub fn units(self) -> i64 {
        let mut value = self.0;
        value.rescale(Self::PLACES);
        i64::try_from(value.mantissa()).expect("a price is at most Price::MAX")
    }

    pub fn decimal(self) -> Decimal {
        self.0
    }

    /// What `quantity` shares cost at this price, to the nearest cent.
    pub fn times(self, quantity: Quantity) -> Money {
        Money::round(self.0 * quantity.0)
    }
}

impl TryFrom<Decimal> for Price {
    type Error = AmountError;
    fn try_from(value: Decimal) -> Result<Self, AmountError> {
        Self::new(value)
    }
}

impl From<Price> for Decimal {
    fn from(price: Price) -> Decimal {
        price.0
    }
}

impl FromStr for Price {
    type Err = AmountError;
    fn from_str(text: &str) -> Result<Self, AmountError> {
        Self::new(Decimal::from_str(text).map_err(|_| AmountError::NotANumber(text.into()))?)
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.normalize())
    }
}

/// A number of shares, zero or more, at most nine decimal places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "Decimal", into = "Decimal")]
pub struct Quantity(Decimal);

impl Quantity {
    pub const ZERO: Self = Self(Decimal::ZERO);
    pub const PLACES: u32 = 9;

    /// A billion shares: above what any one order can mean.
    pub const MAX: Decimal = Decimal::from_parts(1_000_000_000, 0, 0, false, 0);

    pub fn new(value: Decimal) -> Result<Self, AmountError> {
        if value < Decimal::ZERO {
            return Err(AmountError::Negative(value));
        }
        if value > Self::MAX {
            return Err(AmountError::TooLarge(value, Self::MAX));
        }
        if value.normalize().scale() > Self::PLACES {
            return Err(AmountError::TooPrecise(value, Self::PLACES));
        }
        Ok(Self(value))
    }

    /// The largest quantity not above `value`, to nine places.
    pub fn floor(value: Decimal) -> Result<Self, AmountError> {
        Self::new(value.round_dp_with_strategy(Self::PLACES, RoundingStrategy::ToNegativeInfinity))
    }

    pub fn shares(shares: u32) -> Self {
        Self(Decimal::from(shares))
    }

    pub fn decimal(self) -> Decimal {
        self.0
    }

    pub fn is_zero(self) -> bool {
        self.0.is_zero()
    }

    pub fn is_whole(self) -> bool {
        self.0.fract().is_zero()
    }

    /// Whole shares only, dropping the fraction.
    pub fn whole(self) -> Self {
        Self(self.0.trunc())
    }

    pub fn checked_sub(self, other: Self) -> Option<Self> {
        (self.0 >= other.0).then(|| Self(self.0 - other.0))
    }
}

impl Add for Quantity {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sum for Quantity {
    fn sum<I: Iterator<Item = Self>>(quantities: I) -> Self {
        quantities.fold(Self::ZERO, Add::add)
    }
}

impl TryFrom<Decimal> for Quantity {
    type Error = AmountError;
    fn try_from(value: Decimal) -> Result<Self, AmountError> {
        Self::new(value)
    }
}

impl From<Quantity> for Decimal {
    fn from(quantity: Quantity) -> Decimal {
        quantity.0
    }
}

impl FromStr for Quantity {
    type Err = AmountError;
    fn from_str(text: &str) -> Result<Self, AmountError> {
        Self::new(Decimal::from_str(text).map_err(|_| AmountError::NotANumber(text.into()))?)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.normalize())
    }
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn money_rounds_halves_away_from_zero() {
        for (exact, rounded, up) in [
            ("1.005", "1.01", "1.01"),
            ("-1.005", "-1.01", "-1.01"),
            ("1.0049", "1.00", "1.01"),
            ("2.675", "2.68", "2.68"),
            ("0.001", "0.00", "0.01"),
        ] {
            assert_eq!(Money::round(decimal(exact)).to_string(), rounded);
            assert_eq!(Money::round_up(decimal(exact)).to_string(), up);
        }
    }

    #[test]
    fn prices_refuse_nonsense() {
        for (text, good) in [
            ("0.0001", true),
            ("175.43", true),
            ("175.4300", true),
            ("0", false),
            ("-1", false),
            ("1.00001", false),
            ("10000001", false),
            ("abc", false),
        ] {
            assert_eq!(text.parse::<Price>().is_ok(), good, "{text}");
        }
    }

    #[test]
    fn a_price_survives_its_stored_units() {
        let price: Price = "507.34".parse().unwrap();
        assert_eq!(price.units(), 5_073_400);
        assert_eq!(Price::from_units(price.units()), Ok(price));
    }

    #[test]
    fn buyers_pay_up_and_sellers_get_down() {
        assert_eq!(Price::round_up(decimal("10.00001")).unwrap().to_string(), "10.0001");
        assert_eq!(Price::round_down(decimal("10.00009")).unwrap().to_string(), "10");
    }

    #[test]
    fn quantities_never_go_below_zero() {
        assert!(Quantity::new(decimal("-1")).is_err());
        assert_eq!(Quantity::shares(1).checked_sub(Quantity::shares(2)), None);
    }
}
