//! Beta.

use super::{defined, mean};

/// How much the first return of each pair moves with the second, the benchmark's: their covariance over the benchmark's variance
/// (Sharpe, "Capital Asset Prices", Journal of Finance, 1964). `None` for fewer than two pairs or a benchmark that does not vary.
pub fn beta(pairs: &[(f64, f64)]) -> Option<f64> {
    let own = mean(&pairs.iter().map(|pair| pair.0).collect::<Vec<_>>())?;
    let market = mean(&pairs.iter().map(|pair| pair.1).collect::<Vec<_>>())?;
    let covariance: f64 = pairs.iter().map(|pair| (pair.0 - own) * (pair.1 - market)).sum();
    let variance: f64 = pairs.iter().map(|pair| (pair.1 - market).powi(2)).sum();
    // Equal returns leave rounding, not variance.
    let largest = pairs.iter().map(|pair| pair.1.abs()).fold(0.0, f64::max);
    let varies = variance.sqrt() > 1e-12 * largest;
    if pairs.len() >= 2 && varies { defined(covariance / variance) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_the_slope_against_the_benchmark() {
        // Means 0.01 and 0.02; deviations ∓0.02 and ∓0.01: 2 × 0.0002 over 2 × 0.0001.
        assert!((beta(&[(-0.01, 0.01), (0.03, 0.03)]).unwrap() - 2.0).abs() < 1e-12);
        assert_eq!(beta(&[(0.0, 0.01), (0.0, 0.02)]), Some(0.0));
        assert_eq!(beta(&[(0.01, 0.02), (0.02, 0.02)]), None);
        assert_eq!(beta(&[(0.01, 0.02)]), None);
        assert_eq!(beta(&[]), None);
    }
}
