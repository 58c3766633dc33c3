//! The portfolio as the limits look at it.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::{
    Money, Quantity, Symbol, TradingDate, calendar,
    execution::{RiskView, Side},
    order::{Order, OrderSize},
    trading::{market_view::MarketView, portfolio::Portfolio, position::Position},
};

/// The portfolio as the limits look at it before an order in `symbol`.
pub fn risk_view(portfolio: &Portfolio, symbol: &Symbol, at: Timestamp, market: &MarketView, max_position_size: Option<Money>) -> RiskView {
    let equity = market.equity(portfolio);
    let pending = |side: Side| portfolio.orders.iter().filter(move |order| order.request.side == side);
    let pending_value = |order: &Order| {
        let price =
            order.request.order_type.limit_price().or(order.request.order_type.stop_price()).or(market.price(&order.request.symbol));
        match order.request.size {
            OrderSize::Notional(amount) => amount,
            OrderSize::Quantity(_) => price.zip(order.remaining()).map_or(Money::ZERO, |(price, remaining)| price.times(remaining)),
        }
    };
    let held_value = |position: &Position| market.price(&position.symbol).map_or(position.cost(), |price| position.market_value(price));
    let value_of = |wanted: &dyn Fn(&Symbol) -> bool| -> Money {
        let held: Money = portfolio.positions.values().filter(|position| wanted(&position.symbol)).map(held_value).sum();
        let ordered: Money = pending(Side::Buy).filter(|order| wanted(&order.request.symbol)).map(pending_value).sum();
        held + ordered
    };
    let promised: Quantity = pending(Side::Sell).filter(|order| order.request.symbol == *symbol).filter_map(Order::remaining).sum();
    let names: BTreeSet<&Symbol> = portfolio.positions.keys().chain(pending(Side::Buy).map(|order| &order.request.symbol)).collect();
    let (day_pnl, day_start_equity) = portfolio.day_pnl(equity, calendar::current_or_last_session(at).date());
    RiskView {
        equity,
        cash: portfolio.cash - pending(Side::Buy).map(pending_value).sum(),
        holding: portfolio.held(symbol).checked_sub(promised).unwrap_or(Quantity::ZERO),
        position_value: value_of(&|other| other == symbol),
        sector_value: market.sector(symbol).map(|sector| value_of(&|other| market.sector(other) == Some(sector))),
        open_positions: u32::try_from(names.len()).unwrap_or(u32::MAX),
        day_pnl,
        day_start_equity,
        peak_equity: portfolio.peak_equity,
        last_stop_out: portfolio.stopped_out.get(symbol).map(|date| TradingDate::on_or_before(*date)),
        max_position_size,
    }
}
