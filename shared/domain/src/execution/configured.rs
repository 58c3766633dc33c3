//! What configured numbers have in common: how they may be written, and what is said about one that cannot be meant.

use std::fmt;

use rust_decimal::Decimal;
use serde::de::{Deserializer, Error, Visitor};

/// A configured value outside what is allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key} is {value}: expected {allowed}")]
pub struct OutOfRange {
    /// Where it stands, such as `limits.position_weight`.
    key: String,
    value: String,
    allowed: &'static str,
}

impl OutOfRange {
    pub(crate) fn unless(is_allowed: bool, key: &str, value: impl fmt::Display, allowed: &'static str) -> Result<(), Self> {
        if is_allowed { Ok(()) } else { Err(Self { key: key.to_owned(), value: value.to_string(), allowed }) }
    }

    /// The same, said of a value within the section `name`.
    pub(crate) fn within(self, name: &str) -> Self {
        Self { key: format!("{name}.{}", self.key), ..self }
    }
}

/// Reads `0.001` as well as `"0.001"`. Within a choice of several forms, serde has already read a number as a float; its shortest
/// decimal form is what was written.
pub(super) fn decimal<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
    struct Written;

    impl Visitor<'_> for Written {
        type Value = Decimal;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("a decimal number such as 0.001")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Decimal, E> {
            text.parse().map_err(|_| E::invalid_value(serde::de::Unexpected::Str(text), &self))
        }

        fn visit_f64<E: Error>(self, number: f64) -> Result<Decimal, E> {
            self.visit_str(&number.to_string())
        }

        fn visit_i64<E: Error>(self, number: i64) -> Result<Decimal, E> {
            Ok(number.into())
        }

        fn visit_u64<E: Error>(self, number: u64) -> Result<Decimal, E> {
            Ok(number.into())
        }
    }

    deserializer.deserialize_any(Written)
}
