//! Volatility of returns.

use super::{SESSIONS_A_YEAR, defined, mean};

/// Sample standard deviation of daily returns, not annualised; `None` for fewer than two.
pub(super) fn daily_deviation(returns: &[f64]) -> Option<f64> {
    let mean = mean(returns)?;
    let squares: f64 = returns.iter().map(|value| (value - mean).powi(2)).sum();
    if returns.len() < 2 {
        return None;
    }
    let deviation = defined((squares / (returns.len() as f64 - 1.0)).sqrt())?;
    // Equal returns leave rounding, not variation.
    let largest = returns.iter().map(|value| value.abs()).fold(0.0, f64::max);
    Some(if deviation > 1e-12 * largest { deviation } else { 0.0 })
}

/// Sample standard deviation of daily returns times √252, 0.2 for twenty percent a year; `None` for fewer than two returns.
pub fn annualized_volatility(returns: &[f64]) -> Option<f64> {
    Some(daily_deviation(returns)? * SESSIONS_A_YEAR.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_the_sample_deviation_by_the_root_of_a_year() {
        assert!((annualized_volatility(&[0.01, 0.03]).unwrap() - 0.0002_f64.sqrt() * 252.0_f64.sqrt()).abs() < 1e-12);
        assert_eq!(annualized_volatility(&[0.01, 0.01]), Some(0.0));
        assert_eq!(annualized_volatility(&[0.01]), None);
    }
}
