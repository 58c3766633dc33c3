//! The trading rules as a text (TOML): a file on one machine, a parameter of the deployment in the cloud.

use domain::{execution::OutOfRange, trading::TradingRules};

/// Why a text is no set of rules; it names the key and what is allowed.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    #[error(transparent)]
    Text(#[from] toml::de::Error),
    #[error(transparent)]
    Value(#[from] OutOfRange),
}

/// The rules of `text`. What it leaves out is as by default. An unknown key, a value of the wrong kind and one outside its range are
/// errors that name the key.
pub fn parse(text: &str) -> Result<TradingRules, RulesError> {
    let rules: TradingRules = toml::from_str(text)?;
    rules.validate()?;
    Ok(rules)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = include_str!("../../../infra/trading.example.toml");

    #[test]
    fn the_example_says_what_holds_by_default() {
        assert_eq!(parse(EXAMPLE).unwrap(), TradingRules::default());
        assert_eq!(parse("").unwrap(), TradingRules::default());
    }

    #[test]
    fn the_example_names_every_key() {
        let all: toml::Table = toml::from_str(&toml::to_string(&TradingRules::default()).unwrap()).unwrap();
        let example: toml::Table = toml::from_str(EXAMPLE).unwrap();
        for (key, value) in all.iter().filter(|(key, _)| *key != "regulatory_rates") {
            assert!(example.contains_key(key), "{key}");
            for inner in value.as_table().into_iter().flat_map(|table| table.keys()) {
                assert!(example[key].as_table().unwrap().contains_key(inner), "{key}.{inner}");
            }
        }
    }

    #[test]
    fn what_is_printed_can_be_read_back() {
        let ours = parse(
            r#"
            initial_cash = 25000.50
            lot_method = "lifo"
            risk_free_rate = 0.04
            fees = { schedule = "percentage", rate = 0.001 }
            slippage = { model = "fixed_bps", bps = 7.5 }
            [limits]
            participation = 0.1
            [[regulatory_rates]]
            fee = "finra-taf"
            from = "2026-01-01"
            until = "2026-06-30"
            rate = 0.0002
            cap = 10
            source = "our broker's page"
            "#,
        )
        .unwrap();
        assert_eq!((ours.initial_cash.to_string(), ours.fees), ("25000.50".into(), domain::execution::FeeSchedule::TENTH_OF_A_PERCENT));
        assert_eq!(parse(&toml::to_string(&ours).unwrap()).unwrap(), ours);
        let days = ["2025-12-31", "2026-01-01", "2026-06-30", "2026-07-01"].map(|day| day.parse().unwrap());
        let rates = days.map(|day| ours.rates.on(domain::execution::fees::rates::RegulatoryFee::FinraTaf, day).unwrap().rate.to_string());
        assert_eq!(rates, ["0.000166", "0.0002", "0.0002", "0.000195"]);
    }

    #[test]
    fn a_mistake_is_named_with_what_is_allowed() {
        for (text, expected) in [
            ("initial_cahs = 1", "unknown field `initial_cahs`, expected one of `initial_cash`, `lot_method`"),
            ("initial_cash = 0", "initial_cash is 0.00: expected 1 to 1000000000 dollars"),
            ("initial_cash = \"much\"", "invalid value: string \"much\""),
            ("lot_method = \"random\"", "unknown variant `random`, expected one of `fifo`"),
            ("max_open_orders = 1000", "max_open_orders is 1000: expected 1 to 300"),
            ("max_price_age_sessions = 999", "max_price_age_sessions is 999: expected 0 to 250 sessions"),
            ("max_quote_age_minutes = 0", "max_quote_age_minutes is 0: expected 1 to 1440 minutes"),
            ("risk_free_rate = 4", "risk_free_rate is 4: expected a fraction a year from 0 to 0.5, such as 0.04 for 4 %"),
            ("fees = { schedule = \"free\" }", "unknown variant `free`, expected one of `us_retail`, `ibkr_fixed`, `percentage`"),
            ("fees = { schedule = \"percentage\" }", "missing field `rate`"),
            (
                "fees = { schedule = \"percentage\", rate = 1 }",
                "fees.rate is 1: expected a fraction from 0 to 0.1, such as 0.001 for 0.1 %",
            ),
            ("slippage = { model = \"fixed_bps\", bps = -1 }", "slippage.bps is -1: expected 0 to 500 basis points"),
            ("slippage = { model = \"fixed_bps\", pbs = 1 }", "unknown field `pbs`, expected `bps`"),
            ("limits = { position_weight = 10 }", "limits.position_weight is 10: expected a fraction above 0 and at most 1"),
            ("limits = { participation = 0 }", "0 is not a participation cap: expected a fraction above 0 and at most 1"),
            ("limits = { drawdown_halt_sessions = 0 }", "limits.drawdown_halt_sessions is 0: expected 1 to 250 sessions"),
            ("limits = { cooldown = 3 }", "unknown field `cooldown`"),
            (
                "[[regulatory_rates]]\nfee = \"cat\"\nfrom = \"2026-01-01\"\nrate = -1\nsource = \"x\"",
                "cat from 2026-01-01: the rate is negative",
            ),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
