//! Companies, their prices and their indicators.

mod dto;

use std::sync::Arc;

use app::stocks::{SessionRange, StockFilter, Stocks};
use axum::{
    extract::{FromRef, State},
    http::Uri,
    response::Response,
};
use domain::{Company, Sector, Symbol, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use self::dto::{FeatureList, IndustryList, LatestBar, PriceList, SectorList, StockList};
use super::vocabulary::{SectorName, SymbolName};
use crate::{
    answers::{Answers, Said, Same},
    cached::{self, Cached},
    clock::Now,
    extract::{AuthUser, Day, Instant, Limit, Path, Query, SearchText, Skip, date_range},
    features::FeatureFlags,
    problem::Problem,
};

const TAG: &str = "Stocks";

/// The routes under `/stocks`.
pub fn router(stocks: Stocks) -> OpenApiRouter {
    let answers = KeptAnswers { of_stocks: Answers::new(8 << 20), of_lists: Answers::new(1 << 20) };
    routes().with_state(StocksState { stocks: Arc::new(stocks), answers: Arc::new(answers) })
}

/// What the routes of stocks work with.
#[derive(Clone, FromRef)]
pub(crate) struct StocksState {
    stocks: Arc<Stocks>,
    answers: Arc<KeptAnswers>,
}

struct KeptAnswers {
    /// By what names the states of all that is told of one stock.
    of_stocks: Answers<String>,
    of_lists: Answers<Same<Vec<Company>>>,
}

impl KeptAnswers {
    /// The answer to `uri`, which asks for something of one stock as known at `then`.
    async fn about_stock<T: Serialize>(
        &self,
        stocks: &Stocks,
        uri: &Uri,
        symbol: &Symbol,
        then: Timestamp,
        compute: impl Future<Output = Result<T, Problem>>,
    ) -> Result<Response, Problem> {
        let state = stocks.state(symbol).await?;
        let compute = async {
            let (body, until) = (compute.await?, stocks.unchanged_until(symbol, then).await?);
            // Data that changed meanwhile is in the answer or not: it is given, and not kept.
            let is_unchanged = stocks.state(symbol).await? == state;
            Ok(Said { body, until: is_unchanged.then_some(until) })
        };
        Ok(cached::answer(self.of_stocks.give(uri, state.clone(), then, compute).await?))
    }
}

pub(crate) fn routes() -> OpenApiRouter<StocksState> {
    OpenApiRouter::default()
        .routes(routes!(list_stocks))
        .routes(routes!(list_sectors))
        .routes(routes!(list_industries))
        .routes(routes!(get_prices))
        .routes(routes!(get_features))
        .routes(routes!(get_latest))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct StockQuery {
    #[serde(default)]
    #[param(inline, required = false, value_type = Limit<100, 1000>)]
    limit: Limit<100, 1000>,
    /// How many of the matches to leave out first.
    #[serde(default)]
    #[param(inline, required = false, value_type = Skip)]
    skip: Skip,
    #[param(inline, value_type = Option<SectorName>, nullable = false)]
    sector: Option<Sector>,
    /// Part of the symbol or of the name, in any case.
    #[param(inline, nullable = false, example = "apple")]
    search: Option<SearchText>,
}

#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct RangeQuery {
    /// First New York date.
    #[param(inline, nullable = false, example = "2024-01-02")]
    start_date: Option<Day>,
    /// Last New York date.
    #[param(inline, nullable = false, example = "2024-03-08")]
    end_date: Option<Day>,
    /// The newest so many sessions of the range.
    #[serde(default)]
    #[param(inline, required = false, value_type = Limit<365, 10_000>)]
    limit: Limit<365, 10_000>,
    /// Only what was known at this instant: bars and events that came later, and corrections made since, do not count.
    #[param(inline, nullable = false, example = "2022-01-03T22:00:00Z")]
    known_at: Option<Instant>,
}

#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct PriceQuery {
    /// First New York date.
    #[param(inline, nullable = false, example = "2024-01-02")]
    start_date: Option<Day>,
    /// Last New York date.
    #[param(inline, nullable = false, example = "2024-03-08")]
    end_date: Option<Day>,
    /// The newest so many sessions of the range.
    #[serde(default)]
    #[param(inline, required = false, value_type = Limit<365, 10_000>)]
    limit: Limit<365, 10_000>,
    /// Prices on the share basis of the newest date, else as they traded.
    #[serde(default = "yes")]
    #[param(required = false, default = true)]
    adjusted: bool,
    /// Only what was known at this instant: bars and events that came later, and corrections made since, do not count.
    #[param(inline, nullable = false, example = "2022-01-03T22:00:00Z")]
    known_at: Option<Instant>,
}

fn yes() -> bool {
    true
}

impl PriceQuery {
    fn range(self) -> RangeQuery {
        RangeQuery { start_date: self.start_date, end_date: self.end_date, limit: self.limit, known_at: self.known_at }
    }
}

impl RangeQuery {
    fn sessions(self) -> Result<SessionRange, Problem> {
        let (start, end) = date_range(self.start_date, self.end_date)?;
        Ok(SessionRange { start, end, limit: self.limit.get() })
    }
}

/// The instant that is asked about: none lies in the future.
fn then(known_at: Option<Instant>, now: Timestamp) -> Result<Timestamp, Problem> {
    match known_at {
        Some(Instant(then)) if then > now => Err(Problem::unusable("known_at", format!("{then} is still to come"))),
        then => Ok(then.map_or(now, |Instant(then)| then)),
    }
}

/// Companies
///
/// By symbol.
#[utoipa::path(
    get,
    path = "/stocks",
    tag = TAG,
    params(StockQuery),
    security(("bearer" = ["viewer"])),
    responses((status = 200, description = "A page of the matching companies.", body = StockList), (status = 304, description = "Not modified."))
)]
async fn list_stocks(
    _: AuthUser,
    State(StocksState { stocks, answers }): State<StocksState>,
    Now(now): Now,
    Query(query): Query<StockQuery>,
    uri: Uri,
) -> Result<Response, Problem> {
    let companies = stocks.all().await?;
    let compute = async {
        let filter = StockFilter { sector: query.sector, search: query.search.map(|text| text.0) };
        let (page, total) = filter.page(&companies, query.skip.get(), query.limit.get());
        Ok(Said { body: StockList { stocks: page.into_iter().cloned().map(Into::into).collect(), total }, until: Some(Timestamp::MAX) })
    };
    Ok(cached::answer(answers.of_lists.give(&uri, Same::as_of(&companies), now, compute).await?))
}

/// Sectors that have stocks
#[utoipa::path(
    get,
    path = "/stocks/sectors",
    tag = TAG,
    security(("bearer" = ["viewer"])),
    responses((status = 200, description = "Names, sorted.", body = SectorList), (status = 304, description = "Not modified."))
)]
async fn list_sectors(_: AuthUser, State(stocks): State<Arc<Stocks>>) -> Result<Cached<SectorList>, Problem> {
    let sectors = stocks.sectors().await?;
    Ok(Cached(SectorList { count: sectors.len(), sectors }))
}

/// Industries that have stocks
#[utoipa::path(
    get,
    path = "/stocks/industries",
    tag = TAG,
    security(("bearer" = ["viewer"])),
    responses((status = 200, description = "Names, sorted.", body = IndustryList), (status = 304, description = "Not modified."))
)]
async fn list_industries(_: AuthUser, State(stocks): State<Arc<Stocks>>) -> Result<Cached<IndustryList>, Problem> {
    let industries = stocks.industries().await?;
    Ok(Cached(IndustryList { count: industries.len(), industries }))
}

/// Prices of a stock
///
/// End-of-day bars, newest first, as far as they are known by now.
#[utoipa::path(
    get,
    path = "/stocks/{symbol}/prices",
    tag = TAG,
    params(("symbol" = inline(SymbolName), Path, description = "Ticker symbol.", example = "AAPL"), PriceQuery),
    security(("bearer" = ["viewer"])),
    responses((status = 200, description = "The sessions of the range.", body = PriceList), (status = 304, description = "Not modified."))
)]
async fn get_prices(
    _: AuthUser,
    State(StocksState { stocks, answers }): State<StocksState>,
    Now(now): Now,
    Path(symbol): Path<Symbol>,
    Query(query): Query<PriceQuery>,
    uri: Uri,
) -> Result<Response, Problem> {
    let (range, then) = (query.range().sessions()?, then(query.known_at, now)?);
    let compute = async {
        let rows = stocks.prices(&symbol, range, query.adjusted, then).await?;
        Ok(PriceList { symbol: symbol.to_string(), count: rows.len(), prices: rows.into_iter().rev().map(Into::into).collect() })
    };
    answers.about_stock(&stocks, &uri, &symbol, then, compute).await
}

/// Indicators of a stock
///
/// Newest first; on the share basis of the newest of them.
#[utoipa::path(
    get,
    path = "/stocks/{symbol}/features",
    tag = TAG,
    params(("symbol" = inline(SymbolName), Path, description = "Ticker symbol.", example = "AAPL"), RangeQuery),
    security(("bearer" = ["viewer"])),
    responses((status = 200, description = "The sessions of the range.", body = FeatureList), (status = 304, description = "Not modified."))
)]
async fn get_features(
    _: AuthUser,
    State(StocksState { stocks, answers }): State<StocksState>,
    Now(now): Now,
    Path(symbol): Path<Symbol>,
    Query(query): Query<RangeQuery>,
    uri: Uri,
) -> Result<Response, Problem> {
    let (range, then) = (query.sessions()?, then(query.known_at, now)?);
    let compute = async {
        let rows = stocks.features(&symbol, range, then).await?;
        Ok(FeatureList { symbol: symbol.to_string(), count: rows.len(), features: rows.into_iter().rev().map(Into::into).collect() })
    };
    answers.about_stock(&stocks, &uri, &symbol, then, compute).await
}

/// The newest bar of a stock
#[utoipa::path(
    get,
    path = "/stocks/{symbol}/latest",
    tag = TAG,
    params(("symbol" = inline(SymbolName), Path, description = "Ticker symbol.", example = "AAPL")),
    security(("bearer" = ["viewer"])),
    responses((status = 200, description = "As traded.", body = LatestBar), (status = 304, description = "Not modified."))
)]
async fn get_latest(
    _: AuthUser,
    features: FeatureFlags,
    State(stocks): State<Arc<Stocks>>,
    Now(now): Now,
    Path(symbol): Path<Symbol>,
) -> Result<Cached<LatestBar>, Problem> {
    let latest = stocks.latest(&symbol, features.real_time_data, now).await?;
    Ok(Cached(LatestBar::new(symbol.to_string(), latest)))
}
