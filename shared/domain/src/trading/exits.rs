//! Closing positions without being asked again: at the stop, at the target, on the last day.

use crate::{
    Price, Symbol,
    execution::Side,
    order::{Order, OrderRequest, OrderState, OrderType, Origin, TimeInForce},
    trading::{
        fill::PriceBasis,
        filling::{self, Trigger},
        journal::Journal,
        order_entry,
        position::{Exits, Position},
        rules::TradingRules,
        tape::{DayTape, SessionRest},
    },
};

/// Whether a price at an instant closes the position, and why.
pub(super) fn at_price(position: &Position, tape: &DayTape, trigger: Trigger) -> Option<Origin> {
    if !position.is_news(trigger.at, trigger.basis) {
        return None;
    }
    let Exits { target_price, stop_loss, on_date, set_at } = &position.exits;
    let levels_apply = set_at.is_some_and(|set_at| set_at < trigger.at);
    if levels_apply && stop_loss.is_some_and(|stop| trigger.reference <= stop) {
        Some(Origin::StopLoss)
    } else if levels_apply && target_price.is_some_and(|target| trigger.reference >= target) {
        Some(Origin::TakeProfit)
    } else if trigger.basis == PriceBasis::Close && on_date.is_some_and(|date| date <= tape.date.date()) {
        Some(Origin::TimeExit)
    } else {
        None
    }
}

/// Whether the session's range closes the position, why and at which level. The stop comes first when both were touched.
pub(super) fn in_range(position: &Position, tape: &DayTape, rest: SessionRest) -> Option<(Origin, Price)> {
    let Exits { target_price, stop_loss, set_at, .. } = &position.exits;
    // Levels set while the session ran cannot know which part of the range came after them.
    set_at.filter(|set_at| *set_at <= tape.date.open() && position.is_news(tape.date.close(), PriceBasis::Level))?;
    // A purchase at the open may have its levels on the wrong side of that price: it is the first that reaches them.
    let open = tape.open.unwrap_or(rest.close);
    let stopped = stop_loss.filter(|stop| rest.low <= *stop).map(|stop| (Origin::StopLoss, stop.min(open)));
    let reached = target_price.filter(|target| rest.high >= *target).map(|target| (Origin::TakeProfit, target.max(open)));
    stopped.or(reached)
}

/// Sells the whole position: other orders to sell it are cancelled, since one cancels the other.
pub(super) fn close_position(
    journal: &mut Journal,
    symbol: &Symbol,
    origin: Origin,
    tape: &DayTape,
    trigger: Trigger,
    rules: &TradingRules,
) {
    let rivals: Vec<Order> = journal
        .portfolio()
        .orders
        .iter()
        .filter(|order| order.request.symbol == *symbol && order.request.side == Side::Sell)
        .cloned()
        .collect();
    if rivals.iter().any(is_exit) {
        return;
    }
    for rival in rivals {
        filling::close(journal, &rival.id, OrderState::Canceled, "the position was closed by its own exit".into());
    }
    let Some(position) = journal.portfolio().positions.get(symbol) else { return };
    let request = OrderRequest {
        order_type: match (origin, position.exits.target_price) {
            // A target is a limit: it never sells for less. A stop sells at what it can get.
            (Origin::TakeProfit, Some(limit_price)) => OrderType::Limit { limit_price },
            _ => OrderType::Market,
        },
        time_in_force: TimeInForce::Gtc,
        ..OrderRequest::market(symbol.clone(), Side::Sell, position.quantity())
    };
    // Begun by the price that reached the level, whenever that is looked at: later prices of the same session fill the rest.
    let order = order_entry::accept_exit(journal, request, origin, trigger.at);
    filling::fill(journal, &order.id, tape, trigger, rules);
}

fn is_exit(order: &Order) -> bool {
    matches!(order.origin, Origin::StopLoss | Origin::TakeProfit | Origin::TimeExit)
}
