//! Sharpe ratio.

use super::{SESSIONS_A_YEAR, defined, mean, volatility::daily_deviation};

/// Mean daily return over its sample deviation times √252 (Sharpe, "The Sharpe Ratio", 1994, with a risk-free rate of zero);
/// `None` for fewer than two returns or when they do not vary.
pub fn sharpe_ratio(returns: &[f64]) -> Option<f64> {
    let deviation = daily_deviation(returns).filter(|deviation| *deviation > 0.0)?;
    defined(mean(returns)? / deviation * SESSIONS_A_YEAR.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_undefined_without_variation() {
        assert!((sharpe_ratio(&[0.01, 0.03]).unwrap() - 0.02 / 0.0002_f64.sqrt() * 252.0_f64.sqrt()).abs() < 1e-9);
        assert_eq!(sharpe_ratio(&[0.0, 0.0, 0.0]), None);
        assert_eq!(sharpe_ratio(&[0.01]), None);
    }
}
