//! Historical volatility.

/// Trading days a year by which daily volatility is annualised.
pub const SESSIONS_A_YEAR: f64 = 252.0;

/// Sample standard deviation of the last `period` daily log returns times √252, in percent a year
/// (close-to-close volatility, Hull, "Options, Futures, and Other Derivatives", chapter 15).
///
/// `log_returns[0]` is `NaN` (there is no session before it), so the first value stands at bar `period`.
pub fn volatility(log_returns: &[f64], period: usize, out: &mut [f64]) {
    let count = period as f64;
    for (bar, value) in out.iter_mut().enumerate() {
        *value = f64::NAN;
        if bar < period {
            continue;
        }
        let window = &log_returns[bar + 1 - period..=bar];
        let mean = window.iter().sum::<f64>() / count;
        let squares: f64 = window.iter().map(|value| (value - mean) * (value - mean)).sum();
        *value = 100.0 * (squares / (count - 1.0) * SESSIONS_A_YEAR).sqrt();
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::float_cmp, reason = "these results are exact")]

    use super::*;

    #[test]
    fn matches_a_hand_computed_window_and_is_zero_when_flat() {
        let mut out = [0.0; 4];
        volatility(&[f64::NAN, 0.01, -0.01, 0.03], 3, &mut out);
        assert!(out[..3].iter().all(|value| value.is_nan()));
        // Mean 0.01, deviations 0, −0.02, 0.02: variance 0.0008 / 2.
        assert!((out[3] - 100.0 * (0.0004_f64 * 252.0).sqrt()).abs() < 1e-12);
        volatility(&[f64::NAN, 0.0, 0.0, 0.0], 3, &mut out);
        assert_eq!(out[3], 0.0);
    }
}
