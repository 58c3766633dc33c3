//! What corporate actions do to the state, and which of them it has seen.

use jiff::{Timestamp, civil::Date};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{Changes, Portfolio, Receivable};
use crate::{
    ActionClass, ActionKind, Money, Price, Quantity, Symbol, TradingDate,
    corporate_action::agrees,
    execution::Side,
    lots::Lots,
    order::OrderId,
    trading::{
        corporate_actions::Statement,
        event::{Event, Restated},
        fill::{Fill, PriceBasis},
        ledger::Entry,
        position::{Exits, Position},
        trade::Trade,
    },
};

/// For how long the state remembers what was applied. Whatever comes later about an older ex-date is looked up in the ledger.
const REMEMBERED_DAYS: i32 = 400;

/// A statement as it was applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppliedAction {
    pub symbol: Symbol,
    pub ex_date: Date,
    /// All of one class.
    pub kinds: Vec<ActionKind>,
}

/// What a statement about a corporate action is to a portfolio.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Concern {
    /// Nothing: it was applied as it is, or the portfolio had nothing of the stock.
    Nothing,
    /// It applies to what the portfolio holds now.
    Present,
    /// What it applies to stands in the ledger: its session has been valued, shares have been sold since its open, or it
    /// contradicts what was applied.
    Ledger,
}

impl Portfolio {
    /// What `statement` is to this portfolio.
    pub fn concern(&self, statement: &Statement) -> Concern {
        let Some(class) = statement.class() else { return Concern::Nothing };
        let (symbol, session) = (&statement.symbol, statement.session);
        let applied = self.applied(symbol, session.date(), class);
        if applied.is_some_and(|applied| agrees(&statement.kinds, &applied.kinds)) {
            return Concern::Nothing;
        }
        let is_past = self.last_valuation.is_some_and(|last| last.date >= session.date());
        if class.ends_symbol() {
            return match (applied.is_none() && self.has_any_of(self.name_of(symbol)), is_past) {
                (false, _) => Concern::Nothing,
                (true, false) => Concern::Present,
                (true, true) => Concern::Ledger,
            };
        }
        let (name, open) = (self.name_of(symbol), session.open());
        let was_sold = self.last_sold.get(name).is_some_and(|sold| *sold >= open);
        let was_ordered = || self.orders.iter().any(|order| order.request.symbol == *name && order.placed_at < open);
        let is_held = !self.held_before(symbol, open).is_zero() || (class == ActionClass::Split && was_ordered());
        match (is_held || was_sold, applied.is_some() || was_sold || is_past) {
            (false, _) => Concern::Nothing,
            (true, false) => Concern::Present,
            (true, true) => Concern::Ledger,
        }
    }

    fn applied(&self, symbol: &Symbol, ex_date: Date, class: ActionClass) -> Option<&AppliedAction> {
        let is_it = |applied: &&AppliedAction| {
            applied.symbol == *symbol && applied.ex_date == ex_date && applied.kinds.first().map(ActionKind::class) == Some(class)
        };
        self.applied_actions.iter().find(is_it)
    }

    fn has_any_of(&self, symbol: &Symbol) -> bool {
        self.positions.contains_key(symbol)
            || self.orders.iter().any(|order| order.request.symbol == *symbol)
            || self.receivables.iter().any(|due| due.symbol == *symbol)
    }

    /// What a stock that was called `symbol` when this portfolio had it is called now.
    pub fn name_of<'a>(&'a self, symbol: &'a Symbol) -> &'a Symbol {
        self.names.get(symbol).map_or(symbol, |next| self.name_of(next))
    }

    /// Shares acquired before `instant` and still held.
    pub fn held_before(&self, symbol: &Symbol, instant: Timestamp) -> Quantity {
        self.positions.get(self.name_of(symbol)).map_or(Quantity::ZERO, |position| position.lots.acquired_before(instant))
    }

    pub(super) fn fold_action(&mut self, entry: &Entry, changes: &mut Changes) -> Result<(), String> {
        match &entry.event {
            Event::DividendEarned { symbol, ex_date, pay_date, per_share, amount, .. } => {
                self.remember(symbol, *ex_date, ActionKind::Dividend { amount: *per_share, pay_date: *pay_date });
                self.owe(symbol, *ex_date, *pay_date, *amount);
            }
            Event::DividendAdjusted { symbol, ex_date, pay_date, declared, amount, .. } => {
                self.forget(symbol, *ex_date, ActionClass::Dividend);
                for kind in declared {
                    self.remember(symbol, *ex_date, kind.clone());
                }
                if let [ActionKind::Dividend { pay_date: Some(pay_date), .. }] = declared[..] {
                    self.move_pay_date(symbol, *ex_date, pay_date);
                }
                self.owe(symbol, *ex_date, *pay_date, *amount);
            }
            Event::DividendPaid { symbol, ex_date, amount } => self.pay(symbol, *ex_date, *amount)?,
            Event::Split { symbol, ex_date, ratio, fraction_sold, cash_in_lieu, restated, .. } => {
                let open = open_of(*ex_date);
                self.forget(symbol, *ex_date, ActionClass::Split);
                self.remember(symbol, *ex_date, ActionKind::Split { ratio: *ratio });
                let basis = restated.as_ref().map_or(*ratio, |restated| restated.basis_change);
                let name = self.name_of(symbol).clone();
                self.rebase_levels(&name, basis, open);
                self.rebase_orders(entry.at, &name, basis, open, changes)?;
                match restated {
                    None => self.split_lots(entry.at, &name, (*ratio, open), (*fraction_sold, *cash_in_lieu), changes)?,
                    Some(restated) => self.restate(entry, restated, changes),
                }
            }
            Event::SpunOff { symbol, ex_date, ratio, amount, restated, .. } => {
                self.forget(symbol, *ex_date, ActionClass::SpinOff);
                self.remember(symbol, *ex_date, ActionKind::SpinOff { ratio: *ratio });
                let basis = restated.as_ref().map_or(*ratio, |restated| restated.basis_change);
                let name = self.name_of(symbol).clone();
                self.rebase_levels(&name, basis, open_of(*ex_date));
                match restated {
                    None => self.spin_off_lots(&name, *ratio, *amount, open_of(*ex_date))?,
                    Some(restated) => self.restate(entry, restated, changes),
                }
            }
            Event::SymbolChanged { symbol, ex_date, to, .. } => {
                self.remember(symbol, *ex_date, ActionKind::SymbolChange { to: to.clone() });
                self.rename(entry.at, symbol, to, changes);
            }
            Event::Delisted { symbol, ex_date, quantity, per_share, amount, .. } => {
                self.remember(symbol, *ex_date, ActionKind::Delisting { value: Some(*per_share) });
                self.delist(entry, symbol, *ex_date, *quantity, *per_share, *amount, changes)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn remember(&mut self, symbol: &Symbol, ex_date: Date, kind: ActionKind) {
        let class = kind.class();
        let known = self.applied_actions.iter_mut().find(|applied| {
            applied.symbol == *symbol && applied.ex_date == ex_date && applied.kinds.iter().any(|other| other.class() == class)
        });
        if let Some(applied) = known {
            applied.kinds.push(kind);
        } else {
            self.applied_actions.retain(|old| (ex_date - old.ex_date).get_days() < REMEMBERED_DAYS);
            self.applied_actions.push(AppliedAction { symbol: symbol.clone(), ex_date, kinds: vec![kind] });
        }
    }

    fn forget(&mut self, symbol: &Symbol, ex_date: Date, class: ActionClass) {
        self.applied_actions.retain(|applied| {
            applied.symbol != *symbol || applied.ex_date != ex_date || applied.kinds.iter().any(|kind| kind.class() != class)
        });
    }

    /// A dividend is earned; what an adjustment takes back is owed as a negative one.
    fn owe(&mut self, symbol: &Symbol, ex_date: Date, pay_date: Option<Date>, amount: Money) {
        let symbol = self.name_of(symbol).clone();
        self.totals.dividends += amount;
        if let Some(position) = self.positions.get_mut(&symbol) {
            position.dividends += amount;
        }
        if !amount.is_zero() {
            self.receivables.push(Receivable { symbol, ex_date, pay_date, amount });
        }
    }

    fn move_pay_date(&mut self, symbol: &Symbol, ex_date: Date, pay_date: Date) {
        let symbol = self.name_of(symbol).clone();
        for due in self.receivables.iter_mut().filter(|due| due.symbol == symbol && due.ex_date == ex_date) {
            due.pay_date = Some(pay_date);
        }
    }

    fn pay(&mut self, symbol: &Symbol, ex_date: Date, amount: Money) -> Result<(), String> {
        let paid = self.receivables.iter().position(|due| due.symbol == *symbol && due.ex_date == ex_date && due.amount == amount);
        self.receivables.remove(paid.ok_or_else(|| format!("no dividend of {symbol} is due"))?);
        self.cash += amount;
        Ok(())
    }

    /// Levels set before the ex-date move to the basis after it.
    fn rebase_levels(&mut self, symbol: &Symbol, basis_change: Decimal, open: Timestamp) {
        let Some(position) = self.positions.get_mut(symbol) else { return };
        if position.exits.set_at.is_some_and(|set_at| set_at < open) {
            for level in [&mut position.exits.target_price, &mut position.exits.stop_loss] {
                *level = level.and_then(|price| Price::round(price.decimal() / basis_change).ok());
            }
        }
    }

    fn rebase_orders(
        &mut self,
        at: Timestamp,
        symbol: &Symbol,
        basis_change: Decimal,
        open: Timestamp,
        changes: &mut Changes,
    ) -> Result<(), String> {
        for order in self.orders.iter_mut().filter(|order| order.request.symbol == *symbol && order.placed_at < open) {
            order.rebase(basis_change).map_err(|error| error.to_string())?;
            order.updated_at = at;
            changes.orders.insert(order.id.clone(), order.clone());
        }
        Ok(())
    }

    fn split_lots(
        &mut self,
        at: Timestamp,
        symbol: &Symbol,
        (ratio, open): (Decimal, Timestamp),
        (fraction_sold, cash_in_lieu): (Quantity, Money),
        changes: &mut Changes,
    ) -> Result<(), String> {
        let method = self.lot_method;
        let Some(position) = self.positions.get_mut(symbol) else { return Ok(()) };
        position.lots.split_before(ratio, open).map_err(|error| error.to_string())?;
        if !fraction_sold.is_zero() {
            let sale = position.lots.sell(fraction_sold, cash_in_lieu, method).map_err(|error| error.to_string())?;
            position.realized_pnl += sale.realized_pnl();
            self.totals.realized_pnl += sale.realized_pnl();
            self.cash += cash_in_lieu;
        }
        if self.held(symbol).is_zero() {
            self.close_position(symbol, at, changes);
        }
        Ok(())
    }

    fn spin_off_lots(&mut self, symbol: &Symbol, ratio: Decimal, amount: Money, open: Timestamp) -> Result<(), String> {
        let position = self.position(symbol)?;
        let fraction = Decimal::ONE - Decimal::ONE / ratio;
        let moved = position.lots.spin_off_before(fraction, open).map_err(|error| error.to_string())?;
        let realized = amount - moved.iter().map(|part| part.cost).sum();
        position.realized_pnl += realized;
        self.totals.realized_pnl += realized;
        self.cash += amount;
        Ok(())
    }

    /// The present as it would be. A holding that turns out to be there still is a position again.
    fn restate(&mut self, entry: &Entry, restated: &Restated, changes: &mut Changes) {
        let Restated { held_as, lots, realized_pnl, cash, .. } = restated;
        self.totals.realized_pnl += *realized_pnl;
        self.cash += *cash;
        let began = lots.open().first().map(crate::lots::Lot::opened_at);
        if let Some(position) = self.positions.get_mut(held_as) {
            position.lots = lots.clone();
            position.realized_pnl += *realized_pnl;
            if began.is_none() {
                self.close_position(held_as, entry.at, changes);
            }
        } else if let Some(opened_at) = began {
            let id = format!("{held_as}-{}", entry.sequence);
            let position =
                Position { lots: lots.clone(), realized_pnl: *realized_pnl, ..Position::opened(id, held_as.clone(), opened_at, None) };
            self.positions.insert(held_as.clone(), position);
        }
    }

    fn rename(&mut self, at: Timestamp, from: &Symbol, to: &Symbol, changes: &mut Changes) {
        if let Some(old) = self.positions.remove(from) {
            let merged = match self.positions.remove(to) {
                Some(known) => known.joined(old),
                None => Position { lots: absorbed(Lots::default(), old.lots.clone()), symbol: to.clone(), ..old },
            };
            self.positions.insert(to.clone(), merged);
        }
        for order in self.orders.iter_mut().filter(|order| order.request.symbol == *from) {
            order.request.symbol = to.clone();
            order.updated_at = at;
            changes.orders.insert(order.id.clone(), order.clone());
        }
        self.receivables.iter_mut().filter(|due| due.symbol == *from).for_each(|due| due.symbol = to.clone());
        if let Some(date) = self.stopped_out.remove(from) {
            let known = self.stopped_out.entry(to.clone()).or_insert(date);
            *known = date.max(*known);
        }
        if let Some(instant) = self.last_sold.remove(from) {
            let known = self.last_sold.entry(to.clone()).or_insert(instant);
            *known = instant.max(*known);
        }
        // What the new symbol's history tells once more has been applied under the old one.
        let applied: Vec<AppliedAction> = self.applied_actions.iter().filter(|applied| applied.symbol == *from).cloned().collect();
        self.applied_actions.extend(applied.into_iter().map(|applied| AppliedAction { symbol: to.clone(), ..applied }));
        self.names.remove(to);
        self.names.insert(from.clone(), to.clone());
    }

    #[expect(clippy::too_many_arguments, reason = "they are the event's fields")]
    fn delist(
        &mut self,
        entry: &Entry,
        symbol: &Symbol,
        ex_date: Date,
        quantity: Quantity,
        per_share: Decimal,
        amount: Money,
        changes: &mut Changes,
    ) -> Result<(), String> {
        let method = self.lot_method;
        let position = self.position(symbol)?;
        let sale = position.lots.sell(quantity, amount, method).map_err(|error| error.to_string())?;
        position.realized_pnl += sale.realized_pnl();
        position.delisted_on = Some(ex_date);
        let (position_id, signal_id) = (position.id.clone(), position.signal_id.clone());
        self.totals.realized_pnl += sale.realized_pnl();
        self.cash += amount;
        self.last_sold.insert(symbol.clone(), open_of(ex_date));
        // Shares that are worth nothing change hands at no price: then the closed position tells it alone.
        if let Ok(price) = Price::round(per_share) {
            self.totals.trades += 1;
            let fill = paid_out(symbol, quantity, price, open_of(ex_date));
            changes.trades.push(Trade { sequence: entry.sequence, position_id, signal_id, fill, realized_pnl: Some(sale.realized_pnl()) });
        }
        self.close_position(symbol, entry.at, changes);
        Ok(())
    }
}

impl Position {
    /// One holding of what are the shares of one stock: the older position goes on, the newer levels hold.
    fn joined(self, old: Self) -> Self {
        let exits = if self.exits == Exits::default() { old.exits.clone() } else { self.exits.clone() };
        Self {
            lots: absorbed(self.lots, old.lots.clone()),
            symbol: self.symbol,
            opened_at: old.opened_at.min(self.opened_at),
            exits,
            notes: self.notes.or(old.notes.clone()),
            realized_pnl: self.realized_pnl + old.realized_pnl,
            dividends: self.dividends + old.dividends,
            fees: self.fees + old.fees,
            ..old
        }
    }
}

fn absorbed(mut lots: Lots, other: Lots) -> Lots {
    lots.absorb(other);
    lots
}

fn paid_out(symbol: &Symbol, quantity: Quantity, price: Price, at: Timestamp) -> Fill {
    Fill {
        order_id: OrderId("delisting".into()),
        symbol: symbol.clone(),
        side: Side::Sell,
        quantity,
        price,
        executed_at: at,
        reference_price: price,
        reference_at: at,
        basis: PriceBasis::Delisting,
        half_spread_bps: Decimal::ZERO,
        impact_bps: Decimal::ZERO,
        slippage_bps: Decimal::ZERO,
        participation: Decimal::ZERO,
        fees: vec![],
    }
}

fn open_of(ex_date: Date) -> Timestamp {
    TradingDate::on_or_after(ex_date).open()
}
