//! Checking an order before it is accepted: from top to bottom, each refusal with its name, the change last.

mod replace;
mod shape;
mod view;

use jiff::Timestamp;
use rust_decimal::Decimal;

use crate::{
    Money, Price, Quantity, Symbol, TradingDate, calendar,
    execution::{
        Fee, Liquidity, Proposal, Refusal, RiskProfile, RiskView, Shares, Side, Sizing, SizingRequest, SlippedPrice, check, fees,
        fees::rates::RateError, size, sizing::SizingError,
    },
    order::{Order, OrderId, OrderRequest, OrderSize, OrderState, Origin, TimeInForce},
    trading::{
        event::Event,
        halt,
        journal::Journal,
        market_view::{MarketView, StockView},
        portfolio::Portfolio,
        rules::TradingRules,
    },
};

pub use replace::replace;
use shape::{check_shape, expected_reference};
pub use view::risk_view;

/// Why an order is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OrderRefusal {
    #[error("{0} cannot be traded: there is no such stock or it has no price yet")]
    NoPrice(Symbol),
    #[error("{0} is no longer listed; only what is held of it can be sold")]
    Inactive(Symbol),
    #[error("an order needs a quantity above zero")]
    NothingOrdered,
    #[error("fractions of shares and amounts in dollars trade only as market orders for the day; use whole shares")]
    FractionalOrder,
    /// The replacing order would be for less than what the replaced one has traded.
    #[error("{filled} shares have filled already; a quantity of {quantity} leaves nothing to replace")]
    NothingLeft { filled: Quantity, quantity: Quantity },
    #[error("an order {0} cannot be replaced; cancel it and place another")]
    NotReplaceable(&'static str),
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
            Self::NothingOrdered => "nothing-ordered",
            Self::FractionalOrder => "fractional-order",
            Self::NothingLeft { .. } => "nothing-left",
            Self::NotReplaceable(_) => "not-replaceable",
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
    if portfolio.orders.len() >= rules.max_open_orders {
        return Err(OrderRefusal::TooManyOrders(portfolio.orders.len()));
    }
    let stock = tradable(request, market)?;
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
    let view = entry_view(portfolio, request, at, market, rules, None);
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
    let reason = admit(journal, None, &request, market, rules)?;
    let order = accepted(journal, request, origin, reason, journal.at());
    journal.record(Event::OrderAccepted { order: order.clone() });
    Ok(order)
}

/// Checks what every order is checked for, and says what it then waits for. `without` is the portfolio as if an order that it
/// replaces were gone.
fn admit(
    journal: &mut Journal,
    without: Option<&Portfolio>,
    request: &OrderRequest,
    market: &MarketView,
    rules: &TradingRules,
) -> Result<String, OrderRefusal> {
    let estimate = estimate(without.unwrap_or(journal.portfolio()), request, journal.at(), market, rules)?;
    if !estimate.refusals.is_empty() {
        return Err(OrderRefusal::Limits(estimate.refusals));
    }
    if request.side == Side::Buy {
        let equity = market.equity(journal.portfolio());
        halt::before_purchase(journal, equity, estimate.trades_on, &rules.limits);
    }
    Ok(waiting_reason(request, journal.at(), estimate.reference_at, rules))
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
    let stock = tradable(request, market)?;
    let view = entry_view(portfolio, request, at, market, rules, max_position_size);
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

/// Records an order that needs no checks because it closes a position. `at` is the market time from which prices can fill it.
pub(super) fn accept_exit(journal: &mut Journal, request: OrderRequest, origin: Origin, at: Timestamp) -> Order {
    let order = accepted(journal, request, origin, "waits for the next price".into(), at);
    journal.record(Event::OrderAccepted { order: order.clone() });
    order
}

/// The order as it begins its life with the journal's next entry.
fn accepted(journal: &Journal, request: OrderRequest, origin: Origin, reason: String, at: Timestamp) -> Order {
    Order {
        id: OrderId(format!("ord-{:06}", journal.next_sequence())),
        expires_on: match request.time_in_force {
            TimeInForce::Gtc => None,
            _ => Some(first_session(request.time_in_force, at).date()),
        },
        request,
        origin,
        placed_at: at,
        state: OrderState::Accepted,
        reason,
        replaces: None,
        replaced_by: None,
        triggered: false,
        best_price: None,
        progressed_at: None,
        fills: Vec::new(),
        updated_at: at,
    }
}

/// What an order placed at `at` waits for, when the newest price is from `priced_at`.
fn waiting_reason(request: &OrderRequest, at: Timestamp, priced_at: Timestamp, rules: &TradingRules) -> String {
    let priced_on = calendar::new_york_date(priced_at);
    let freshest_allowed = (0..rules.max_price_age_sessions).fold(calendar::last_closed_session(at), |date, _| date.previous());
    if priced_on < freshest_allowed.date() {
        return format!("the newest price, of {priced_on}, is too old: waits for a fresh one");
    }
    match (request.time_in_force, calendar::is_open(at)) {
        (TimeInForce::Opg, _) => "waits for the next opening auction",
        (TimeInForce::Cls, _) => "waits for the next closing auction",
        (_, true) => "waits for the next price",
        (_, false) => "the market is closed: waits for the next session",
    }
    .into()
}

/// As [`risk_view`], with the peak that drawdowns count from when the order trades.
fn entry_view(
    portfolio: &Portfolio,
    request: &OrderRequest,
    at: Timestamp,
    market: &MarketView,
    rules: &TradingRules,
    max_position_size: Option<Money>,
) -> RiskView {
    let view = risk_view(portfolio, &request.symbol, at, market, max_position_size);
    let trades_on = first_session(request.time_in_force, at);
    RiskView { peak_equity: halt::peak_for(portfolio, view.equity, trades_on, &rules.limits), ..view }
}

/// The first session whose prices an order placed at `at` can still meet.
fn first_session(time_in_force: TimeInForce, at: Timestamp) -> TradingDate {
    let session = TradingDate::on_or_after(calendar::new_york_date(at));
    let last_chance = if time_in_force == TimeInForce::Opg { session.open() } else { session.close() };
    if at < last_chance { session } else { session.next() }
}

fn tradable<'a>(request: &OrderRequest, market: &'a MarketView) -> Result<&'a StockView, OrderRefusal> {
    let stock = market.stocks.get(&request.symbol).ok_or_else(|| OrderRefusal::NoPrice(request.symbol.clone()))?;
    if !stock.is_active && request.side == Side::Buy {
        return Err(OrderRefusal::Inactive(request.symbol.clone()));
    }
    Ok(stock)
}

fn participation(quantity: Quantity, liquidity: Liquidity) -> Decimal {
    if liquidity.average_daily_volume.is_zero() { Decimal::ONE } else { quantity.decimal() / liquidity.average_daily_volume }
}
