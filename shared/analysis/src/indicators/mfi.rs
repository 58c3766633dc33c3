//! Money flow index.

use super::{TA, aligned, ta_period};
use crate::Series;

/// The money flow index, 0 to 100: an RSI of typical price weighted by volume; TA-Lib MFI.
pub fn mfi(series: &Series, period: usize, out: &mut [f64]) {
    let period = ta_period(period);
    aligned(TA.mfi_lookback(period), [out], |[out]| {
        TA.mfi(0, series.len() - 1, series.high(), series.low(), series.close(), series.volume(), period, out)
    });
}
