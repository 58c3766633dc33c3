//! The independent model: a portfolio as an auditor would keep it, from the ledger's JSON and the market alone.
//!
//! It shares no code with the engine's fold and knows nothing of use cases. Each entry is checked against what it may say, then
//! booked with plain integers.

use std::collections::{BTreeMap, BTreeSet};

use domain::{CorporateAction, Date, Symbol, Timestamp, TradingDate, calendar, trading::Entry};
use serde_json::{Value, value::RawValue};
use sha2::{Digest, Sha256};

use super::{
    fills,
    market::Market,
    number::{Nano, ONE, at, cents, half_up, parse, show, text},
};

/// How an account is kept: what differs between worlds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Fifo,
    Lifo,
    HighestCost,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Holding {
    /// Shares and cost, the oldest first; costs to the billionth of a dollar.
    lots: Vec<(Nano, Nano)>,
    /// How many shares were held from which instant on.
    pub(crate) timeline: Vec<(Timestamp, Nano)>,
}

impl Holding {
    pub(crate) fn shares(&self) -> Nano {
        self.lots.iter().map(|(shares, _)| shares).sum()
    }

    /// Shares held right before `instant`.
    fn before(&self, instant: Timestamp) -> Nano {
        self.timeline.iter().rev().find(|(since, _)| *since < instant).map_or(0, |(_, shares)| *shares)
    }
}

/// What the auditor remembers of an order.
#[derive(Debug, Clone)]
pub(crate) struct OrderNote {
    pub(crate) symbol: Symbol,
    pub(crate) is_buy: bool,
    pub(crate) time_in_force: String,
    pub(crate) placed_at: Timestamp,
    pub(crate) expires_on: Option<Date>,
    /// Placed by the engine to close a position.
    pub(crate) is_exit: bool,
    /// `None` for an order in dollars.
    pub(crate) shares: Option<Nano>,
    pub(crate) limit: Option<Nano>,
    pub(crate) filled: Nano,
    pub(crate) last_filled_at: Option<Timestamp>,
    /// Shares, value and commission of each session's fills.
    pub(crate) by_session: BTreeMap<Date, (Nano, Nano, Nano)>,
}

/// One portfolio.
pub(crate) struct Ledger {
    pub(crate) method: Method,
    pub(crate) entries: u64,
    pub(crate) head: String,
    pub(crate) cash: Nano,
    pub(crate) deposits: Nano,
    pub(crate) fees: Nano,
    pub(crate) dividends: Nano,
    /// What sales brought less what was sold had cost, with the rounding of lots left out.
    pub(crate) realized: Nano,
    /// Amounts that left and entered holdings: purchases less everything received for shares.
    pub(crate) invested: Nano,
    pub(crate) sales: u64,
    pub(crate) trades: u64,
    pub(crate) holdings: BTreeMap<Symbol, Holding>,
    pub(crate) open: BTreeMap<String, OrderNote>,
    pub(crate) closed: BTreeMap<String, String>,
    /// Symbol, ex-date, pay date, amount.
    pub(crate) receivables: Vec<(Symbol, Date, Option<Date>, Nano)>,
    pub(crate) applied: BTreeSet<(Symbol, Date, String)>,
    pub(crate) last_valued: Option<Date>,
    /// Which events each cause recorded.
    pub(crate) by_cause: BTreeMap<String, Vec<(String, String)>>,
    pub(crate) client_ids: BTreeMap<String, String>,
}

impl Ledger {
    pub(crate) fn new(method: Method) -> Self {
        Self {
            method,
            entries: 0,
            head: "0".repeat(64),
            cash: 0,
            deposits: 0,
            fees: 0,
            dividends: 0,
            realized: 0,
            invested: 0,
            sales: 0,
            trades: 0,
            holdings: BTreeMap::new(),
            open: BTreeMap::new(),
            closed: BTreeMap::new(),
            receivables: Vec::new(),
            applied: BTreeSet::new(),
            last_valued: None,
            by_cause: BTreeMap::new(),
            client_ids: BTreeMap::new(),
        }
    }

    /// Checks one more entry and books it.
    pub(crate) fn book(&mut self, entry: &Entry, market: &Market, fees: fills::Schedule) -> Result<(), String> {
        self.chain(entry)?;
        let event = serde_json::to_value(&entry.event).expect("events serialise");
        let name = text(&event, "event")?.to_owned();
        self.note_cause(entry.cause.as_str(), &name, &event);
        match name.as_str() {
            "deposited" => at(&event, "amount").map(|amount| {
                self.cash += amount;
                self.deposits += amount;
            }),
            "order_accepted" => self.accepted(entry, &event["order"]),
            "order_progressed" | "order_waits" => self.must_be_open(text(&event, "order_id")?),
            "order_replaced" => {
                let id = text(&event, "order_id")?;
                self.must_be_open(id)?;
                self.open.remove(id);
                self.closed.insert(id.to_owned(), "replaced".into());
                self.accepted(entry, &event["order"])
            }
            "filled" => self.filled(entry, &event["fill"], market, fees),
            "order_closed" => {
                let id = text(&event, "order_id")?;
                self.must_be_open(id)?;
                self.open.remove(id);
                self.closed.insert(id.to_owned(), text(&event, "state")?.to_owned());
                Ok(())
            }
            "opened" | "levels_set" | "buying_halted" | "buying_resumed" => Ok(()),
            "dividend_earned" => self.dividend_earned(&event, market),
            "dividend_paid" => self.dividend_paid(entry, &event),
            "split" => self.split(&event, market),
            "spun_off" => self.spun_off(&event, market),
            "valued" => self.valued(entry, &event, market),
            other => Err(format!("the model does not know the event {other}")),
        }
        .map_err(|reason| format!("entry {} ({name}): {reason}", entry.sequence))?;
        if self.cash < 0 {
            return Err(format!("entry {} ({name}) leaves {} in cash", entry.sequence, show(self.cash)));
        }
        Ok(())
    }

    /// The next number, the hash of the one before, and the entry's own hash computed anew.
    fn chain(&mut self, entry: &Entry) -> Result<(), String> {
        if entry.sequence != self.entries + 1 || entry.previous.as_str() != self.head {
            return Err(format!("entry {} does not follow entry {}", entry.sequence, self.entries));
        }
        let json = serde_json::to_string(entry).expect("entries serialise");
        let parts: BTreeMap<String, Box<RawValue>> = serde_json::from_str(&json).expect("entries are objects");
        let hashed = ["previous", "sequence", "at", "cause", "event"].map(|field| parts[field].get()).join(",");
        let hash = hex::encode(Sha256::digest(format!("[{hashed}]")));
        if entry.hash.as_str() != hash {
            return Err(format!("entry {} has the hash {}, its content has {hash}", entry.sequence, entry.hash.as_str()));
        }
        (self.entries, self.head) = (entry.sequence, hash);
        Ok(())
    }

    fn note_cause(&mut self, cause: &str, name: &str, event: &Value) {
        let id = event["order"]["id"].as_str().or(event["order_id"].as_str()).unwrap_or_default();
        if cause.starts_with("request:") {
            self.by_cause.entry(cause.to_owned()).or_default().push((name.to_owned(), id.to_owned()));
        }
    }

    fn must_be_open(&self, id: &str) -> Result<(), String> {
        if self.open.contains_key(id) { Ok(()) } else { Err(format!("order {id} is not open")) }
    }

    fn accepted(&mut self, entry: &Entry, order: &Value) -> Result<(), String> {
        let id = text(order, "id")?;
        if self.open.contains_key(id) || self.closed.contains_key(id) {
            return Err(format!("there was an order {id} before"));
        }
        if let Some(client_id) = order["client_order_id"].as_str()
            && let Some(first) = self.client_ids.insert(client_id.to_owned(), id.to_owned())
        {
            return Err(format!("the client's order {client_id} is {first} and {id}"));
        }
        let placed_at: Timestamp = parsed(order, "placed_at")?;
        let is_exit = matches!(text(order, "origin")?, "stop_loss" | "take_profit" | "time_exit");
        if placed_at > entry.at || (placed_at < entry.at && !is_exit) {
            return Err(format!("order {id} claims to be from {placed_at}"));
        }
        let note = OrderNote {
            symbol: parsed(order, "symbol")?,
            is_buy: text(order, "side")? == "buy",
            time_in_force: text(order, "time_in_force")?.to_owned(),
            placed_at,
            expires_on: order["expires_on"].as_str().map(|date| date.parse().expect("a date")),
            is_exit,
            shares: order["size"]["quantity"].as_str().map(parse).transpose()?,
            limit: order["limit_price"].as_str().map(parse).transpose()?,
            filled: 0,
            last_filled_at: None,
            by_session: BTreeMap::new(),
        };
        if note.expires_on != last_session(&note.time_in_force, placed_at) {
            return Err(format!("order {id}, placed at {placed_at}, ends on {:?}", note.expires_on));
        }
        self.open.insert(id.to_owned(), note);
        Ok(())
    }

    fn filled(&mut self, entry: &Entry, fill: &Value, market: &Market, fees: fills::Schedule) -> Result<(), String> {
        let id = text(fill, "order_id")?.to_owned();
        let order = self.open.get_mut(&id).ok_or_else(|| format!("order {id} is not open"))?;
        let booked = fills::check(fill, order, entry.at, market, fees).map_err(|reason| format!("order {id}: {reason}"))?;
        let fills::Booked { shares, notional, charged, at: executed_at } = booked;
        let is_complete = order.shares.is_none_or(|wanted| order.filled >= wanted);
        if order.shares.is_some_and(|wanted| order.filled > wanted) {
            return Err(format!("order {id} fills beyond its size"));
        }
        let (symbol, is_buy) = (order.symbol.clone(), order.is_buy);
        if is_complete {
            self.open.remove(&id);
            self.closed.insert(id, "filled".into());
        }
        self.fees += charged;
        self.trades += 1;
        let holding = self.holdings.entry(symbol).or_default();
        if is_buy {
            self.cash -= notional + charged;
            self.invested += notional + charged;
            holding.lots.push((shares, notional + charged));
        } else {
            self.cash += notional - charged;
            self.invested -= notional - charged;
            self.sales += 1;
            self.realized += notional - charged - take(holding, shares, self.method)?;
        }
        let held = holding.shares();
        holding.timeline.push((executed_at, held));
        Ok(())
    }

    /// What the market says happened to `symbol` on `ex_date`, and that it had not been booked yet.
    fn action(&mut self, event: &Value, market: &Market, kind: &str) -> Result<(Symbol, Date, Value), String> {
        let (symbol, ex_date): (Symbol, Date) = (parsed(event, "symbol")?, parsed(event, "ex_date")?);
        let actions = market.actions(&symbol).iter().filter(|action| action.ex_date == ex_date);
        let action =
            actions.map(|action| serde_json::to_value(&action.kind).expect("actions serialise")).find(|action| action["kind"] == kind);
        let action = action.ok_or_else(|| format!("{symbol} has no {kind} on {ex_date}"))?;
        if !self.applied.insert((symbol.clone(), ex_date, kind.to_owned())) {
            return Err(format!("the {kind} of {symbol} on {ex_date} for the second time"));
        }
        Ok((symbol, ex_date, action))
    }

    fn dividend_earned(&mut self, event: &Value, market: &Market) -> Result<(), String> {
        let (symbol, ex_date, action) = self.action(event, market, "dividend")?;
        let held = self.held_into(&symbol, ex_date);
        let amount = cents(held, at(&action, "amount")?);
        if (at(event, "quantity")?, at(event, "amount")?) != (held, amount) {
            return Err(format!("{event}: {} shares were held and earned {}", show(held), show(amount)));
        }
        self.dividends += amount;
        if amount != 0 {
            self.receivables.push((symbol, ex_date, event["pay_date"].as_str().map(|date| date.parse().expect("a date")), amount));
        }
        Ok(())
    }

    fn dividend_paid(&mut self, entry: &Entry, event: &Value) -> Result<(), String> {
        let (symbol, ex_date): (Symbol, Date) = (parsed(event, "symbol")?, parsed(event, "ex_date")?);
        let amount = at(event, "amount")?;
        let due = self.receivables.iter().position(|due| due.0 == symbol && due.1 == ex_date && due.3 == amount);
        let (_, _, pay_date, _) = self.receivables.remove(due.ok_or_else(|| format!("nothing is due: {event}"))?);
        if pay_date.is_some_and(|date| date > calendar::new_york_date(entry.at)) {
            return Err(format!("paid before its time: {event}"));
        }
        self.cash += amount;
        Ok(())
    }

    fn split(&mut self, event: &Value, market: &Market) -> Result<(), String> {
        let (symbol, ex_date, action) = self.action(event, market, "split")?;
        let ratio = at(&action, "ratio")?;
        let holding = self.holdings.entry(symbol.clone()).or_default();
        let before = holding.shares();
        let (after, sold, cash) = (at(event, "quantity_after")?, at(event, "fraction_sold")?, at(event, "cash_in_lieu")?);
        // A fraction is paid out where whole shares were held, and kept where fractions were.
        let exact = half_up(before * ratio, ONE);
        let whole = exact / ONE * ONE;
        let expected = if before % ONE == 0 && exact != whole { (whole, exact - whole) } else { (exact, 0) };
        if at(event, "quantity_before")? != before || (after, sold) != expected {
            return Err(format!("{event}: {} shares become {} and {}", show(before), show(expected.0), show(expected.1)));
        }
        let close_before = close_on_basis(market, &symbol, ex_date).unwrap_or_default();
        if cash != half_up(close_before * sold, ratio * super::number::CENT) * super::number::CENT {
            return Err(format!("{event}: the close before was {}", show(close_before)));
        }
        for (shares, _) in &mut holding.lots {
            *shares = half_up(*shares * ratio, ONE);
        }
        // What rounding lot by lot leaves is on the last one.
        let drift = after + sold - holding.shares();
        if let Some((shares, _)) = holding.lots.last_mut() {
            *shares += drift;
        }
        if sold > 0 {
            self.realized += cash - take(holding, sold, self.method)?;
            self.sales += 1;
        }
        self.cash += cash;
        self.invested -= cash;
        let held = holding.shares();
        holding.timeline.push((calendar::open_instant(ex_date), held));
        self.split_orders(&symbol, ex_date, ratio);
        Ok(())
    }

    /// Orders from before the ex-date stand on the old shares.
    fn split_orders(&mut self, symbol: &Symbol, ex_date: Date, ratio: Nano) {
        let open = calendar::open_instant(ex_date);
        for order in self.open.values_mut().filter(|order| order.symbol == *symbol && order.placed_at < open) {
            if let Some(shares) = &mut order.shares {
                let rest = (*shares - order.filled) * ratio / ONE;
                *shares = order.filled + if *shares % ONE == 0 { rest / ONE * ONE } else { rest };
            }
            order.limit = order.limit.map(|limit| half_up(limit * 10_000, ratio) * (ONE / 10_000));
        }
    }

    fn spun_off(&mut self, event: &Value, market: &Market) -> Result<(), String> {
        let (symbol, ex_date, action) = self.action(event, market, "spin_off")?;
        let ratio = at(&action, "ratio")?;
        let held = self.held_into(&symbol, ex_date);
        let close_before = close_on_basis(market, &symbol, ex_date).unwrap_or_default();
        let amount = half_up(close_before * held / super::number::CENT * (ratio - ONE), ratio * ONE) * super::number::CENT;
        let cash = at(event, "amount")?;
        if (cash - amount).abs() > super::number::CENT {
            return Err(format!("{event}: {} shares gave away {}", show(held), show(amount)));
        }
        let holding = self.holdings.entry(symbol).or_default();
        let mut moved = 0;
        for (_, cost) in &mut holding.lots {
            let part = *cost * (ratio - ONE) / ratio;
            *cost -= part;
            moved += part;
        }
        self.realized += cash - moved;
        self.sales += 1;
        self.cash += cash;
        self.invested -= cash;
        Ok(())
    }

    fn valued(&mut self, entry: &Entry, event: &Value, market: &Market) -> Result<(), String> {
        let date: Date = parsed(event, "date")?;
        if self.last_valued.is_some_and(|last| last >= date) || calendar::close_instant(date) > entry.at {
            return Err(format!("{date} cannot be valued after {:?} at {}", self.last_valued, entry.at));
        }
        self.last_valued = Some(date);
        let next = TradingDate::on_or_after(date).next().date();
        let equity = self.cash + self.receivable() + self.worth(|symbol| close_on_basis(market, symbol, next));
        if (at(event, "cash")?, at(event, "equity")?) != (self.cash, equity) {
            return Err(format!("{event}: there is {} in cash and {} in all", show(self.cash), show(equity)));
        }
        Ok(())
    }

    pub(crate) fn receivable(&self) -> Nano {
        self.receivables.iter().map(|due| due.3).sum()
    }

    pub(crate) fn shares_of(&self, symbol: &Symbol) -> Nano {
        self.holdings.get(symbol).map_or(0, Holding::shares)
    }

    /// All holdings at a price for each, to the cent stock by stock.
    pub(crate) fn worth(&self, price_of: impl Fn(&Symbol) -> Option<Nano>) -> Nano {
        let held = self.holdings.iter().filter(|(_, holding)| holding.shares() > 0);
        held.map(|(symbol, holding)| cents(holding.shares(), price_of(symbol).unwrap_or_default())).sum()
    }

    /// Shares held when `ex_date` opened.
    pub(crate) fn held_into(&self, symbol: &Symbol, ex_date: Date) -> Nano {
        self.holdings.get(symbol).map_or(0, |holding| holding.before(calendar::open_instant(ex_date)))
    }
}

/// Takes shares off the lots and returns what they had cost.
fn take(holding: &mut Holding, shares: Nano, method: Method) -> Result<Nano, String> {
    let (mut left, mut cost) = (shares, 0);
    while left > 0 {
        let lots = holding.lots.iter().enumerate();
        let next = match method {
            Method::Fifo => lots.map(|(index, _)| index).next(),
            Method::Lifo => lots.map(|(index, _)| index).next_back(),
            // The first of equals, by cross-multiplication.
            Method::HighestCost => {
                lots.reduce(|best, lot| if lot.1.1 * best.1.0 > best.1.1 * lot.1.0 { lot } else { best }).map(|(index, _)| index)
            }
        };
        let index = next.ok_or_else(|| format!("{} more shares are sold than held", show(left)))?;
        let (held, paid) = holding.lots[index];
        let taken = left.min(held);
        let part = half_up(paid * taken, held);
        (left, cost) = (left - taken, cost + part);
        if taken == held {
            holding.lots.remove(index);
        } else {
            holding.lots[index] = (held - taken, paid - part);
        }
    }
    Ok(cost)
}

/// The last session in which an order may trade; `None` for one without end.
fn last_session(time_in_force: &str, placed_at: Timestamp) -> Option<Date> {
    let today = calendar::new_york_date(placed_at);
    let is_in_time = calendar::is_session(today)
        && match time_in_force {
            "opg" => placed_at < calendar::open_instant(today),
            _ => placed_at < calendar::close_instant(today),
        };
    let following = || TradingDate::on_or_after(today.tomorrow().expect("the calendar goes on")).date();
    (time_in_force != "gtc").then(|| if is_in_time { today } else { following() })
}

/// The last close before `date` on the share basis of the session before it: what splits made of it on days without trading.
fn close_on_basis(market: &Market, symbol: &Symbol, date: Date) -> Option<Nano> {
    let bars = &market.histories.get(symbol)?.bars;
    let before = bars.partition_point(|record| record.bar.date.date() < date);
    let last = &bars[..before].last()?.bar;
    Some(on_basis(market, symbol, last.close, last.date.date(), |action| action.ex_date < date))
}

/// A price of `since`, moved to the basis of today by the splits and spin-offs that came after it.
pub(crate) fn on_basis(
    market: &Market,
    symbol: &Symbol,
    price: domain::Price,
    since: Date,
    counts: impl Fn(&CorporateAction) -> bool,
) -> Nano {
    let later = market.actions(symbol).iter().filter(|action| action.ex_date > since && counts(action));
    let units = later.fold(i128::from(price.units()) * ONE, |units, action| {
        let ratio = parse(&action.kind.price_ratio().to_string()).expect("ratios have few places");
        half_up(units * ONE, ratio)
    });
    half_up(units, ONE).max(1) * (ONE / 10_000)
}

pub(crate) fn parsed<T: std::str::FromStr>(value: &Value, field: &str) -> Result<T, String> {
    text(value, field)?.parse().map_err(|_| format!("{field} cannot be read in {value}"))
}
