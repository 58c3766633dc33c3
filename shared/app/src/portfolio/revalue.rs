//! The job that lets the market act on portfolios: fills, exits, corporate actions, expiries, valuations.

use domain::{
    Date, Timestamp, TradingDate, UserId, calendar,
    trading::{Cause, Journal, Portfolio, session},
};
use tracing::warn;

use super::Desk;
use crate::{
    UseCaseError,
    market::TapeReader,
    ports::{Commit, StoreError},
};

/// The cause of its entries.
pub(crate) const CAUSE: &str = "revalue";

/// How often a portfolio that its owner is changing at the same time is tried again.
const TRIES: usize = 10;

/// Entries a commit: each can touch an order, a trade and a closed position, and a transaction takes a hundred items.
const PART: usize = 24;

/// What one run did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Revaluation {
    pub portfolios: usize,
    /// Ledger entries written.
    pub entries: usize,
    pub fills: usize,
    /// Portfolios that could not be brought up to date; the next run tries again.
    pub failures: usize,
}

impl Desk {
    /// Brings every portfolio with positions or orders up to what the market has shown by `now`. Safe to repeat.
    pub async fn revalue(&self, now: Timestamp) -> Result<Revaluation, UseCaseError> {
        let tapes = TapeReader::new(&self.market, now);
        let stored = self.market.snapshot_version().await?;
        let mut done = Revaluation::default();
        for owner in self.store.active_owners().await? {
            match self.revalue_one(&owner, &tapes, stored.as_deref(), now).await {
                Ok((entries, fills)) => {
                    done.portfolios += 1;
                    done.entries += entries;
                    done.fills += fills;
                }
                Err(error) => {
                    warn!(user_id = %owner, %error, "not revalued");
                    done.failures += 1;
                }
            }
        }
        Ok(done)
    }

    async fn revalue_one(
        &self,
        owner: &UserId,
        tapes: &TapeReader<'_>,
        stored: Option<&str>,
        now: Timestamp,
    ) -> Result<(usize, usize), UseCaseError> {
        for _ in 0..TRIES {
            let Some(portfolio) = self.stored(owner).await? else { return Ok((0, 0)) };
            if self.glances.is_last(owner, &self.glance(&portfolio, stored, now).await?) {
                return Ok((0, 0));
            }
            let journal = self.observed(portfolio, tapes, now).await?;
            let seen = self.glance(journal.portfolio(), stored, now).await?;
            match self.commit_parts(journal).await {
                Ok(done) => {
                    self.glances.keep(owner, seen);
                    return Ok(done);
                }
                Err(StoreError::Conflict(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(UseCaseError::Busy)
    }

    /// Entries written and fills among them.
    async fn commit_parts(&self, journal: Journal) -> Result<(usize, usize), StoreError> {
        let (mut written, mut fills) = (0, 0);
        for (portfolio, entries, changes) in journal.finish_in_parts(PART) {
            let after_entries = portfolio.entries - entries.len() as u64;
            (written, fills) = (written + entries.len(), fills + changes.trades.len());
            self.store.commit(&Commit { after_entries, portfolio, entries, changes, receipt: None, decisions: vec![] }).await?;
        }
        Ok((written, fills))
    }

    /// Runs every session that the portfolio has not seen the end of, in order.
    async fn observed(&self, portfolio: Portfolio, tapes: &TapeReader<'_>, now: Timestamp) -> Result<Journal, UseCaseError> {
        let newest = calendar::current_or_last_session(now);
        let first = first_unseen(&portfolio);
        let mut journal = Journal::new(portfolio, now, Cause::job(CAUSE));
        for date in first.into_iter().flat_map(|first| calendar::sessions(first, newest.date())) {
            let symbols = journal.portfolio().symbols();
            let session_tapes = tapes.session(&symbols, date).await?;
            session::run(&mut journal, date, &session_tapes, is_over(date, &session_tapes, now), &self.rules);
        }
        Ok(journal)
    }
}

/// A session is over for a portfolio when it has closed and its prices are there: without them nothing can be valued.
pub(crate) fn is_over(date: TradingDate, tapes: &session::Tapes, now: Timestamp) -> bool {
    date.close() <= now && (tapes.is_empty() || tapes.values().any(|tape| tape.rest.is_some()))
}

/// The session after the last valued one, or when the oldest order or position began; `None` when there is nothing to observe.
pub(crate) fn first_unseen(portfolio: &Portfolio) -> Option<Date> {
    let began = portfolio
        .orders
        .iter()
        .map(|order| order.placed_at)
        .chain(portfolio.positions.values().map(|position| position.opened_at))
        .map(calendar::new_york_date)
        // A dividend may be due when nothing is held any more.
        .chain(portfolio.receivables.iter().map(|receivable| receivable.ex_date))
        .min()?;
    let unseen = portfolio.last_valuation.map(|last| TradingDate::on_or_after(last.date).next().date());
    Some(unseen.map_or(began, |unseen| unseen.max(began)))
}
