//! Tapes of sessions for the trading engine: from stored bars once a session is ingested, from the feed while it is on.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    ActionKind, PriceHistory, Symbol, Timestamp, ToSpan, TradingDate,
    trading::{DayTape, session::Tapes},
};
use futures::lock::Mutex;
use std::sync::Arc;

use super::{Market, background};
use crate::{UseCaseError, ports::Quote};

/// Makes tapes for many portfolios at one instant; each history is read once.
pub struct TapeReader<'a> {
    market: &'a Market,
    now: Timestamp,
    histories: Mutex<BTreeMap<Symbol, Arc<PriceHistory>>>,
}

impl<'a> TapeReader<'a> {
    pub fn new(market: &'a Market, now: Timestamp) -> Self {
        Self { market, now, histories: Mutex::new(BTreeMap::new()) }
    }

    /// What is known of the session `date` for those of `symbols` that traded in it.
    pub async fn session(&self, symbols: &BTreeSet<Symbol>, date: TradingDate) -> Result<Tapes, UseCaseError> {
        let wanted: Vec<Symbol> = symbols.iter().cloned().collect();
        let quotes = if date == super::current_session(self.now) { self.market.quotes(&wanted, self.now).await? } else { vec![] };
        let mut tapes = Tapes::new();
        for symbol in wanted {
            let quote = quotes.iter().find(|quote| quote.symbol == symbol && quote.date == date);
            if let Some(tape) = self.tape(&symbol, quote, date).await? {
                tapes.insert(symbol, tape);
            }
        }
        self.add_successors(&mut tapes, date).await?;
        Ok(tapes)
    }

    /// What changes its symbol goes on trading under the new one in the same session.
    async fn add_successors(&self, tapes: &mut Tapes, date: TradingDate) -> Result<(), UseCaseError> {
        let renamed: Vec<(Symbol, DayTape)> = tapes
            .values()
            .filter_map(|tape| Some((successor(tape)?.clone(), tape.clone())))
            .filter(|(to, _)| !tapes.contains_key(to))
            .collect();
        for (to, before) in renamed {
            let is_on = date == super::current_session(self.now);
            let quotes = if is_on { self.market.quotes(std::slice::from_ref(&to), self.now).await? } else { vec![] };
            let quote = quotes.iter().find(|quote| quote.date == date);
            if let Some(mut tape) = self.tape(&to, quote, date).await? {
                if tape.before.previous_close.is_none() {
                    tape.before = before.before;
                }
                tapes.insert(to, tape);
            }
        }
        Ok(())
    }

    async fn tape(&self, symbol: &Symbol, quote: Option<&Quote>, date: TradingDate) -> Result<Option<DayTape>, UseCaseError> {
        let history = self.history(symbol).await?;
        match tape(&history, quote, date) {
            Some(tape) => self.with_fresh_actions(tape, &history).await.map(Some),
            None => Ok(None),
        }
    }

    async fn history(&self, symbol: &Symbol) -> Result<Arc<PriceHistory>, UseCaseError> {
        if let Some(known) = self.histories.lock().await.get(symbol) {
            return Ok(known.clone());
        }
        let history = Arc::new(self.market.history(symbol, self.now).await?);
        self.histories.lock().await.insert(symbol.clone(), history.clone());
        Ok(history)
    }

    /// A session that is still on has not been ingested: its corporate actions are asked of the feed.
    async fn with_fresh_actions(&self, mut tape: DayTape, history: &PriceHistory) -> Result<DayTape, UseCaseError> {
        let date = tape.date.date();
        if let Some(feed) = self.market.quotes.as_ref().filter(|_| history.bar_on(date).is_none()) {
            let first = tape.date.previous().date().saturating_add(1.day());
            let fresh = feed.actions(std::slice::from_ref(&history.symbol), first, date, self.now).await?.actions;
            // What is stored of a class is a whole statement already.
            let stored: Vec<_> = tape.actions.iter().map(ActionKind::class).collect();
            tape.actions.extend(fresh.into_iter().map(|(_, action)| action.kind).filter(|kind| !stored.contains(&kind.class())));
        }
        Ok(tape)
    }
}

fn successor(tape: &DayTape) -> Option<&Symbol> {
    tape.actions.iter().find_map(|kind| if let ActionKind::SymbolChange { to } = kind { Some(to) } else { None })
}

/// What takes effect at the open of `date`: also what has an ex-date on which the exchange turned out to be closed.
pub fn effective_on(history: &PriceHistory, date: TradingDate) -> Vec<ActionKind> {
    let before = date.previous().date();
    let effective = history.actions.iter().filter(|action| action.ex_date > before && action.ex_date <= date.date());
    effective.map(|action| action.kind.clone()).collect()
}

/// The tape from the stored bar, else from the feed's quote, else without prices; `None` for a stock without any history.
fn tape(history: &PriceHistory, quote: Option<&Quote>, date: TradingDate) -> Option<DayTape> {
    let day = date.date();
    let actions = effective_on(history, date);
    let before = background(history, day);
    let bar = history.bar_on(day).map(|record| record.bar).or(quote.and_then(|quote| quote.bar));
    if let Some(bar) = bar {
        return Some(DayTape::of_bar(&bar, actions, before));
    }
    let Some(quote) = quote else {
        return DayTape::without_prices(date, actions, before);
    };
    let is_live = Some(quote.last) != quote.open || quote.last_at > date.open();
    Some(DayTape { date, actions, open: quote.open, rest: None, quote: is_live.then_some((quote.last, quote.last_at)), before })
}
