//! Technical indicators, one a file.
//!
//! Each writes into a column the caller allocated, one value a bar, `NaN` while it warms up, and reads nothing but its own
//! bar and earlier ones. Definitions and warm-up are TA-Lib's (<https://ta-lib.org/functions/>) where TA-Lib has the
//! indicator; the wrappers only place its compact output under the right bars. Inputs come from a [`crate::Series`], which
//! holds no `NaN`.

mod adx;
mod aroon;
mod atr;
mod beta;
mod bollinger;
mod cci;
mod extremes;
mod macd;
mod mfi;
mod moving_average;
mod obv;
mod price_change;
mod rsi;
mod stochastic;
mod volatility;
mod volume_ratio;
mod vwap;
mod williams_r;

use std::sync::LazyLock;

use ta_lib::{Core, OutRange, RetCode};

pub use adx::adx;
pub use aroon::aroon_oscillator;
pub use atr::atr;
pub use beta::beta;
pub use bollinger::bollinger;
pub use cci::cci;
pub use extremes::{rolling_max, rolling_min};
pub use macd::macd;
pub use mfi::mfi;
pub use moving_average::{ema, sma};
pub use obv::obv;
pub use price_change::price_change;
pub use rsi::rsi;
pub use stochastic::stochastic;
pub use volatility::{SESSIONS_A_YEAR, volatility};
pub use volume_ratio::volume_ratio;
pub use vwap::vwap;
pub use williams_r::williams_r;

/// TA-Lib with its default settings: no unstable period, so that warm-up is exactly the lookback.
static TA: LazyLock<Core> = LazyLock::new(Core::new);

/// Sets the first `lookback` values of each column to `NaN` and lets `write` fill the rest. Columns shorter than the
/// warm-up are `NaN` throughout.
fn aligned<const COLUMNS: usize>(
    lookback: Result<usize, RetCode>,
    columns: [&mut [f64]; COLUMNS],
    write: impl FnOnce([&mut [f64]; COLUMNS]) -> Result<OutRange, RetCode>,
) {
    let lookback = lookback.expect("periods are constants within TA-Lib's ranges");
    let len = columns[0].len();
    let warm_up = lookback.min(len);
    let outputs = columns.map(|column| {
        let (head, tail) = column.split_at_mut(warm_up);
        head.fill(f64::NAN);
        tail
    });
    if warm_up == len {
        return;
    }
    let written = write(outputs).expect("parameters are constants within TA-Lib's ranges");
    assert_eq!((written.beg_idx, written.count), (lookback, len - lookback), "TA-Lib fills every bar after the lookback");
}

/// The period as TA-Lib counts it.
fn ta_period(period: usize) -> i32 {
    i32::try_from(period).expect("periods are a few hundred sessions at most")
}
