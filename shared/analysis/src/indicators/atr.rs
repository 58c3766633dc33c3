//! Average true range.

use super::{TA, aligned, ta_period};
use crate::Series;

/// Wilder's average true range in dollars: TA-Lib ATR.
pub fn atr(series: &Series, period: usize, out: &mut [f64]) {
    let period = ta_period(period);
    aligned(TA.atr_lookback(period), [out], |[out]| TA.atr(0, series.len() - 1, series.high(), series.low(), series.close(), period, out));
}
