//! On-balance volume.

use super::{TA, aligned};
use crate::Series;

/// Granville's on-balance volume in shares, counted from the series' first session: TA-Lib OBV. Its level depends on where the
/// series begins, its changes do not.
pub fn obv(series: &Series, out: &mut [f64]) {
    aligned(TA.obv_lookback(), [out], |[out]| TA.obv(0, series.len() - 1, series.close(), series.volume(), out));
}
