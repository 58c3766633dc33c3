//! What a run asks for the whole market at once, shared by its batches: the missing sessions and the corporate actions around them.

use std::sync::Arc;

use domain::{BarRecord, CorporateAction, Symbol, Timestamp, TradingDate, calendar};
use serde::{Deserialize, Serialize};
use tracing::{info, warn};

use super::{
    Data,
    quarantine::QuarantinedBar,
    run::{Run, RunKind},
};
use crate::{
    UseCaseError, objects,
    ports::{VendorActions, VendorError, VendorHistory, VendorSession},
};

/// One object, replaced by each run: only the newest run's batches need it.
const OBJECT: &str = "ingestion/sessions.json";
/// With more sessions missing than this, one request a stock is less work than one a session.
const MOST_SESSIONS: usize = 10;

/// Sessions of the whole market as a vendor told them in one answer each.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Prefetched {
    run: String,
    /// Ascending; empty where the plan has no such answers.
    pub(super) sessions: Vec<TradingDate>,
    /// Sorted by symbol, then by date.
    bars: Vec<(Symbol, BarRecord)>,
    /// Sorted by symbol.
    actions: Vec<(Symbol, CorporateAction)>,
}

impl Prefetched {
    /// What is told of one stock.
    pub(super) fn of(&self, symbol: &Symbol) -> VendorHistory {
        let bars = part(&self.bars, symbol).iter().map(|(_, record)| *record).collect();
        let actions = part(&self.actions, symbol).iter().map(|(_, action)| action.clone()).collect();
        VendorHistory { bars, actions, rejected: vec![] }
    }

    pub(super) fn covers(&self, mut dates: impl Iterator<Item = TradingDate>) -> bool {
        !self.sessions.is_empty() && dates.all(|date| self.sessions.contains(&date))
    }
}

fn part<'a, T>(all: &'a [(Symbol, T)], symbol: &Symbol) -> &'a [(Symbol, T)] {
    let start = all.partition_point(|(other, _)| other < symbol);
    let end = all.partition_point(|(other, _)| other <= symbol);
    &all[start..end]
}

impl Data {
    /// Asks for whole sessions where the plan has them: those that are missing, and the newest one that is there, since vendors correct
    /// a day during the next. Done once a run: whoever comes later finds the object.
    pub(super) async fn prefetch(&self, run: &Run, symbols: &[Symbol]) -> Result<Arc<Prefetched>, UseCaseError> {
        let prefetched = self.ask_for_sessions(run, symbols).await?;
        self.histories.replace_object(OBJECT, &objects::to_bytes(&prefetched)).await?;
        let shared = Arc::new(prefetched);
        *self.prefetched.lock().await = Some(shared.clone());
        Ok(shared)
    }

    /// What was prefetched for the run; nothing when another run has begun since.
    pub(super) async fn prefetched(&self, run: &Run) -> Result<Arc<Prefetched>, UseCaseError> {
        let mut kept = self.prefetched.lock().await;
        if let Some(prefetched) = kept.as_ref().filter(|prefetched| prefetched.run == run.id) {
            return Ok(prefetched.clone());
        }
        let stored = self.histories.read_object(OBJECT).await?;
        // It is a copy of what the vendor says: a damaged one is as good as none.
        let stored = stored.and_then(|(bytes, _)| objects::parse::<Prefetched>(OBJECT, &bytes).ok());
        let prefetched = Arc::new(stored.filter(|stored| stored.run == run.id).unwrap_or_default());
        *kept = Some(prefetched.clone());
        Ok(prefetched)
    }

    async fn ask_for_sessions(&self, run: &Run, symbols: &[Symbol]) -> Result<Prefetched, UseCaseError> {
        let now = run.started_at;
        let mut prefetched = Prefetched { run: run.id.clone(), ..Prefetched::default() };
        let wanted = self.wanted_sessions(run, now).await?;
        for date in &wanted {
            let Some(VendorSession { bars, rejected }) = self.session(*date, now).await? else {
                return Ok(Prefetched { run: run.id.clone(), ..Prefetched::default() });
            };
            prefetched.bars.extend(bars);
            for row in &rejected {
                self.hold(&QuarantinedBar::of_row(row, None, now)).await?;
            }
        }
        let (Some(first), Some(last)) = (wanted.first(), wanted.last()) else { return Ok(prefetched) };
        // Events between two sessions belong to the later one; those of today's date may be of a session still to come.
        let until = calendar::new_york_date(now).max(last.date());
        let VendorActions { actions, rejected } = match self.vendor.actions(symbols, first.date(), until, now).await {
            Ok(told) => told,
            // Bars without their splits would be held: each stock for itself, then, where the second vendor helps.
            Err(error) => {
                warn!(run = run.id, %error, "the first vendor does not tell the market's events");
                return Ok(Prefetched { run: run.id.clone(), ..Prefetched::default() });
            }
        };
        for row in &rejected {
            self.hold(&QuarantinedBar::of_row(row, None, now)).await?;
        }
        prefetched.actions = actions;
        prefetched.actions.sort_by(|(a, _), (b, _)| a.cmp(b));
        prefetched.bars.sort_by(|(a, x), (b, y)| (a, x.bar.date).cmp(&(b, y.bar.date)));
        info!(run = run.id, sessions = wanted.len(), bars = prefetched.bars.len(), "whole sessions fetched");
        prefetched.sessions = wanted;
        Ok(prefetched)
    }

    async fn wanted_sessions(&self, run: &Run, now: Timestamp) -> Result<Vec<TradingDate>, UseCaseError> {
        let newest = self.market.snapshot().await?.latest_date();
        let (Some(newest), RunKind::Scheduled, None) = (newest, run.kind, run.first) else { return Ok(vec![]) };
        let wanted: Vec<TradingDate> =
            calendar::sessions(newest.date(), calendar::last_closed_session(now).date()).take(MOST_SESSIONS + 1).collect();
        Ok(if wanted.len() > MOST_SESSIONS { vec![] } else { wanted })
    }

    /// One whole session from whichever vendor tells it; `None` where none has such an answer.
    async fn session(&self, date: TradingDate, now: Timestamp) -> Result<Option<VendorSession>, UseCaseError> {
        match self.vendor.session(date, now).await {
            Ok(session) => return Ok(Some(session)),
            Err(VendorError::NotInPlan(..)) => return Ok(None),
            Err(error) => warn!(%date, %error, "the first vendor does not tell the session"),
        }
        let Some(second) = &self.second else { return Ok(None) };
        match second.session(date, now).await {
            Ok(session) => Ok(Some(session)),
            // Each stock for itself, then: both vendors may have more to say there.
            Err(_) => Ok(None),
        }
    }
}
