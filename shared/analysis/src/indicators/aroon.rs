//! Aroon oscillator.

use super::{TA, aligned, ta_period};
use crate::Series;

/// Chande's Aroon oscillator, −100 to 100: whether the window's high or its low is the more recent; TA-Lib AROONOSC.
pub fn aroon_oscillator(series: &Series, period: usize, out: &mut [f64]) {
    let period = ta_period(period);
    aligned(TA.aroonosc_lookback(period), [out], |[out]| TA.aroonosc(0, series.len() - 1, series.high(), series.low(), period, out));
}
