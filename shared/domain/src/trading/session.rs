//! One session over one portfolio, in the order in which it happened: corporate actions, the open, what lay between, the close.
//!
//! Running it again with the same tapes changes nothing; running it at noon and again after the close gives the same as
//! running it once after the close.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::{
    Price, Quantity, Symbol, TradingDate,
    execution::Side,
    order::{Order, OrderId, OrderState},
    trading::{
        corporate_actions,
        event::Event,
        exits,
        fill::PriceBasis,
        filling::{self, Trigger},
        halt,
        journal::Journal,
        matching::{self, Reached},
        rules::TradingRules,
        tape::DayTape,
    },
};

/// The tape of each stock that matters to the portfolio.
pub type Tapes = BTreeMap<Symbol, DayTape>;

/// Applies what `tapes` show of the session `date`. `is_over` says whether the session has closed: only then do day orders
/// expire and is the portfolio valued.
pub fn run(journal: &mut Journal, date: TradingDate, tapes: &Tapes, is_over: bool, rules: &TradingRules) {
    expire_orders(journal, date.previous());
    corporate_actions::apply(journal, tapes);
    end_emptied_orders(journal);
    corporate_actions::pay_dividends(journal, date.date());
    // Prices that come when a later session has traded already (a stock that rested, a vendor that was late) change nothing any
    // more: what is held now is not what was held then.
    if journal.portfolio().traded_until.is_some_and(|until| until > date.close()) {
        expire_orders(journal, date);
        return;
    }

    at_instant(journal, tapes, rules, |tape| tape.open.map(|open| Trigger { reference: open, at: date.open(), basis: PriceBasis::Open }));
    let oldest = oldest_quote(journal.at(), rules);
    at_instant(journal, tapes, rules, |tape| {
        let (reference, at) = tape.quote.filter(|(_, at)| *at >= oldest)?;
        Some(Trigger { reference, at, basis: PriceBasis::Quote })
    });
    explain_old_quotes(journal, tapes, oldest);
    in_range(journal, tapes, rules);
    at_instant(journal, tapes, rules, |tape| {
        tape.rest.map(|rest| Trigger { reference: rest.close, at: date.close(), basis: PriceBasis::Close })
    });

    if is_over {
        expire_orders(journal, date);
        explain_waiting(journal, date, tapes);
        value(journal, date, tapes, rules);
    }
}

/// One price of each stock at the same instant: exits first, then sales, then purchases, so that proceeds can be spent.
fn at_instant(journal: &mut Journal, tapes: &Tapes, rules: &TradingRules, observe: impl Fn(&DayTape) -> Option<Trigger>) {
    for (symbol, tape) in tapes {
        let Some(trigger) = observe(tape) else { continue };
        let Some(position) = journal.portfolio().positions.get(symbol) else { continue };
        if let Some(origin) = exits::at_price(position, tape, trigger) {
            exits::close_position(journal, symbol, origin, tape, trigger, rules);
        }
    }
    for order in sales_first(journal) {
        let Some((tape, trigger)) = tapes.get(&order.request.symbol).and_then(|tape| Some((tape, observe(tape)?))) else { continue };
        // Never at a price older than the order, nor older than what it has seen in an earlier run of this session.
        if order.placed_at >= trigger.at
            || order.has_seen_beyond(trigger.at)
            || !matching::may_trade_at(order.request.time_in_force, trigger.basis)
        {
            continue;
        }
        match matching::at_price(&order, trigger.reference) {
            Reached::Trade(reference) => filling::fill(journal, &order.id, tape, Trigger { reference, ..trigger }, rules),
            progress => record_progress(journal, &order, progress, trigger.at),
        }
    }
}

/// What lay between the open and the close, for positions and orders that were there at the open.
fn in_range(journal: &mut Journal, tapes: &Tapes, rules: &TradingRules) {
    let trigger = |date: TradingDate, reference: Price| Trigger { reference, at: date.close(), basis: PriceBasis::Level };
    for (symbol, tape) in tapes {
        let Some(rest) = tape.rest else { continue };
        let Some(position) = journal.portfolio().positions.get(symbol).filter(|position| position.opened_at <= tape.date.open()) else {
            continue;
        };
        if let Some((origin, level)) = exits::in_range(position, tape, rest) {
            exits::close_position(journal, symbol, origin, tape, trigger(tape.date, level), rules);
        }
    }
    for order in sales_first(journal) {
        let Some((tape, rest)) = tapes.get(&order.request.symbol).and_then(|tape| Some((tape, tape.rest?))) else { continue };
        if order.placed_at >= tape.date.open()
            || order.has_seen_beyond(tape.date.open())
            || !matching::may_trade_at(order.request.time_in_force, PriceBasis::Level)
        {
            continue;
        }
        match matching::in_range(&order, rest.high, rest.low) {
            Reached::Trade(reference) => filling::fill(journal, &order.id, tape, trigger(tape.date, reference), rules),
            progress => record_progress(journal, &order, progress, tape.date.close()),
        }
    }
}

fn sales_first(journal: &Journal) -> Vec<Order> {
    let (sales, purchases): (Vec<Order>, Vec<Order>) =
        journal.portfolio().orders.iter().cloned().partition(|order| order.request.side == Side::Sell);
    sales.into_iter().chain(purchases).collect()
}

fn record_progress(journal: &mut Journal, order: &Order, reached: Reached, observed_at: Timestamp) {
    if let Reached::Progress { triggered, best_price } = reached
        && journal.portfolio().order(&order.id).is_some()
    {
        journal.record(Event::OrderProgressed { order_id: order.id.clone(), triggered, best_price, observed_at });
    }
}

/// Of an order for few shares a reverse split may leave none: it would wait for ever.
fn end_emptied_orders(journal: &mut Journal) {
    let is_empty = |order: &&Order| order.remaining().is_some_and(Quantity::is_zero);
    let emptied: Vec<OrderId> = journal.portfolio().orders.iter().filter(is_empty).map(|order| order.id.clone()).collect();
    for id in emptied {
        filling::close(journal, &id, OrderState::Canceled, "the split left no whole share of it".into());
    }
}

/// Ends the orders that were for `date` or earlier, also where nobody saw that session end because nothing of it was known.
fn expire_orders(journal: &mut Journal, date: TradingDate) {
    let expired: Vec<OrderId> = journal
        .portfolio()
        .orders
        .iter()
        // An order placed at or after the close belongs to the next session.
        .filter(|order| order.expires_on.is_some_and(|last| last <= date.date()) && order.placed_at < date.close())
        .map(|order| order.id.clone())
        .collect();
    for id in expired {
        let last = journal.portfolio().order(&id).and_then(|order| order.expires_on).unwrap_or(date.date());
        filling::close(journal, &id, OrderState::Expired, format!("the session of {last} ended without (all of) it trading"));
    }
}

/// A quote from before this instant fills nothing.
fn oldest_quote(now: Timestamp, rules: &TradingRules) -> Timestamp {
    now - SignedDuration::from_mins(rules.max_quote_age_minutes.into())
}

fn explain_old_quotes(journal: &mut Journal, tapes: &Tapes, oldest: Timestamp) {
    for order in journal.portfolio().orders.clone() {
        let quoted = tapes.get(&order.request.symbol).and_then(|tape| tape.quote);
        if quoted.is_some_and(|(_, at)| at < oldest && order.placed_at < at) {
            filling::waits(journal, &order.id, "the newest quote is too old: waits for a fresh one");
        }
    }
}

/// An order that outlives a session says why it did.
fn explain_waiting(journal: &mut Journal, date: TradingDate, tapes: &Tapes) {
    for order in journal.portfolio().orders.clone() {
        let traded = tapes.get(&order.request.symbol).is_some_and(|tape| tape.rest.is_some());
        let was_never_reached = order.fills.is_empty() && order.reason != filling::TOO_THIN;
        if order.placed_at >= date.close() {
            continue;
        }
        if !traded {
            filling::waits(journal, &order.id, "the stock has not traded since: waits for its next price");
        } else if was_never_reached {
            filling::waits(journal, &order.id, "the price has not reached it: waits for the next session");
        }
    }
}

/// Records what all is worth at the close, once a session, and whether that ends or begins a halt.
fn value(journal: &mut Journal, date: TradingDate, tapes: &Tapes, rules: &TradingRules) {
    let portfolio = journal.portfolio();
    let is_new = portfolio.last_valuation.is_none_or(|last| last.date < date.date());
    if is_new {
        let price_of = |symbol: &Symbol| {
            let tape = tapes.get(symbol)?;
            tape.last_price().map(|(price, _)| price).or_else(|| tape.close_carried_over())
        };
        let (equity, cash) = (portfolio.equity(price_of), portfolio.cash);
        journal.record(Event::Valued { date: date.date(), equity, cash });
        halt::at_close(journal, date, equity, &rules.limits);
    }
}
