//! Sharpe ratio.

use super::{SESSIONS_A_YEAR, daily_rate, defined, mean, volatility::daily_deviation};

/// Mean daily return above the risk-free rate over the returns' sample deviation, times √252 (Sharpe, "The Sharpe Ratio", Journal of
/// Portfolio Management, 1994). `risk_free_rate` is a fraction a year, turned into a daily one by compounding. `None` for fewer than
/// two returns or when they do not vary.
pub fn sharpe_ratio(returns: &[f64], risk_free_rate: f64) -> Option<f64> {
    let deviation = daily_deviation(returns).filter(|deviation| *deviation > 0.0)?;
    defined((mean(returns)? - daily_rate(risk_free_rate)) / deviation * SESSIONS_A_YEAR.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_undefined_without_variation() {
        assert!((sharpe_ratio(&[0.01, 0.03], 0.0).unwrap() - 0.02 / 0.0002_f64.sqrt() * 252.0_f64.sqrt()).abs() < 1e-9);
        assert_eq!(sharpe_ratio(&[0.0, 0.0, 0.0], 0.0), None);
        assert_eq!(sharpe_ratio(&[0.001; 30], 0.0), None, "what is left of equal returns is rounding, not variation");
        assert_eq!(sharpe_ratio(&[0.01], 0.0), None);
    }
}
