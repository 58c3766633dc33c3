//! Highest and lowest value of a window.

use super::{TA, aligned, ta_period};

/// The highest of the last `period` values, this bar's included: TA-Lib MAX.
pub fn rolling_max(values: &[f64], period: usize, out: &mut [f64]) {
    let period = ta_period(period);
    aligned(TA.max_lookback(period), [out], |[out]| TA.max(0, values.len() - 1, values, period, out));
}

/// The lowest of the last `period` values, this bar's included: TA-Lib MIN.
pub fn rolling_min(values: &[f64], period: usize, out: &mut [f64]) {
    let period = ta_period(period);
    aligned(TA.min_lookback(period), [out], |[out]| TA.min(0, values.len() - 1, values, period, out));
}
