//! Brier score.

/// Mean squared difference between the forecast probability of an event and what happened (Brier, "Verification of Forecasts Expressed
/// in Terms of Probability", 1950, in its usual two-class form), 0 at best; `None` without forecasts.
pub fn brier_score(forecasts: &[(f64, bool)]) -> Option<f64> {
    let squares: f64 = forecasts.iter().map(|(probability, happened)| (probability - f64::from(u8::from(*happened))).powi(2)).sum();
    (!forecasts.is_empty()).then(|| squares / forecasts.len() as f64)
}

#[cfg(test)]
mod tests {
    #[test]
    fn punishes_confident_errors() {
        assert!((super::brier_score(&[(0.9, true), (0.9, false)]).unwrap() - 0.41).abs() < 1e-12);
        assert_eq!(super::brier_score(&[(1.0, true), (0.0, false)]), Some(0.0));
        assert_eq!(super::brier_score(&[]), None);
    }
}
