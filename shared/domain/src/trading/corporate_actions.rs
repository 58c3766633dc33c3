//! Corporate actions of a session: each applied once, before the open, to what was held and ordered then.
//!
//! An action that comes after its session, or contradicts what was applied, needs the ledger: see [`super::restatement`].

use std::collections::BTreeMap;

use jiff::civil::Date;
use rust_decimal::Decimal;

use crate::{
    ActionClass, ActionKind, Money, Price, Quantity, Symbol, TradingDate,
    money::round_half_up,
    order::{OrderId, OrderState},
    trading::{
        event::Event,
        filling,
        journal::Journal,
        portfolio::{Concern, Portfolio},
        session::Tapes,
    },
};

/// What is known to be true of one stock, ex-date and class of action (see [`crate::corporate_action`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    pub symbol: Symbol,
    /// The session of the ex-date.
    pub session: TradingDate,
    /// All of one class.
    pub kinds: Vec<ActionKind>,
    /// The last close before the ex-date, as traded.
    pub previous_close: Option<Price>,
    /// The ex-date's opening price.
    pub open: Option<Price>,
}

impl Statement {
    pub fn class(&self) -> Option<ActionClass> {
        self.kinds.first().map(ActionKind::class)
    }

    /// How many times as much a price before the ex-date is as one after it.
    pub(super) fn ratio(&self) -> Decimal {
        self.kinds.iter().map(ActionKind::price_ratio).product()
    }

    /// The price before the event: the close, else what the open says it must have been.
    pub(super) fn price_before(&self) -> Option<Decimal> {
        self.previous_close.map(Price::decimal).or(self.open.map(|open| open.decimal() * self.ratio()))
    }
}

/// The statements on `tapes`, in the order in which they take effect. Stocks that get another name come first, so that what
/// stands in both histories is found applied under the new one.
pub fn statements(tapes: &Tapes) -> Vec<Statement> {
    let is_renamed = |actions: &[ActionKind]| actions.iter().any(|kind| kind.class() == ActionClass::SymbolChange);
    let (renamed, others): (Vec<_>, Vec<_>) = tapes.iter().partition(|(_, tape)| is_renamed(&tape.actions));
    let mut statements = Vec::new();
    for (symbol, tape) in renamed.into_iter().chain(others) {
        let mut by_class: BTreeMap<ActionClass, Vec<ActionKind>> = BTreeMap::new();
        for kind in &tape.actions {
            let kinds = by_class.entry(kind.class()).or_default();
            if !kinds.contains(kind) {
                kinds.push(kind.clone());
            }
        }
        statements.extend(by_class.into_values().map(|kinds| Statement {
            symbol: symbol.clone(),
            session: tape.date,
            kinds,
            previous_close: tape.before.previous_close,
            open: tape.open,
        }));
    }
    statements
}

/// Applies the session's statements that the portfolio's state suffices for.
pub(super) fn apply(journal: &mut Journal, tapes: &Tapes) {
    for statement in statements(tapes) {
        if journal.portfolio().concern(&statement) == Concern::Present {
            apply_one(journal, &statement, false);
        }
    }
}

/// Applies a statement to what is held now and was held before the ex-date.
pub(super) fn apply_one(journal: &mut Journal, statement: &Statement, restated: bool) {
    let portfolio = journal.portfolio();
    let held = portfolio.held_before(&statement.symbol, statement.session.open());
    let events: Vec<Event> = match statement.class() {
        None => return,
        Some(ActionClass::Split) => vec![split(statement, held)],
        Some(ActionClass::SpinOff) if held.is_zero() => return,
        Some(ActionClass::SpinOff) => vec![spin_off(statement, held, cost_a_share(portfolio, &statement.symbol))],
        Some(ActionClass::Dividend) => dividends(statement, held, restated),
        Some(ActionClass::SymbolChange) => symbol_change(statement, restated).into_iter().collect(),
        Some(ActionClass::Delisting) => return delist(journal, statement, restated),
    };
    for event in events {
        journal.record(event);
    }
}

/// Pays the dividends that are due on `date`; one whose pay date nobody knows is paid on its ex-date.
pub(super) fn pay_dividends(journal: &mut Journal, date: Date) {
    let due: Vec<_> = journal.portfolio().receivables.iter().filter(|due| due.pay_date.unwrap_or(due.ex_date) <= date).cloned().collect();
    for receivable in due {
        journal.record(Event::DividendPaid { symbol: receivable.symbol, ex_date: receivable.ex_date, amount: receivable.amount });
    }
}

/// What a split makes of a holding: the shares after it, and of a holding of whole shares the fraction, which is paid in cash at
/// the price before it. Where no price is known the fraction stays.
pub(super) fn split_holding(held: Quantity, ratio: Decimal, price_before: Option<Decimal>) -> (Quantity, Quantity, Money) {
    // As lots round it.
    let after =
        held.decimal().checked_mul(ratio).and_then(|after| Quantity::new(round_half_up(after, Quantity::PLACES)).ok()).unwrap_or(held);
    let fraction = after.checked_sub(after.whole()).unwrap_or_default();
    match price_before {
        Some(price) if held.is_whole() && !fraction.is_zero() => {
            (after.whole(), fraction, Money::round(price / ratio * fraction.decimal()))
        }
        _ => (after, Quantity::ZERO, Money::ZERO),
    }
}

/// What the shares given away were worth, a share held: what the price lost. Without any price, the part of the cost that goes
/// with them, which realises nothing.
pub(super) fn spun_off_worth(statement: &Statement, cost_a_share: Decimal) -> Decimal {
    statement.price_before().unwrap_or(cost_a_share) * (Decimal::ONE - Decimal::ONE / statement.ratio())
}

/// The amount of each dividend of a statement on `held`.
pub(super) fn dividend_amounts(kinds: &[ActionKind], held: Quantity) -> impl Iterator<Item = (Decimal, Option<Date>, Money)> {
    kinds.iter().filter_map(move |kind| match kind {
        ActionKind::Dividend { amount, pay_date } => Some((*amount, *pay_date, Money::round(amount * held.decimal()))),
        _ => None,
    })
}

pub(super) fn dividends(statement: &Statement, held: Quantity, restated: bool) -> Vec<Event> {
    let (symbol, ex_date) = (&statement.symbol, statement.session.date());
    if held.is_zero() {
        return vec![];
    }
    dividend_amounts(&statement.kinds, held)
        .map(|(per_share, pay_date, amount)| Event::DividendEarned {
            symbol: symbol.clone(),
            ex_date,
            pay_date,
            quantity: held,
            per_share,
            amount,
            restated,
        })
        .collect()
}

fn split(statement: &Statement, held: Quantity) -> Event {
    let ratio = statement.ratio();
    let (quantity_after, fraction_sold, cash_in_lieu) = split_holding(held, ratio, statement.price_before());
    Event::Split {
        symbol: statement.symbol.clone(),
        ex_date: statement.session.date(),
        ratio,
        quantity_before: held,
        quantity_after,
        fraction_sold,
        cash_in_lieu,
        restated: None,
    }
}

fn spin_off(statement: &Statement, held: Quantity, cost_a_share: Decimal) -> Event {
    Event::SpunOff {
        symbol: statement.symbol.clone(),
        ex_date: statement.session.date(),
        ratio: statement.ratio(),
        quantity: held,
        amount: Money::round(spun_off_worth(statement, cost_a_share) * held.decimal()),
        restated: None,
    }
}

fn symbol_change(statement: &Statement, restated: bool) -> Option<Event> {
    let to = statement.kinds.iter().find_map(|kind| if let ActionKind::SymbolChange { to } = kind { Some(to.clone()) } else { None })?;
    Some(Event::SymbolChanged { symbol: statement.symbol.clone(), ex_date: statement.session.date(), to, restated })
}

/// Open orders end, then what is held is paid out: at the final value, else at the last close, else at what it cost.
fn delist(journal: &mut Journal, statement: &Statement, restated: bool) {
    let (symbol, ex_date) = (journal.portfolio().name_of(&statement.symbol).clone(), statement.session.date());
    let orders: Vec<OrderId> =
        journal.portfolio().orders.iter().filter(|order| order.request.symbol == symbol).map(|order| order.id.clone()).collect();
    for id in orders {
        filling::close(journal, &id, OrderState::Canceled, format!("delisted: {symbol} no longer trades from {ex_date} on"));
    }
    let quantity = journal.portfolio().held(&symbol);
    if quantity.is_zero() {
        return;
    }
    let value = statement.kinds.iter().find_map(|kind| if let ActionKind::Delisting { value } = kind { *value } else { None });
    let per_share = value.or(statement.previous_close.map(Price::decimal)).unwrap_or_else(|| cost_a_share(journal.portfolio(), &symbol));
    let amount = Money::round(per_share * quantity.decimal());
    journal.record(Event::Delisted { symbol, ex_date, quantity, per_share, amount, restated });
}

fn cost_a_share(portfolio: &Portfolio, symbol: &Symbol) -> Decimal {
    portfolio.positions.get(portfolio.name_of(symbol)).and_then(|position| position.lots.average_cost()).unwrap_or_default()
}
