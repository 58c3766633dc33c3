//! Bollinger bands.

use ta_lib::MAType;

use super::{TA, aligned};

const PERIOD: i32 = 20;
const WIDTH: f64 = 2.0;

/// Bollinger's bands: the 20-session simple average and two population standard deviations around it, in dollars; TA-Lib BBANDS.
pub fn bollinger(close: &[f64], upper: &mut [f64], middle: &mut [f64], lower: &mut [f64]) {
    aligned(TA.bbands_lookback(PERIOD, WIDTH, WIDTH, MAType::SMA), [upper, middle, lower], |[upper, middle, lower]| {
        TA.bbands(0, close.len() - 1, close, PERIOD, WIDTH, WIDTH, MAType::SMA, upper, middle, lower)
    });
}
