//! What users ask for, sensible and not, and how the real use cases are asked.

use app::{
    UseCaseError,
    portfolio::{
        Allocation, Appetite, DecisionRequest, Desk, Idempotency, LevelsRequest, Performance, Period, Revaluation, Summary, Verification,
    },
    ports::DecisionKind,
};
use domain::{
    Decimal, Money, Price, Quantity, Symbol, Timestamp, UserId, calendar,
    execution::{RiskProfile, Side},
    order::{OrderId, OrderRequest, OrderSize, OrderType, TimeInForce},
    trading::{Cause, Portfolio},
};
use fastrand::Rng;

use super::market::Market;

#[derive(Debug, Clone)]
pub(crate) enum Wish {
    Place(OrderRequest),
    Preview(OrderRequest),
    Cancel(OrderId),
    Levels(String, LevelsRequest),
    Close(String),
    Decide(DecisionRequest),
    Revalue,
    Verify,
    Summary,
    Performance,
    Allocation,
}

/// One request of one user.
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    pub(crate) user: UserId,
    /// Its cause in the ledger, and its idempotency key where it has one.
    pub(crate) name: String,
    pub(crate) has_key: bool,
    pub(crate) wish: Wish,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Answer {
    Order(OrderId),
    Done,
    Revalued(Revaluation),
    Verified(Verification),
    Summary(Box<Summary>),
    Performance(Box<Performance>),
    Allocation(Box<Allocation>),
}

pub(crate) type Outcome = Result<Answer, UseCaseError>;

impl Operation {
    /// Which event its success leaves in the ledger, once.
    pub(crate) fn leaves(&self) -> Option<&'static str> {
        match &self.wish {
            Wish::Place(_) | Wish::Close(_) => Some("order_accepted"),
            Wish::Decide(request) => (request.kind == DecisionKind::Accept).then_some("order_accepted"),
            Wish::Cancel(_) => Some("order_closed"),
            Wish::Levels(..) => Some("levels_set"),
            _ => None,
        }
    }

    pub(crate) fn client_order_id(&self) -> Option<&String> {
        match &self.wish {
            Wish::Place(request) => request.client_order_id.as_ref(),
            _ => None,
        }
    }

    /// Whether a client may send it again without knowing what became of it.
    pub(crate) fn can_be_repeated(&self) -> bool {
        self.leaves().is_none() || self.has_key || self.client_order_id().is_some()
    }

    pub(crate) async fn run(&self, desk: &Desk, now: Timestamp) -> Outcome {
        let (user, cause) = (&self.user, Cause::request(&self.name));
        let idempotency = self.has_key.then(|| Idempotency::new(self.name.clone(), format!("{:?}", self.wish).as_bytes()));
        let key = idempotency.as_ref();
        match &self.wish {
            Wish::Place(request) => desk.place(user, request, &cause, key, now).await.map(|placed| Answer::Order(placed.order.id)),
            Wish::Preview(request) => desk.preview(user, request, now).await.map(|_| Answer::Done),
            Wish::Cancel(id) => desk.cancel(user, id, &cause, key, now).await.map(|order| Answer::Order(order.id)),
            Wish::Levels(id, levels) => desk.set_levels(user, id, levels, &cause, key, now).await.map(|_| Answer::Done),
            Wish::Close(id) => desk.close_position(user, id, &cause, key, now).await.map(|order| Answer::Order(order.id)),
            Wish::Decide(request) => {
                let accepted = desk.decide(user, request, &cause, key, now).await?;
                Ok(accepted.map_or(Answer::Done, |acceptance| Answer::Order(acceptance.order.id)))
            }
            Wish::Revalue => desk.revalue(now).await.map(Answer::Revalued),
            Wish::Verify => desk.verify(user, now).await.map(Answer::Verified),
            Wish::Summary => desk.summary(user, now).await.map(|summary| Answer::Summary(Box::new(summary))),
            Wish::Performance => desk.performance(user, Period::All, now).await.map(|all| Answer::Performance(Box::new(all))),
            Wish::Allocation => desk.allocation(user, now).await.map(|allocation| Answer::Allocation(Box::new(allocation))),
        }
    }
}

/// What a user who sees `portfolio` may want next.
pub(crate) fn wish(random: &mut Rng, portfolio: Option<&Portfolio>, market: &Market, now: Timestamp) -> Wish {
    let orders: Vec<OrderId> = portfolio.map(|own| own.orders.iter().map(|order| order.id.clone()).collect()).unwrap_or_default();
    let positions: Vec<(String, Symbol)> =
        portfolio.map(|own| own.positions.values().map(|held| (held.id.clone(), held.symbol.clone())).collect()).unwrap_or_default();
    match random.u32(0..100) {
        0..45 => Wish::Place(order(random, portfolio, market, now)),
        45..50 => Wish::Preview(order(random, portfolio, market, now)),
        50..58 => Wish::Cancel(pick(random, &orders).unwrap_or_else(|| OrderId(format!("ord-{:06}", random.u32(1..60))))),
        58..66 if !positions.is_empty() => {
            let (id, symbol) = pick(random, &positions).expect("there are positions");
            Wish::Levels(id, levels(random, market, &symbol, now))
        }
        66..70 => Wish::Close(pick(random, &positions).map_or_else(|| "AAA-1".into(), |(id, _)| id)),
        70..80 => decision(random, market, now).map_or(Wish::Summary, Wish::Decide),
        80..85 => Wish::Summary,
        85..88 => Wish::Performance,
        88..91 => Wish::Allocation,
        91..94 => Wish::Verify,
        _ => Wish::Revalue,
    }
}

fn pick<T: Clone>(random: &mut Rng, items: &[T]) -> Option<T> {
    (!items.is_empty()).then(|| items[random.usize(0..items.len())].clone())
}

/// A price within some percent of what the stock costs.
fn near(random: &mut Rng, market: &Market, symbol: &Symbol, now: Timestamp, per_mille: std::ops::Range<i64>) -> Price {
    let about = market.known_price(symbol, now).map_or(1_000_000, |(price, _)| price.units());
    let units = about * random.i64(per_mille) / 1_000;
    Price::from_units(if units > 10_000 { units / 100 * 100 } else { units.max(1) })
        .unwrap_or_else(|_| Price::from_units(1).expect("a price"))
}

fn order(random: &mut Rng, portfolio: Option<&Portfolio>, market: &Market, now: Timestamp) -> OrderRequest {
    let symbols = market.symbols();
    let held: Vec<(Symbol, Quantity)> = portfolio
        .map(|own| own.positions.values().map(|position| (position.symbol.clone(), position.quantity())).collect())
        .unwrap_or_default();
    let sold = if random.u32(0..100) < 45 { pick(random, &held) } else { None };
    let side = if sold.is_some() || random.u32(0..20) == 0 { Side::Sell } else { Side::Buy };
    let symbol = match &sold {
        Some((symbol, _)) => symbol.clone(),
        None if random.u32(0..100) == 0 => "ZZZZ".parse().expect("a symbol that nobody knows"),
        None => pick(random, &symbols).expect("there are stocks"),
    };
    let quantity = match &sold {
        Some((_, all)) if random.bool() => *all,
        Some((_, all)) => part(random, *all),
        None => bought(random, portfolio, market, &symbol, now),
    };
    let mut level = |around: std::ops::Range<i64>| near(random, market, &symbol, now, around);
    let (limit, stop, target, loss) = (level(930..1_070), level(930..1_070), level(990..1_200), level(800..1_005));
    let order_type = match random.u32(0..10) {
        0..4 => OrderType::Market,
        4..6 => OrderType::Limit { limit_price: limit },
        6 => OrderType::Stop { stop_price: stop },
        7 => OrderType::StopLimit { stop_price: stop, limit_price: limit },
        8 => OrderType::TrailingStop { trail_percent: Decimal::new(random.i64(0..300), 1) },
        _ => OrderType::Limit { limit_price: if random.bool() { level_far(random) } else { limit } },
    };
    let time_in_force = match random.u32(0..10) {
        0..4 => TimeInForce::Day,
        4..8 => TimeInForce::Gtc,
        8 => TimeInForce::Opg,
        _ => TimeInForce::Cls,
    };
    let mut request = OrderRequest { order_type, time_in_force, ..OrderRequest::market(symbol, side, quantity) };
    if random.u32(0..6) == 0 {
        (request.order_type, request.time_in_force) = (OrderType::Market, TimeInForce::Day);
        request.size = if random.bool() {
            OrderSize::Notional(Money::cents(random.i64(0..3_000_000)))
        } else {
            OrderSize::Quantity(Quantity::new(Decimal::new(random.i64(0..90_000_000_000), 9)).expect("a quantity"))
        };
    }
    if random.u32(0..3) == 0 {
        request.take_profit = random.bool().then_some(target);
        request.stop_loss = random.bool().then_some(loss);
    }
    if random.u32(0..8) == 0 {
        request.exit_on = Some(calendar::new_york_date(now).saturating_add(domain::ToSpan::days(i64::from(random.u32(0..9)))));
    }
    if random.u32(0..5) == 0 {
        request.client_order_id = Some(format!("mine-{}", random.u32(0..400)));
    }
    request
}

/// The lowest and the highest prices there are.
fn level_far(random: &mut Rng) -> Price {
    Price::from_units([1, 2, 50_000_000_000, 99_999_999_999][random.usize(0..4)]).expect("a price")
}

fn part(random: &mut Rng, all: Quantity) -> Quantity {
    let some = all.decimal() * Decimal::new(random.i64(1..1_100), 3);
    let some = if random.u32(0..4) == 0 { some.round_dp(9) } else { some.trunc().max(Decimal::ONE) };
    Quantity::new(some).unwrap_or(all)
}

/// For some percent of what there is in cash.
fn bought(random: &mut Rng, portfolio: Option<&Portfolio>, market: &Market, symbol: &Symbol, now: Timestamp) -> Quantity {
    let cash = portfolio.map_or(Decimal::from(10_000), |own| own.cash.decimal());
    let price = market.known_price(symbol, now).map_or(Decimal::ONE, |(price, _)| price.decimal());
    let percent = Decimal::from([1, 5, 9, 30, 99, 120][random.usize(0..6)]);
    Quantity::new((cash * percent / Decimal::ONE_HUNDRED / price).trunc()).unwrap_or(Quantity::ZERO)
}

fn levels(random: &mut Rng, market: &Market, symbol: &Symbol, now: Timestamp) -> LevelsRequest {
    let (target, stop) = (near(random, market, symbol, now, 995..1_150), near(random, market, symbol, now, 860..1_005));
    LevelsRequest {
        target_price: random.bool().then(|| random.bool().then_some(target)),
        stop_loss: random.bool().then(|| (random.u32(0..4) > 0).then_some(stop)),
        notes: None,
    }
}

fn decision(random: &mut Rng, market: &Market, now: Timestamp) -> Option<DecisionRequest> {
    let recent = calendar::last_closed_session(now);
    let day = (0..random.u32(0..8)).fold(recent, |date, _| date.previous());
    let signal = pick(random, market.signals.get(&day.date())?)?;
    let kind = [DecisionKind::Accept, DecisionKind::Accept, DecisionKind::Reject, DecisionKind::Ignore][random.usize(0..4)];
    Some(DecisionRequest {
        signal: signal.id(),
        kind,
        quantity: (random.u32(0..4) == 0).then(|| Quantity::shares(random.u32(0..50))),
        notes: None,
        appetite: Appetite {
            profile: [RiskProfile::Low, RiskProfile::Medium, RiskProfile::High][random.usize(0..3)],
            max_position_size: random.bool().then(|| Money::dollars(random.i64(10..20_000))),
        },
    })
}
