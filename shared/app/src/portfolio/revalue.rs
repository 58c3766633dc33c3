//! The job that lets the market act on portfolios: fills, exits, corporate actions, expiries, valuations.

use domain::{
    Date, Timestamp, TradingDate, UserId, calendar,
    trading::{Cause, Concern, DayTape, Entry, Journal, Portfolio, Statement, corporate_actions, restatement, session},
};
use tracing::warn;

use super::Desk;
use crate::{
    UseCaseError,
    market::{LateStatement, TapeReader},
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

/// What a run goes by besides prices.
struct News {
    /// Statements about sessions that may have been run already.
    late: Vec<Statement>,
    /// The version of what is stored of all stocks.
    stored: Option<String>,
}

impl Desk {
    /// Brings every portfolio with positions or orders up to what the market has shown by `now`. Safe to repeat.
    ///
    /// What has become known of sessions that were run already is restated, also where everything has been sold since. Which
    /// portfolios that concerns is seen from their state; the ledger is read of those alone.
    pub async fn revalue(&self, now: Timestamp) -> Result<Revaluation, UseCaseError> {
        let tapes = TapeReader::new(&self.market, now);
        let news = self.news(now).await?;
        let mut owners = self.store.active_owners().await?;
        if !news.late.is_empty() {
            owners.extend(self.store.dormant_owners().await?);
        }
        let mut done = Revaluation::default();
        for owner in owners {
            match self.revalue_one(&owner, &tapes, &news, now).await {
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

    async fn news(&self, now: Timestamp) -> Result<News, UseCaseError> {
        let (snapshot, stored) = self.market.versioned_snapshot().await?;
        let late = snapshot.late.iter().filter(|statement| statement.known_at <= now).map(LateStatement::statement).collect();
        Ok(News { late, stored })
    }

    async fn revalue_one(
        &self,
        owner: &UserId,
        tapes: &TapeReader<'_>,
        news: &News,
        now: Timestamp,
    ) -> Result<(usize, usize), UseCaseError> {
        for _ in 0..TRIES {
            let Some(portfolio) = self.stored(owner).await? else { return Ok((0, 0)) };
            if self.glances.is_last(owner, &self.glance(&portfolio, news.stored.as_deref(), now).await?) {
                return Ok((0, 0));
            }
            let journal = self.observed(portfolio, tapes, &news.late, now).await?;
            let seen = self.glance(journal.portfolio(), news.stored.as_deref(), now).await?;
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

    /// Runs every session that the portfolio has not seen the end of, in order, after restating those that it has.
    async fn observed(
        &self,
        portfolio: Portfolio,
        tapes: &TapeReader<'_>,
        late: &[Statement],
        now: Timestamp,
    ) -> Result<Journal, UseCaseError> {
        let mut ledger = StoredLedger { desk: self, owner: portfolio.owner.clone(), entries: portfolio.entries, read: None };
        let mut journal = Journal::new(portfolio, now, Cause::job(CAUSE));
        for statement in late {
            ledger.restate(&mut journal, statement).await?;
        }
        for date in unseen_sessions(journal.portfolio(), now) {
            // From here on there is nothing to observe, just as there is nothing to revalue.
            if first_unseen(journal.portfolio()).is_none() {
                break;
            }
            let symbols = journal.portfolio().symbols();
            let session_tapes = tapes.session(&symbols, date).await?;
            for statement in corporate_actions::statements(&session_tapes) {
                ledger.restate(&mut journal, &statement).await?;
            }
            session::run(&mut journal, date, &session_tapes, is_over(date, &session_tapes, now), &self.rules);
        }
        Ok(journal)
    }
}

/// A portfolio's ledger before this run, read when it is first needed.
struct StoredLedger<'a> {
    desk: &'a Desk,
    owner: UserId,
    entries: u64,
    read: Option<Vec<Entry>>,
}

impl StoredLedger<'_> {
    async fn restate(&mut self, journal: &mut Journal, statement: &Statement) -> Result<(), UseCaseError> {
        if journal.portfolio().concern(statement) != Concern::Ledger {
            return Ok(());
        }
        let entries = match self.read.take() {
            Some(entries) => entries,
            None => self.desk.all_entries(&self.owner, self.entries).await?,
        };
        let restated = restatement::restate(journal, &entries, statement);
        self.read = Some(entries);
        restated.map_err(|error| UseCaseError::Unavailable(format!("{} cannot be restated: {error}", statement.symbol)))
    }
}

/// A session is over for a portfolio when it has closed and its prices are there: without them nothing can be valued. A stock
/// that no longer trades will have none.
pub(crate) fn is_over(date: TradingDate, tapes: &session::Tapes, now: Timestamp) -> bool {
    let mut trading = tapes.values().filter(|tape| !has_ended(tape)).peekable();
    date.close() <= now && (trading.peek().is_none() || trading.any(|tape| tape.rest.is_some()))
}

fn has_ended(tape: &DayTape) -> bool {
    tape.actions.iter().any(|kind| kind.class().ends_symbol())
}

/// Every session until `now` that the portfolio has not seen the end of.
pub(crate) fn unseen_sessions(portfolio: &Portfolio, now: Timestamp) -> impl Iterator<Item = TradingDate> + use<> {
    let newest = calendar::current_or_last_session(now).date();
    first_unseen(portfolio).into_iter().flat_map(move |first| calendar::sessions(first, newest))
}

/// The session after the last valued one, or when the oldest order or position began; `None` when there is nothing to observe.
fn first_unseen(portfolio: &Portfolio) -> Option<Date> {
    let began = portfolio
        .orders
        .iter()
        .map(|order| order.placed_at)
        .chain(portfolio.positions.values().map(|position| position.opened_at))
        .map(calendar::new_york_date)
        // A dividend may be due when nothing is held any more.
        .chain(portfolio.receivables.iter().map(|receivable| receivable.ex_date))
        .chain(portfolio.unvalued_since)
        .min()?;
    let unseen = portfolio.last_valuation.map(|last| TradingDate::on_or_after(last.date).next().date());
    Some(unseen.map_or(began, |unseen| unseen.max(began)))
}
