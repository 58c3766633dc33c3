//! Health, metrics and the documentation.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use axum::{
    body::Bytes,
    extract::{FromRef, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::Timestamp;
use futures::future::{join_all, try_join_all};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    clock::{Now, WallNow},
    extract::Query,
    metrics::{self, MetricsSource},
    problem::Problem,
    recent::Recent,
};

/// A check that takes longer counts as failed.
const CHECK_LIMIT: Duration = Duration::from_secs(2);
/// Below what a request may take.
const DEEP_CHECK_LIMIT: Duration = Duration::from_secs(25);
/// Anybody may ask, and nobody is counted: whoever asks within this time gets the last answer.
const PLAIN_LIFE: Duration = Duration::from_secs(1);

/// How much a check may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Milliseconds: for probes that come every few seconds.
    Plain,
    /// Seconds: for people who look for a fault.
    Deep,
}

impl Depth {
    fn limit(self) -> Duration {
        match self {
            Self::Plain => CHECK_LIMIT,
            Self::Deep => DEEP_CHECK_LIMIT,
        }
    }
}

/// What a part, or the whole, can do at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    Healthy,
    /// Something is missing or old; the rest serves.
    Degraded,
    Unhealthy,
}

/// One thing that this process depends on and can really try.
#[async_trait]
pub trait HealthCheck: Send + Sync {
    fn name(&self) -> &'static str;

    /// The state and a sentence about it.
    async fn check(&self, now: Timestamp, depth: Depth) -> (Health, String);
}

/// What the system routes tell about.
pub struct SystemState {
    /// The program's version.
    pub version: &'static str,
    pub checks: Vec<Arc<dyn HealthCheck>>,
    /// Added up for `/metrics`.
    pub metrics: Vec<Arc<dyn MetricsSource>>,
}

/// What the routes work with.
#[derive(Clone, FromRef)]
pub(crate) struct Asked {
    system: Arc<SystemState>,
    last: Arc<Recent<Checked>>,
}

/// An answer about the health.
#[derive(Debug, Clone)]
struct Checked {
    code: StatusCode,
    body: Bytes,
}

/// `/health` and `/metrics`.
pub fn router(system: SystemState) -> OpenApiRouter {
    routes().with_state(Asked { system: Arc::new(system), last: Arc::new(Recent::new(PLAIN_LIFE)) })
}

pub(crate) fn routes() -> OpenApiRouter<Asked> {
    OpenApiRouter::default().routes(routes!(health)).routes(routes!(prometheus_metrics))
}

/// The state of the whole and of its parts.
#[derive(Debug, Serialize, ToSchema)]
struct HealthBody {
    /// The worst of the checks.
    status: Health,
    /// When it was found, by the wall's clock, also in a replay.
    timestamp: Timestamp,
    #[schema(value_type = String)]
    version: &'static str,
    #[schema(value_type = BTreeMap<String, CheckBody>)]
    checks: BTreeMap<&'static str, CheckBody>,
}

/// The state of one part.
#[derive(Debug, Serialize, ToSchema)]
struct CheckBody {
    status: Health,
    detail: String,
    /// How long the check took, in milliseconds.
    latency_ms: f64,
}

#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct HealthQuery {
    /// Also what takes seconds: every price history is read. Asked for again within a minute, the answer may be the same.
    #[serde(default)]
    #[param(required = false, default = false)]
    deep: bool,
}

/// Health
///
/// Tries what this process depends on. Asked for again within a second, the answer is the same.
#[utoipa::path(
    get,
    path = "/health",
    tag = "System",
    params(HealthQuery),
    responses(
        (status = 200, description = "It serves; degraded parts are named.", body = HealthBody),
        (status = 503, description = "It cannot serve.", body = HealthBody)
    )
)]
async fn health(
    State(Asked { system, last }): State<Asked>,
    Now(now): Now,
    WallNow(wall): WallNow,
    Query(query): Query<HealthQuery>,
) -> Result<Response, Problem> {
    let checked = if query.deep {
        check(&system, Depth::Deep, now, wall).await?
    } else {
        last.get_or(check(&system, Depth::Plain, now, wall)).await?
    };
    Ok(checked.into_response())
}

async fn check(system: &SystemState, depth: Depth, now: Timestamp, wall: Timestamp) -> Result<Checked, Problem> {
    let checks: BTreeMap<_, _> = join_all(system.checks.iter().map(|check| run(&**check, now, depth))).await.into_iter().collect();
    let status = checks.values().map(|check| check.status).max().unwrap_or(Health::Healthy);
    let code = if status == Health::Unhealthy { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    let body = HealthBody { status, timestamp: wall, version: system.version, checks };
    let body = serde_json::to_vec(&body).map_err(|error| Problem::internal(&error))?.into();
    Ok(Checked { code, body })
}

impl IntoResponse for Checked {
    fn into_response(self) -> Response {
        (self.code, [(header::CONTENT_TYPE, "application/json")], self.body).into_response()
    }
}

async fn run(check: &dyn HealthCheck, now: Timestamp, depth: Depth) -> (&'static str, CheckBody) {
    let started = Instant::now();
    let limit = depth.limit();
    let (status, detail) = tokio::time::timeout(limit, check.check(now, depth))
        .await
        .unwrap_or_else(|_| (Health::Unhealthy, format!("no answer within {} s", limit.as_secs())));
    let latency_ms = (started.elapsed().as_secs_f64() * 1e6).round() / 1e3;
    (check.name(), CheckBody { status, detail, latency_ms })
}

/// Metrics
///
/// In Prometheus' text format, over all running copies: whichever copy is asked, its counters are the sums.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "System",
    responses(
        (status = 200, description = "Prometheus text format 0.0.4.", body = String, content_type = "text/plain"),
        (status = 503, response = crate::docs::Unavailable)
    )
)]
async fn prometheus_metrics(State(state): State<Arc<SystemState>>, Now(now): Now, WallNow(wall): WallNow) -> Result<Response, Problem> {
    let families = try_join_all(state.metrics.iter().map(|source| source.families(now, wall))).await?;
    let text = metrics::encode(&metrics::merge(families.into_iter().flatten()));
    Ok(([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response())
}
