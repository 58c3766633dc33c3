//! Whether an observed price reaches an order, and at what reference price it then trades.
//!
//! Two kinds of observation: a price at an instant (an auction, a quote), and the range between the open and the close,
//! of which only the extremes are known. Where the range leaves the order of events open, the worse one is assumed.

use rust_decimal::Decimal;

use crate::{
    Price,
    execution::Side,
    order::{Order, OrderType, TimeInForce},
    trading::fill::PriceBasis,
};

/// What an observation does to an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    /// Nothing.
    No,
    /// It trades, before slippage at this price.
    Trade(Price),
    /// It does not trade yet, but its stop was reached or its best price moved.
    Progress { triggered: bool, best_price: Option<Price> },
}

/// Whether the order's time in force lets it take part in this observation.
pub fn may_trade_at(time_in_force: TimeInForce, basis: PriceBasis) -> bool {
    match time_in_force {
        TimeInForce::Day | TimeInForce::Gtc => true,
        TimeInForce::Opg => basis == PriceBasis::Open,
        TimeInForce::Cls => basis == PriceBasis::Close,
    }
}

/// At one price: a stop gapped over trades here and a favourable gap improves a limit.
pub fn at_price(order: &Order, price: Price) -> Reached {
    let side = order.request.side;
    match order.request.order_type {
        OrderType::Market => Reached::Trade(price),
        OrderType::Limit { limit_price } => trade_if(within_limit(side, price, limit_price), price),
        OrderType::Stop { stop_price } => trade_if(order.triggered || stop_is_reached(side, price, stop_price), price),
        OrderType::StopLimit { stop_price, limit_price } => {
            let triggered = order.triggered || stop_is_reached(side, price, stop_price);
            match (triggered, within_limit(side, price, limit_price)) {
                (true, true) => Reached::Trade(price),
                (true, false) if !order.triggered => Reached::Progress { triggered: true, best_price: None },
                _ => Reached::No,
            }
        }
        OrderType::TrailingStop { trail_percent } => {
            let stop = order.best_price.map(|best| trailing_level(side, best, trail_percent));
            if order.triggered || stop.is_some_and(|stop| stop_is_reached_at(side, price.decimal(), stop)) {
                return Reached::Trade(price);
            }
            follow(order, price)
        }
    }
}

/// Between the open and the close, for an order that was live at the open.
pub fn in_range(order: &Order, high: Price, low: Price) -> Reached {
    let side = order.request.side;
    // The extreme that hurts and the one that helps.
    let (adverse, favourable) = match side {
        Side::Buy => (high, low),
        Side::Sell => (low, high),
    };
    match order.request.order_type {
        // The open already had its chance at what a market order wants.
        OrderType::Market => Reached::No,
        OrderType::Limit { limit_price } => trade_if(within_limit(side, favourable, limit_price), limit_price),
        OrderType::Stop { stop_price } => trade_if(!order.triggered && stop_is_reached(side, adverse, stop_price), stop_price),
        OrderType::StopLimit { limit_price, .. } if order.triggered => trade_if(within_limit(side, favourable, limit_price), limit_price),
        OrderType::StopLimit { stop_price, limit_price } => {
            match (stop_is_reached(side, adverse, stop_price), within_limit(side, stop_price, limit_price)) {
                (true, true) => Reached::Trade(stop_price),
                // Whether the price came back to the limit after the stop cannot be known from the range.
                (true, false) => Reached::Progress { triggered: true, best_price: None },
                (false, _) => Reached::No,
            }
        }
        OrderType::TrailingStop { trail_percent } => {
            let stop = order.best_price.map(|best| trailing_level(side, best, trail_percent));
            match stop {
                Some(stop) if !order.triggered && stop_is_reached_at(side, adverse.decimal(), stop) => {
                    Price::round(stop).map_or(Reached::No, Reached::Trade)
                }
                _ => follow(order, favourable),
            }
        }
    }
}

/// The level of a trailing stop when the best price since placement is `best`.
pub fn trailing_level(side: Side, best: Price, trail_percent: Decimal) -> Decimal {
    let distance = best.decimal() * trail_percent / Decimal::ONE_HUNDRED;
    match side {
        Side::Sell => best.decimal() - distance,
        Side::Buy => best.decimal() + distance,
    }
}

fn follow(order: &Order, price: Price) -> Reached {
    let better = order.best_price.is_none_or(|best| match order.request.side {
        Side::Sell => price > best,
        Side::Buy => price < best,
    });
    if better { Reached::Progress { triggered: order.triggered, best_price: Some(price) } } else { Reached::No }
}

fn trade_if(reached: bool, price: Price) -> Reached {
    if reached { Reached::Trade(price) } else { Reached::No }
}

fn within_limit(side: Side, price: Price, limit: Price) -> bool {
    match side {
        Side::Buy => price <= limit,
        Side::Sell => price >= limit,
    }
}

fn stop_is_reached(side: Side, price: Price, stop: Price) -> bool {
    stop_is_reached_at(side, price.decimal(), stop.decimal())
}

fn stop_is_reached_at(side: Side, price: Decimal, stop: Decimal) -> bool {
    match side {
        Side::Buy => price >= stop,
        Side::Sell => price <= stop,
    }
}
