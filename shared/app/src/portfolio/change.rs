//! Changing a portfolio: all of it or nothing, once, whoever else is changing it.

use domain::{
    Timestamp, UserId,
    trading::{Cause, Event, Journal, Portfolio, TradingRules},
};
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

use super::Desk;
use crate::{
    UseCaseError,
    ports::{Commit, Decision, Receipt, StoreError},
};

/// How often a change that lost a race is decided again: enough for fifty clients at once on one portfolio.
const TRIES: usize = 100;

/// A client's key for one request, so that a retry gets the first answer instead of trading twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idempotency {
    key: String,
    fingerprint: String,
}

impl Idempotency {
    /// `request` is everything that makes the request what it is: method, path and body.
    pub fn new(key: String, request: &[u8]) -> Self {
        Self { key, fingerprint: hex::encode(Sha256::digest(request)) }
    }

    pub(super) fn key(&self) -> &str {
        &self.key
    }
}

/// Everything about a change but the change itself.
pub(super) struct Change<'a> {
    pub(super) user: &'a UserId,
    pub(super) cause: Cause,
    pub(super) idempotency: Option<&'a Idempotency>,
    pub(super) now: Timestamp,
}

/// What a change decided: its answer, and decisions on signals that belong to it.
pub(super) struct Decided<T> {
    pub(super) answer: T,
    pub(super) decisions: Vec<Decision>,
}

impl<T> From<T> for Decided<T> {
    fn from(answer: T) -> Self {
        Self { answer, decisions: vec![] }
    }
}

impl Desk {
    /// Loads the portfolio, lets `decide` record entries, and commits them; starts again when somebody else was faster.
    pub(super) async fn change<T, D, F>(&self, change: Change<'_>, decide: D) -> Result<T, UseCaseError>
    where
        T: Serialize + DeserializeOwned,
        D: Fn(Journal) -> F,
        F: Future<Output = Result<(Journal, Decided<T>), UseCaseError>>,
    {
        for _ in 0..TRIES {
            let portfolio = self.portfolio(change.user, change.now).await?;
            // After the state: whoever sees what the first request did also sees its answer, and is not refused because of it.
            if let Some(answer) = self.first_answer(&change).await? {
                return Ok(answer);
            }
            let after_entries = portfolio.entries;
            let (journal, decided) = decide(Journal::new(portfolio, change.now, change.cause.clone())).await?;
            match self.commit(&change, after_entries, journal, &decided).await {
                Ok(()) => return Ok(decided.answer),
                Err(StoreError::Conflict(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(UseCaseError::Busy)
    }

    /// Whether nobody did `what` for the user before. It counts as done from now on.
    pub(crate) async fn is_first(&self, user: &UserId, what: &str, now: Timestamp) -> Result<bool, UseCaseError> {
        if self.store.receipt(user, what).await?.is_some() {
            return Ok(false);
        }
        let once = Idempotency::new(what.to_owned(), b"");
        let change = Change { user, cause: Cause::job("once"), idempotency: Some(&once), now };
        self.change(change, |journal| async { Ok((journal, Decided::from(()))) }).await?;
        Ok(true)
    }

    /// What the same request got before.
    async fn first_answer<T: DeserializeOwned>(&self, change: &Change<'_>) -> Result<Option<T>, UseCaseError> {
        let Some(idempotency) = change.idempotency else { return Ok(None) };
        let Some(receipt) = self.store.receipt(change.user, &idempotency.key).await? else { return Ok(None) };
        if receipt.fingerprint != idempotency.fingerprint {
            return Err(UseCaseError::KeyReused);
        }
        serde_json::from_str(&receipt.result)
            .map(Some)
            .map_err(|error| UseCaseError::Unavailable(format!("a stored answer is damaged: {error}")))
    }

    async fn commit<T: Serialize>(
        &self,
        change: &Change<'_>,
        after_entries: u64,
        journal: Journal,
        decided: &Decided<T>,
    ) -> Result<(), StoreError> {
        let (portfolio, entries, changes) = journal.finish();
        let receipt = change.idempotency.map(|idempotency| Receipt {
            key: idempotency.key.clone(),
            fingerprint: idempotency.fingerprint.clone(),
            result: serde_json::to_string(&decided.answer).expect("answers serialise"),
        });
        if entries.is_empty() && receipt.is_none() && decided.decisions.is_empty() {
            return Ok(());
        }
        let decisions = decided.decisions.clone();
        self.store.commit(&Commit { after_entries, portfolio, entries, changes, receipt, decisions }).await
    }

    /// A portfolio with its initial cash. Two requests may race to open it: the first wins and the other reads what it wrote.
    pub(super) async fn open(&self, user: &UserId, now: Timestamp) -> Result<Portfolio, UseCaseError> {
        let (portfolio, entries, changes) = opening(user, now, &self.rules).finish();
        match self
            .store
            .commit(&Commit { after_entries: 0, portfolio: portfolio.clone(), entries, changes, receipt: None, decisions: vec![] })
            .await
        {
            Ok(()) => Ok(portfolio),
            Err(StoreError::Conflict(_)) => self.stored(user).await?.ok_or(UseCaseError::Busy),
            Err(error) => Err(error.into()),
        }
    }
}

/// The first entries of a portfolio: that it is there, and its paper cash.
pub(crate) fn opening(owner: &UserId, now: Timestamp, rules: &TradingRules) -> Journal {
    let mut journal = Journal::new(Portfolio::empty(owner.clone()), now, Cause::job("open-portfolio"));
    journal.record(Event::Opened { lot_method: rules.lot_method });
    journal.record(Event::Deposited { amount: rules.initial_cash });
    journal
}
