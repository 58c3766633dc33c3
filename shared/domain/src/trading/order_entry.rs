//! Checking an order before it is accepted: from top to bottom, each refusal with its name, the change last.

use std::collections::BTreeSet;

use jiff::{Timestamp, civil::Date};
use rust_decimal::Decimal;

use crate::{
    Money, Price, Quantity, Symbol, TradingDate, calendar,
    execution::{
        Fee, Liquidity, Proposal, Refusal, RiskProfile, RiskView, Shares, Side, Sizing, SizingRequest, SlippedPrice, check, fees,
        fees::rates::RateError, size, sizing::SizingError,
    },
    order::{Order, OrderId, OrderRequest, OrderSize, OrderState, OrderType, Origin, TimeInForce},
    trading::{
        event::Event,
        journal::Journal,
        market_view::{MarketView, StockView},
        portfolio::Portfolio,
        rules::TradingRules,
    },
};

/// Why an order is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OrderRefusal {
    #[error("{0} cannot be traded: there is no such stock or it has no price yet")]
    NoPrice(Symbol),
    #[error("{0} is no longer listed; only what is held of it can be sold")]
    Inactive(Symbol),
    #[error("the newest price of {symbol} is from {priced_on}: too old to trade on")]
    StalePrice { symbol: Symbol, priced_on: Date },
    #[error("an order needs a quantity above zero")]
    NothingOrdered,
    #[error("fractions of shares and amounts in dollars trade only as market orders for the day; use whole shares")]
    FractionalOrder,
    #[error("{field}: {detail}")]
    Level { field: &'static str, detail: String },
    #[error("there are {0} open orders already; cancel some first")]
    TooManyOrders(usize),
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))]
    Limits(Vec<Refusal>),
    #[error(transparent)]
    Sizing(#[from] SizingError),
    #[error(transparent)]
    Rates(#[from] RateError),
}

impl OrderRefusal {
    /// A stable name, such as `insufficient-cash`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::NoPrice(_) => "no-price",
            Self::Inactive(_) => "inactive-stock",
            Self::StalePrice { .. } => "stale-price",
            Self::NothingOrdered => "nothing-ordered",
            Self::FractionalOrder => "fractional-order",
            Self::Level { .. } => "invalid-level",
            Self::TooManyOrders(_) => "too-many-orders",
            Self::Limits(refusals) => refusals.first().map_or("limit", Refusal::name),
            Self::Sizing(_) => "stop-not-below-entry",
            Self::Rates(_) => "unknown-fee-rates",
        }
    }
}

/// What an order would cost if it filled at the newest price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Estimate {
    pub quantity: Quantity,
    pub reference_price: Price,
    pub reference_at: Timestamp,
    pub execution: SlippedPrice,
    pub notional: Money,
    pub fees: Vec<Fee>,
    /// Share of the average daily volume, 0..1.
    pub participation: Decimal,
    /// Limits that the order would break; empty when it would be accepted.
    pub refusals: Vec<Refusal>,
    /// The session in which it could first trade.
    pub trades_on: TradingDate,
}

/// What the order would cost and which limits it would break. Nothing is recorded.
pub fn estimate(
    portfolio: &Portfolio,
    request: &OrderRequest,
    at: Timestamp,
    market: &MarketView,
    rules: &TradingRules,
) -> Result<Estimate, OrderRefusal> {
    let stock = tradable(request, at, market, rules)?;
    check_shape(request, stock)?;
    let trades_on = first_session(request.time_in_force, at);
    let reference = expected_reference(request, stock);
    let quantity = match request.size {
        OrderSize::Quantity(quantity) => quantity,
        OrderSize::Notional(amount) => Shares::Fractional.floor(amount.decimal() / reference.decimal()),
    };
    if quantity.is_zero() {
        return Err(OrderRefusal::NothingOrdered);
    }
    let slipped = rules.slippage.slip(request.side, reference, quantity, stock.liquidity);
    let execution =
        request.order_type.limit_price().and_then(|limit| slipped.within_limit(request.side, reference, limit)).unwrap_or(slipped);
    let notional = execution.price.times(quantity);
    let fees = fees(rules.fees, &rules.rates, request.side, trades_on, execution.price, quantity)?;
    let costs = fees.iter().map(|fee| fee.amount).sum();
    let proposal = Proposal { side: request.side, date: trades_on, quantity, notional, costs };
    let view = risk_view(portfolio, &request.symbol, at, market, None);
    let refusals = check(&rules.limits, &view, &proposal).err().unwrap_or_default();
    Ok(Estimate {
        quantity,
        reference_price: reference,
        reference_at: stock.priced_at,
        execution,
        notional,
        fees,
        participation: participation(quantity, stock.liquidity),
        refusals,
        trades_on,
    })
}

/// Accepts an order or says why not.
pub fn place(
    journal: &mut Journal,
    request: OrderRequest,
    origin: Origin,
    market: &MarketView,
    rules: &TradingRules,
) -> Result<Order, OrderRefusal> {
    let open_orders = journal.portfolio().orders.len();
    if open_orders >= rules.max_open_orders {
        return Err(OrderRefusal::TooManyOrders(open_orders));
    }
    let estimate = estimate(journal.portfolio(), &request, journal.at(), market, rules)?;
    if !estimate.refusals.is_empty() {
        return Err(OrderRefusal::Limits(estimate.refusals));
    }
    Ok(accept(journal, request, origin))
}

/// How many shares of a stock the limits and the risk budget allow to buy, with a stop at `stop`.
pub fn size_purchase(
    portfolio: &Portfolio,
    request: &OrderRequest,
    at: Timestamp,
    market: &MarketView,
    rules: &TradingRules,
    profile: RiskProfile,
    max_position_size: Option<Money>,
) -> Result<Sizing, OrderRefusal> {
    let stock = tradable(request, at, market, rules)?;
    let view = risk_view(portfolio, &request.symbol, at, market, max_position_size);
    Ok(size(&SizingRequest {
        date: first_session(request.time_in_force, at),
        reference: stock.last_price,
        limit: request.order_type.limit_price(),
        stop: request.stop_loss,
        requested: None,
        shares: Shares::Whole,
        liquidity: stock.liquidity,
        profile,
        limits: &rules.limits,
        view: &view,
        slippage: rules.slippage,
        schedule: rules.fees,
        rates: &rules.rates,
    })?)
}

/// Records an order that has passed all checks, or needs none because it closes a position.
pub(super) fn accept(journal: &mut Journal, request: OrderRequest, origin: Origin) -> Order {
    let at = journal.at();
    let reason = match (request.time_in_force, calendar::is_open(at)) {
        (TimeInForce::Opg, _) => "waits for the next opening auction",
        (TimeInForce::Cls, _) => "waits for the next closing auction",
        (_, true) => "waits for the next price",
        (_, false) => "the market is closed: waits for the next session",
    };
    let order = Order {
        id: OrderId(format!("ord-{:06}", journal.next_sequence())),
        expires_on: match request.time_in_force {
            TimeInForce::Gtc => None,
            _ => Some(first_session(request.time_in_force, at).date()),
        },
        request,
        origin,
        placed_at: at,
        state: OrderState::Accepted,
        reason: reason.into(),
        triggered: false,
        best_price: None,
        fills: Vec::new(),
        updated_at: at,
    };
    journal.record(Event::OrderAccepted { order: order.clone() });
    order
}

/// The first session whose prices an order placed at `at` can still meet.
fn first_session(time_in_force: TimeInForce, at: Timestamp) -> TradingDate {
    let session = TradingDate::on_or_after(calendar::new_york_date(at));
    let last_chance = if time_in_force == TimeInForce::Opg { session.open() } else { session.close() };
    if at < last_chance { session } else { session.next() }
}

fn tradable<'a>(
    request: &OrderRequest,
    at: Timestamp,
    market: &'a MarketView,
    rules: &TradingRules,
) -> Result<&'a StockView, OrderRefusal> {
    let stock = market.stocks.get(&request.symbol).ok_or_else(|| OrderRefusal::NoPrice(request.symbol.clone()))?;
    if !stock.is_active && request.side == Side::Buy {
        return Err(OrderRefusal::Inactive(request.symbol.clone()));
    }
    let priced_on = calendar::new_york_date(stock.priced_at);
    let freshest_allowed = (0..rules.max_price_age_sessions).fold(calendar::last_closed_session(at), |date, _| date.previous());
    if priced_on < freshest_allowed.date() {
        return Err(OrderRefusal::StalePrice { symbol: request.symbol.clone(), priced_on });
    }
    Ok(stock)
}

fn check_shape(request: &OrderRequest, stock: &StockView) -> Result<(), OrderRefusal> {
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
fn expected_reference(request: &OrderRequest, stock: &StockView) -> Price {
    let last = stock.last_price;
    match (request.order_type, request.side) {
        (OrderType::Limit { limit_price }, Side::Buy) => limit_price.min(last),
        (OrderType::Limit { limit_price }, Side::Sell) => limit_price.max(last),
        (OrderType::Stop { stop_price } | OrderType::StopLimit { stop_price, .. }, Side::Buy) => stop_price.max(last),
        (OrderType::Stop { stop_price } | OrderType::StopLimit { stop_price, .. }, Side::Sell) => stop_price.min(last),
        (OrderType::Market | OrderType::TrailingStop { .. }, _) => last,
    }
}

fn participation(quantity: Quantity, liquidity: Liquidity) -> Decimal {
    if liquidity.average_daily_volume.is_zero() { Decimal::ONE } else { quantity.decimal() / liquidity.average_daily_volume }
}

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
    let held_value =
        |position: &crate::trading::Position| market.price(&position.symbol).map_or(position.cost(), |price| position.market_value(price));
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
