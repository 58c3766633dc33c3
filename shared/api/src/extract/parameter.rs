//! Query parameters with a meaning of their own.

use std::str::FromStr;

use domain::Date;
use serde::{Deserialize, Deserializer, de};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{KnownFormat, ObjectBuilder, RefOr, Schema, SchemaFormat, Type},
};

use super::page::{bounded, bounded_schema};

/// A New York date, `YYYY-MM-DD`; it need not be a trading date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(pub Date);

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        // The date library also takes other notations of ISO 8601.
        let has_shape =
            text.len() == 10 && text.bytes().enumerate().all(|(at, b)| if at == 4 || at == 7 { b == b'-' } else { b.is_ascii_digit() });
        let date = Date::from_str(&text).ok().filter(|_| has_shape);
        date.map(Self).ok_or_else(|| de::Error::custom("must be a date, YYYY-MM-DD"))
    }
}

impl PartialSchema for Day {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::String).format(Some(SchemaFormat::KnownFormat(KnownFormat::Date))).into()
    }
}

impl ToSchema for Day {}

/// A probability or another share of one: 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Fraction(pub f64);

impl<'de> Deserialize<'de> for Fraction {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let number = f64::from_str(&text).ok().filter(|number| (0.0..=1.0).contains(number));
        number.map(Self).ok_or_else(|| de::Error::custom("must be a number from 0 to 1"))
    }
}

impl PartialSchema for Fraction {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::Number).minimum(Some(0.0)).maximum(Some(1.0)).into()
    }
}

impl ToSchema for Fraction {}

/// A length on a screen, in pixels from `MIN` to `MAX`; `DEFAULT` with `#[serde(default)]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pixels<const DEFAULT: u32, const MIN: u32, const MAX: u32>(u32);

impl<const DEFAULT: u32, const MIN: u32, const MAX: u32> Pixels<DEFAULT, MIN, MAX> {
    pub fn get(self) -> u32 {
        self.0
    }
}

impl<const DEFAULT: u32, const MIN: u32, const MAX: u32> Default for Pixels<DEFAULT, MIN, MAX> {
    fn default() -> Self {
        Self(DEFAULT)
    }
}

impl<'de, const DEFAULT: u32, const MIN: u32, const MAX: u32> Deserialize<'de> for Pixels<DEFAULT, MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        bounded(deserializer, MIN, MAX).map(Self)
    }
}

impl<const DEFAULT: u32, const MIN: u32, const MAX: u32> PartialSchema for Pixels<DEFAULT, MIN, MAX> {
    fn schema() -> RefOr<Schema> {
        bounded_schema(MIN, MAX, DEFAULT)
    }
}

impl<const DEFAULT: u32, const MIN: u32, const MAX: u32> ToSchema for Pixels<DEFAULT, MIN, MAX> {}
