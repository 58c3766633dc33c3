//! What the portfolio is worth, where the money is, and how it has done.

use std::sync::Arc;

use app::portfolio::{Allocation, Performance, PerformancePoint, Period, Slice, Summary};
use axum::extract::State;
use domain::{Date, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, de};
use utoipa::{IntoParams, ToSchema};

use super::{PortfolioState, TAG};
use crate::{
    clock::Now,
    extract::{AuthUser, Json, Query},
    number::{Dollars, Percent, percent, tidy},
    problem::Problem,
    routes::vocabulary::PeriodName,
};

/// The portfolio in one screen; null where nothing can be said yet.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PortfolioSummary {
    /// Cash and everything held.
    total_value: Dollars,
    cash_balance: Dollars,
    /// Market value of all positions and dividends to come.
    invested_value: Dollars,
    /// Total value less what was paid in: realised, unrealised and dividends together. Fees are in the first two.
    total_pnl: Dollars,
    total_pnl_percent: Option<Percent>,
    /// Since the close of the session before.
    day_pnl: Dollars,
    day_pnl_percent: Option<Percent>,
    /// Of what was sold: proceeds less selling fees, less cost with its buying fees.
    realized_pnl: Dollars,
    /// Of what is held: market value less cost with its buying fees.
    unrealized_pnl: Dollars,
    /// Earned, paid or not.
    dividends: Dollars,
    /// All fees so far; they are in realised and unrealised P&L already.
    fees_paid: Dollars,
    /// Executed fills.
    total_trades: u64,
    /// Positions closed with a profit.
    winning_trades: u64,
    losing_trades: u64,
    /// Winning ones among closed positions, percent.
    win_rate: Option<Percent>,
    /// Annualised.
    sharpe_ratio: Option<f64>,
    /// Percent of the peak.
    max_drawdown: Option<f64>,
    /// Annualised, percent.
    volatility: Option<f64>,
    as_of: Timestamp,
    /// The oldest of the prices that positions are valued at.
    prices_as_of: Option<Timestamp>,
}

impl From<Summary> for PortfolioSummary {
    fn from(summary: Summary) -> Self {
        // These two come in percent; four decimals of it are enough.
        let rounded = |value: Option<f64>| value.and_then(|value| percent(value / 100.0));
        Self {
            total_value: Dollars(summary.total_value),
            cash_balance: Dollars(summary.cash_balance),
            invested_value: Dollars(summary.invested_value),
            total_pnl: Dollars(summary.total_pnl),
            total_pnl_percent: summary.total_pnl_percent.map(Percent::new),
            day_pnl: Dollars(summary.day_pnl),
            day_pnl_percent: summary.day_pnl_percent.map(Percent::new),
            realized_pnl: Dollars(summary.realized_pnl),
            unrealized_pnl: Dollars(summary.unrealized_pnl),
            dividends: Dollars(summary.dividends),
            fees_paid: Dollars(summary.fees_paid),
            total_trades: summary.total_trades,
            winning_trades: summary.winning_trades,
            losing_trades: summary.losing_trades,
            win_rate: summary.win_rate.map(Percent::new),
            sharpe_ratio: summary.sharpe_ratio.and_then(tidy),
            max_drawdown: rounded(summary.max_drawdown),
            volatility: rounded(summary.volatility),
            as_of: summary.as_of,
            prices_as_of: summary.prices_as_of,
        }
    }
}

/// Where the money is; cash is a row of its own and percentages sum to 100 in each breakdown.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Allocation)]
#[expect(clippy::struct_field_names, reason = "the names are the contract's")]
pub(super) struct AllocationBody {
    by_sector: Vec<SectorSlice>,
    by_market_cap: Vec<CapSlice>,
    by_asset: Vec<AssetSlice>,
}

macro_rules! slice {
    ($($name:ident { $label:ident: $example:literal })*) => {$(
        /// One part of the portfolio.
        #[derive(Debug, Serialize, ToSchema)]
        struct $name {
            #[schema(example = $example)]
            $label: String,
            value: Dollars,
            percentage: Percent,
        }

        impl From<Slice> for $name {
            fn from(slice: Slice) -> Self {
                Self { $label: slice.name, value: Dollars(slice.value), percentage: Percent::new(slice.percentage) }
            }
        }
    )*};
}

slice! {
    SectorSlice { sector: "Information Technology" }
    CapSlice { category: "Mega Cap" }
    AssetSlice { symbol: "AAPL" }
}

impl From<Allocation> for AllocationBody {
    fn from(allocation: Allocation) -> Self {
        Self {
            by_sector: allocation.by_sector.into_iter().map(Into::into).collect(),
            by_market_cap: allocation.by_market_cap.into_iter().map(Into::into).collect(),
            by_asset: allocation.by_asset.into_iter().map(Into::into).collect(),
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct PerformanceQuery {
    /// How far back to look.
    #[serde(default)]
    #[param(inline, value_type = Option<PeriodName>, nullable = false)]
    period: PeriodParameter,
}

#[derive(Debug, Clone, Copy)]
struct PeriodParameter(Period);

impl Default for PeriodParameter {
    fn default() -> Self {
        Self(Period::Month)
    }
}

impl<'de> Deserialize<'de> for PeriodParameter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let period = Period::ALL.into_iter().find(|period| period.name() == text);
        period.map(Self).ok_or_else(|| de::Error::custom(format_args!("must be one of {}", Period::ALL.map(Period::name).join(", "))))
    }
}

/// Returns over time, deposits apart; rates and returns in percent.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PortfolioPerformance {
    #[schema(value_type = PeriodName)]
    period: &'static str,
    /// Oldest first: the value at each close and at present.
    performance: Vec<Point>,
    total_return: Option<f64>,
    annualized_return: Option<f64>,
    volatility: Option<f64>,
    /// The deepest fall of the compounded returns below an earlier high.
    max_drawdown: Option<f64>,
    /// When that high was, when the lowest value after it, and when the high was reached again.
    max_drawdown_peak_date: Option<Date>,
    max_drawdown_trough_date: Option<Date>,
    max_drawdown_recovery_date: Option<Date>,
    /// Mean daily return above the risk-free rate over its deviation, annualised.
    sharpe_ratio: Option<f64>,
    sortino_ratio: Option<f64>,
    calmar_ratio: Option<f64>,
    /// Over closed positions, for the whole life of the portfolio.
    win_rate: Option<f64>,
    /// Profits over losses of closed positions.
    profit_factor: Option<f64>,
    /// Mean share of the value that was invested.
    exposure: Option<f64>,
    /// Half of what was bought and sold over the mean value.
    turnover: Option<f64>,
    /// What the Sharpe and Sortino ratios count from, a year.
    risk_free_rate: Option<f64>,
    benchmark: Benchmark,
}

/// The value at one session's close, or at present.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PerformancePoint)]
struct Point {
    date: Date,
    value: Dollars,
    /// Gain or loss since the point before.
    pnl: Dollars,
}

impl From<PerformancePoint> for Point {
    fn from(point: PerformancePoint) -> Self {
        Self { date: point.date, value: Dollars(point.value), pnl: Dollars(point.pnl) }
    }
}

/// What the market did meanwhile.
#[derive(Debug, Serialize, ToSchema)]
struct Benchmark {
    /// `EQUAL_WEIGHT`: all stocks of the data in equal weights.
    #[schema(value_type = String, example = "EQUAL_WEIGHT")]
    symbol: &'static str,
    total_return: Option<f64>,
    /// The portfolio's total return less the benchmark's.
    excess_return: Option<f64>,
    /// How much the portfolio's returns move with the benchmark's.
    beta: Option<f64>,
}

impl From<Performance> for PortfolioPerformance {
    fn from(performance: Performance) -> Self {
        let drawdown = performance.max_drawdown;
        // What never fell has no dates.
        let fall = drawdown.filter(|drawdown| drawdown.depth > 0.0);
        Self {
            period: performance.period.name(),
            performance: performance.points.into_iter().map(Into::into).collect(),
            total_return: performance.total_return.and_then(percent),
            annualized_return: performance.annualized_return.and_then(percent),
            volatility: performance.volatility.and_then(percent),
            max_drawdown: drawdown.and_then(|fall| percent(fall.depth)),
            max_drawdown_peak_date: fall.map(|fall| fall.peak),
            max_drawdown_trough_date: fall.map(|fall| fall.trough),
            max_drawdown_recovery_date: fall.and_then(|fall| fall.recovered),
            sharpe_ratio: performance.sharpe_ratio.and_then(tidy),
            sortino_ratio: performance.sortino_ratio.and_then(tidy),
            calmar_ratio: performance.calmar_ratio.and_then(tidy),
            win_rate: performance.win_rate.and_then(percent),
            profit_factor: performance.profit_factor.and_then(tidy),
            exposure: performance.exposure.and_then(percent),
            turnover: performance.turnover.and_then(percent),
            risk_free_rate: percent(performance.risk_free_rate),
            benchmark: Benchmark {
                symbol: "EQUAL_WEIGHT",
                total_return: performance.benchmark_return.and_then(percent),
                excess_return: performance.excess_return.and_then(percent),
                beta: performance.beta.and_then(tidy),
            },
        }
    }
}

/// The portfolio in one screen
#[utoipa::path(
    get,
    path = "/portfolio/summary",
    tag = TAG,
    security(("bearer" = ["viewer"])),
    responses((status = 200, description = "Value, profit and loss, and risk.", body = PortfolioSummary))
)]
pub(super) async fn portfolio_summary(
    user: AuthUser,
    State(state): State<Arc<PortfolioState>>,
    Now(now): Now,
) -> Result<Json<PortfolioSummary>, Problem> {
    Ok(Json(state.desk.summary(&user.user_id, now).await?.into()))
}

/// Where the money is
#[utoipa::path(
    get,
    path = "/portfolio/allocation",
    tag = TAG,
    security(("bearer" = ["viewer"])),
    responses((status = 200, description = "By sector, by size of company and by stock.", body = AllocationBody))
)]
pub(super) async fn allocation(
    user: AuthUser,
    State(state): State<Arc<PortfolioState>>,
    Now(now): Now,
) -> Result<Json<AllocationBody>, Problem> {
    Ok(Json(state.desk.allocation(&user.user_id, now).await?.into()))
}

/// How the portfolio has done
#[utoipa::path(
    get,
    path = "/portfolio/performance",
    tag = TAG,
    params(PerformanceQuery),
    security(("bearer" = ["viewer"])),
    responses((status = 200, description = "The curve, returns and ratios.", body = PortfolioPerformance))
)]
pub(super) async fn portfolio_performance(
    user: AuthUser,
    State(state): State<Arc<PortfolioState>>,
    Now(now): Now,
    Query(query): Query<PerformanceQuery>,
) -> Result<Json<PortfolioPerformance>, Problem> {
    Ok(Json(state.desk.performance(&user.user_id, query.period.0, now).await?.into()))
}
