//! Returns and risk against empyrical and `QuantStats`, on ordinary and on awkward series: `golden/make_metrics.py` made the values.

use std::collections::BTreeMap;

use analysis::metrics::{self, Valuation};
use domain::Date;
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    name: String,
    risk_free_rate: f64,
    returns: Vec<f64>,
    benchmark: Vec<f64>,
    /// Values and what was paid in before each, where the returns follow from them.
    #[serde(default)]
    valuations: Vec<(f64, f64)>,
    expected: BTreeMap<String, Option<f64>>,
}

fn computed(case: &Case) -> BTreeMap<String, Option<f64>> {
    let returns = &case.returns;
    let drawdown = drawdown(returns);
    let pairs: Vec<(f64, f64)> = returns.iter().copied().zip(case.benchmark.iter().copied()).collect();
    let numbers = [
        ("total_return", metrics::total_return(returns)),
        ("annualized_return", metrics::annualized_return(returns)),
        ("volatility", metrics::annualized_volatility(returns)),
        ("sharpe", metrics::sharpe_ratio(returns, case.risk_free_rate)),
        ("sortino", metrics::sortino_ratio(returns, case.risk_free_rate)),
        ("max_drawdown", drawdown),
        ("calmar", drawdown.and_then(|depth| metrics::calmar_ratio(returns, depth))),
        ("beta", metrics::beta(&pairs)),
        ("profit_factor", metrics::profit_factor(returns)),
    ];
    numbers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn drawdown(returns: &[f64]) -> Option<f64> {
    let mut value = 1.0;
    let mut date: Date = "2020-01-01".parse().unwrap();
    let mut values = vec![(date, value)];
    for change in returns {
        value *= 1.0 + change;
        date = date.tomorrow().unwrap();
        values.push((date, value));
    }
    metrics::max_drawdown(&values).filter(|_| !returns.is_empty()).map(|drawdown| drawdown.depth)
}

/// A relative 1e-9, and 1e-12 for what should be zero.
fn agree(ours: Option<f64>, theirs: Option<f64>) -> bool {
    match (ours, theirs) {
        (Some(ours), Some(theirs)) => (ours - theirs).abs() <= 1e-9 * theirs.abs() + 1e-12,
        (None, None) => true,
        _ => false,
    }
}

#[test]
fn every_number_equals_the_libraries() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("../golden/metrics.json")).unwrap();
    assert_eq!(cases.len(), 27);
    let mut differences = Vec::new();
    for case in &cases {
        for (name, ours) in computed(case) {
            let theirs = case.expected[&name];
            if !agree(ours, theirs) {
                differences.push(format!("{} at {}: {name} is {ours:?}, theirs {theirs:?}", case.name, case.risk_free_rate));
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn what_is_paid_in_is_not_earned() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("../golden/metrics.json")).unwrap();
    let case = cases.iter().find(|case| !case.valuations.is_empty()).unwrap();
    let valuations: Vec<Valuation> = case.valuations.iter().map(|&(value, flow)| Valuation { value, flow }).collect();
    let ours = metrics::time_weighted_returns(&valuations).unwrap();
    assert_eq!(ours.len(), case.returns.len());
    assert!(ours.iter().zip(&case.returns).all(|(ours, theirs)| (ours - theirs).abs() < 1e-15), "{ours:?}");
}
