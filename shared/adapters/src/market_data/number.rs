//! Numbers from JSON, digit by digit: a price must not pass through binary floating point.

use domain::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::{Deserialize, Deserializer, de::Error};
use serde_json::value::RawValue;

/// A JSON number, or one in quotation marks, with exactly the digits it was written with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Exact(pub(super) Decimal);

impl<'de> Deserialize<'de> for Exact {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?.get().trim_matches('"');
        let value = if raw.contains(['e', 'E']) { Decimal::from_scientific(raw) } else { raw.parse() };
        value.map(Self).map_err(|error| D::Error::custom(format_args!("{error}: {}", raw.chars().take(40).collect::<String>())))
    }
}

impl Exact {
    /// As a number of shares: vendors write whole numbers with a fraction, and count fractional shares.
    pub(super) fn shares(self) -> Option<u64> {
        domain::money::round_half_up(self.0, 0).to_u64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_digits() {
        for (json, expected) in [
            ("1.5032", Some("1.5032")),
            ("642646396.0", Some("642646396.0")),
            ("1.35647456e8", Some("135647456")),
            ("1E-4", Some("0.0001")),
            ("0.1", Some("0.1")),
            ("\"12.5\"", Some("12.5")),
            ("-3", Some("-3")),
            ("null", None),
            ("true", None),
            ("{}", None),
            ("\"\"", None),
            ("1e999", None),
            ("99999999999999999999999999999999999999", None),
        ] {
            let parsed = serde_json::from_str::<Exact>(json).ok().map(|exact| exact.0);
            assert_eq!(parsed, expected.map(|text| text.parse().unwrap()), "{json}");
        }
    }

    #[test]
    fn shares_are_whole_and_not_negative() {
        for (json, expected) in
            [("25933.6", Some(25_934)), ("642646396.0", Some(642_646_396)), ("0", Some(0)), ("-1", None), ("1e25", None)]
        {
            assert_eq!(serde_json::from_str::<Exact>(json).unwrap().shares(), expected, "{json}");
        }
    }
}
