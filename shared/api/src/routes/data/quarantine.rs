//! Bars that failed the quality gate, and what an administrator decides about them.

use app::data::{QuarantineState, QuarantinedBar};
use axum::extract::State;
use domain::{Timestamp, TradingDate};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{DataState, TAG};
use crate::{
    clock::Now,
    extract::{Admin, Json, Path},
    number::SharePrice,
    problem::Problem,
    routes::vocabulary::QuarantineStateName,
};

pub(super) fn routes() -> OpenApiRouter<DataState> {
    OpenApiRouter::default().routes(routes!(list_quarantine)).routes(routes!(release_bar)).routes(routes!(discard_bar))
}

/// A bar that failed the quality gate.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = QuarantinedBar)]
struct QuarantinedBody {
    id: String,
    symbol: String,
    #[schema(value_type = String, format = Date)]
    date: TradingDate,
    open: SharePrice,
    high: SharePrice,
    low: SharePrice,
    close: SharePrice,
    volume: u64,
    #[schema(value_type = String, example = "tiingo")]
    source: &'static str,
    /// What is wrong with it.
    reason: String,
    #[schema(value_type = QuarantineStateName)]
    state: QuarantineState,
    quarantined_at: Timestamp,
}

impl From<QuarantinedBar> for QuarantinedBody {
    fn from(held: QuarantinedBar) -> Self {
        let bar = held.record.bar;
        Self {
            id: held.id,
            symbol: held.symbol.to_string(),
            date: bar.date,
            open: SharePrice(bar.open),
            high: SharePrice(bar.high),
            low: SharePrice(bar.low),
            close: SharePrice(bar.close),
            volume: bar.volume,
            source: held.record.source.name(),
            reason: held.reason,
            state: held.state,
            quarantined_at: held.quarantined_at,
        }
    }
}

/// Bars that wait for a decision.
#[derive(Debug, Serialize, ToSchema)]
struct QuarantineList {
    quarantine: Vec<QuarantinedBody>,
    total: usize,
}

/// Bars in quarantine
///
/// They reach no price, no feature and no fill until they are released.
#[utoipa::path(
    get,
    path = "/data/quarantine",
    tag = TAG,
    security(("bearer" = ["admin"])),
    responses((status = 200, description = "Bars that wait for a decision, by symbol and date.", body = QuarantineList))
)]
async fn list_quarantine(_: Admin, State(state): State<DataState>) -> Result<Json<QuarantineList>, Problem> {
    let quarantine: Vec<QuarantinedBody> = state.data.quarantine().await?.into_iter().map(QuarantinedBody::from).collect();
    Ok(Json(QuarantineList { total: quarantine.len(), quarantine }))
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
