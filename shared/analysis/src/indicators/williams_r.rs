//! Williams %R.

use super::{TA, aligned, ta_period};
use crate::Series;

/// Williams' percent range, −100 to 0: TA-Lib WILLR.
pub fn williams_r(series: &Series, period: usize, out: &mut [f64]) {
    let period = ta_period(period);
    aligned(TA.willr_lookback(period), [out], |[out]| {
        TA.willr(0, series.len() - 1, series.high(), series.low(), series.close(), period, out)
    });
}
