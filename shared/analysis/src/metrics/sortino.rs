//! Sortino ratio.

use super::{SESSIONS_A_YEAR, daily_rate, defined, mean};

/// Mean daily return above the risk-free rate over the downside deviation `√(Σ min(r − f, 0)² / n)`, times √252 (Sortino and Price,
/// "Performance Measurement in a Downside Risk Framework", Journal of Investing, 1994, with the risk-free rate as the target).
/// `risk_free_rate` is a fraction a year. `None` without returns or when none is below the rate.
pub fn sortino_ratio(returns: &[f64], risk_free_rate: f64) -> Option<f64> {
    let target = daily_rate(risk_free_rate);
    let shortfalls: f64 = returns.iter().map(|value| (value - target).min(0.0).powi(2)).sum();
    let downside = (shortfalls / returns.len() as f64).sqrt();
    if downside > 0.0 { defined((mean(returns)? - target) / downside * SESSIONS_A_YEAR.sqrt()) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_only_losses_but_over_all_sessions() {
        let expected = 0.01 / (0.0001_f64 / 2.0).sqrt() * 252.0_f64.sqrt();
        assert!((sortino_ratio(&[0.03, -0.01], 0.0).unwrap() - expected).abs() < 1e-9);
        assert_eq!(sortino_ratio(&[0.03, 0.01], 0.0), None);
        assert_eq!(sortino_ratio(&[], 0.0), None);
    }
}
