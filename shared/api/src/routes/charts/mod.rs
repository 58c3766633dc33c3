//! Charts as SVG: a stock with its indicators and what was done about it, the portfolio beside the market.

mod svg;

use app::{
    charts::{Charts, PortfolioStudy, StockStudy},
    stocks::SessionRange,
};
use axum::extract::State;
use charts::{Averages, Bands, Direction, Format, Macd, Mark, PortfolioChart, StockChart, Theme, Trade};
use domain::{Date, Symbol, execution::Side, signal::SignalAction};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use self::svg::Svg;
use super::vocabulary::{SymbolName, ThemeName};
use crate::{
    clock::Now,
    extract::{AuthUser, Day, Limit, Path, Pixels, Query, date_range},
    features::AdvancedCharts,
    problem::Problem,
};

const TAG: &str = "Charts";

/// `/stocks/{symbol}/chart` and `/portfolio/chart`.
pub fn router(charts: Charts) -> OpenApiRouter {
    routes().with_state(charts)
}

pub(crate) fn routes() -> OpenApiRouter<Charts> {
    OpenApiRouter::default().routes(routes!(stock_chart)).routes(routes!(portfolio_chart))
}

type Width = Pixels<1200, 320, 2400>;
type Height = Pixels<820, 240, 1600>;

#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct StockChartQuery {
    /// First New York date.
    #[param(inline, nullable = false, example = "2023-01-03")]
    start_date: Option<Day>,
    /// Last New York date.
    #[param(inline, nullable = false, example = "2024-03-08")]
    end_date: Option<Day>,
    /// The newest so many sessions of the range.
    #[serde(default)]
    #[param(inline, required = false, value_type = Limit<126, 2600>)]
    limit: Limit<126, 2600>,
    /// In pixels.
    #[serde(default)]
    #[param(inline, required = false, value_type = Width)]
    width: Width,
    /// In pixels.
    #[serde(default)]
    #[param(inline, required = false, value_type = Height)]
    height: Height,
    /// What the chart will be seen on.
    #[serde(default)]
    #[param(inline, required = false, value_type = ThemeName)]
    theme: ThemeParameter,
}

#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct PortfolioChartQuery {
    /// First New York date.
    #[param(inline, nullable = false, example = "2023-01-03")]
    start_date: Option<Day>,
    /// Last New York date.
    #[param(inline, nullable = false, example = "2024-03-08")]
    end_date: Option<Day>,
    /// In pixels.
    #[serde(default)]
    #[param(inline, required = false, value_type = Width)]
    width: Width,
    /// In pixels.
    #[serde(default)]
    #[param(inline, required = false, value_type = Height)]
    height: Height,
    /// What the chart will be seen on.
    #[serde(default)]
    #[param(inline, required = false, value_type = ThemeName)]
    theme: ThemeParameter,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ThemeParameter {
    #[default]
    Light,
    Dark,
}

fn format(width: Width, height: Height, theme: ThemeParameter) -> Format {
    let theme = match theme {
        ThemeParameter::Light => Theme::Light,
        ThemeParameter::Dark => Theme::Dark,
    };
    Format { width: width.get(), height: height.get(), theme }
}

/// A stock as a chart
///
/// Price with Bollinger's bands and averages, volume, RSI and MACD; the model's signals (of the newest sessions where there are
/// many stocks) and your own trades are marked.
#[utoipa::path(
    get,
    path = "/stocks/{symbol}/chart",
    tag = TAG,
    params(("symbol" = inline(SymbolName), Path, description = "Ticker symbol.", example = "AAPL"), StockChartQuery),
    security(("bearer" = ["viewer"])),
    responses(
        (status = 200, description = "The chart.", body = String, content_type = "image/svg+xml"),
        (status = 304, description = "Not modified."),
        (status = 404, response = crate::docs::NotFound)
    )
)]
async fn stock_chart(
    _: AdvancedCharts,
    user: AuthUser,
    State(charts): State<Charts>,
    Now(now): Now,
    Path(symbol): Path<Symbol>,
    Query(query): Query<StockChartQuery>,
) -> Result<Svg, Problem> {
    let (start, end) = date_range(query.start_date, query.end_date)?;
    let range = SessionRange { start, end, limit: query.limit.get() };
    let study = charts.stock(&user.user_id, &symbol, range, now).await?;
    Ok(Svg(draw_stock(&study, format(query.width, query.height, query.theme))))
}

/// The portfolio as a chart
///
/// What it is worth beside the same money in all stocks, how far both are below their highs, and how much was invested.
#[utoipa::path(
    get,
    path = "/portfolio/chart",
    tag = TAG,
    params(PortfolioChartQuery),
    security(("bearer" = ["viewer"])),
    responses(
        (status = 200, description = "The chart.", body = String, content_type = "image/svg+xml"),
        (status = 304, description = "Not modified."),
        (status = 404, response = crate::docs::NotFound)
    )
)]
async fn portfolio_chart(
    _: AdvancedCharts,
    user: AuthUser,
    State(charts): State<Charts>,
    Now(now): Now,
    Query(query): Query<PortfolioChartQuery>,
) -> Result<Svg, Problem> {
    let (start, end) = date_range(query.start_date, query.end_date)?;
    let study = charts.portfolio(&user.user_id, start, end, now).await?;
    Ok(Svg(draw_portfolio(&study, format(query.width, query.height, query.theme))))
}

fn draw_stock(study: &StockStudy, format: Format) -> String {
    let range = study.range.clone();
    let (series, levels) = (&study.series, study.features.levels());
    let dates: Vec<Date> = series.dates()[range.clone()].iter().map(|date| date.date()).collect();
    let within = |session: usize| range.contains(&session).then(|| session - range.start);
    let direction = |is_buy: bool| if is_buy { Direction::Buy } else { Direction::Sell };
    let signals: Vec<Mark> = study
        .proposals
        .iter()
        .filter_map(|proposal| {
            let direction = direction(proposal.action == SignalAction::Buy);
            Some(Mark { session: within(proposal.session)?, direction, confidence: proposal.confidence })
        })
        .collect();
    let trades: Vec<Trade> = study
        .trades
        .iter()
        .filter_map(|trade| {
            Some(Trade { session: within(trade.session)?, direction: direction(trade.side == Side::Buy), price: trade.price })
        })
        .collect();
    let part = |column: &'_ [f64]| -> Vec<f64> { column[range.clone()].to_vec() };
    let chart = StockChart {
        symbol: study.company.symbol.as_str(),
        company: &study.company.name,
        dates: &dates,
        open: &part(series.open()),
        high: &part(series.high()),
        low: &part(series.low()),
        close: &part(series.close()),
        volume: &part(series.volume()),
        bands: Bands {
            upper: &part(&levels.bollinger_upper),
            middle: &part(&levels.bollinger_middle),
            lower: &part(&levels.bollinger_lower),
        },
        averages: Averages { of_50: &part(&levels.sma_50), of_200: &part(&levels.sma_200) },
        rsi: &part(&levels.rsi_14),
        macd: Macd { line: &part(&levels.macd), signal: &part(&levels.macd_signal), histogram: &part(&levels.macd_histogram) },
        signals: &signals,
        trades: &trades,
    };
    charts::stock(&chart, format)
}

fn draw_portfolio(study: &PortfolioStudy, format: Format) -> String {
    let chart = PortfolioChart {
        dates: &study.dates,
        equity: &study.equity,
        benchmark: &study.benchmark,
        drawdown: &study.drawdown,
        benchmark_drawdown: &study.benchmark_drawdown,
        invested: &study.invested,
        total_return: study.total_return,
        benchmark_return: study.benchmark_return,
    };
    charts::portfolio(&chart, format)
}
