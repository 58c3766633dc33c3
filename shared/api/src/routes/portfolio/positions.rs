//! Positions: listing, opening, exit levels, closing.

use std::sync::Arc;

use app::portfolio::{LevelsRequest, PositionFilter, PositionView};
use axum::{extract::State, http::StatusCode};
use domain::{Date, Decimal, Sector, Symbol, Timestamp, calendar::new_york_date, money::round_half_up, signal::SignalAction};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    IdempotencyHeader, PortfolioState, TAG, cause, checked_notes, ledger::TradeBody, order_dto::OrderBody, order_request::PositionRequest,
};
use crate::{
    clock::Now,
    extract::{AuthUser, Idempotent, Json, Limit, MaybeKey, Path, Query, Skip, Trader, present},
    number::{Dollars, Number, Percent, SharePrice, Shares, tidy},
    problem::Problem,
    routes::vocabulary::{Action, PositionStatus, SectorName, SymbolName},
};

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct PositionQuery {
    #[param(inline, value_type = Option<SymbolName>, nullable = false)]
    symbol: Option<Symbol>,
    #[param(inline, value_type = Option<SectorName>, nullable = false)]
    sector: Option<Sector>,
    /// Open ones unless said otherwise.
    #[serde(default)]
    #[param(inline, value_type = Option<PositionStatus>, nullable = false)]
    status: OpenOrClosed,
    #[serde(default)]
    #[param(inline, required = false, value_type = Limit<1000, 1000>)]
    limit: Limit<1000, 1000>,
    /// How many of the matches to leave out first.
    #[serde(default)]
    #[param(inline, required = false, value_type = Skip)]
    skip: Skip,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum OpenOrClosed {
    #[default]
    Open,
    Closed,
}

/// A page of positions.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PositionList {
    positions: Vec<PositionBody>,
    /// All matches, not only this page's.
    total: usize,
}

/// A holding of one stock, from the first share bought to the last one sold.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Position)]
pub(super) struct PositionBody {
    id: String,
    #[schema(example = "AAPL")]
    symbol: String,
    company: String,
    #[schema(value_type = PositionStatus)]
    status: OpenOrClosed,
    quantity: Shares,
    /// Of a share held, buying costs included; null once closed.
    avg_cost: Option<Number>,
    /// The newest price; null once closed.
    current_price: Option<SharePrice>,
    market_value: Dollars,
    unrealized_pnl: Dollars,
    unrealized_pnl_percent: Option<Percent>,
    /// Of what has been sold, costs and dividends included.
    realized_pnl: Dollars,
    dividends: Dollars,
    /// Fees of all its trades; part of the cost and of the profits already.
    fees_paid: Dollars,
    target_price: Option<SharePrice>,
    stop_loss: Option<SharePrice>,
    #[schema(value_type = Option<SectorName>)]
    sector: Option<Sector>,
    /// New York date of the first purchase.
    entry_date: Date,
    closed_at: Option<Timestamp>,
    /// The first day without trading of a delisting that closed it; else null.
    delisted_on: Option<Date>,
    notes: Option<String>,
    /// What the signal that opened it proposed.
    #[schema(value_type = Option<Action>)]
    last_signal: Option<SignalAction>,
    /// That signal's confidence, 0 to 1.
    confidence: Option<f64>,
    /// Distance from the average cost to the target over that to the stop.
    risk_reward_ratio: Option<f64>,
}

impl From<PositionView> for PositionBody {
    fn from(view: PositionView) -> Self {
        let position = &view.position;
        let (value, unrealized) = match view.price {
            Some(price) => (position.market_value(price), position.unrealized_pnl(price)),
            None => Default::default(),
        };
        let avg_cost = position.average_cost();
        Self {
            id: position.id.clone(),
            symbol: position.symbol.to_string(),
            company: view.company,
            status: if position.is_open() { OpenOrClosed::Open } else { OpenOrClosed::Closed },
            quantity: Shares(position.quantity()),
            avg_cost: avg_cost.map(|cost| Number(round_half_up(cost, 4))),
            current_price: view.price.map(SharePrice),
            market_value: Dollars(value),
            unrealized_pnl: Dollars(unrealized),
            unrealized_pnl_percent: unrealized.fraction_of(position.cost()).map(Percent::of_fraction),
            realized_pnl: Dollars(position.total_pnl()),
            dividends: Dollars(position.dividends),
            fees_paid: Dollars(position.fees),
            target_price: position.exits.target_price.map(SharePrice),
            stop_loss: position.exits.stop_loss.map(SharePrice),
            sector: view.sector,
            entry_date: new_york_date(position.opened_at),
            closed_at: position.closed_at,
            delisted_on: position.delisted_on,
            notes: position.notes.clone(),
            last_signal: view.signal.as_ref().map(|signal| signal.action),
            confidence: view.signal.as_ref().map(|signal| signal.confidence),
            risk_reward_ratio: avg_cost
                .and_then(|cost| risk_reward(cost, position.exits.target_price?.decimal(), position.exits.stop_loss?.decimal())),
        }
    }
}

fn risk_reward(entry: Decimal, target: Decimal, stop: Decimal) -> Option<f64> {
    let (reward, risk) = (target - entry, entry - stop);
    if reward <= Decimal::ZERO || risk <= Decimal::ZERO { None } else { f64::try_from(reward / risk).ok().and_then(tidy) }
}

/// A position with its trades and why it was opened.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PositionDetail {
    #[serde(flatten)]
    position: PositionBody,
    signal_id: Option<String>,
    entry_rationale: Option<String>,
    /// Newest first.
    trades: Vec<TradeBody>,
}

/// Changes to a position: a field that is absent stays as it is, null clears it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::option_option, reason = "absent, null and a value are three things")]
pub(super) struct PositionChange {
    /// Above the price: reached, it closes the position.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<SharePrice>)]
    target_price: Option<Option<SharePrice>>,
    /// Below the price: reached, it closes the position.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<SharePrice>)]
    stop_loss: Option<Option<SharePrice>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, max_length = 1000)]
    notes: Option<Option<String>>,
}

/// Positions
///
/// Open ones by symbol; closed ones the last closed first.
#[utoipa::path(
    get,
    path = "/portfolio/positions",
    tag = TAG,
    params(PositionQuery),
    security(("bearer" = ["viewer"])),
    responses((status = 200, description = "A page of the matching positions.", body = PositionList))
)]
pub(super) async fn list_positions(
    user: AuthUser,
    State(state): State<Arc<PortfolioState>>,
    Now(now): Now,
    Query(query): Query<PositionQuery>,
) -> Result<Json<PositionList>, Problem> {
    let filter = PositionFilter { symbol: query.symbol, sector: query.sector, closed: query.status == OpenOrClosed::Closed };
    let positions = state.desk.positions(&user.user_id, &filter, now).await?;
    let total = positions.len();
    let page = positions.into_iter().skip(query.skip.get()).take(query.limit.get());
    Ok(Json(PositionList { total, positions: page.map(Into::into).collect() }))
}

/// A position
#[utoipa::path(
    get,
    path = "/portfolio/positions/{id}",
    tag = TAG,
    params(("id" = String, Path, description = "The position's id.")),
    security(("bearer" = ["viewer"])),
    responses((status = 200, description = "The position, open or closed.", body = PositionDetail))
)]
pub(super) async fn get_position(
    user: AuthUser,
    State(state): State<Arc<PortfolioState>>,
    Now(now): Now,
    Path(id): Path<String>,
) -> Result<Json<PositionDetail>, Problem> {
    let (view, trades) = state.desk.position(&user.user_id, &id, now).await?;
    Ok(Json(PositionDetail {
        signal_id: view.position.signal_id.clone(),
        entry_rationale: view.signal.as_ref().map(|signal| signal.rationale.clone()),
        trades: trades.into_iter().map(Into::into).collect(),
        position: view.into(),
    }))
}

/// Open a position or add to it
///
/// By an order: a limit order when a price is given, else a market order.
#[utoipa::path(
    post,
    path = "/portfolio/positions",
    tag = TAG,
    params(IdempotencyHeader),
    request_body = PositionRequest,
    security(("bearer" = ["trader"])),
    responses(
        (status = 201, description = "The order is accepted and waits for a price.", body = OrderBody),
        (status = 404, response = crate::docs::NotFound),
        (status = 409, response = crate::docs::Conflict)
    )
)]
pub(super) async fn open_position(
    user: Trader,
    State(state): State<Arc<PortfolioState>>,
    Now(now): Now,
    Idempotent { body, key }: Idempotent<PositionRequest>,
) -> Result<(StatusCode, Json<OrderBody>), Problem> {
    let placed = state.desk.place(&user.user_id, &body.order()?, &cause(), key.as_ref(), now).await?;
    Ok((StatusCode::CREATED, Json(placed.order.into())))
}

/// Set a position's target, stop and notes
///
/// The levels act from the next observed price on.
#[utoipa::path(
    put,
    path = "/portfolio/positions/{id}",
    tag = TAG,
    params(("id" = String, Path, description = "The position's id."), IdempotencyHeader),
    request_body = PositionChange,
    security(("bearer" = ["trader"])),
    responses(
        (status = 200, description = "The position after the change.", body = PositionBody),
        (status = 409, response = crate::docs::Conflict)
    )
)]
pub(super) async fn set_levels(
    user: Trader,
    State(state): State<Arc<PortfolioState>>,
    Now(now): Now,
    Path(id): Path<String>,
    Idempotent { body, key }: Idempotent<PositionChange>,
) -> Result<Json<PositionBody>, Problem> {
    let levels = LevelsRequest {
        target_price: body.target_price.map(|level| level.map(|price| price.0)),
        stop_loss: body.stop_loss.map(|level| level.map(|price| price.0)),
        notes: body.notes.map(checked_notes).transpose()?,
    };
    Ok(Json(state.desk.set_levels(&user.user_id, &id, &levels, &cause(), key.as_ref(), now).await?.into()))
}

/// Close a position
///
/// Sells all of it at the market.
#[utoipa::path(
    delete,
    path = "/portfolio/positions/{id}",
    tag = TAG,
    params(("id" = String, Path, description = "The position's id."), IdempotencyHeader),
    security(("bearer" = ["trader"])),
    responses(
        (status = 200, description = "The order that closes it.", body = OrderBody),
        (status = 409, response = crate::docs::Conflict),
        (status = 422, response = crate::docs::InvalidInput)
    )
)]
pub(super) async fn close_position(
    user: Trader,
    State(state): State<Arc<PortfolioState>>,
    Now(now): Now,
    Path(id): Path<String>,
    MaybeKey(key): MaybeKey,
) -> Result<Json<OrderBody>, Problem> {
    Ok(Json(state.desk.close_position(&user.user_id, &id, &cause(), key.as_ref(), now).await?.into()))
}
