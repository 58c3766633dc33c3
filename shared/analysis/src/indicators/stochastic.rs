//! Stochastic oscillator.

use ta_lib::MAType;

use super::{TA, aligned};
use crate::Series;

const SMA: MAType = MAType::SMA;

/// Lane's slow stochastic (14, 3, 3), 0 to 100: `%K` smoothed over three sessions and its three-session average `%D`; TA-Lib STOCH
/// with simple averages.
pub fn stochastic(series: &Series, k: &mut [f64], d: &mut [f64]) {
    aligned(TA.stoch_lookback(14, 3, SMA, 3, SMA), [k, d], |[k, d]| {
        TA.stoch(0, series.len() - 1, series.high(), series.low(), series.close(), 14, 3, SMA, 3, SMA, k, d)
    });
}
