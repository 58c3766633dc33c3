//! What the model sees: ratios, distances in units of the stock's own volatility, oscillators.
//!
//! No value carries a price or a share count, so that a later split, another stock or another decade reads the same. Distances are in
//! ATRs (what the targets and stops are measured in), returns in units of the stock's own daily volatility, the rest in
//! percent or on the oscillator's own scale.
//!
//! The state of the market as such (its return, volatility, drawdown, breadth, regime) is not among them on purpose: all stocks of a day
//! share it, so that decades hold only some thousand cases to learn from, and trees remember those days. The one walk-forward
//! comparison made (infra/training/README.md) spoke against it too. The market enters through what differs between stocks:
//! relative strength, beta, the sector.

use super::levels::log_returns;
use crate::indicators::{adx, aroon_oscillator, beta, mfi, rolling_max, rolling_min, rsi};
use crate::market::{MarketTrend, Session};
use crate::{Series, features::Levels};

/// The least volatility, in percent a day, that a return is measured in: below it a price does not move but in rounding.
const LEAST_DAILY_VOLATILITY: f64 = 1e-6;

type Day<'a> = Option<(&'a Session, &'a MarketTrend)>;

/// Declares the features once: their names, their order and their formulas, each an expression over a bar's `Inputs`.
macro_rules! model_features {
    ($input:ident; $($name:ident = $value:expr;)+) => {
        /// The model's features in the model's order.
        pub const MODEL_FEATURES: &[&str] = &[$(stringify!($name)),+];
        /// How many there are.
        pub const MODEL_FEATURE_COUNT: usize = MODEL_FEATURES.len();

        fn row($input: &Bar<'_>) -> [f32; MODEL_FEATURE_COUNT] {
            [$(finite($value)),+]
        }
    };
}

model_features! { bar;
    // Momentum: log total returns over the stock's own volatility of 60 sessions.
    return_1d_vol = bar.volatility_return(1);
    return_5d_vol = bar.volatility_return(5);
    return_20d_vol = bar.volatility_return(20);
    return_60d_vol = bar.volatility_return(60);
    // Twelve months without the last one (Jegadeesh and Titman, 1993).
    momentum_12_1 = bar.momentum_12_1();

    // Trend: distances in ATRs.
    close_sma_20_atr = bar.in_atr(bar.close() - bar.levels.sma_20[bar.at]);
    close_sma_50_atr = bar.in_atr(bar.close() - bar.levels.sma_50[bar.at]);
    close_sma_200_atr = bar.in_atr(bar.close() - bar.levels.sma_200[bar.at]);
    sma_50_sma_200_atr = bar.in_atr(bar.levels.sma_50[bar.at] - bar.levels.sma_200[bar.at]);
    macd_atr = bar.in_atr(bar.levels.macd[bar.at]);
    macd_histogram_atr = bar.in_atr(bar.levels.macd_histogram[bar.at]);
    adx_14 = bar.extra.adx_14[bar.at];
    aroon_oscillator_25 = bar.extra.aroon_25[bar.at];

    // Oscillators on their own scales.
    rsi_14 = bar.levels.rsi_14[bar.at];
    rsi_2 = bar.extra.rsi_2[bar.at];
    stochastic_k = bar.levels.stochastic_k[bar.at];
    cci_14 = bar.levels.cci[bar.at];
    mfi_14 = bar.extra.mfi_14[bar.at];
    bollinger_percent_b = bar.percent_b();

    // Volatility: percent, and ratios of it.
    natr_14 = 100.0 * bar.levels.atr_14[bar.at] / bar.close();
    volatility_20d = bar.levels.volatility_20d[bar.at];
    volatility_ratio_20_60 = bar.levels.volatility_20d[bar.at] / bar.levels.volatility_60d[bar.at];
    true_range_atr = bar.in_atr(bar.true_range());

    // Volume.
    volume_ratio = bar.levels.volume_ratio[bar.at];
    obv_flow_20 = bar.obv_flow();
    vwap_distance_atr = bar.in_atr(bar.close() - bar.levels.vwap[bar.at]);

    // The bar itself.
    gap_atr = bar.gap_atr();
    close_location = bar.close_location();

    // Extremes.
    high_252_distance_atr = bar.in_atr(bar.close() - bar.extra.high_252[bar.at]);
    low_252_distance_atr = bar.in_atr(bar.close() - bar.extra.low_252[bar.at]);
    high_20_distance_atr = bar.in_atr(bar.close() - bar.extra.high_20[bar.at]);
    low_20_distance_atr = bar.in_atr(bar.close() - bar.extra.low_20[bar.at]);

    // Against the market and the sector.
    relative_strength_20 = bar.levels.relative_strength[bar.at];
    relative_strength_60 = bar.relative_strength_60();
    beta_60 = bar.extra.beta_60[bar.at];
    sector_momentum_20 = bar.levels.sector_momentum[bar.at];
}

/// Columns that only the model needs.
struct Extra {
    adx_14: Vec<f64>,
    aroon_25: Vec<f64>,
    rsi_2: Vec<f64>,
    mfi_14: Vec<f64>,
    high_252: Vec<f64>,
    low_252: Vec<f64>,
    high_20: Vec<f64>,
    low_20: Vec<f64>,
    beta_60: Vec<f64>,
}

impl Extra {
    fn compute(series: &Series, market: &[Day<'_>]) -> Self {
        let column = |fill: &dyn Fn(&mut [f64])| {
            let mut values = vec![f64::NAN; series.len()];
            fill(&mut values);
            values
        };
        let own = log_returns(series.total_return());
        let of_the_market: Vec<f64> = market.iter().map(|day| day.map_or(f64::NAN, |(session, _)| session.mean_return)).collect();
        Self {
            adx_14: column(&|out| adx(series, 14, out)),
            aroon_25: column(&|out| aroon_oscillator(series, 25, out)),
            rsi_2: column(&|out| rsi(series.close(), 2, out)),
            mfi_14: column(&|out| mfi(series, 14, out)),
            high_252: column(&|out| rolling_max(series.high(), 252, out)),
            low_252: column(&|out| rolling_min(series.low(), 252, out)),
            high_20: column(&|out| rolling_max(series.high(), 20, out)),
            low_20: column(&|out| rolling_min(series.low(), 20, out)),
            beta_60: column(&|out| beta(&own, &of_the_market, 60, out)),
        }
    }
}

/// One bar, with all that was computed up to it.
struct Bar<'a> {
    at: usize,
    series: &'a Series,
    levels: &'a Levels,
    extra: &'a Extra,
    day: Day<'a>,
}

impl Bar<'_> {
    fn close(&self) -> f64 {
        self.series.close()[self.at]
    }

    fn in_atr(&self, dollars: f64) -> f64 {
        dollars / self.levels.atr_14[self.at]
    }

    /// Standard deviation of a daily log return, of 60 sessions; `NaN` where the price has not moved.
    fn daily_volatility(&self) -> f64 {
        let daily = self.levels.volatility_60d[self.at] / (100.0 * crate::indicators::SESSIONS_A_YEAR.sqrt());
        if daily > LEAST_DAILY_VOLATILITY / 100.0 { daily } else { f64::NAN }
    }

    fn log_return(&self, from: usize, to: usize) -> f64 {
        if self.at < from {
            return f64::NAN;
        }
        let total_return = self.series.total_return();
        (total_return[self.at - to] / total_return[self.at - from]).ln()
    }

    fn volatility_return(&self, sessions: usize) -> f64 {
        self.log_return(sessions, 0) / (self.daily_volatility() * (sessions as f64).sqrt())
    }

    fn momentum_12_1(&self) -> f64 {
        self.log_return(252, 21) / (self.daily_volatility() * 231.0_f64.sqrt())
    }

    fn percent_b(&self) -> f64 {
        let (upper, lower) = (self.levels.bollinger_upper[self.at], self.levels.bollinger_lower[self.at]);
        (self.close() - lower) / (upper - lower)
    }

    fn previous_close(&self) -> f64 {
        self.at.checked_sub(1).map_or(f64::NAN, |previous| self.series.close()[previous])
    }

    fn true_range(&self) -> f64 {
        let (high, low, previous) = (self.series.high()[self.at], self.series.low()[self.at], self.previous_close());
        if previous.is_nan() { f64::NAN } else { high.max(previous) - low.min(previous) }
    }

    fn gap_atr(&self) -> f64 {
        self.in_atr(self.series.open()[self.at] - self.previous_close())
    }

    /// Where in its range the session closed, 0 at the low and 1 at the high.
    fn close_location(&self) -> f64 {
        let (high, low) = (self.series.high()[self.at], self.series.low()[self.at]);
        (self.close() - low) / (high - low)
    }

    /// Share of the last 20 sessions' volume that came on rising minus falling closes, −1 to 1.
    fn obv_flow(&self) -> f64 {
        if self.at < 20 {
            return f64::NAN;
        }
        let obv = &self.levels.obv;
        (obv[self.at] - obv[self.at - 20]) / (20.0 * self.levels.volume_sma_20[self.at])
    }

    fn relative_strength_60(&self) -> f64 {
        100.0 * self.log_return(60, 0).exp_m1() - self.market(|trend| trend.return_60d)
    }

    fn market(&self, value: impl FnOnce(&MarketTrend) -> f64) -> f64 {
        self.day.map_or(f64::NAN, |(_, trend)| value(trend))
    }
}

/// Single precision, as the model computes; what has no finite value there is missing.
#[expect(clippy::cast_possible_truncation, reason = "the model's inputs are f32")]
fn finite(value: f64) -> f32 {
    let single = value as f32;
    if single.is_finite() { single } else { f32::NAN }
}

pub(super) fn compute(series: &Series, levels: &Levels, market: &[Day<'_>]) -> Vec<f32> {
    let extra = Extra::compute(series, market);
    let mut matrix = Vec::with_capacity(series.len() * MODEL_FEATURE_COUNT);
    for (at, day) in market.iter().enumerate() {
        matrix.extend_from_slice(&row(&Bar { at, series, levels, extra: &extra, day: *day }));
    }
    matrix
}
