//! Orders and fills as clients see them.

use domain::{
    Date, Timestamp,
    execution::{Cut, Fee, Side, Sizing},
    money::round_half_up,
    order::{Order, OrderSize, OrderState, OrderType, Origin, TimeInForce},
    trading::{Fill, PriceBasis},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    number::{Dollars, Number, SharePrice, Shares},
    routes::vocabulary::{OrderKind, OrderStateName, OriginName, PriceBasisName, SideName, TimeInForceName},
};

/// An order and all that happened to it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Order)]
pub(crate) struct OrderBody {
    id: String,
    #[schema(example = "AAPL")]
    symbol: String,
    #[schema(value_type = SideName)]
    side: Side,
    #[schema(value_type = OrderKind)]
    r#type: &'static str,
    /// Shares wanted; null for an order in dollars.
    quantity: Option<Shares>,
    /// Dollars wanted; null for an order in shares.
    notional: Option<Dollars>,
    limit_price: Option<SharePrice>,
    stop_price: Option<SharePrice>,
    trail_percent: Option<Number>,
    #[schema(value_type = TimeInForceName)]
    time_in_force: TimeInForce,
    /// Becomes the position's target when the purchase fills.
    take_profit: Option<SharePrice>,
    /// Becomes the position's stop when the purchase fills.
    stop_loss: Option<SharePrice>,
    client_order_id: Option<String>,
    /// The signal that it follows.
    signal_id: Option<String>,
    #[schema(value_type = OriginName)]
    origin: Origin,
    #[schema(value_type = OrderStateName)]
    status: OrderState,
    /// Why it is in this state; of an open order, what it waits for.
    reason: String,
    /// The order whose place it took.
    replaces: Option<String>,
    /// The order that took its place.
    replaced_by: Option<String>,
    placed_at: Timestamp,
    updated_at: Timestamp,
    /// Last session in which it can fill; null until cancelled.
    expires_on: Option<Date>,
    filled_quantity: Shares,
    /// Volume-weighted; null until something has filled.
    avg_fill_price: Option<Number>,
    total_fees: Dollars,
    fills: Vec<FillBody>,
}

impl From<Order> for OrderBody {
    fn from(order: Order) -> Self {
        let (filled_quantity, avg_fill_price) = (order.filled_quantity(), order.average_price());
        let total_fees = order.fills.iter().map(Fill::total_fees).sum();
        let request = order.request;
        let (quantity, notional) = match request.size {
            OrderSize::Quantity(quantity) => (Some(Shares(quantity)), None),
            OrderSize::Notional(amount) => (None, Some(Dollars(amount))),
        };
        let trail_percent = match request.order_type {
            OrderType::TrailingStop { trail_percent } => Some(Number(trail_percent)),
            _ => None,
        };
        Self {
            id: order.id.0,
            symbol: request.symbol.to_string(),
            side: request.side,
            r#type: request.order_type.name(),
            quantity,
            notional,
            limit_price: request.order_type.limit_price().map(SharePrice),
            stop_price: request.order_type.stop_price().map(SharePrice),
            trail_percent,
            time_in_force: request.time_in_force,
            take_profit: request.take_profit.map(SharePrice),
            stop_loss: request.stop_loss.map(SharePrice),
            client_order_id: request.client_order_id,
            signal_id: request.signal_id,
            origin: order.origin,
            status: order.state,
            reason: order.reason,
            replaces: order.replaces.map(|id| id.0),
            replaced_by: order.replaced_by.map(|id| id.0),
            placed_at: order.placed_at,
            updated_at: order.updated_at,
            expires_on: order.expires_on,
            filled_quantity: Shares(filled_quantity),
            avg_fill_price: avg_fill_price.map(|price| Number(round_half_up(price, 4))),
            total_fees: Dollars(total_fees),
            fills: order.fills.into_iter().map(Into::into).collect(),
        }
    }
}

impl OrderBody {
    /// `buy 12 AAPL, waits for the next price`.
    pub(crate) fn in_words(order: &Order) -> String {
        let size = match order.request.size {
            OrderSize::Quantity(quantity) => quantity.to_string(),
            OrderSize::Notional(amount) => format!("{amount} dollars of"),
        };
        format!("{} {size} {}, {}", order.request.side, order.request.symbol, order.reason)
    }
}

/// Shares that changed hands, with everything that explains the price.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Fill)]
pub(crate) struct FillBody {
    pub(crate) quantity: Shares,
    /// What was paid or received for a share, slippage included.
    pub(crate) price: SharePrice,
    /// Price times quantity.
    notional: Dollars,
    executed_at: Timestamp,
    /// The observed price before slippage.
    reference_price: SharePrice,
    reference_at: Timestamp,
    /// How old that price was when it was used; auctions and levels are used at their own time.
    reference_age_seconds: i64,
    #[schema(value_type = PriceBasisName)]
    price_basis: PriceBasis,
    slippage: Slippage,
    /// What slippage cost, dollars.
    slippage_cost: Dollars,
    /// Share of the stock's average daily volume, 0 to 1.
    participation: Number,
    fees: Vec<FeeBody>,
    total_fees: Dollars,
}

impl From<Fill> for FillBody {
    fn from(fill: Fill) -> Self {
        Self {
            quantity: Shares(fill.quantity),
            price: SharePrice(fill.price),
            notional: Dollars(fill.notional()),
            executed_at: fill.executed_at,
            reference_price: SharePrice(fill.reference_price),
            reference_at: fill.reference_at,
            reference_age_seconds: fill.reference_age_seconds(),
            price_basis: fill.basis,
            slippage: Slippage {
                half_spread_bps: Number(round_half_up(fill.half_spread_bps, 4)),
                impact_bps: Number(round_half_up(fill.impact_bps, 4)),
                total_bps: Number(round_half_up(fill.slippage_bps, 4)),
            },
            slippage_cost: Dollars(fill.slippage_cost()),
            participation: Number(round_half_up(fill.participation, 9)),
            total_fees: Dollars(fill.total_fees()),
            fees: fill.fees.into_iter().map(Into::into).collect(),
        }
    }
}

/// How far the price moved against the trader, in basis points of the reference price.
#[derive(Debug, Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "units belong in names")]
pub(crate) struct Slippage {
    pub(crate) half_spread_bps: Number,
    /// Market impact.
    pub(crate) impact_bps: Number,
    pub(crate) total_bps: Number,
}

/// One cost by name.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Fee)]
pub(crate) struct FeeBody {
    #[schema(value_type = String, example = "sec-section-31")]
    name: &'static str,
    amount: Dollars,
}

impl From<Fee> for FeeBody {
    fn from(fee: Fee) -> Self {
        Self { name: fee.name.name(), amount: Dollars(fee.amount) }
    }
}

/// How the size of an order came about.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Sizing)]
pub(crate) struct SizingBody {
    quantity: Shares,
    /// Expected price of a share, slippage included.
    estimated_price: SharePrice,
    notional: Dollars,
    fees: Vec<FeeBody>,
    /// Price and fees: what leaves the cash.
    total_cost: Dollars,
    /// Every limit that made the order smaller, in the order of its application.
    limited_by: Vec<CutBody>,
}

/// One limit that made an order smaller.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Cut)]
struct CutBody {
    #[schema(value_type = String, example = "risk-budget")]
    limit: &'static str,
    from: Shares,
    to: Shares,
    detail: String,
}

impl From<Cut> for CutBody {
    fn from(cut: Cut) -> Self {
        Self { limit: cut.limit.name(), from: Shares(cut.from), to: Shares(cut.to), detail: cut.detail }
    }
}

impl From<Sizing> for SizingBody {
    fn from(sizing: Sizing) -> Self {
        Self {
            quantity: Shares(sizing.quantity),
            estimated_price: SharePrice(sizing.estimate.price),
            notional: Dollars(sizing.notional),
            total_cost: Dollars(sizing.total_cost()),
            fees: sizing.fees.into_iter().map(Into::into).collect(),
            limited_by: sizing.binding.into_iter().map(Into::into).collect(),
        }
    }
}
