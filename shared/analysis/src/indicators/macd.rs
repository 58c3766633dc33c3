//! Moving average convergence divergence.

use super::{TA, aligned};

/// Appel's MACD (12, 26, 9): the line, its signal and their difference, in dollars; TA-Lib MACD. All three begin with the signal.
pub fn macd(close: &[f64], line: &mut [f64], signal: &mut [f64], histogram: &mut [f64]) {
    aligned(TA.macd_lookback(12, 26, 9), [line, signal, histogram], |[line, signal, histogram]| {
        TA.macd(0, close.len() - 1, close, 12, 26, 9, line, signal, histogram)
    });
}
