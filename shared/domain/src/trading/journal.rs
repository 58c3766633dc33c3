//! A portfolio while a use case works on it: every change is an entry, applied at once.

use jiff::Timestamp;

use crate::trading::{
    event::Event,
    ledger::{Cause, Entry},
    portfolio::{Changes, Portfolio},
};

#[derive(Debug, Clone)]
pub struct Journal {
    portfolio: Portfolio,
    entries: Vec<Entry>,
    changes: Changes,
    at: Timestamp,
    cause: Cause,
}

impl Journal {
    /// Entries will be recorded at the market time `at`.
    pub fn new(portfolio: Portfolio, at: Timestamp, cause: Cause) -> Self {
        Self { portfolio, entries: Vec::new(), changes: Changes::default(), at, cause }
    }

    pub fn portfolio(&self) -> &Portfolio {
        &self.portfolio
    }

    pub fn at(&self) -> Timestamp {
        self.at
    }

    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The sequence number that the next entry will have.
    pub fn next_sequence(&self) -> u64 {
        self.portfolio.entries + 1
    }

    /// Appends an event and applies it.
    ///
    /// # Panics
    /// When the event contradicts the state: the engine records only what it has checked.
    pub fn record(&mut self, event: Event) {
        let entry = Entry::following(&self.portfolio.head, self.next_sequence(), self.at, self.cause.clone(), event);
        self.portfolio.apply(&entry, &mut self.changes).expect("the engine records only what it has checked");
        self.entries.push(entry);
    }

    /// The portfolio afterwards, the entries that led there, and what they changed.
    pub fn finish(self) -> (Portfolio, Vec<Entry>, Changes) {
        (self.portfolio, self.entries, self.changes)
    }
}
