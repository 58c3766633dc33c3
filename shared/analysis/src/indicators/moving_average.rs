//! Simple and exponential moving averages.

use super::{TA, aligned, ta_period};

/// Simple moving average of `period` values: TA-Lib SMA.
pub fn sma(values: &[f64], period: usize, out: &mut [f64]) {
    let period = ta_period(period);
    aligned(TA.sma_lookback(period), [out], |[out]| TA.sma(0, values.len() - 1, values, period, out));
}

/// Exponential moving average with smoothing `2 / (period + 1)`, seeded by the first `period` values' mean: TA-Lib EMA.
pub fn ema(values: &[f64], period: usize, out: &mut [f64]) {
    let period = ta_period(period);
    aligned(TA.ema_lookback(period), [out], |[out]| TA.ema(0, values.len() - 1, values, period, out));
}
