//! Sortino ratio.

use super::{SESSIONS_A_YEAR, defined, mean};

/// Mean daily return over the downside deviation `√(Σ min(r, 0)² / n)`, times √252 (Sortino and Price, 1994, with a target of zero);
/// `None` without returns or without a loss among them.
pub fn sortino_ratio(returns: &[f64]) -> Option<f64> {
    let mean = mean(returns)?;
    let losses: f64 = returns.iter().map(|value| value.min(0.0).powi(2)).sum();
    let downside = (losses / returns.len() as f64).sqrt();
    if downside > 0.0 { defined(mean / downside * SESSIONS_A_YEAR.sqrt()) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_only_losses_but_over_all_sessions() {
        let expected = 0.01 / (0.0001_f64 / 2.0).sqrt() * 252.0_f64.sqrt();
        assert!((sortino_ratio(&[0.03, -0.01]).unwrap() - expected).abs() < 1e-9);
        assert_eq!(sortino_ratio(&[0.03, 0.01]), None);
        assert_eq!(sortino_ratio(&[]), None);
    }
}
