//! Relative strength index.

use super::{TA, aligned, ta_period};

/// Wilder's relative strength index, 0 to 100: TA-Lib RSI. A series that has never moved reads the neutral 50
/// (TA-Lib's C core before 0.8.2 says 0, which reads as extremely oversold).
pub fn rsi(close: &[f64], period: usize, out: &mut [f64]) {
    let period = ta_period(period);
    aligned(TA.rsi_lookback(period), [out], |[out]| TA.rsi(0, close.len() - 1, close, period, out));
}
