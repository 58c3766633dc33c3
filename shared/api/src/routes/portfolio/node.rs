//! Ledger events as JSON whose amounts are numbers.
//!
//! Events are stored, and hashed, with decimals as strings; clients get every amount as a number, here as everywhere.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, value::RawValue};

use crate::number::Number;

/// Fields that hold amounts.
const AMOUNTS: [&str; 31] = [
    "amount",
    "base_cost",
    "base_quantity",
    "basis_change",
    "best_price",
    "cash",
    "cash_in_lieu",
    "cost",
    "equity",
    "fraction_sold",
    "half_spread_bps",
    "impact_bps",
    "limit_price",
    "notional",
    "participation",
    "per_share",
    "price",
    "quantity",
    "quantity_after",
    "quantity_before",
    "ratio",
    "realized_pnl",
    "reference_price",
    "slippage_bps",
    "stop_loss",
    "stop_price",
    "take_profit",
    "target_price",
    "trail_percent",
    "value",
    "basis_fraction",
];

/// A JSON value with exact numbers.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Node {
    Object(BTreeMap<String, Node>),
    Array(Vec<Node>),
    Amount(Number),
    Other(Box<RawValue>),
}

impl Node {
    pub(super) fn of(value: &impl Serialize) -> Result<Self, serde_json::Error> {
        Self::from_value(serde_json::to_value(value)?, false)
    }

    fn from_value(value: Value, is_amount: bool) -> Result<Self, serde_json::Error> {
        Ok(match value {
            Value::Object(fields) => {
                let fields = fields.into_iter().map(|(name, value)| {
                    let is_amount = AMOUNTS.contains(&name.as_str());
                    Ok((name, Self::from_value(value, is_amount)?))
                });
                Self::Object(fields.collect::<Result<_, serde_json::Error>>()?)
            }
            Value::Array(values) => {
                Self::Array(values.into_iter().map(|value| Self::from_value(value, is_amount)).collect::<Result<_, _>>()?)
            }
            Value::String(text) if is_amount => match text.parse() {
                Ok(amount) => Self::Amount(Number(amount)),
                Err(_) => Self::Other(serde_json::value::to_raw_value(&text)?),
            },
            other => Self::Other(serde_json::value::to_raw_value(&other)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use domain::{Money, order::OrderRequest, trading::Event};

    use super::*;

    fn written(value: &impl Serialize) -> String {
        serde_json::to_string(&Node::of(value).unwrap()).unwrap()
    }

    #[test]
    fn amounts_of_events_are_numbers_and_names_are_not() {
        assert_eq!(written(&Event::Deposited { amount: Money::dollars(100_000) }), r#"{"amount":100000,"event":"deposited"}"#);
        let valued = Event::Valued { date: "2022-01-03".parse().unwrap(), equity: Money::cents(10_000_001), cash: Money::cents(5) };
        assert_eq!(written(&valued), r#"{"cash":0.05,"date":"2022-01-03","equity":100000.01,"event":"valued"}"#);
        let order = OrderRequest::market("AAPL".parse().unwrap(), domain::execution::Side::Buy, domain::Quantity::shares(7));
        let text = written(&order);
        assert!(text.contains(r#""quantity":7"#) && text.contains(r#""symbol":"AAPL""#), "{text}");
    }
}
