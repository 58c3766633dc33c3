//! Placing, previewing, cancelling and listing orders.

use std::sync::Arc;

use app::{
    UseCaseError,
    portfolio::{OrderFilter, Preview},
};
use axum::{extract::State, http::StatusCode};
use domain::{
    Symbol, Timestamp,
    execution::{Side, fees},
    order::{OrderId, OrderState},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    IdempotencyHeader, PortfolioState, TAG, cause,
    order_dto::{FeeBody, OrderBody, Slippage},
    order_request::{OrderChangeBody, OrderRequestBody},
};
use crate::{
    clock::Now,
    extract::{AuthUser, Idempotent, Json, Limit, MaybeKey, Path, Query, Skip, Trader},
    number::{Dollars, Number, SharePrice, Shares},
    problem::Problem,
    refusal::sentence,
    routes::vocabulary::{OrderStateName, SymbolName},
};

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct OrderQuery {
    #[param(inline, value_type = Option<SymbolName>, nullable = false)]
    symbol: Option<Symbol>,
    #[param(inline, value_type = Option<OrderStateName>, nullable = false)]
    status: Option<OrderState>,
    #[serde(default)]
    #[param(inline, required = false, value_type = Limit<50, 1000>)]
    limit: Limit<50, 1000>,
    /// How many of the matches to leave out first.
    #[serde(default)]
    #[param(inline, required = false, value_type = Skip)]
    skip: Skip,
}

/// A page of orders.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OrderList {
    orders: Vec<OrderBody>,
    /// All matches, not only this page's.
    total: usize,
}

/// What an order would do if it filled at the newest price. Nothing is stored.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OrderPreview {
    /// Whether it would be accepted.
    accepted: bool,
    quantity: Shares,
    /// The newest price, before slippage, and its time.
    reference_price: SharePrice,
    reference_at: Timestamp,
    /// Expected price of a share, slippage included.
    estimated_price: SharePrice,
    slippage: Slippage,
    notional: Dollars,
    fees: Vec<FeeBody>,
    total_fees: Dollars,
    /// What leaves the cash, or for a sale what comes in.
    total: Dollars,
    /// Share of the stock's average daily volume, 0 to 1.
    participation: Number,
    /// The session in which it could first trade.
    trades_on: domain::Date,
    /// Every limit that is looked at for an order of this side.
    limits: Vec<LimitCheck>,
}

/// A limit, and whether the order keeps it.
#[derive(Debug, Serialize, ToSchema)]
struct LimitCheck {
    #[schema(value_type = String, example = "insufficient-cash")]
    limit: &'static str,
    met: bool,
    /// Why not, and what would help.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    detail: Option<String>,
}

/// What `domain::execution::check` looks at, by side.
const LIMITS_OF_PURCHASES: [&str; 8] = [
    "drawdown-halt",
    "daily-loss",
    "cooldown",
    "max-open-positions",
    "minimum-order",
    "insufficient-cash",
    "position-weight",
    "sector-weight",
];
const LIMITS_OF_SALES: [&str; 2] = ["exceeds-holding", "insufficient-cash"];

impl OrderPreview {
    fn new(side: Side, preview: Preview) -> Self {
        let names: &[&'static str] = if side == Side::Buy { &LIMITS_OF_PURCHASES } else { &LIMITS_OF_SALES };
        let broken = |name: &str| preview.refusals.iter().find(|refusal| refusal.name() == name);
        let limits = names
            .iter()
            .map(|&limit| LimitCheck { limit, met: broken(limit).is_none(), detail: broken(limit).map(ToString::to_string) })
            .collect();
        let total_fees = fees::total(&preview.fees);
        let total = if side == Side::Buy { preview.notional + total_fees } else { preview.notional - total_fees };
        Self {
            accepted: preview.refusals.is_empty(),
            quantity: Shares(preview.quantity),
            reference_price: SharePrice(preview.reference_price),
            reference_at: preview.reference_at,
            estimated_price: SharePrice(preview.execution.price),
            slippage: Slippage {
                half_spread_bps: Number(preview.execution.half_spread_bps.round_dp(4)),
                impact_bps: Number(preview.execution.impact_bps.round_dp(4)),
                total_bps: Number(preview.execution.total_bps.round_dp(4)),
            },
            notional: Dollars(preview.notional),
            fees: preview.fees.into_iter().map(Into::into).collect(),
            total_fees: Dollars(total_fees),
            total: Dollars(total),
            participation: Number(preview.participation.round_dp(9)),
            trades_on: preview.trades_on.date(),
            limits,
        }
    }
}

/// The symbol stands in the body: an unknown one is a wrong input, while the route exists.
fn of_order(error: UseCaseError) -> Problem {
    match &error {
        UseCaseError::UnknownSymbol(_) => Problem::refused("unknown-symbol", sentence(&error.to_string())).at("symbol", error.to_string()),
        _ => error.into(),
    }
}

/// Place an order
///
/// It fills at the first price observed after it was placed. A refusal names the limit in its `type`.
#[utoipa::path(
    post,
    path = "/portfolio/orders",
    tag = TAG,
    params(IdempotencyHeader),
    request_body = OrderRequestBody,
    security(("bearer" = ["trader"])),
    responses(
        (status = 201, description = "The order is accepted and waits for a price.", body = OrderBody),
        (status = 200, description = "A retry: the order that the client order id named the first time, as it is now.", body = OrderBody),
        (status = 409, response = crate::docs::Conflict)
    )
)]
pub(super) async fn place_order(
    user: Trader,
    State(state): State<Arc<PortfolioState>>,
    Now(now): Now,
    Idempotent { body, key }: Idempotent<OrderRequestBody>,
) -> Result<(StatusCode, Json<OrderBody>), Problem> {
    let placed = state.desk.place(&user.user_id, &body.order()?, &cause(), key.as_ref(), now).await.map_err(of_order)?;
    let status = if placed.is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(placed.order.into())))
}

/// Preview an order
///
/// Size, estimated costs each by name, limits met or broken; nothing is stored.
#[utoipa::path(
    post,
    path = "/portfolio/orders/preview",
    tag = TAG,
    request_body = OrderRequestBody,
    security(("bearer" = ["trader"])),
    responses(
        (status = 200, description = "What would happen.", body = OrderPreview)
    )
)]
pub(super) async fn preview_order(
    user: Trader,
    State(state): State<Arc<PortfolioState>>,
    Now(now): Now,
    Json(body): Json<OrderRequestBody>,
) -> Result<Json<OrderPreview>, Problem> {
    let order = body.order()?;
    let preview = state.desk.preview(&user.user_id, &order, now).await.map_err(of_order)?;
    Ok(Json(OrderPreview::new(order.side, preview)))
}

/// Orders
///
/// Newest first.
#[utoipa::path(
    get,
    path = "/portfolio/orders",
    tag = TAG,
    params(OrderQuery),
    security(("bearer" = ["viewer"])),
    responses((status = 200, description = "A page of the matching orders.", body = OrderList))
)]
pub(super) async fn list_orders(
    user: AuthUser,
    State(state): State<Arc<PortfolioState>>,
    Query(query): Query<OrderQuery>,
) -> Result<Json<OrderList>, Problem> {
    let filter = OrderFilter { symbol: query.symbol, state: query.status };
    let (orders, total) = state.desk.orders(&user.user_id, &filter, query.skip.get(), query.limit.get()).await?;
    Ok(Json(OrderList { orders: orders.into_iter().map(Into::into).collect(), total }))
}

/// An order
#[utoipa::path(
    get,
    path = "/portfolio/orders/{id}",
    tag = TAG,
    params(("id" = String, Path, description = "The order's id.")),
    security(("bearer" = ["viewer"])),
    responses((status = 200, description = "The order and its fills.", body = OrderBody))
)]
pub(super) async fn get_order(
    user: AuthUser,
    State(state): State<Arc<PortfolioState>>,
    Path(id): Path<String>,
) -> Result<Json<OrderBody>, Problem> {
    Ok(Json(state.desk.order(&user.user_id, &OrderId(id)).await?.into()))
}

/// Replace an order
///
/// The open order ends as `replaced` and another one takes its place, with all checks of a placed order. Only prices observed after
/// the replacement can fill it; what the replaced one has filled stays its own, and the replacing one is for the rest.
#[utoipa::path(
    put,
    path = "/portfolio/orders/{id}",
    tag = TAG,
    params(("id" = String, Path, description = "The order's id."), IdempotencyHeader),
    request_body = OrderChangeBody,
    security(("bearer" = ["trader"])),
    responses(
        (status = 200, description = "The replacing order.", body = OrderBody),
        (status = 409, response = crate::docs::Conflict)
    )
)]
pub(super) async fn replace_order(
    user: Trader,
    State(state): State<Arc<PortfolioState>>,
    Now(now): Now,
    Path(id): Path<String>,
    Idempotent { body, key }: Idempotent<OrderChangeBody>,
) -> Result<Json<OrderBody>, Problem> {
    Ok(Json(state.desk.replace(&user.user_id, &OrderId(id), &body.change()?, &cause(), key.as_ref(), now).await?.into()))
}

/// Cancel an order
///
/// What has not filled yet is cancelled; 409 when nothing is left to cancel.
#[utoipa::path(
    delete,
    path = "/portfolio/orders/{id}",
    tag = TAG,
    params(("id" = String, Path, description = "The order's id."), IdempotencyHeader),
    security(("bearer" = ["trader"])),
    responses(
        (status = 200, description = "The cancelled order.", body = OrderBody),
        (status = 409, response = crate::docs::Conflict)
    )
)]
pub(super) async fn cancel_order(
    user: Trader,
    State(state): State<Arc<PortfolioState>>,
    Now(now): Now,
    Path(id): Path<String>,
    MaybeKey(key): MaybeKey,
) -> Result<Json<OrderBody>, Problem> {
    Ok(Json(state.desk.cancel(&user.user_id, &OrderId(id), &cause(), key.as_ref(), now).await?.into()))
}
