//! Reading the ledger, and proving that the stored state follows from it.

use domain::{
    Date, Symbol, Timestamp, UserId,
    trading::{Entry, Portfolio, Trade},
};

use super::Desk;
use crate::UseCaseError;

/// How many entries are read at once.
const PAGE: usize = 1_000;

/// Whether the stored state is what the ledger says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    pub valid: bool,
    pub entries: u64,
    pub head_hash: String,
    /// What differs, in words; empty when all agrees.
    pub differences: Vec<String>,
}

/// Up to where the ledger is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// Up to the entry of this number; 0 is before the first.
    Sequence(u64),
    /// All that was recorded by then.
    Instant(Timestamp),
}

impl Desk {
    /// Entries after the sequence number `after`, oldest first, and how many there are in all.
    pub async fn ledger(&self, user: &UserId, after: u64, limit: usize, now: Timestamp) -> Result<(Vec<Entry>, u64), UseCaseError> {
        let total = self.portfolio(user, now).await?.entries;
        let mut entries = self.store.entries(user, after, limit).await?;
        // What was added since the count is for the next reader.
        entries.retain(|entry| entry.sequence <= total);
        Ok((entries, total))
    }

    /// The portfolio as it was, rebuilt from its first entry.
    pub async fn state_at(&self, user: &UserId, until: Until, now: Timestamp) -> Result<Portfolio, UseCaseError> {
        let total = self.portfolio(user, now).await?.entries;
        let last = match until {
            Until::Sequence(sequence) if sequence > total => {
                return Err(UseCaseError::NotFound(format!("ledger entry {sequence}: there are {total}")));
            }
            Until::Sequence(sequence) => sequence,
            Until::Instant(_) => total,
        };
        let mut entries = if last == 0 { vec![] } else { self.all_entries(user, last).await? };
        if let Until::Instant(instant) = until {
            entries.truncate(entries.partition_point(|entry| entry.at <= instant));
        }
        let rebuilt = Portfolio::rebuild(user.clone(), &entries);
        rebuilt.map(|(portfolio, _)| portfolio).map_err(|error| UseCaseError::Unavailable(format!("the ledger is damaged: {error}")))
    }

    /// Rebuilds the portfolio from its first entry and compares it with the stored one.
    pub async fn verify(&self, user: &UserId, now: Timestamp) -> Result<Verification, UseCaseError> {
        let stored = self.portfolio(user, now).await?;
        let entries = self.all_entries(user, stored.entries).await?;
        let differences = match Portfolio::rebuild(user.clone(), &entries) {
            Ok((rebuilt, _)) => differences(&rebuilt, &stored),
            Err(error) => vec![error.to_string()],
        };
        Ok(Verification { valid: differences.is_empty(), entries: stored.entries, head_hash: stored.head.as_str().to_owned(), differences })
    }

    /// All entries up to the sequence number `last`: what is added meanwhile is not looked at.
    pub(super) async fn all_entries(&self, user: &UserId, last: u64) -> Result<Vec<Entry>, UseCaseError> {
        let mut entries: Vec<Entry> = Vec::new();
        loop {
            let after = entries.last().map_or(0, |entry| entry.sequence);
            let page = self.store.entries(user, after, PAGE).await?;
            let is_last = page.len() < PAGE;
            entries.extend(page.into_iter().take_while(|entry| entry.sequence <= last));
            if is_last || entries.last().is_some_and(|entry| entry.sequence >= last) {
                return Ok(entries);
            }
        }
    }

    /// Executed trades, newest first, of one symbol and between two New York dates where given.
    pub async fn trades(&self, user: &UserId, filter: &TradeFilter, before: Option<u64>, limit: usize) -> Result<Vec<Trade>, UseCaseError> {
        let mut matching = Vec::new();
        let mut before = before;
        while matching.len() < limit {
            let page = self.store.trades(user, before, PAGE).await?;
            before = page.last().map(|trade| trade.sequence);
            let is_last = page.len() < PAGE;
            matching.extend(page.into_iter().filter(|trade| filter.matches(trade)));
            if is_last {
                break;
            }
        }
        matching.truncate(limit);
        Ok(matching)
    }
}

#[derive(Debug, Clone, Default)]
pub struct TradeFilter {
    pub symbol: Option<Symbol>,
    pub start: Option<Date>,
    pub end: Option<Date>,
}

impl TradeFilter {
    fn matches(&self, trade: &Trade) -> bool {
        let date = domain::calendar::new_york_date(trade.fill.executed_at);
        self.symbol.as_ref().is_none_or(|symbol| trade.fill.symbol == *symbol)
            && self.start.is_none_or(|start| date >= start)
            && self.end.is_none_or(|end| date <= end)
    }
}

fn differences(rebuilt: &Portfolio, stored: &Portfolio) -> Vec<String> {
    let mut found = Vec::new();
    let mut compare = |what: &str, rebuilt: String, stored: String| {
        if rebuilt != stored {
            found.push(format!("{what}: the ledger says {rebuilt}, stored is {stored}"));
        }
    };
    compare("entries", rebuilt.entries.to_string(), stored.entries.to_string());
    compare("cash", rebuilt.cash.to_string(), stored.cash.to_string());
    compare("realised profit and loss", rebuilt.totals.realized_pnl.to_string(), stored.totals.realized_pnl.to_string());
    compare("fees", rebuilt.totals.fees.to_string(), stored.totals.fees.to_string());
    for symbol in rebuilt.positions.keys().chain(stored.positions.keys()).collect::<std::collections::BTreeSet<_>>() {
        compare(&format!("shares of {symbol}"), rebuilt.held(symbol).to_string(), stored.held(symbol).to_string());
    }
    if found.is_empty() && rebuilt != stored {
        found.push("the stored state differs from the ledger in its details".into());
    }
    found
}
