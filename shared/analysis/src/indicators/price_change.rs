//! Change of a price over some sessions.

use super::{TA, aligned, ta_period};

/// Change over `period` sessions in percent: TA-Lib ROC.
pub fn price_change(close: &[f64], period: usize, out: &mut [f64]) {
    let period = ta_period(period);
    aligned(TA.roc_lookback(period), [out], |[out]| TA.roc(0, close.len() - 1, close, period, out));
}
