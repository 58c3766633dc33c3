//! Commodity channel index.

use super::{TA, aligned, ta_period};
use crate::Series;

/// Lambert's commodity channel index, unbounded around zero: TA-Lib CCI.
pub fn cci(series: &Series, period: usize, out: &mut [f64]) {
    let period = ta_period(period);
    aligned(TA.cci_lookback(period), [out], |[out]| TA.cci(0, series.len() - 1, series.high(), series.low(), series.close(), period, out));
}
