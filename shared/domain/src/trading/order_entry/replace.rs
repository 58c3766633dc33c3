//! Replacing an open order by another one: the same checks as for placing it, as if the replaced one were gone.

use rust_decimal::Decimal;

use super::{OrderRefusal, accepted, admit};
use crate::{
    order::{Order, OrderChange, OrderId, OrderRequest, OrderSize, OrderType, Origin},
    trading::{event::Event, journal::Journal, market_view::MarketView, rules::TradingRules},
};

/// Replaces the open order `id` by one that differs from it in `change`; the two name each other. Only prices observed from now on
/// can fill it. `None` when there is no such open order.
pub fn replace(
    journal: &mut Journal,
    id: &OrderId,
    change: &OrderChange,
    market: &MarketView,
    rules: &TradingRules,
) -> Result<Option<Order>, OrderRefusal> {
    let Some(replaced) = journal.portfolio().order(id).cloned() else { return Ok(None) };
    if !matches!(replaced.origin, Origin::User | Origin::Automatic) {
        return Err(OrderRefusal::NotReplaceable("that closes a position at its exit"));
    }
    let request = changed(&replaced, change)?;

    let mut without = journal.portfolio().clone();
    without.orders.retain(|order| order.id != *id);
    let reason = admit(journal, Some(&without), &request, market, rules)?;
    let keeps_its_stop = request.order_type.stop_price() == replaced.request.order_type.stop_price();
    let order = Order {
        replaces: Some(id.clone()),
        triggered: replaced.triggered && keeps_its_stop,
        best_price: replaced.best_price,
        ..accepted(journal, request, replaced.origin, reason, journal.at())
    };
    journal.record(Event::OrderReplaced { order_id: id.clone(), order: order.clone() });
    Ok(Some(order))
}

/// What the replacing order asks for: the rest of the replaced one, with the changes.
fn changed(replaced: &Order, change: &OrderChange) -> Result<OrderRequest, OrderRefusal> {
    let OrderSize::Quantity(ordered) = replaced.request.size else {
        return Err(OrderRefusal::NotReplaceable("in dollars"));
    };
    let (quantity, filled) = (change.quantity.unwrap_or(ordered), replaced.filled_quantity());
    let rest = quantity.checked_sub(filled).filter(|rest| !rest.is_zero());
    Ok(OrderRequest {
        size: OrderSize::Quantity(rest.ok_or(OrderRefusal::NothingLeft { filled, quantity })?),
        order_type: changed_type(replaced.request.order_type, change)?,
        time_in_force: change.time_in_force.unwrap_or(replaced.request.time_in_force),
        client_order_id: change.client_order_id.clone(),
        ..replaced.request.clone()
    })
}

/// The type stays, its prices may change; a price that the type does not have is refused.
fn changed_type(order_type: OrderType, change: &OrderChange) -> Result<OrderType, OrderRefusal> {
    let OrderChange { limit_price, stop_price, trail_percent, .. } = *change;
    let trail = match order_type {
        OrderType::TrailingStop { trail_percent } => Some(trail_percent),
        _ => None,
    };
    without_meaning("limit_price", limit_price.is_some() && order_type.limit_price().is_none(), order_type)?;
    without_meaning("stop_price", stop_price.is_some() && order_type.stop_price().is_none(), order_type)?;
    without_meaning("trail_percent", trail_percent.is_some() && trail.is_none(), order_type)?;
    Ok(match order_type {
        OrderType::Market => OrderType::Market,
        OrderType::Limit { limit_price: old } => OrderType::Limit { limit_price: limit_price.unwrap_or(old) },
        OrderType::Stop { stop_price: old } => OrderType::Stop { stop_price: stop_price.unwrap_or(old) },
        OrderType::StopLimit { stop_price: old_stop, limit_price: old_limit } => {
            OrderType::StopLimit { stop_price: stop_price.unwrap_or(old_stop), limit_price: limit_price.unwrap_or(old_limit) }
        }
        OrderType::TrailingStop { trail_percent: old } => {
            let trail_percent: Decimal = trail_percent.unwrap_or(old);
            OrderType::TrailingStop { trail_percent }
        }
    })
}

fn without_meaning(field: &'static str, is_given: bool, order_type: OrderType) -> Result<(), OrderRefusal> {
    if is_given {
        return Err(OrderRefusal::Level { field, detail: format!("has no meaning in a {} order", order_type.name()) });
    }
    Ok(())
}
