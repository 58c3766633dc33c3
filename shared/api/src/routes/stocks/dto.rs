//! Bodies of the Stocks routes.

use analysis::FeatureRow;
use app::stocks::{LatestPrice, PriceRow};
use domain::{Company, Date, Sector, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    number::{Dollars, Number, SharePrice, tidy},
    routes::vocabulary::{Regime, SectorName},
};

/// A page of companies.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct StockList {
    pub(super) stocks: Vec<Stock>,
    /// All matches, not only this page's.
    pub(super) total: usize,
}

/// A listed company.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Stock {
    /// The same as the symbol.
    #[schema(example = "AAPL")]
    id: String,
    #[schema(example = "AAPL")]
    symbol: String,
    #[schema(example = "Apple Inc.")]
    name: String,
    #[schema(value_type = Option<SectorName>)]
    sector: Option<Sector>,
    industry: Option<String>,
    /// Newest known market capitalisation; null where it is not known.
    market_cap: Option<Dollars>,
    /// ISO 4217.
    #[schema(example = "USD")]
    currency: String,
    /// ISO 10383 code of the primary listing.
    #[schema(example = "XNAS")]
    exchange: Option<String>,
    /// ISO 3166-1 alpha-2.
    #[schema(example = "US")]
    country: Option<String>,
    /// Inactive stocks keep their history but get no signals and no orders.
    is_active: bool,
}

impl From<Company> for Stock {
    fn from(company: Company) -> Self {
        Self {
            id: company.symbol.to_string(),
            symbol: company.symbol.to_string(),
            name: company.name,
            sector: company.sector,
            industry: company.industry,
            market_cap: company.market_cap.map(Dollars),
            currency: company.currency,
            exchange: company.exchange,
            country: company.country,
            is_active: company.is_active,
        }
    }
}

/// The sectors that have stocks.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SectorList {
    pub(super) sectors: Vec<String>,
    pub(super) count: usize,
}

/// The industries that have stocks.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct IndustryList {
    pub(super) industries: Vec<String>,
    pub(super) count: usize,
}

/// Sessions of one stock, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PriceList {
    pub(super) symbol: String,
    pub(super) prices: Vec<PriceBar>,
    pub(super) count: usize,
}

/// One session of a stock.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PriceBar {
    date: Date,
    open: Number,
    high: Number,
    low: Number,
    close: Number,
    /// Shares.
    volume: u64,
    /// The close adjusted for splits, spin-offs and dividends.
    adjusted_close: Number,
    /// The volume adjusted for splits.
    adjusted_volume: u64,
    /// Who reported the bar.
    #[schema(value_type = String, example = "polygon")]
    source: &'static str,
    /// Since when this version of the bar has been known.
    known_at: Timestamp,
}

impl From<PriceRow> for PriceBar {
    fn from(row: PriceRow) -> Self {
        Self {
            date: row.date.date(),
            open: Number(row.open),
            high: Number(row.high),
            low: Number(row.low),
            close: Number(row.close),
            volume: row.volume,
            adjusted_close: Number(row.adjusted_close),
            adjusted_volume: row.adjusted_volume,
            source: row.source.name(),
            known_at: row.known_at,
        }
    }
}

/// The newest bar of a stock and, while the market is open and there is a feed, its last price.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LatestBar {
    symbol: String,
    #[serde(flatten)]
    bar: PriceBar,
    /// Since when this bar has been known.
    as_of: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    last_price: Option<SharePrice>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    last_price_at: Option<Timestamp>,
}

impl LatestBar {
    pub(super) fn new(symbol: String, latest: LatestPrice) -> Self {
        let (last_price, last_price_at) = latest.last.map(|(price, at)| (SharePrice(price), at)).unzip();
        Self { symbol, bar: latest.row.into(), as_of: latest.known_at, last_price, last_price_at }
    }
}

/// Indicators of one stock, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FeatureList {
    pub(super) symbol: String,
    pub(super) features: Vec<Features>,
    pub(super) count: usize,
}

/// The row of indicators: the names and meanings are those of [`FeatureRow`].
macro_rules! features {
    ($($(#[$doc:meta])+ $name:ident,)+) => {
        /// One session's indicators; null while an indicator warms up.
        #[derive(Debug, Serialize, ToSchema)]
        pub(super) struct Features {
            date: Date,
            $($(#[$doc])+ $name: Option<f64>,)+
            /// The state of the whole market.
            #[schema(value_type = Option<Regime>)]
            market_regime: Option<&'static str>,
        }

        impl From<FeatureRow> for Features {
            fn from(row: FeatureRow) -> Self {
                Self {
                    date: row.date.date(),
                    $($name: row.$name.and_then(tidy),)+
                    market_regime: row.market_regime.map(analysis::MarketRegime::name),
                }
            }
        }
    };
}

features! {
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
    /// Williams %R of 14 sessions, -100 to 0.
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
