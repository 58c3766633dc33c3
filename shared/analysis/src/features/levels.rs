//! The indicators of `stocks/{symbol}/features`, as people read them.

use domain::{Sector, TradingDate};
use serde::{Deserialize, Serialize};

use crate::indicators::{
    atr, bollinger, cci, ema, macd, obv, price_change, rsi, sma, stochastic, volatility, volume_ratio, vwap, williams_r,
};
use crate::market::{MarketTrend, Session};
use crate::{MarketContext, MarketRegime, Series};

/// Sessions of the rolling volume-weighted average price.
const VWAP_SESSIONS: usize = 20;
/// Sessions of relative strength.
const MOMENTUM_SESSIONS: usize = crate::market::MOMENTUM_SESSIONS;

/// Declares the columns once: their vectors, their names and the row that leaves the crate.
macro_rules! level_columns {
    ($($(#[doc = $doc:literal])+ $name:ident,)+) => {
        /// One column an indicator, one value a session, `NaN` where missing.
        #[derive(Debug, Clone)]
        pub struct Levels {
            $($(#[doc = $doc])+ pub $name: Vec<f64>,)+
        }

        /// The names of the columns of [`Levels`].
        pub const LEVEL_NAMES: &[&str] = &[$(stringify!($name)),+];

        /// One session's indicators; `None` while an indicator warms up or where it has no value.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        pub struct FeatureRow {
            pub date: TradingDate,
            $($(#[doc = $doc])+ pub $name: Option<f64>,)+
            pub market_regime: Option<MarketRegime>,
        }

        impl Levels {
            fn missing(sessions: usize) -> Self {
                Self { $($name: vec![f64::NAN; sessions],)+ }
            }

            /// A column by its name in [`LEVEL_NAMES`].
            pub fn column(&self, name: &str) -> Option<&[f64]> {
                match name {
                    $(stringify!($name) => Some(&self.$name),)+
                    _ => None,
                }
            }

            pub(super) fn row(&self, index: usize, date: TradingDate, market_regime: Option<MarketRegime>) -> FeatureRow {
                FeatureRow { date, $($name: present(self.$name[index]),)+ market_regime }
            }
        }
    };
}

level_columns! {
    /// Simple average of 20 closes, dollars.
    sma_20,
    /// Simple average of 50 closes, dollars.
    sma_50,
    /// Simple average of 200 closes, dollars.
    sma_200,
    /// Exponential average of 12 closes, dollars.
    ema_12,
    /// Exponential average of 26 closes, dollars.
    ema_26,
    /// Wilder's relative strength index of 14 sessions, 0 to 100.
    rsi_14,
    /// MACD (12, 26), dollars.
    macd,
    /// Nine-session exponential average of the MACD, dollars.
    macd_signal,
    /// MACD minus its signal, dollars.
    macd_histogram,
    /// Bollinger's upper band (20 sessions, two standard deviations), dollars.
    bollinger_upper,
    /// Bollinger's middle band, dollars.
    bollinger_middle,
    /// Bollinger's lower band, dollars.
    bollinger_lower,
    /// Wilder's average true range of 14 sessions, dollars.
    atr_14,
    /// Slow stochastic %K (14, 3), 0 to 100.
    stochastic_k,
    /// Slow stochastic %D (3), 0 to 100.
    stochastic_d,
    /// Williams %R of 14 sessions, −100 to 0.
    williams_r,
    /// Commodity channel index of 14 sessions.
    cci,
    /// On-balance volume since the first stored session, shares.
    obv,
    /// Volume-weighted typical price of 20 sessions, dollars.
    vwap,
    /// Simple average of 20 sessions' volume, shares.
    volume_sma_20,
    /// Volume over its 20-session average.
    volume_ratio,
    /// Change of the close over 1 session, percent.
    price_change_1d,
    /// Change of the close over 5 sessions, percent.
    price_change_5d,
    /// Change of the close over 20 sessions, percent.
    price_change_20d,
    /// Change of the close over 60 sessions, percent.
    price_change_60d,
    /// Annualised volatility of 20 daily log total returns, percent.
    volatility_20d,
    /// Annualised volatility of 60 daily log total returns, percent.
    volatility_60d,
    /// Equal-weight return of the stock's sector over 20 sessions, percent.
    sector_momentum,
    /// The stock's total return over 20 sessions minus the equal-weight market's, percentage points.
    relative_strength,
}

fn present(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

/// `ln(value / previous value)`, `NaN` on the first bar.
pub(super) fn log_returns(values: &[f64]) -> Vec<f64> {
    std::iter::once(f64::NAN).chain(values.windows(2).map(|pair| (pair[1] / pair[0]).ln())).take(values.len()).collect()
}

impl Levels {
    pub(super) fn compute(series: &Series, market: &[Option<(&Session, &MarketTrend)>], sector: Option<Sector>) -> Self {
        let close = series.close();
        let mut levels = Self::missing(series.len());
        sma(close, 20, &mut levels.sma_20);
        sma(close, 50, &mut levels.sma_50);
        sma(close, 200, &mut levels.sma_200);
        ema(close, 12, &mut levels.ema_12);
        ema(close, 26, &mut levels.ema_26);
        rsi(close, 14, &mut levels.rsi_14);
        macd(close, &mut levels.macd, &mut levels.macd_signal, &mut levels.macd_histogram);
        bollinger(close, &mut levels.bollinger_upper, &mut levels.bollinger_middle, &mut levels.bollinger_lower);
        atr(series, 14, &mut levels.atr_14);
        stochastic(series, &mut levels.stochastic_k, &mut levels.stochastic_d);
        williams_r(series, 14, &mut levels.williams_r);
        cci(series, 14, &mut levels.cci);
        obv(series, &mut levels.obv);
        vwap(series, VWAP_SESSIONS, &mut levels.vwap);
        sma(series.volume(), 20, &mut levels.volume_sma_20);
        volume_ratio(series.volume(), &levels.volume_sma_20, &mut levels.volume_ratio);
        price_change(close, 1, &mut levels.price_change_1d);
        price_change(close, 5, &mut levels.price_change_5d);
        price_change(close, 20, &mut levels.price_change_20d);
        price_change(close, 60, &mut levels.price_change_60d);
        let returns = log_returns(series.total_return());
        volatility(&returns, 20, &mut levels.volatility_20d);
        volatility(&returns, 60, &mut levels.volatility_60d);
        levels.against_the_market(series.total_return(), market, sector);
        levels
    }

    fn against_the_market(&mut self, total_return: &[f64], market: &[Option<(&Session, &MarketTrend)>], sector: Option<Sector>) {
        for (bar, day) in market.iter().enumerate() {
            let Some((_, trend)) = day else { continue };
            self.sector_momentum[bar] = MarketContext::sector_momentum(trend, sector);
            if bar >= MOMENTUM_SESSIONS {
                let own = 100.0 * (total_return[bar] / total_return[bar - MOMENTUM_SESSIONS] - 1.0);
                self.relative_strength[bar] = own - trend.return_20d;
            }
        }
    }
}
