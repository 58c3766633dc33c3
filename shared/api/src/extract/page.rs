//! How much of a list to answer: bounded, so that no request can ask for everything.

use std::str::FromStr;

use serde::{Deserialize, Deserializer, de};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{KnownFormat, ObjectBuilder, RefOr, Schema, SchemaFormat, Type},
};

/// A query parameter `limit` from 1 to `MAX`; `DEFAULT` with `#[serde(default)]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit<const DEFAULT: u32, const MAX: u32>(u32);

/// A query parameter `skip`: how many of the matches to leave out first; zero with `#[serde(default)]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Skip(u32);

/// No list is longer than this.
const SKIP_MAX: u32 = 1_000_000;

impl<const DEFAULT: u32, const MAX: u32> Limit<DEFAULT, MAX> {
    pub fn get(self) -> usize {
        self.0 as usize
    }

    pub fn get32(self) -> u32 {
        self.0
    }
}

impl Skip {
    pub fn get(self) -> usize {
        self.0 as usize
    }
}

impl<const DEFAULT: u32, const MAX: u32> Default for Limit<DEFAULT, MAX> {
    fn default() -> Self {
        Self(DEFAULT)
    }
}

/// A parameter's text as a whole number in a range.
pub(super) fn bounded<'de, D: Deserializer<'de>>(deserializer: D, min: u32, max: u32) -> Result<u32, D::Error> {
    let text = String::deserialize(deserializer)?;
    // More digits than fit are out of range too, not something else than a number.
    let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let number = u32::from_str(&text).ok().filter(|number| is_number && (min..=max).contains(number));
    number.ok_or_else(|| de::Error::custom(format_args!("must be a whole number from {min} to {max}")))
}

impl<'de, const DEFAULT: u32, const MAX: u32> Deserialize<'de> for Limit<DEFAULT, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        bounded(deserializer, 1, MAX).map(Self)
    }
}

impl<'de> Deserialize<'de> for Skip {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        bounded(deserializer, 0, SKIP_MAX).map(Self)
    }
}

pub(super) fn bounded_schema(min: u32, max: u32, default: u32) -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int32)))
        .minimum(Some(min))
        .maximum(Some(max))
        .default(Some(default.into()))
        .into()
}

impl<const DEFAULT: u32, const MAX: u32> PartialSchema for Limit<DEFAULT, MAX> {
    fn schema() -> RefOr<Schema> {
        bounded_schema(1, MAX, DEFAULT)
    }
}

impl<const DEFAULT: u32, const MAX: u32> ToSchema for Limit<DEFAULT, MAX> {}

impl PartialSchema for Skip {
    fn schema() -> RefOr<Schema> {
        bounded_schema(0, SKIP_MAX, 0)
    }
}

impl ToSchema for Skip {}
