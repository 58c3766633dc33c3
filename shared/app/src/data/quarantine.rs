//! Bars that the gate held back: kept apart until an administrator decides.
//!
//! A quarantined bar reaches no feature, no price and no fill.

use domain::{Bar, BarRecord, Date, Symbol, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    Data,
    gate::{Fault, Reason},
};
use crate::{
    UseCaseError,
    market::Market,
    ports::{HistoryError, RejectedRow},
};

/// How often a release that lost a race for the history is tried again.
const WRITE_TRIES: usize = 5;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QuarantinedBar {
    /// The same for the same bar, however often a vendor sends it.
    pub id: String,
    /// `None` for a row that names no stock.
    pub symbol: Option<Symbol>,
    /// `None` for a row that names no day.
    pub date: Option<Date>,
    /// `None` for a row that no bar can be made of.
    pub record: Option<BarRecord>,
    pub reason: Reason,
    /// What is wrong with it, for people.
    pub detail: String,
    /// Market time.
    pub quarantined_at: Timestamp,
    pub state: QuarantineState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum QuarantineState {
    Held,
    /// Found right, by an administrator or because the explanation came later: it is in the history.
    Released,
    /// An administrator found it wrong: it stays away for good.
    Discarded,
}

impl QuarantineState {
    pub fn name(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Released => "released",
            Self::Discarded => "discarded",
        }
    }
}

impl QuarantinedBar {
    pub(super) fn new(symbol: &Symbol, record: BarRecord, fault: Fault, now: Timestamp) -> Self {
        Self {
            id: Self::id_of(symbol, &record.bar),
            symbol: Some(symbol.clone()),
            date: Some(record.bar.date.date()),
            record: Some(record),
            reason: fault.reason,
            detail: fault.detail,
            quarantined_at: now,
            state: QuarantineState::Held,
        }
    }

    pub(super) fn id_of(symbol: &Symbol, bar: &Bar) -> String {
        id(symbol.as_str(), &bar.date.to_string(), &serde_json::to_vec(bar).expect("a bar serialises"))
    }

    /// `asked` is the stock that the vendor was asked for, where it was one.
    pub(super) fn of_row(row: &RejectedRow, asked: Option<&Symbol>, now: Timestamp) -> Self {
        let symbol = row.symbol.as_ref().or(asked).cloned();
        let (name, day) = (symbol.as_ref().map_or("unknown", Symbol::as_str), row.day.map_or("undated".into(), |day| day.to_string()));
        Self {
            id: id(name, &day, row.row.as_bytes()),
            date: row.day,
            record: None,
            reason: Reason::Unreadable,
            detail: format!("{}: {}", row.fault, row.row),
            quarantined_at: now,
            state: QuarantineState::Held,
            symbol,
        }
    }
}

fn id(symbol: &str, day: &str, content: &[u8]) -> String {
    format!("{symbol}-{day}-{}", &hex::encode(Sha256::digest(content))[..12])
}

impl Data {
    /// Bars that wait for a decision.
    pub async fn quarantine(&self) -> Result<Vec<QuarantinedBar>, UseCaseError> {
        let all = self.market.companies().quarantine().await?;
        Ok(all.into_iter().filter(|bar| bar.state == QuarantineState::Held).collect())
    }

    /// How many bars there are in quarantine for each reason, by what was decided about them.
    pub async fn quarantine_counts(&self) -> Result<Vec<(Reason, QuarantineState, usize)>, UseCaseError> {
        quarantine_counts(&self.market).await
    }

    /// Adds the bar to its history after all, known from now on.
    pub async fn release(&self, id: &str, now: Timestamp) -> Result<QuarantinedBar, UseCaseError> {
        let held = self.held(id).await?;
        let (Some(symbol), Some(record)) = (held.symbol.clone(), held.record) else {
            return Err(UseCaseError::TooLate("no bar can be made of this row; it can only be discarded".into()));
        };
        for _ in 0..WRITE_TRIES {
            let (mut history, version) = self.stored(&symbol).await?;
            history.merge(&[BarRecord { known_at: now, ..record }], &[]);
            match self.histories.write(&history, version.as_ref()).await {
                Ok(_) => {
                    let released = self.decide(held, QuarantineState::Released).await?;
                    self.republish(now).await?;
                    return Ok(released);
                }
                Err(HistoryError::Conflict(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(UseCaseError::Busy)
    }

    /// Keeps the bar out for good.
    pub async fn discard(&self, id: &str) -> Result<QuarantinedBar, UseCaseError> {
        let held = self.held(id).await?;
        self.decide(held, QuarantineState::Discarded).await
    }

    async fn held(&self, id: &str) -> Result<QuarantinedBar, UseCaseError> {
        let found =
            self.market.companies().quarantined(id).await?.ok_or_else(|| UseCaseError::NotFound(format!("quarantined bar {id}")))?;
        match found.state {
            QuarantineState::Held => Ok(found),
            QuarantineState::Released => Err(UseCaseError::TooLate("this bar has been released already".into())),
            QuarantineState::Discarded => Err(UseCaseError::TooLate("this bar has been discarded already".into())),
        }
    }

    async fn decide(&self, bar: QuarantinedBar, state: QuarantineState) -> Result<QuarantinedBar, UseCaseError> {
        let decided = QuarantinedBar { state, ..bar };
        self.market.companies().put_quarantined(&decided).await?;
        Ok(decided)
    }

    /// Puts a bar into quarantine, unless it is there and nothing about it has changed. What an administrator decided stays decided.
    pub(super) async fn hold(&self, bar: &QuarantinedBar) -> Result<(), UseCaseError> {
        let known = self.market.companies().quarantined(&bar.id).await?;
        let is_news = known.is_none_or(|known| known.state == QuarantineState::Held && bar.state == QuarantineState::Released);
        if is_news {
            let symbol = bar.symbol.as_ref().map_or("?", Symbol::as_str);
            tracing::warn!(symbol, reason = bar.reason.name(), detail = bar.detail, state = ?bar.state, "quarantine");
            self.market.companies().put_quarantined(bar).await?;
        }
        Ok(())
    }
}
/// As [`Data::quarantine_counts`], for those who ingest nothing.
pub async fn quarantine_counts(market: &Market) -> Result<Vec<(Reason, QuarantineState, usize)>, UseCaseError> {
    let mut counts = std::collections::BTreeMap::new();
    for bar in market.companies().quarantine().await? {
        *counts.entry((bar.reason, bar.state)).or_insert(0) += 1;
    }
    Ok(counts.into_iter().map(|((reason, state), count)| (reason, state, count)).collect())
}
