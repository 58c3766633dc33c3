//! Average directional index.

use super::{TA, aligned, ta_period};
use crate::Series;

/// Wilder's average directional index, 0 to 100: how strongly the price trends, either way; TA-Lib ADX.
pub fn adx(series: &Series, period: usize, out: &mut [f64]) {
    let period = ta_period(period);
    aligned(TA.adx_lookback(period), [out], |[out]| TA.adx(0, series.len() - 1, series.high(), series.low(), series.close(), period, out));
}
