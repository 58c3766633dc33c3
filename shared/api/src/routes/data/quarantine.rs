//! Bars that failed the quality gate, and what an administrator decides about them.

use app::data::{QuarantineState, QuarantinedBar, Reason};
use axum::extract::State;
use domain::{Date, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{DataState, TAG};
use crate::{
    clock::Now,
    extract::{Admin, Json, Limit, Path, Query, Skip},
    number::SharePrice,
    problem::Problem,
    routes::vocabulary::{QuarantineReasonName, QuarantineStateName},
};

pub(super) fn routes() -> OpenApiRouter<DataState> {
    OpenApiRouter::default().routes(routes!(list_quarantine)).routes(routes!(release_bar)).routes(routes!(discard_bar))
}

/// A bar that failed the quality gate.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = QuarantinedBar)]
struct QuarantinedBody {
    id: String,
    /// Null for a row that names no stock.
    symbol: Option<String>,
    /// Null for a row that names no day.
    date: Option<Date>,
    /// Null, as the other prices and the volume, for a row that no bar can be made of.
    open: Option<SharePrice>,
    high: Option<SharePrice>,
    low: Option<SharePrice>,
    close: Option<SharePrice>,
    volume: Option<u64>,
    #[schema(value_type = Option<String>, example = "tiingo")]
    source: Option<&'static str>,
    /// The rule that it broke.
    #[schema(value_type = QuarantineReasonName)]
    rule: Reason,
    /// What is wrong with it, in a sentence with its numbers.
    reason: String,
    #[schema(value_type = QuarantineStateName)]
    state: QuarantineState,
    quarantined_at: Timestamp,
}

impl From<QuarantinedBar> for QuarantinedBody {
    fn from(held: QuarantinedBar) -> Self {
        let bar = held.record.map(|record| record.bar);
        Self {
            id: held.id,
            symbol: held.symbol.map(|symbol| symbol.to_string()),
            date: held.date,
            open: bar.map(|bar| SharePrice(bar.open)),
            high: bar.map(|bar| SharePrice(bar.high)),
            low: bar.map(|bar| SharePrice(bar.low)),
            close: bar.map(|bar| SharePrice(bar.close)),
            volume: bar.map(|bar| bar.volume),
            source: held.record.map(|record| record.source.name()),
            rule: held.reason,
            reason: held.detail,
            state: held.state,
            quarantined_at: held.quarantined_at,
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct QuarantineQuery {
    #[serde(default)]
    #[param(inline, required = false, value_type = Limit<1000, 1000>)]
    limit: Limit<1000, 1000>,
    /// How many to leave out first.
    #[serde(default)]
    #[param(inline, required = false, value_type = Skip)]
    skip: Skip,
}

/// A page of bars that wait for a decision.
#[derive(Debug, Serialize, ToSchema)]
struct QuarantineList {
    quarantine: Vec<QuarantinedBody>,
    /// All that wait, not only this page's.
    total: usize,
}

/// Bars in quarantine
///
/// They reach no price, no feature and no fill until they are released.
#[utoipa::path(
    get,
    path = "/data/quarantine",
    tag = TAG,
    params(QuarantineQuery),
    security(("bearer" = ["admin"])),
    responses((status = 200, description = "Bars that wait for a decision, by symbol and date.", body = QuarantineList))
)]
async fn list_quarantine(
    _: Admin,
    State(state): State<DataState>,
    Query(query): Query<QuarantineQuery>,
) -> Result<Json<QuarantineList>, Problem> {
    let held = state.data.quarantine().await?;
    let total = held.len();
    let page = held.into_iter().skip(query.skip.get()).take(query.limit.get());
    Ok(Json(QuarantineList { quarantine: page.map(QuarantinedBody::from).collect(), total }))
}

/// Release a bar
///
/// It is right after all: it joins the history, known from now on.
#[utoipa::path(
    post,
    path = "/data/quarantine/{id}/release",
    tag = TAG,
    params(("id" = String, Path)),
    security(("bearer" = ["admin"])),
    responses(
        (status = 200, description = "The released bar.", body = QuarantinedBody),
        (status = 404, description = "There is no such bar in quarantine."),
        (status = 409, description = "It was decided about before.")
    )
)]
async fn release_bar(
    _: Admin,
    State(state): State<DataState>,
    Now(now): Now,
    Path(id): Path<String>,
) -> Result<Json<QuarantinedBody>, Problem> {
    Ok(Json(state.data.release(&id, now).await?.into()))
}

/// Discard a bar
///
/// It is wrong: it stays away for good.
#[utoipa::path(
    post,
    path = "/data/quarantine/{id}/discard",
    tag = TAG,
    params(("id" = String, Path)),
    security(("bearer" = ["admin"])),
    responses(
        (status = 200, description = "The discarded bar.", body = QuarantinedBody),
        (status = 404, description = "There is no such bar in quarantine."),
        (status = 409, description = "It was decided about before.")
    )
)]
async fn discard_bar(_: Admin, State(state): State<DataState>, Path(id): Path<String>) -> Result<Json<QuarantinedBody>, Problem> {
    Ok(Json(state.data.discard(&id).await?.into()))
}
