//! Decimals as JSON numbers, exact both ways: the digits are written and read as text, no binary fraction in between.
//!
//! Written without trailing zeros (`175.43`, `100000`), read from a JSON number in any notation; a string is refused.

use std::{
    fmt::{self, Write as _},
    str::FromStr,
};

use domain::{Decimal, Money, Price, Quantity, money::AmountError};
use rust_decimal::RoundingStrategy;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
use serde_json::value::RawValue;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, Type},
};

/// Room for the longest decimal: sign, `0.`, 28 digits.
struct Digits {
    text: [u8; 32],
    length: usize,
}

impl fmt::Write for Digits {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.length + text.len();
        self.text.get_mut(self.length..end).ok_or(fmt::Error)?.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}

/// Writes `value` as a JSON number with exactly its digits; for `#[serde(with = "number")]`.
pub fn serialize<S: Serializer>(value: &Decimal, serializer: S) -> Result<S::Ok, S::Error> {
    let mut digits = Digits { text: [0; 32], length: 0 };
    write!(digits, "{}", value.normalize()).map_err(ser::Error::custom)?;
    let text = std::str::from_utf8(&digits.text[..digits.length]).map_err(ser::Error::custom)?;
    serde_json::from_str::<&RawValue>(text).map_err(ser::Error::custom)?.serialize(serializer)
}

/// Reads a JSON number with exactly its digits; for `#[serde(with = "number")]`.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
    let text = Box::<RawValue>::deserialize(deserializer)?;
    parse(text.get()).map_err(de::Error::custom)
}

/// The decimal that a JSON number means; more digits than a decimal holds are refused, not rounded.
fn parse(text: &str) -> Result<Decimal, String> {
    if !text.starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
        let found = match text.as_bytes().first() {
            Some(b'"') => "a string",
            Some(b'{') => "an object",
            Some(b'[') => "an array",
            Some(b'n') => "null",
            _ => "a boolean",
        };
        return Err(format!("must be a number, not {found}"));
    }
    let parsed = match text.split_once(['e', 'E']) {
        None => Decimal::from_str_exact(text).ok(),
        Some((digits, exponent)) => scaled(digits, exponent),
    };
    parsed.map(|value| value.normalize()).ok_or_else(|| "has more digits than can be kept exactly".to_owned())
}

/// `digits × 10^exponent`, if that is a decimal.
fn scaled(digits: &str, exponent: &str) -> Option<Decimal> {
    let value = Decimal::from_str_exact(digits).ok()?.normalize();
    if value.is_zero() {
        return Some(Decimal::ZERO);
    }
    let shift = i64::from_str(exponent).ok()?;
    let scale = i64::from(value.scale()).checked_sub(shift)?;
    if scale >= 0 {
        let mut shifted = value;
        shifted.set_scale(u32::try_from(scale).ok()?).ok()?;
        return Some(shifted);
    }
    let factor = 10_i128.checked_pow(u32::try_from(-scale).ok()?)?;
    Decimal::try_from_i128_with_scale(value.mantissa().checked_mul(factor)?, 0).ok()
}

/// A trillion: no account comes near, and sums of such amounts are far from a decimal's end.
const DOLLARS_MAX: i64 = 1_000_000_000_000;

/// Dollars with at most two decimals, of either sign.
fn money(value: Decimal) -> Result<Money, String> {
    if value.scale() > Money::PLACES {
        return Err(AmountError::TooPrecise(value, Money::PLACES).to_string());
    }
    if value.abs() > Decimal::from(DOLLARS_MAX) {
        return Err(format!("must be from -{DOLLARS_MAX} to {DOLLARS_MAX}"));
    }
    Ok(Money::round(value))
}

macro_rules! amount {
    ($(#[$doc:meta])* $name:ident($inner:ty), $read:expr, $description:literal, $example:literal, $($bound:tt)*) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $name(pub $inner);

        impl From<$inner> for $name {
            fn from(value: $inner) -> Self {
                Self(value)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serialize(&self.0.decimal(), serializer)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let value = deserialize(deserializer)?;
                $read(value).map(Self).map_err(de::Error::custom)
            }
        }

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                number_schema($description, $example)$($bound)*.into()
            }
        }

        impl ToSchema for $name {}
    };
}

fn number_schema(description: &str, example: f64) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Number).description(Some(description)).examples([example])
}

amount!(
    /// Dollars as a JSON number.
    Dollars(Money), money, "US dollars, at most two decimals", 100_000.0,
    .multiple_of(Some(0.01)).minimum(Some(-1e12)).maximum(Some(1e12))
);
amount!(
    /// A price of one share as a JSON number.
    SharePrice(Price), Price::new, "US dollars for one share, at most four decimals", 175.43,
    .multiple_of(Some(0.0001)).exclusive_minimum(Some(0.0)).maximum(Some(10_000_000.0))
);
amount!(
    /// A number of shares as a JSON number.
    Shares(Quantity), Quantity::new, "Shares, at most nine decimals", 12.5,
    .multiple_of(Some(0.000_000_001)).minimum(Some(0.0)).maximum(Some(1_000_000_000.0))
);

/// How far a stop trails the best price, in percent: 0.1 to 50, at most four decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TrailPercent(pub Decimal);

impl<'de> Deserialize<'de> for TrailPercent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let percent = deserialize(deserializer)?;
        if percent.scale() > 4 || !(Decimal::new(1, 1)..=Decimal::from(50)).contains(&percent) {
            return Err(de::Error::custom(format_args!("{percent} is not between 0.1 and 50 percent, with at most four decimals")));
        }
        Ok(Self(percent))
    }
}

impl PartialSchema for TrailPercent {
    fn schema() -> RefOr<Schema> {
        number_schema("Percent: how far a stop trails the best price, at most four decimals", 5.0)
            .multiple_of(Some(0.0001))
            .minimum(Some(0.1))
            .maximum(Some(50.0))
            .into()
    }
}

impl ToSchema for TrailPercent {}

/// A percentage as a JSON number, in percent: `68.1` means 68.1 %. At most four decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percent(Decimal);

impl Percent {
    /// From a share of one: 0.681 is 68.1 %.
    pub fn of_fraction(fraction: Decimal) -> Self {
        Self::new(fraction * Decimal::ONE_HUNDRED)
    }

    /// From a value that is in percent already.
    pub fn new(percent: Decimal) -> Self {
        Self(percent.round_dp_with_strategy(4, RoundingStrategy::MidpointAwayFromZero))
    }
}

impl Serialize for Percent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize(&self.0, serializer)
    }
}

impl PartialSchema for Percent {
    fn schema() -> RefOr<Schema> {
        number_schema("Percent: 68.1 means 68.1 %", 68.1).into()
    }
}

impl ToSchema for Percent {}

/// Any other decimal as a JSON number: ratios, adjusted prices, factors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Number(pub Decimal);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize(&self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize(deserializer).map(Self)
    }
}

impl PartialSchema for Number {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::Number).description(Some("An exact decimal")).into()
    }
}

impl ToSchema for Number {}

/// A computed number without the noise in its last bits: twelve significant digits. What is not finite is unknown.
///
/// An average of prices comes out as `175.42999999999998`; its twelfth digit is far below what any indicator means.
pub fn tidy(value: f64) -> Option<f64> {
    if value == 0.0 || !value.is_finite() {
        return value.is_finite().then_some(0.0);
    }
    #[expect(clippy::cast_possible_truncation, reason = "the exponent of a double is at most 308")]
    let scale = 11 - value.abs().log10().floor() as i32;
    // Powers of ten are exact doubles only up to 22: beyond, rounding would add noise instead of removing it.
    if !(-22..=22).contains(&scale) {
        return Some(value);
    }
    let power = 10_f64.powi(scale.abs());
    Some(if scale >= 0 { (value * power).round() / power } else { (value / power).round() * power })
}

/// A fraction in percent, with at most four decimals.
pub fn percent(fraction: f64) -> Option<f64> {
    fraction.is_finite().then(|| (fraction * 1e6).round() / 1e4)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_decimal_survives_the_round_trip(mantissa in -(1_i128 << 95)..(1_i128 << 95), scale in 0_u32..=28) {
            let value = Decimal::from_i128_with_scale(mantissa, scale);
            let text = serde_json::to_string(&Number(value)).unwrap();
            prop_assert_eq!(&text, &value.normalize().to_string());
            prop_assert_eq!(serde_json::from_str::<Number>(&text).unwrap().0, value);
        }

        #[test]
        fn the_exponent_form_means_the_same(mantissa in -1_000_000_i64..1_000_000, exponent in -20_i32..=20) {
            let text = format!("{mantissa}e{exponent}");
            let read = serde_json::from_str::<Number>(&text).unwrap().0;
            let plain = if exponent < 0 {
                Decimal::new(mantissa, exponent.unsigned_abs())
            } else {
                Decimal::from(mantissa) * Decimal::from(10_i128.pow(exponent.unsigned_abs()))
            };
            prop_assert_eq!(read, plain);
        }
    }

    #[test]
    fn numbers_are_written_with_their_own_digits() {
        let decimal = |text: &str| text.parse::<Decimal>().unwrap();
        for (value, written) in [
            ("175.43", "175.43"),
            ("100000.00", "100000"),
            ("-0.00", "0"),
            ("0.000000001", "0.000000001"),
            ("-12.50", "-12.5"),
            ("79228162514264337593543950335", "79228162514264337593543950335"),
        ] {
            assert_eq!(serde_json::to_string(&Number(decimal(value))).unwrap(), written);
        }
        assert_eq!(serde_json::to_string(&Percent::of_fraction(decimal("0.6812345"))).unwrap(), "68.1235");
    }

    #[test]
    fn computed_numbers_lose_only_their_noise() {
        for (value, expected) in [
            (175.429_999_999_999_98, Some(175.43)),
            (-0.1 - 0.2, Some(-0.3)),
            (1.0 / 3.0, Some(0.333_333_333_333)),
            (123_456_789_012_345.0, Some(123_456_789_012_000.0)),
            (0.0, Some(0.0)),
            (1e-300, Some(1e-300)),
            (f64::NAN, None),
            (f64::INFINITY, None),
        ] {
            assert_eq!(tidy(value), expected, "{value}");
        }
        assert_eq!((percent(0.07), percent(0.123_456_78), percent(f64::NAN)), (Some(7.0), Some(12.3457), None));
    }

    #[test]
    fn inputs_outside_an_amounts_range_are_refused_with_the_reason() {
        fn reason<T: for<'de> Deserialize<'de> + fmt::Debug>(text: &str) -> String {
            serde_json::from_str::<T>(text).expect_err(text).to_string()
        }
        for (found, expected) in [
            (reason::<Dollars>("1.005"), "1.005 has more than 2 decimal places"),
            (reason::<SharePrice>("0"), "0 must be above zero"),
            (reason::<SharePrice>("1.00001"), "1.00001 has more than 4 decimal places"),
            (reason::<Shares>("-1"), "-1 must not be negative"),
            (reason::<Shares>("\"1\""), "must be a number, not a string"),
            (reason::<Shares>("null"), "must be a number, not null"),
            (reason::<Shares>("1e999999999"), "has more digits than can be kept exactly"),
            (reason::<Number>("0.12345678901234567890123456789012"), "has more digits than can be kept exactly"),
        ] {
            assert!(found.starts_with(expected), "{found:?} should be {expected:?}");
        }
        assert_eq!(serde_json::from_str::<SharePrice>("175.4300").unwrap(), SharePrice("175.43".parse().unwrap()));
        assert_eq!(serde_json::from_str::<Dollars>("0e5").unwrap(), Dollars(Money::ZERO));
    }
}
