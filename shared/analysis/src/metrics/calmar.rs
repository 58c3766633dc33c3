//! Calmar ratio.

use super::{annualized_return, defined};

/// Annualised return over maximum drawdown (Young, "Calmar Ratio: A Smoother Tool", 1991; here over the whole span given);
/// `None` without returns or without a drawdown.
pub fn calmar_ratio(returns: &[f64], max_drawdown: f64) -> Option<f64> {
    if max_drawdown > 0.0 { defined(annualized_return(returns)? / max_drawdown) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_undefined_without_a_drawdown() {
        assert!((calmar_ratio(&[0.1; 252], 0.5).unwrap() - (1.1_f64.powi(252) - 1.0) / 0.5).abs() < 1e-3);
        assert_eq!(calmar_ratio(&[0.1], 0.0), None);
        assert_eq!(calmar_ratio(&[], 0.2), None);
    }
}
