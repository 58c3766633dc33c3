//! Profit factor.

use super::defined;

/// Sum of the gains over the sum of the losses; `None` without a loss, where it has no value.
pub fn profit_factor(results: &[f64]) -> Option<f64> {
    let gains: f64 = results.iter().map(|result| result.max(0.0)).sum();
    let losses: f64 = results.iter().map(|result| (-result).max(0.0)).sum();
    if losses > 0.0 { defined(gains / losses) } else { None }
}

#[cfg(test)]
mod tests {
    #[test]
    fn is_undefined_without_a_loss() {
        assert_eq!(super::profit_factor(&[3.0, -1.0, 1.0, -1.0]), Some(2.0));
        assert_eq!(super::profit_factor(&[3.0]), None);
        assert_eq!(super::profit_factor(&[-3.0]), Some(0.0));
    }
}
