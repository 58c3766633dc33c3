//! A portfolio while a use case works on it: every change is an entry, applied at once.

use jiff::Timestamp;

use crate::trading::{
    event::Event,
    ledger::{Cause, Entry},
    portfolio::{Changes, Portfolio},
};

#[derive(Debug, Clone)]
pub struct Journal {
    before: Portfolio,
    portfolio: Portfolio,
    entries: Vec<Entry>,
    changes: Changes,
    at: Timestamp,
    cause: Cause,
}

impl Journal {
    /// Entries will be recorded at the market time `at`.
    pub fn new(portfolio: Portfolio, at: Timestamp, cause: Cause) -> Self {
        Self { before: portfolio.clone(), portfolio, entries: Vec::new(), changes: Changes::default(), at, cause }
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

    /// As [`Self::finish`], in parts of at most about `size` entries for stores that bound a transaction.
    ///
    /// A part is whole sessions, as far as they fit: a session that is seen again from its middle on could spend at its open what it
    /// earned at its close. One that is longer by itself is cut between orders, so that each leaves a state to go on from.
    pub fn finish_in_parts(self, size: usize) -> Vec<(Portfolio, Vec<Entry>, Changes)> {
        if self.entries.len() <= size {
            return if self.entries.is_empty() { vec![] } else { vec![self.finish()] };
        }
        let mut parts: Vec<Vec<Entry>> = vec![];
        for session in self.entries.chunk_by(|entry, _| !matches!(entry.event, Event::Valued { .. })) {
            let fits = parts.last().is_some_and(|part| part.len() + session.len() <= size);
            if !fits {
                parts.push(vec![]);
            }
            for entry in session {
                let part = parts.last().expect("one was just made");
                let before = part.last().and_then(|entry| entry.event.order_id());
                let goes_on = before.is_some() && before == entry.event.order_id();
                if part.len() >= size && !goes_on {
                    parts.push(vec![]);
                }
                parts.last_mut().expect("there is one").push(entry.clone());
            }
        }
        let mut portfolio = self.before;
        let folded = parts.into_iter().map(|entries| {
            let mut changes = Changes::default();
            for entry in &entries {
                portfolio.apply(entry, &mut changes).expect("the entries were applied before");
            }
            (portfolio.clone(), entries, changes)
        });
        folded.collect()
    }
}
