//! What the model proposes, why, and how its proposals turned out.

mod dto;
mod model;

use std::sync::Arc;

use app::{
    auth::Auth,
    portfolio::{Appetite, DecisionRequest, Desk},
    ports::{DecisionKind, ModelCards},
    signals::{SignalFilter, Signals},
};
use axum::{
    extract::{FromRef, State},
    http::Uri,
    response::{IntoResponse, Response},
};
use domain::{
    Sector, Symbol,
    signal::{Signal, SignalAction, SignalId, SignalStatus},
};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use self::dto::{DecisionAnswer, SignalDecision, SignalDetail, SignalList, SignalPerformance};
use super::{
    portfolio::{IdempotencyHeader, cause, checked_notes},
    vocabulary::{Action, SectorName, Status, SymbolName},
};
use crate::{
    answers::{Answers, Said, Same},
    clock::Now,
    extract::{AuthUser, Day, Fraction, Idempotent, Json, Limit, Path, Query, Skip, Trader},
    features::FeatureFlags,
    problem::{FieldError, Problem},
};

const TAG: &str = "Signals";

/// What the routes of signals work with; an accepted signal becomes an order, sized by the user's profile.
pub struct SignalsState {
    pub signals: Signals,
    pub desk: Desk,
    pub auth: Arc<Auth>,
    pub cards: Arc<dyn ModelCards>,
}

/// The routes under `/signals`.
pub fn router(state: SignalsState) -> OpenApiRouter {
    routes().with_state(Known { state: Arc::new(state), lists: Arc::new(Answers::new(1 << 20)) })
}

/// What the routes were given, and the lists that everybody was shown who had decided nothing.
#[derive(Clone, FromRef)]
pub(crate) struct Known {
    state: Arc<SignalsState>,
    lists: Arc<Answers<Vec<Same<Vec<Signal>>>>>,
}

pub(crate) fn routes() -> OpenApiRouter<Known> {
    OpenApiRouter::default()
        .routes(routes!(list_signals))
        .routes(routes!(signal_performance))
        .routes(routes!(model::get_model))
        .routes(routes!(get_signal))
        .routes(routes!(decide_signal))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct SignalQuery {
    #[param(inline, value_type = Option<SymbolName>, nullable = false)]
    symbol: Option<Symbol>,
    #[param(inline, value_type = Option<Action>, nullable = false)]
    action: Option<SignalAction>,
    #[param(inline, nullable = false)]
    confidence_min: Option<Fraction>,
    #[param(inline, nullable = false)]
    confidence_max: Option<Fraction>,
    #[param(inline, value_type = Option<SectorName>, nullable = false)]
    sector: Option<Sector>,
    #[param(inline, value_type = Option<Status>, nullable = false)]
    status: Option<SignalStatus>,
    /// The session whose close the signals were made after; without it, those of the last 30 sessions.
    #[param(inline, nullable = false)]
    date: Option<Day>,
    #[serde(default)]
    #[param(inline, required = false, value_type = Limit<50, 1000>)]
    limit: Limit<50, 1000>,
    /// How many of the matches to leave out first.
    #[serde(default)]
    #[param(inline, required = false, value_type = Skip)]
    skip: Skip,
}

/// Signals
///
/// The newest date first, within a date by falling confidence.
#[utoipa::path(
    get,
    path = "/signals",
    tag = TAG,
    params(SignalQuery),
    security(("bearer" = ["viewer"])),
    responses((status = 200, description = "A page of the matching signals.", body = SignalList))
)]
async fn list_signals(
    user: AuthUser,
    State(Known { state, lists }): State<Known>,
    Now(now): Now,
    Query(query): Query<SignalQuery>,
    uri: Uri,
) -> Result<Response, Problem> {
    if query.confidence_min > query.confidence_max && query.confidence_max.is_some() {
        return Err(Problem::unusable("confidence_min", "is above confidence_max"));
    }
    let filter = SignalFilter {
        symbol: query.symbol,
        action: query.action,
        confidence_min: query.confidence_min.map(|confidence| confidence.0),
        confidence_max: query.confidence_max.map(|confidence| confidence.0),
        sector: query.sector,
        status: query.status,
    };
    let board = state.signals.board(&user.user_id, query.date.map(|day| day.0), now).await?;
    let page = || {
        let (signals, total) = board.page(&filter, query.skip.get(), query.limit.get());
        SignalList { signals: signals.iter().map(Into::into).collect(), total }
    };
    if !board.is_undecided() {
        return Ok(Json(page()).into_response());
    }
    let shown = board.days().iter().map(Same::as_of).collect();
    let compute = async { Ok(Said { body: page(), until: Some(board.unchanged_until()) }) };
    Ok(lists.give(&uri, shown, now, compute).await?.into_response())
}

/// A signal with everything that explains it
#[utoipa::path(
    get,
    path = "/signals/{id}",
    tag = TAG,
    params(("id" = String, Path, description = "The signal's id.")),
    security(("bearer" = ["viewer"])),
    responses((status = 200, description = "The signal.", body = SignalDetail))
)]
async fn get_signal(
    user: AuthUser,
    features: FeatureFlags,
    State(state): State<Arc<SignalsState>>,
    Now(now): Now,
    Path(id): Path<String>,
) -> Result<Json<SignalDetail>, Problem> {
    let explained = state.signals.explain(&user.user_id, &known_id(&id)?, now).await?;
    Ok(Json(SignalDetail::new(explained, features)))
}

/// Accept, reject or ignore a signal
///
/// Accepting places an order, sized by the risk budget unless a quantity is given, with the signal's target and stop.
#[utoipa::path(
    post,
    path = "/signals/{id}/action",
    tag = TAG,
    params(("id" = String, Path, description = "The signal's id."), IdempotencyHeader),
    request_body = SignalDecision,
    security(("bearer" = ["trader"])),
    responses(
        (status = 200, description = "The decision is recorded; an acceptance has placed the order.", body = DecisionAnswer),
        (status = 409, response = crate::docs::Conflict)
    )
)]
async fn decide_signal(
    user: Trader,
    State(state): State<Arc<SignalsState>>,
    Now(now): Now,
    Path(id): Path<String>,
    Idempotent { body, key }: Idempotent<SignalDecision>,
) -> Result<Json<DecisionAnswer>, Problem> {
    let signal = known_id(&id)?;
    let notes = checked_notes(body.notes)?;
    if body.quantity.is_some() && body.action != DecisionKind::Accept {
        return Err(Problem::invalid_inputs(vec![FieldError::new("quantity", "belongs to accept only")]));
    }
    let profile = state.auth.user(&user.user_id).await?.profile;
    let request = DecisionRequest {
        signal,
        kind: body.action,
        quantity: body.quantity.map(|shares| shares.0),
        notes: notes.clone(),
        appetite: Appetite { profile: profile.risk_tolerance, max_position_size: profile.max_position_size },
    };
    let acceptance = state.desk.decide(&user.user_id, &request, &cause(), key.as_ref(), now).await?;
    Ok(Json(DecisionAnswer::new(id, body.action, notes, acceptance)))
}

/// How good the signals were
///
/// Computed from what really happened afterwards.
#[utoipa::path(
    get,
    path = "/signals/performance/summary",
    tag = TAG,
    security(("bearer" = ["viewer"])),
    responses((status = 200, description = "Rates, returns and reliability.", body = SignalPerformance))
)]
async fn signal_performance(
    _: AuthUser,
    features: FeatureFlags,
    State(state): State<Arc<SignalsState>>,
    Now(now): Now,
) -> Result<Json<SignalPerformance>, Problem> {
    Ok(Json(SignalPerformance::new(state.signals.performance(now).await?, features)))
}

/// Ids are opaque to clients: what is not one names nothing.
fn known_id(id: &str) -> Result<SignalId, Problem> {
    id.parse().map_err(|_| Problem::not_found("There is no such signal."))
}
