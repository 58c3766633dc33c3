//! Bringing market data in, and how that went.

mod background;
mod dto;
mod quarantine;

use std::sync::Arc;

use app::{
    data::{Data, IngestJob},
    stocks::{StockFilter, Stocks},
};
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use domain::Timestamp;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

pub use self::background::{Background, InProcess};
use self::dto::{DataStatusBody, RunBody, RunList, RunStarted, SymbolList, SymbolsBody};
use crate::{
    cached::Cached,
    clock::Now,
    extract::{Admin, AuthUser, Json, Limit, Path, Query, SearchText},
    features::FeatureFlags,
    problem::Problem,
};

const TAG: &str = "Data";

/// What is configured here.
#[derive(Debug, Clone, Copy, Default)]
pub struct DataSettings {
    pub polygon_api_configured: bool,
    pub tiingo_api_configured: bool,
}

/// What the routes of data work with.
#[derive(Clone)]
pub struct DataState {
    pub data: Data,
    pub stocks: Stocks,
    pub background: Arc<dyn Background>,
    pub settings: DataSettings,
}

/// The routes under `/data`.
pub fn router(state: DataState) -> OpenApiRouter {
    routes().with_state(state)
}

pub(crate) fn routes() -> OpenApiRouter<DataState> {
    OpenApiRouter::default()
        .routes(routes!(ingest_stocks))
        .routes(routes!(ingest_scheduled))
        .routes(routes!(ingest_stock_list))
        .routes(routes!(list_runs))
        .routes(routes!(get_run))
        .merge(quarantine::routes())
        .routes(routes!(available_symbols))
        .routes(routes!(data_status))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct IngestQuery {
    /// Answer at once and run on; else answer when the run has finished, where no gateway gives up before.
    #[serde(default = "yes")]
    #[param(required = false, default = true)]
    background: bool,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct IngestStocksQuery {
    /// Calendar days.
    #[serde(default)]
    #[param(inline, required = false, value_type = Limit<365, 20_000>)]
    days_back: Limit<365, 20_000>,
    /// Answer at once and run on; else answer when the run has finished, where no gateway gives up before.
    #[serde(default = "yes")]
    #[param(required = false, default = true)]
    background: bool,
}

fn yes() -> bool {
    true
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct RunsQuery {
    #[serde(default)]
    #[param(inline, required = false, value_type = Limit<20, 100>)]
    limit: Limit<20, 100>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct SymbolsQuery {
    #[serde(default)]
    #[param(inline, required = false, value_type = Limit<100, 1000>)]
    limit: Limit<100, 1000>,
    /// Part of the symbol or of the name, in any case.
    #[param(inline, nullable = false)]
    search: Option<SearchText>,
}

/// 202 with the run to come, or 200 with the finished one where that is wanted and can be.
async fn ingest(state: &DataState, job: IngestJob, in_background: bool, now: Timestamp) -> Result<Response, Problem> {
    if !in_background && state.background.can_wait() {
        return Ok(Json(RunBody::from(job.run(&state.data, now, &|_, _| {}).await?)).into_response());
    }
    let run = job.start(now);
    state.data.announce(&run).await?;
    let run_id = run.id;
    let (symbols, days_back) = match &job {
        IngestJob::Stocks { symbols, days_back } => (Some(symbols.iter().map(ToString::to_string).collect()), Some(*days_back)),
        IngestJob::Scheduled | IngestJob::StockList => (None, None),
    };
    state.background.start(job, now).await?;
    let message = format!("The ingestion is running; GET data/runs/{run_id} tells how far it has come.");
    Ok((StatusCode::ACCEPTED, Json(RunStarted { message, run_id, symbols, days_back })).into_response())
}

/// Ingest chosen stocks
#[utoipa::path(
    post,
    path = "/data/ingest/stocks",
    tag = TAG,
    params(IngestStocksQuery),
    request_body = SymbolsBody,
    security(("bearer" = ["admin"])),
    responses(
        (status = 200, description = "The finished run, with `background=false`, where the server can wait for it.", body = RunBody),
        (status = 202, description = "The run has been started.", body = RunStarted)
    )
)]
async fn ingest_stocks(
    _: Admin,
    State(state): State<DataState>,
    Now(now): Now,
    Query(query): Query<IngestStocksQuery>,
    Json(SymbolsBody(symbols)): Json<SymbolsBody>,
) -> Result<Response, Problem> {
    let days_back = u32::try_from(query.days_back.get()).unwrap_or(u32::MAX);
    ingest(&state, IngestJob::Stocks { symbols, days_back }, query.background, now).await
}

/// Ingest all active stocks
///
/// The daily run.
#[utoipa::path(
    post,
    path = "/data/ingest/scheduled",
    tag = TAG,
    params(IngestQuery),
    security(("bearer" = ["admin"])),
    responses(
        (status = 200, description = "The finished run, with `background=false`, where the server can wait for it.", body = RunBody),
        (status = 202, description = "The run has been started.", body = RunStarted)
    )
)]
async fn ingest_scheduled(
    _: Admin,
    State(state): State<DataState>,
    Now(now): Now,
    Query(query): Query<IngestQuery>,
) -> Result<Response, Problem> {
    ingest(&state, IngestJob::Scheduled, query.background, now).await
}

/// Ingest the list of companies
#[utoipa::path(
    post,
    path = "/data/ingest/stock-list",
    tag = TAG,
    params(IngestQuery),
    security(("bearer" = ["admin"])),
    responses(
        (status = 200, description = "The finished run, with `background=false`, where the server can wait for it.", body = RunBody),
        (status = 202, description = "The run has been started.", body = RunStarted)
    )
)]
async fn ingest_stock_list(
    _: Admin,
    State(state): State<DataState>,
    Now(now): Now,
    Query(query): Query<IngestQuery>,
) -> Result<Response, Problem> {
    ingest(&state, IngestJob::StockList, query.background, now).await
}

/// Ingestion runs
///
/// Newest first.
#[utoipa::path(
    get,
    path = "/data/runs",
    tag = TAG,
    params(RunsQuery),
    security(("bearer" = ["admin"])),
    responses((status = 200, description = "The newest runs.", body = RunList))
)]
async fn list_runs(_: Admin, State(state): State<DataState>, Query(query): Query<RunsQuery>) -> Result<Json<RunList>, Problem> {
    let runs: Vec<RunBody> = state.data.runs(query.limit.get()).await?.into_iter().map(Into::into).collect();
    Ok(Json(RunList { count: runs.len(), runs }))
}

/// An ingestion run
#[utoipa::path(
    get,
    path = "/data/runs/{run_id}",
    tag = TAG,
    params(("run_id" = String, Path, description = "The run's id.")),
    security(("bearer" = ["admin"])),
    responses((status = 200, description = "How far it has come.", body = RunBody))
)]
async fn get_run(_: Admin, State(state): State<DataState>, Path(id): Path<String>) -> Result<Json<RunBody>, Problem> {
    Ok(Json(state.data.run(&id).await?.into()))
}

/// Symbols that there is data for
#[utoipa::path(
    get,
    path = "/data/symbols/available",
    tag = TAG,
    params(SymbolsQuery),
    security(("bearer" = ["viewer"])),
    responses((status = 200, description = "Sorted.", body = SymbolList), (status = 304, description = "Not modified."))
)]
async fn available_symbols(
    _: AuthUser,
    State(state): State<DataState>,
    Query(query): Query<SymbolsQuery>,
) -> Result<Cached<SymbolList>, Problem> {
    let filter = StockFilter { sector: None, search: query.search.map(|text| text.0) };
    let companies = state.stocks.all().await?;
    let (page, _) = filter.page(&companies, 0, query.limit.get());
    let symbols: Vec<String> = page.into_iter().map(|company| company.symbol.to_string()).collect();
    Ok(Cached(SymbolList { count: symbols.len(), symbols }))
}

/// How fresh the data is
#[utoipa::path(
    get,
    path = "/data/status",
    tag = TAG,
    security(("bearer" = ["viewer"])),
    responses((status = 200, description = "Freshness and configuration.", body = DataStatusBody))
)]
async fn data_status(
    _: AuthUser,
    features: FeatureFlags,
    State(state): State<DataState>,
    Now(now): Now,
) -> Result<Json<DataStatusBody>, Problem> {
    let status = state.data.status(now).await?;
    let DataSettings { polygon_api_configured, tiingo_api_configured } = state.settings;
    Ok(Json(DataStatusBody {
        service: "operational",
        source: status.vendor.name(),
        polygon_api_configured,
        tiingo_api_configured,
        last_ingestion: status.last_ingestion,
        latest_bar_date: status.latest_bar_date,
        newest_bar_age_sessions: status.age.map(|age| age.sessions),
        newest_bar_age_hours: status.age.map(|age| age.hours),
        symbols: status.symbols,
        features,
    }))
}
