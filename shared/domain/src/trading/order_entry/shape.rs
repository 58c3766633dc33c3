//! Whether an order makes sense in itself and against the newest price.

use rust_decimal::Decimal;

use super::OrderRefusal;
use crate::{
    Money, Price,
    execution::Side,
    order::{OrderRequest, OrderSize, OrderType, TimeInForce},
    trading::market_view::StockView,
};

pub(super) fn check_shape(request: &OrderRequest, stock: &StockView) -> Result<(), OrderRefusal> {
    let is_plain = request.order_type == OrderType::Market && request.time_in_force == TimeInForce::Day;
    let needs_fractions = match request.size {
        OrderSize::Quantity(quantity) if quantity.is_zero() => return Err(OrderRefusal::NothingOrdered),
        OrderSize::Quantity(quantity) => !quantity.is_whole(),
        OrderSize::Notional(amount) if amount <= Money::ZERO => return Err(OrderRefusal::NothingOrdered),
        OrderSize::Notional(_) => true,
    };
    if needs_fractions && !is_plain {
        return Err(OrderRefusal::FractionalOrder);
    }
    if let OrderType::TrailingStop { trail_percent } = request.order_type
        && !(Decimal::new(1, 1)..=Decimal::from(50)).contains(&trail_percent)
    {
        return Err(OrderRefusal::Level { field: "trail_percent", detail: format!("{trail_percent} is not between 0.1 and 50 percent") });
    }
    check_bracket(request, stock)
}

/// A target must lie above and a stop below the price at which the purchase is expected.
fn check_bracket(request: &OrderRequest, stock: &StockView) -> Result<(), OrderRefusal> {
    let entry = expected_reference(request, stock);
    if request.side == Side::Sell && (request.take_profit.is_some() || request.stop_loss.is_some()) {
        return Err(OrderRefusal::Level {
            field: "take_profit",
            detail: "targets and stops belong to purchases: the account is long only".into(),
        });
    }
    if let Some(target) = request.take_profit
        && target <= entry
    {
        return Err(OrderRefusal::Level { field: "take_profit", detail: format!("{target} is not above the entry at {entry}") });
    }
    if let Some(stop) = request.stop_loss
        && stop >= entry
    {
        return Err(OrderRefusal::Level { field: "stop_loss", detail: format!("{stop} is not below the entry at {entry}") });
    }
    Ok(())
}

/// Around which price the order would trade: its own level where that is worse than the market.
pub(super) fn expected_reference(request: &OrderRequest, stock: &StockView) -> Price {
    let last = stock.last_price;
    match (request.order_type, request.side) {
        (OrderType::Limit { limit_price }, Side::Buy) => limit_price.min(last),
        (OrderType::Limit { limit_price }, Side::Sell) => limit_price.max(last),
        (OrderType::Stop { stop_price } | OrderType::StopLimit { stop_price, .. }, Side::Buy) => stop_price.max(last),
        (OrderType::Stop { stop_price } | OrderType::StopLimit { stop_price, .. }, Side::Sell) => stop_price.min(last),
        (OrderType::Market | OrderType::TrailingStop { .. }, _) => last,
    }
}
