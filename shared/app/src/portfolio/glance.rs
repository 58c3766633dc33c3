//! What a revaluation saw of a portfolio's market. Where the next one would see the same, it has nothing to do.
//!
//! Running a session again changes nothing, so that forgetting costs time and never a fill: each process remembers for itself.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use domain::{Symbol, Timestamp, TradingDate, UserId, calendar, trading::Portfolio};

use super::Desk;
use crate::{UseCaseError, ports::Quote};

/// Everything that a revaluation depends on.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Glance {
    /// The length of the ledger: whether anybody changed the portfolio.
    entries: u64,
    session: TradingDate,
    is_over: bool,
    /// Names the state of what is stored of all stocks; a new one follows from each ingestion that brought something.
    stored: Option<String>,
    quotes: Vec<Quote>,
}

/// The newest glance at each portfolio.
#[derive(Debug, Default)]
pub(super) struct Glances(Mutex<HashMap<UserId, Glance>>);

impl Glances {
    pub(super) fn is_last(&self, owner: &UserId, glance: &Glance) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(owner) == Some(glance)
    }

    pub(super) fn keep(&self, owner: &UserId, glance: Glance) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(owner.clone(), glance);
    }

    fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl Desk {
    /// To be said when something came in that prices do not show, such as a corporate action.
    pub fn look_again(&self) {
        self.glances.forget();
    }

    pub(super) async fn glance(&self, portfolio: &Portfolio, stored: Option<&str>, now: Timestamp) -> Result<Glance, UseCaseError> {
        let session = calendar::current_or_last_session(now);
        let symbols: Vec<Symbol> = portfolio.symbols().into_iter().collect();
        Ok(Glance {
            entries: portfolio.entries,
            session,
            is_over: session.close() <= now,
            stored: stored.map(str::to_owned),
            quotes: self.market.quotes(&symbols, now).await?,
        })
    }
}
