//! Corporate actions that became known late, or otherwise than they were applied: restated from the ledger, once.
//!
//! Fills stand as they were. What is restated is what they were matched with: a holding at the open of the ex-date earns the
//! dividend that nobody knew of, also when it has been sold since; the lots that a split multiplied are sold by the later
//! sales at their new basis, and what those realised is corrected by the difference. When more was sold than there was after a
//! reverse split, what was received for the rest is given back, even if the account then owes cash.

use std::collections::BTreeSet;

use jiff::civil::Date;
use rust_decimal::Decimal;

use crate::{
    ActionClass, ActionKind, Money, Quantity, Symbol, TradingDate, calendar,
    corporate_action::agrees,
    lots::LotError,
    trading::{
        corporate_actions::{self, Statement, dividend_amounts, dividends, split_holding, spun_off_worth},
        event::{Event, Restated},
        hindsight::{Hindsight, Holdings, Step, What},
        journal::Journal,
        ledger::Entry,
        portfolio::Concern,
    },
};

/// Restates `statement` where the portfolio has not seen it as it is. `entries` is the whole ledger before this journal.
///
/// Applied again it changes nothing.
pub fn restate(journal: &mut Journal, entries: &[Entry], statement: &Statement) -> Result<(), LotError> {
    if journal.portfolio().concern(statement) != Concern::Ledger {
        return Ok(());
    }
    let past = Past::new(journal, entries);
    match statement.class() {
        None => Ok(()),
        Some(ActionClass::Split) => past.split(journal, statement),
        Some(ActionClass::SpinOff) => past.spin_off(journal, statement),
        Some(ActionClass::Dividend) => past.dividend(journal, statement),
        // They act on what there is now, whenever they become known.
        Some(ActionClass::SymbolChange | ActionClass::Delisting) => {
            corporate_actions::apply_one(journal, statement, true);
            Ok(())
        }
    }
}

/// The ledger up to now.
struct Past {
    holdings: Hindsight,
    booked: Vec<Booked>,
}

/// One entry about a dividend.
struct Booked {
    symbol: Symbol,
    ex_date: Date,
    quantity: Quantity,
    declared: Vec<ActionKind>,
    amount: Money,
    /// It replaces what was declared before it.
    adjusts: bool,
}

impl Past {
    fn new(journal: &Journal, entries: &[Entry]) -> Self {
        let all = || entries.iter().chain(journal.entries());
        Self {
            holdings: Hindsight::new(all(), journal.portfolio().lot_method),
            booked: all().filter_map(|entry| booked(&entry.event)).collect(),
        }
    }

    fn split(&self, journal: &mut Journal, statement: &Statement) -> Result<(), LotError> {
        let (symbol, session, ratio) = (&statement.symbol, statement.session, statement.ratio());
        let earlier = match self.holdings.action(symbol, session, ActionClass::Split) {
            Some(What::Split { ratio, .. }) => *ratio,
            _ => Decimal::ONE,
        };
        if earlier == ratio {
            return Ok(());
        }
        let price_before = statement.price_before();
        let held = self.holdings.at_open(session, ActionClass::Split)?.quantity(symbol);
        let (quantity_after, fraction_sold, cash_in_lieu) = split_holding(held, ratio, price_before);
        let told = self.holdings.with(step(statement, What::Split { ratio, price_before }));
        let (booked, right) = (self.holdings.in_the_end()?, told.in_the_end()?);
        if booked == right && !has_orders_before(journal, statement) {
            return Ok(());
        }
        let restated = Some(difference(journal, statement, &booked, &right, ratio / earlier));
        journal.record(Event::Split {
            symbol: symbol.clone(),
            ex_date: session.date(),
            ratio,
            quantity_before: held,
            quantity_after,
            fraction_sold,
            cash_in_lieu,
            restated,
        });
        self.later_dividends(journal, &told, session)
    }

    fn spin_off(&self, journal: &mut Journal, statement: &Statement) -> Result<(), LotError> {
        let (symbol, session, ratio) = (&statement.symbol, statement.session, statement.ratio());
        let earlier = match self.holdings.action(symbol, session, ActionClass::SpinOff) {
            Some(What::SpinOff { ratio, .. }) => *ratio,
            _ => Decimal::ONE,
        };
        let before = self.holdings.at_open(session, ActionClass::SpinOff)?;
        let quantity = before.quantity(symbol);
        if earlier == ratio || quantity.is_zero() {
            return Ok(());
        }
        let cost = before.lots.get(symbol).and_then(crate::lots::Lots::average_cost).unwrap_or_default();
        let per_share = spun_off_worth(statement, cost);
        let told = self.holdings.with(step(statement, What::SpinOff { ratio, per_share }));
        let restated = Some(difference(journal, statement, &self.holdings.in_the_end()?, &told.in_the_end()?, ratio / earlier));
        let amount = Money::round(per_share * quantity.decimal());
        journal.record(Event::SpunOff { symbol: symbol.clone(), ex_date: session.date(), ratio, quantity, amount, restated });
        Ok(())
    }

    fn dividend(&self, journal: &mut Journal, statement: &Statement) -> Result<(), LotError> {
        let (symbol, ex_date) = (&statement.symbol, statement.session.date());
        let held = self.holdings.at_open(statement.session, ActionClass::Dividend)?.quantity(symbol);
        let earlier: Vec<&Booked> = self.about(symbol, ex_date).collect();
        if earlier.is_empty() {
            for event in dividends(statement, held, true) {
                journal.record(event);
            }
        } else if !agrees(&statement.kinds, declared(&earlier)) {
            adjust(journal, statement, held, &earlier);
        }
        pay(journal, symbol, ex_date);
        Ok(())
    }

    /// Dividends on or after the ex-date of a split that nobody knew of were booked on the wrong number of shares.
    fn later_dividends(&self, journal: &mut Journal, told: &Hindsight, session: TradingDate) -> Result<(), LotError> {
        let later: BTreeSet<(&Symbol, Date)> =
            self.booked.iter().filter(|booked| booked.ex_date >= session.date()).map(|booked| (&booked.symbol, booked.ex_date)).collect();
        for (symbol, ex_date) in later {
            let session = TradingDate::on_or_after(ex_date);
            let held = told.at_open(session, ActionClass::Dividend)?.quantity(symbol);
            let earlier: Vec<&Booked> = self.about(symbol, ex_date).collect();
            if earlier.last().is_some_and(|booked| booked.quantity != held) {
                let kinds = declared(&earlier).cloned().collect();
                let statement = Statement { symbol: symbol.clone(), session, kinds, previous_close: None, open: None };
                adjust(journal, &statement, held, &earlier);
                pay(journal, symbol, ex_date);
            }
        }
        Ok(())
    }

    fn about<'a>(&'a self, symbol: &'a Symbol, ex_date: Date) -> impl Iterator<Item = &'a Booked> {
        self.booked.iter().filter(move |booked| booked.symbol == *symbol && booked.ex_date == ex_date)
    }
}

/// What is different now because of what happened then.
fn difference(journal: &Journal, statement: &Statement, booked: &Holdings, right: &Holdings, basis_change: Decimal) -> Restated {
    let held_as = journal.portfolio().name_of(&statement.symbol).clone();
    Restated {
        lots: right.lots.get(&held_as).cloned().unwrap_or_default(),
        held_as,
        realized_pnl: right.realized_pnl - booked.realized_pnl,
        cash: right.cash - booked.cash,
        basis_change,
    }
}

fn has_orders_before(journal: &Journal, statement: &Statement) -> bool {
    let (name, open) = (journal.portfolio().name_of(&statement.symbol), statement.session.open());
    journal.portfolio().orders.iter().any(|order| order.request.symbol == *name && order.placed_at < open)
}

fn step(statement: &Statement, what: What) -> Step {
    Step { at: statement.session.open(), class: statement.class(), symbol: statement.symbol.clone(), what }
}

/// Books the difference between what `statement` gives on `held` and what was booked.
fn adjust(journal: &mut Journal, statement: &Statement, held: Quantity, earlier: &[&Booked]) {
    let due: Money = dividend_amounts(&statement.kinds, held).map(|(_, _, amount)| amount).sum();
    let booked: Money = earlier.iter().map(|booked| booked.amount).sum();
    // The difference is paid with the last of what is declared.
    let pay_date = dividend_amounts(&statement.kinds, held).filter_map(|(_, pay_date, _)| pay_date).max();
    journal.record(Event::DividendAdjusted {
        symbol: statement.symbol.clone(),
        ex_date: statement.session.date(),
        pay_date,
        quantity: held,
        declared: statement.kinds.clone(),
        amount: due - booked,
    });
}

/// Pays what of this ex-date is due already.
fn pay(journal: &mut Journal, symbol: &Symbol, ex_date: Date) {
    let today = calendar::new_york_date(journal.at());
    let name = journal.portfolio().name_of(symbol).clone();
    let is_due = |pay_date: Option<Date>| pay_date.unwrap_or(ex_date) <= today;
    let due: Vec<_> = journal
        .portfolio()
        .receivables
        .iter()
        .filter(|receivable| receivable.symbol == name && receivable.ex_date == ex_date && is_due(receivable.pay_date))
        .cloned()
        .collect();
    for receivable in due {
        journal.record(Event::DividendPaid { symbol: receivable.symbol, ex_date, amount: receivable.amount });
    }
}

/// What counts as declared: everything since the last adjustment.
fn declared<'a>(earlier: &'a [&'a Booked]) -> impl Iterator<Item = &'a ActionKind> {
    let from = earlier.iter().rposition(|booked| booked.adjusts).unwrap_or(0);
    earlier[from..].iter().flat_map(|booked| &booked.declared)
}

fn booked(event: &Event) -> Option<Booked> {
    match event {
        Event::DividendEarned { symbol, ex_date, pay_date, quantity, per_share, amount, .. } => Some(Booked {
            symbol: symbol.clone(),
            ex_date: *ex_date,
            quantity: *quantity,
            declared: vec![ActionKind::Dividend { amount: *per_share, pay_date: *pay_date }],
            amount: *amount,
            adjusts: false,
        }),
        Event::DividendAdjusted { symbol, ex_date, quantity, declared, amount, .. } => Some(Booked {
            symbol: symbol.clone(),
            ex_date: *ex_date,
            quantity: *quantity,
            declared: declared.clone(),
            amount: *amount,
            adjusts: true,
        }),
        _ => None,
    }
}
