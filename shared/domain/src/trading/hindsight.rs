//! What was held when, told again from the ledger in the order of the market instead of the order of the entries.
//!
//! An entry says when something was recorded; a fill and an ex-date say when it happened. Told in that order, with an event
//! where it belongs that was not known at the time, the ledger gives the lots as they would be.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rust_decimal::Decimal;

use crate::{
    ActionClass, Money, Quantity, Symbol, TradingDate,
    execution::Side,
    lots::{LotError, LotMethod, Lots},
    trading::{corporate_actions::split_holding, event::Event, ledger::Entry},
};

/// The changes of all holdings, in the order in which they happened.
#[derive(Debug, Clone)]
pub(super) struct Hindsight {
    steps: Vec<Step>,
    method: LotMethod,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Step {
    pub(super) at: Timestamp,
    /// Fills have none and follow the actions of the same instant.
    pub(super) class: Option<ActionClass>,
    pub(super) symbol: Symbol,
    pub(super) what: What,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum What {
    Buy { quantity: Quantity, cost: Money },
    Sell { quantity: Quantity, proceeds: Money },
    Split { ratio: Decimal, price_before: Option<Decimal> },
    SpinOff { ratio: Decimal, per_share: Decimal },
    Rename { to: Symbol },
    Delist { per_share: Decimal },
}

/// All holdings after some steps, with what they realised and moved in cash on the way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Holdings {
    pub(super) lots: BTreeMap<Symbol, Lots>,
    pub(super) realized_pnl: Money,
    pub(super) cash: Money,
}

impl Step {
    fn order(&self) -> (Timestamp, u8) {
        (self.at, self.class.map_or(u8::MAX, |class| class as u8))
    }
}

impl Hindsight {
    pub(super) fn new<'a>(entries: impl IntoIterator<Item = &'a Entry>, method: LotMethod) -> Self {
        let mut hindsight = Self { steps: Vec::new(), method };
        for entry in entries {
            match step(&entry.event) {
                Some(fill) if fill.class.is_none() => hindsight.steps.push(fill),
                // A corrected event stands in the place of the one it corrects.
                Some(action) => hindsight.replace(action),
                None => {}
            }
        }
        hindsight.steps.sort_by_key(Step::order);
        hindsight
    }

    /// The same with `step` where it belongs.
    pub(super) fn with(&self, step: Step) -> Self {
        let mut told = self.clone();
        told.replace(step);
        told.steps.sort_by_key(Step::order);
        told
    }

    fn replace(&mut self, step: Step) {
        let same = |other: &&mut Step| (other.at, other.class, &other.symbol) == (step.at, step.class, &step.symbol);
        match self.steps.iter_mut().find(same) {
            Some(other) => *other = step,
            None => self.steps.push(step),
        }
    }

    /// The step of this class that is known for a session's open.
    pub(super) fn action(&self, symbol: &Symbol, session: TradingDate, class: ActionClass) -> Option<&What> {
        let of = |step: &&Step| step.at == session.open() && step.class == Some(class) && step.symbol == *symbol;
        self.steps.iter().find(of).map(|step| &step.what)
    }

    /// What is held in the end.
    pub(super) fn in_the_end(&self) -> Result<Holdings, LotError> {
        self.tell(|_| true)
    }

    /// What was held when an action of `class` took effect at the open of `session`.
    pub(super) fn at_open(&self, session: TradingDate, class: ActionClass) -> Result<Holdings, LotError> {
        let until = (session.open(), class as u8);
        self.tell(|step| step.order() < until)
    }

    fn tell(&self, is_told: impl Fn(&Step) -> bool) -> Result<Holdings, LotError> {
        let mut holdings = Holdings::default();
        for step in self.steps.iter().filter(|step| is_told(step)) {
            holdings.apply(step, self.method)?;
        }
        Ok(holdings)
    }
}

impl Holdings {
    pub(super) fn quantity(&self, symbol: &Symbol) -> Quantity {
        self.lots.get(symbol).map_or(Quantity::ZERO, Lots::quantity)
    }

    fn apply(&mut self, step: &Step, method: LotMethod) -> Result<(), LotError> {
        let symbol = &step.symbol;
        match &step.what {
            What::Buy { quantity, cost } => {
                self.lots.entry(symbol.clone()).or_default().buy(*quantity, *cost, step.at)?;
                self.cash -= *cost;
            }
            What::Sell { quantity, proceeds } => self.sell(symbol, *quantity, *proceeds, method)?,
            What::Split { ratio, price_before } => {
                let held = self.quantity(symbol);
                let Some(lots) = self.lots.get_mut(symbol) else { return Ok(()) };
                lots.split(*ratio)?;
                let (_, fraction, cash_in_lieu) = split_holding(held, *ratio, *price_before);
                if !fraction.is_zero() {
                    self.sell(symbol, fraction, cash_in_lieu, method)?;
                }
            }
            What::SpinOff { ratio, per_share } => {
                let worth = Money::round(per_share * self.quantity(symbol).decimal());
                let Some(lots) = self.lots.get_mut(symbol) else { return Ok(()) };
                let moved: Money = lots.spin_off(Decimal::ONE - Decimal::ONE / *ratio)?.iter().map(|part| part.cost).sum();
                self.cash += worth;
                self.realized_pnl += worth - moved;
            }
            What::Rename { to } => {
                if let Some(lots) = self.lots.remove(symbol) {
                    self.lots.entry(to.clone()).or_default().absorb(lots);
                }
            }
            What::Delist { per_share } => {
                let held = self.quantity(symbol);
                self.sell(symbol, held, Money::round(per_share * held.decimal()), method)?;
            }
        }
        Ok(())
    }

    /// Sells what is there. Shares that were sold and never existed bring nothing.
    fn sell(&mut self, symbol: &Symbol, quantity: Quantity, proceeds: Money, method: LotMethod) -> Result<(), LotError> {
        let sold = quantity.min(self.quantity(symbol));
        let Some(lots) = self.lots.get_mut(symbol).filter(|_| !sold.is_zero()) else { return Ok(()) };
        let received = if sold == quantity { proceeds } else { proceeds.scale(sold.decimal() / quantity.decimal()) };
        self.realized_pnl += lots.sell(sold, received, method)?.realized_pnl();
        self.cash += received;
        if lots.is_empty() {
            self.lots.remove(symbol);
        }
        Ok(())
    }
}

fn step(event: &Event) -> Option<Step> {
    let action = |ex_date, class, symbol: &Symbol, what| {
        Some(Step { at: TradingDate::on_or_after(ex_date).open(), class: Some(class), symbol: symbol.clone(), what })
    };
    match event {
        Event::Filled { fill } => {
            let what = match fill.side {
                Side::Buy => What::Buy { quantity: fill.quantity, cost: fill.notional() + fill.total_fees() },
                Side::Sell => What::Sell { quantity: fill.quantity, proceeds: fill.notional() - fill.total_fees() },
            };
            Some(Step { at: fill.executed_at, class: None, symbol: fill.symbol.clone(), what })
        }
        Event::Split { symbol, ex_date, ratio, fraction_sold, cash_in_lieu, .. } => {
            let price_before = cash_in_lieu.per(*fraction_sold).map(|price| price * ratio);
            action(*ex_date, ActionClass::Split, symbol, What::Split { ratio: *ratio, price_before })
        }
        Event::SpunOff { symbol, ex_date, ratio, quantity, amount, .. } => {
            let per_share = amount.per(*quantity).unwrap_or_default();
            action(*ex_date, ActionClass::SpinOff, symbol, What::SpinOff { ratio: *ratio, per_share })
        }
        Event::SymbolChanged { symbol, ex_date, to, .. } => {
            action(*ex_date, ActionClass::SymbolChange, symbol, What::Rename { to: to.clone() })
        }
        Event::Delisted { symbol, ex_date, per_share, .. } => {
            action(*ex_date, ActionClass::Delisting, symbol, What::Delist { per_share: *per_share })
        }
        _ => None,
    }
}
