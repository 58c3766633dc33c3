//! Tapes of sessions for the trading engine: from stored bars once a session is ingested, from the feed while it is on.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    PriceHistory, Symbol, Timestamp, TradingDate,
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
            let history = self.history(&symbol).await?;
            let quote = quotes.iter().find(|quote| quote.symbol == symbol && quote.date == date);
            if let Some(tape) = tape(&history, quote, date) {
                tapes.insert(symbol, self.with_fresh_actions(tape, &history).await?);
            }
        }
        Ok(tapes)
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
            let fresh = feed.actions(std::slice::from_ref(&history.symbol), date, date, self.now).await?.actions;
            for (_, action) in fresh {
                if !tape.actions.contains(&action.kind) {
                    tape.actions.push(action.kind);
                }
            }
        }
        Ok(tape)
    }
}

/// The tape from the stored bar, else from the feed's quote, else without prices; `None` for a stock without any history.
fn tape(history: &PriceHistory, quote: Option<&Quote>, date: TradingDate) -> Option<DayTape> {
    let day = date.date();
    let actions = history.actions.iter().filter(|action| action.ex_date == day).map(|action| action.kind.clone()).collect();
    let before = background(history, day);
    let bar = history.bar_on(day).map(|record| record.bar).or(quote.and_then(|quote| quote.bar));
    if let Some(bar) = bar {
        return Some(DayTape::of_bar(&bar, actions, before));
    }
    let Some(quote) = quote else {
        // Nothing seen of the session: nothing trades, and what is held is worth its last close.
        return before.previous_close.is_some().then_some(DayTape { date, actions, open: None, rest: None, quote: None, before });
    };
    let is_live = Some(quote.last) != quote.open || quote.last_at > date.open();
    Some(DayTape { date, actions, open: quote.open, rest: None, quote: is_live.then_some((quote.last, quote.last_at)), before })
}
