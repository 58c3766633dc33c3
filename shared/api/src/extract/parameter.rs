//! Query parameters with a meaning of their own.

use std::str::FromStr;

use domain::{Date, Timestamp};
use serde::{Deserialize, Deserializer, de};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{KnownFormat, ObjectBuilder, RefOr, Schema, SchemaFormat, Type},
};

use super::page::{bounded, bounded_schema};
use crate::problem::Problem;

/// A New York date, `YYYY-MM-DD`; it need not be a trading date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(pub Date);

/// Both ends of a range of dates, which are in order.
pub fn date_range(start: Option<Day>, end: Option<Day>) -> Result<(Option<Date>, Option<Date>), Problem> {
    match (start.map(|day| day.0), end.map(|day| day.0)) {
        (Some(start), Some(end)) if start > end => Err(Problem::unusable("start_date", format!("{start} is after end_date {end}"))),
        ends => Ok(ends),
    }
}

/// Whether a text has digits where `shape` has zeros, and is the same elsewhere. The date library also takes other notations of
/// ISO 8601, which no client is told of.
fn has_shape(text: &str, shape: &str) -> bool {
    text.len() == shape.len() && text.bytes().zip(shape.bytes()).all(|(b, s)| if s == b'0' { b.is_ascii_digit() } else { b == s })
}

impl FromStr for Day {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let date = Date::from_str(text).ok().filter(|_| has_shape(text, "0000-00-00"));
        date.map(Self).ok_or("must be a date, YYYY-MM-DD")
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl PartialSchema for Day {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::String).format(Some(SchemaFormat::KnownFormat(KnownFormat::Date))).into()
    }
}

impl ToSchema for Day {}

/// An instant as RFC 3339 writes it: date, time and offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant(pub Timestamp);

impl FromStr for Instant {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let start = text.get(..19).unwrap_or_default().to_ascii_uppercase();
        let rest = text.get(19..).unwrap_or_default().to_ascii_uppercase();
        let offset = rest.strip_prefix('.').map_or(&*rest, |fraction| fraction.trim_start_matches(|c: char| c.is_ascii_digit()));
        let is_offset = offset == "Z" || has_shape(offset, "+00:00") || has_shape(offset, "-00:00");
        let instant = Timestamp::from_str(text).ok().filter(|_| has_shape(&start, "0000-00-00T00:00:00") && is_offset);
        instant.map(Self).ok_or("must be an instant of RFC 3339, such as 2022-01-03T21:00:00Z")
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl PartialSchema for Instant {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::String).format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime))).into()
    }
}

impl ToSchema for Instant {}

/// A part of a name to look for: at most a hundred characters, since it is compared with every name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchText(pub String);

const SEARCH_MAX: usize = 100;

impl<'de> Deserialize<'de> for SearchText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.chars().count() > SEARCH_MAX {
            return Err(de::Error::custom(format_args!("must be at most {SEARCH_MAX} characters")));
        }
        Ok(Self(text))
    }
}

impl PartialSchema for SearchText {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::String).max_length(Some(SEARCH_MAX)).into()
    }
}

impl ToSchema for SearchText {}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_those_of_rfc_3339_and_no_others() {
        for (text, is_instant) in [
            ("2022-01-03T21:00:00Z", true),
            ("2022-01-03t21:00:00z", true),
            ("2022-01-03T21:00:00.123456789Z", true),
            ("2022-01-03T16:00:00-05:00", true),
            ("2022-01-03T21:00Z", false),
            ("2022-01-03 21:00:00Z", false),
            ("2022-01-03T21:00:00", false),
            ("2022-01-03T21:00:00+05", false),
            ("20220103T210000Z", false),
            ("2022-01-03T21:00:00Z[UTC]", false),
            ("2022-01-03", false),
            ("2022-13-03T21:00:00Z", false),
            ("\u{661}022-01-03T21:00:00Z", false),
            ("", false),
        ] {
            assert_eq!(text.parse::<Instant>().is_ok(), is_instant, "{text}");
        }
    }
}
