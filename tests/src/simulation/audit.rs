//! Comparing what is stored and answered with what the independent model says.

use app::portfolio::{Allocation, Performance, Summary};
use domain::{Money, Symbol, Timestamp, calendar, trading::Portfolio};
use serde_json::Value;

use super::{
    fills::rounding,
    ledger::{Ledger, on_basis},
    market::Market,
    number::{Nano, at, parse, show, text},
};

/// The stored state says what the ledger says.
pub(crate) fn compare(ledger: &Ledger, stored: &Portfolio) -> Result<(), String> {
    let state = serde_json::to_value(stored).expect("portfolios serialise");
    let totals = &state["totals"];
    let same = |what: &str, stored: Nano, model: Nano| {
        if stored == model { Ok(()) } else { Err(format!("{what}: stored is {}, the ledger says {}", show(stored), show(model))) }
    };
    if state["entries"].as_u64() != Some(ledger.entries) || text(&state, "head")? != ledger.head {
        return Err(format!("the state stands at entry {}, the ledger at {}", state["entries"], ledger.entries));
    }
    same("cash", at(&state, "cash")?, ledger.cash)?;
    same("deposits", at(&state, "deposits")?, ledger.deposits)?;
    same("fees", at(totals, "fees")?, ledger.fees)?;
    same("dividends", at(totals, "dividends")?, ledger.dividends)?;
    if totals["trades"].as_u64() != Some(ledger.trades) {
        return Err(format!("{} trades, the ledger has {}", totals["trades"], ledger.trades));
    }
    let realized = at(totals, "realized_pnl")?;
    let cost = holdings(ledger, &state)?;
    // To the cent, whatever was rounded where: what left the lots is what was realised.
    same("cost of what is held less realised profit", cost - realized, ledger.invested)?;
    if (realized - ledger.realized).abs() > rounding(ledger.sales * 8) {
        return Err(format!("realised: stored is {}, by lots it is {}", show(realized), show(ledger.realized)));
    }
    orders(ledger, &state)?;
    let due: Nano = list(&state["receivables"]).iter().map(|due| at(due, "amount")).sum::<Result<_, _>>()?;
    same("dividends to come", due, ledger.receivable())
}

/// Shares stock by stock; the cost of all.
fn holdings(ledger: &Ledger, state: &Value) -> Result<Nano, String> {
    let positions = state["positions"].as_object().ok_or("no positions")?;
    let mut cost = 0;
    for (symbol, position) in positions {
        let mut shares = 0;
        for lot in list(&position["lots"]["lots"]) {
            let (quantity, paid) = (at(lot, "quantity")?, at(lot, "cost")?);
            if quantity <= 0 || paid < 0 {
                return Err(format!("a lot of {symbol} is {lot}"));
            }
            shares += quantity;
            cost += paid;
        }
        let expected = ledger.shares_of(&symbol.parse().map_err(|_| format!("{symbol} is no symbol"))?);
        if shares != expected || shares == 0 {
            return Err(format!("shares of {symbol}: stored are {}, the ledger says {}", show(shares), show(expected)));
        }
    }
    let missing = ledger.holdings.iter().find(|(symbol, holding)| holding.shares() > 0 && !positions.contains_key(&symbol.to_string()));
    missing.map_or(Ok(cost), |(symbol, _)| Err(format!("{symbol} is held and not stored")))
}

fn orders(ledger: &Ledger, state: &Value) -> Result<(), String> {
    let stored = list(&state["orders"]);
    if stored.len() != ledger.open.len() {
        return Err(format!("{} orders are stored as open, {} are", stored.len(), ledger.open.len()));
    }
    for order in stored {
        let note = ledger.open.get(text(order, "id")?).ok_or_else(|| format!("not open: {order}"))?;
        let wanted = order["size"]["quantity"].as_str().map(parse).transpose()?;
        if wanted != note.shares {
            return Err(format!("{order}: the ledger says {:?} shares", note.shares));
        }
        // An order that wants nothing more would stay for ever.
        if wanted.is_some_and(|wanted| wanted <= note.filled) {
            return Err(format!("nothing is left to fill of {order}"));
        }
    }
    Ok(())
}

/// After a revaluation nothing that was due is missing.
pub(crate) fn nothing_was_missed(ledger: &Ledger, market: &Market, now: Timestamp) -> Result<(), String> {
    if let Some(missed) = unapplied(ledger, market, now).first() {
        return Err(format!("{missed} was held into its ex-date and not booked"));
    }
    let session = calendar::current_or_last_session(now).date();
    let is_known = |symbol: &Symbol, date| {
        market.bar(symbol, date).is_some_and(|bar| match market.feed {
            super::market::FeedKind::EndOfDay => super::market::evening_of(date) <= now,
            _ => bar.date.close() <= now,
        })
    };
    for (id, order) in &ledger.open {
        if let Some(last) = order.expires_on.filter(|last| is_known(&order.symbol, *last)) {
            return Err(format!("order {id} ended on {last} and is still open"));
        }
    }
    let unpaid = ledger.receivables.iter().find(|due| due.2.unwrap_or(due.1) <= session);
    unpaid.map_or(Ok(()), |due| Err(format!("not paid: {due:?}")))
}

/// Events of stocks that were held into the ex-date and that the ledger does not have.
pub(crate) fn unapplied(ledger: &Ledger, market: &Market, now: Timestamp) -> Vec<String> {
    let session = calendar::current_or_last_session(now).date();
    let mut missing = Vec::new();
    for symbol in ledger.holdings.keys() {
        let due = market
            .actions(symbol)
            .iter()
            .filter(|action| action.ex_date <= session && action.known_at <= now && ledger.held_into(symbol, action.ex_date) > 0);
        for action in due {
            let kind = serde_json::to_value(&action.kind).expect("actions serialise")["kind"].as_str().unwrap_or_default().to_owned();
            if !ledger.applied.contains(&(symbol.clone(), action.ex_date, kind.clone())) {
                missing.push(format!("the {kind} of {symbol} on {}", action.ex_date));
            }
        }
    }
    missing
}

/// What all is worth at the newest prices.
fn equity(ledger: &Ledger, market: &Market, now: Timestamp) -> Nano {
    let session = calendar::current_or_last_session(now).date();
    let price = |symbol: &Symbol| {
        let (price, since) = market.known_price(symbol, now)?;
        Some(on_basis(market, symbol, price, since, |action| action.ex_date <= session && action.known_at <= now))
    };
    ledger.cash + ledger.receivable() + ledger.worth(price)
}

fn money(amount: Money) -> Nano {
    parse(&amount.to_string()).expect("money is a decimal")
}

pub(crate) fn summary(ledger: &Ledger, market: &Market, now: Timestamp, seen: &Summary) -> Result<(), String> {
    let expected = equity(ledger, market, now);
    if money(seen.total_value) != expected || money(seen.cash_balance) != ledger.cash {
        return Err(format!("the summary says {} in all, it is {}: {seen:?}", seen.total_value, show(expected)));
    }
    let parts = seen.realized_pnl + seen.unrealized_pnl + seen.dividends;
    if parts != seen.total_pnl || money(seen.total_pnl) != expected - ledger.deposits {
        return Err(format!("realised, unrealised and dividends do not sum to all: {seen:?}"));
    }
    if money(seen.fees_paid) != ledger.fees || seen.total_trades != ledger.trades {
        return Err(format!("the ledger says {} of fees in {} trades: {seen:?}", show(ledger.fees), ledger.trades));
    }
    Ok(())
}

pub(crate) fn performance(ledger: &Ledger, market: &Market, now: Timestamp, seen: &Performance) -> Result<(), String> {
    let last = seen.points.last().ok_or("no point of performance")?;
    let gained: Money = seen.points.iter().map(|point| point.pnl).sum();
    let expected = equity(ledger, market, now);
    if money(last.value) != expected || money(gained) != expected - ledger.deposits {
        return Err(format!("{gained} were gained and {} is the last value; it is {}", last.value, show(expected)));
    }
    let is_ordered = seen.points.windows(2).all(|pair| pair[0].date < pair[1].date);
    if is_ordered { Ok(()) } else { Err("a date has two points".into()) }
}

pub(crate) fn allocation(ledger: &Ledger, market: &Market, now: Timestamp, seen: &Allocation) -> Result<(), String> {
    let expected = equity(ledger, market, now);
    for slices in [&seen.by_sector, &seen.by_market_cap, &seen.by_asset] {
        let value: Money = slices.iter().map(|slice| slice.value).sum();
        let percent: domain::Decimal = slices.iter().map(|slice| slice.percentage).sum();
        if money(value) != expected || (expected > 0 && percent != domain::Decimal::ONE_HUNDRED) {
            return Err(format!("{value} and {percent} % of {}: {slices:?}", show(expected)));
        }
    }
    Ok(())
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
