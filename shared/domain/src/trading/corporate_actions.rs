//! Splits, spin-offs and dividends: applied once, before the open of the ex-date, to what was held then.

use jiff::civil::Date;
use rust_decimal::Decimal;

use crate::{
    ActionKind, Money, Price, Quantity, Symbol,
    trading::{event::Event, journal::Journal, position::Position, tape::DayTape},
};

/// Applies the session's events to the position and the open orders in `symbol`.
pub(super) fn apply(journal: &mut Journal, symbol: &Symbol, tape: &DayTape) {
    for action in &tape.actions {
        let ex_date = tape.date.date();
        if journal.portfolio().applied_actions.contains(&(symbol.clone(), ex_date, action.class())) {
            continue;
        }
        // What was bought on or after the ex-date's open was bought without the event.
        let held =
            journal.portfolio().positions.get(symbol).filter(|position| position.opened_at < tape.date.open()).map(Position::quantity);
        let event = match *action {
            ActionKind::Dividend { amount, pay_date } => held.map(|quantity| dividend(symbol, ex_date, quantity, amount, pay_date)),
            ActionKind::SpinOff { ratio } => {
                held.zip(tape.before.previous_close).map(|(quantity, close)| spin_off(symbol, ex_date, quantity, close, ratio))
            }
            ActionKind::Split { ratio } => split(symbol, ex_date, held.unwrap_or_default(), ratio, tape.before.previous_close),
            ActionKind::SymbolChange { .. } | ActionKind::Delisting { .. } => None,
        };
        if let Some(event) = event {
            journal.record(event);
        }
    }
}

/// Pays the dividends that are due on `date`; one whose pay date nobody knows is paid on its ex-date.
pub(super) fn pay_dividends(journal: &mut Journal, date: Date) {
    let due: Vec<_> = journal.portfolio().receivables.iter().filter(|due| due.pay_date.unwrap_or(due.ex_date) <= date).cloned().collect();
    for receivable in due {
        journal.record(Event::DividendPaid { symbol: receivable.symbol, ex_date: receivable.ex_date, amount: receivable.amount });
    }
}

fn dividend(symbol: &Symbol, ex_date: Date, quantity: Quantity, per_share: Decimal, pay_date: Option<Date>) -> Event {
    let amount = Money::round(per_share * quantity.decimal());
    Event::DividendEarned { symbol: symbol.clone(), ex_date, pay_date, quantity, per_share, amount }
}

/// The price fell by the factor `1 / ratio`: what it lost is what the shares given away were worth.
fn spin_off(symbol: &Symbol, ex_date: Date, quantity: Quantity, previous_close: Price, ratio: Decimal) -> Event {
    let worth = previous_close.decimal() * (Decimal::ONE - Decimal::ONE / ratio);
    Event::SpunOff { symbol: symbol.clone(), ex_date, ratio, amount: Money::round(worth * quantity.decimal()) }
}

/// A holding of whole shares stays whole: the fraction that a split leaves is paid in cash at the price before it.
fn split(symbol: &Symbol, ex_date: Date, held: Quantity, ratio: Decimal, previous_close: Option<Price>) -> Option<Event> {
    let after = Quantity::floor(held.decimal() * ratio).ok()?;
    let fraction = after.checked_sub(after.whole()).unwrap_or_default();
    let price = previous_close.map(|close| close.decimal() / ratio);
    let (sold, cash_in_lieu) = match price {
        Some(price) if held.is_whole() && !fraction.is_zero() => (fraction, Money::round(price * fraction.decimal())),
        _ => (Quantity::ZERO, Money::ZERO),
    };
    let quantity_after = after.checked_sub(sold).unwrap_or_default();
    Some(Event::Split { symbol: symbol.clone(), ex_date, ratio, quantity_before: held, quantity_after, fraction_sold: sold, cash_in_lieu })
}
