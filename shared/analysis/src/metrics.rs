//! Performance and forecast metrics, one a file.
//!
//! What is not defined (a ratio over nothing, a deviation of one value) is `None`: never zero, never infinite. Returns are simple
//! returns of one session, 0.01 for one percent, unless said otherwise; ratios are annualised by 252 sessions. `tests/metrics.rs` holds
//! them against the Python libraries empyrical and `QuantStats`.

mod beta;
mod brier;
mod calmar;
mod drawdown;
mod exposure;
mod profit_factor;
mod reliability;
mod returns;
mod sharpe;
mod sortino;
mod time_weighted;
mod volatility;
mod win_rate;

pub use crate::indicators::SESSIONS_A_YEAR;
pub use beta::beta;
pub use brier::brier_score;
pub use calmar::calmar_ratio;
pub use drawdown::{Drawdown, max_drawdown};
pub use exposure::{exposure, turnover};
pub use profit_factor::profit_factor;
pub use reliability::{ReliabilityBin, reliability};
pub use returns::{annualized_return, returns, total_return};
pub use sharpe::sharpe_ratio;
pub use sortino::sortino_ratio;
pub use time_weighted::{Valuation, time_weighted_returns};
pub use volatility::annualized_volatility;
pub use win_rate::win_rate;

/// What a yearly rate is a session, compounding: `(1 + rate)^(1/252) − 1`.
fn daily_rate(yearly: f64) -> f64 {
    (1.0 + yearly).powf(1.0 / SESSIONS_A_YEAR) - 1.0
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// A number that a reader may rely on: not `NaN` and not infinite.
fn defined(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}
