//! Who is listed: new companies, other names, ends.
//!
//! Histories are changed before companies are: an interruption leaves a company as it was, and the next list says the same again.

mod reconcile;

use std::collections::BTreeMap;

use domain::{ActionKind, Company, CorporateAction, Date, PriceHistory, Symbol, Timestamp, ToSpan, TradingDate, calendar};
use serde::{Deserialize, Serialize};
use tracing::{info, warn};

use self::reconcile::{Change, reconcile};
use super::{Data, Run, RunKind};
use crate::{UseCaseError, objects, ports::HistoryError};

/// What earlier lists left to remember.
const OBJECT: &str = "ingestion/listing.json";
/// Ends that were announced this long ago are still looked for, in case runs were missed.
const LOOK_BACK_DAYS: i64 = 30;
const WRITE_TRIES: usize = 5;

/// Kept from list to list.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Memory {
    /// In how many lists in a row a company was missing.
    absences: BTreeMap<Symbol, u32>,
}

impl Data {
    /// Brings the list of companies up to date, and from then on every daily run does.
    pub async fn ingest_companies(&self, now: Timestamp) -> Result<Run, UseCaseError> {
        let mut run = Run::start(RunKind::StockList, now, 0);
        let listed = self.vendor.companies(now).await?;
        run.symbols_total = listed.len();
        self.follow(&listed, now).await?;
        run.symbols_done = listed.len();
        run.vendor_calls = self.uncounted_calls();
        run.finish(now);
        self.market.companies().put_run(&run).await?;
        Ok(run)
    }

    /// As part of the daily run: the whole list where it was ever asked for, else only what became of the companies that are known. The
    /// prices do not wait for it: what goes wrong is said in the log, and the next day tries again.
    pub(super) async fn keep_listing(&self, now: Timestamp) {
        if let Err(error) = self.try_to_keep_listing(now).await {
            warn!(%error, "the list of companies is not up to date");
        }
    }

    async fn try_to_keep_listing(&self, now: Timestamp) -> Result<(), UseCaseError> {
        if self.histories.read_object(OBJECT).await?.is_some() {
            let listed = self.vendor.companies(now).await?;
            return self.follow(&listed, now).await;
        }
        let known = self.market.companies().companies().await?;
        let ended = self.delisted(now).await?;
        let concerns_us = |end: &Company| known.iter().any(|company| company.is_active && company.symbol == end.symbol);
        if ended.iter().any(concerns_us) {
            let listed = self.vendor.companies(now).await?;
            let change = reconcile(&known, &listed, &ended, &BTreeMap::new(), calendar::new_york_date(now));
            self.apply(&known, change.only_of(&known), now).await?;
        }
        Ok(())
    }

    async fn follow(&self, listed: &[Company], now: Timestamp) -> Result<(), UseCaseError> {
        let stored = self.histories.read_object(OBJECT).await?;
        let memory: Memory = stored.and_then(|(bytes, _)| objects::parse(OBJECT, &bytes).ok()).unwrap_or_default();
        let known = self.market.companies().companies().await?;
        let ended = self.delisted(now).await?;
        let change = reconcile(&known, listed, &ended, &memory.absences, calendar::new_york_date(now));
        let memory = Memory { absences: change.absences.clone() };
        self.apply(&known, change, now).await?;
        self.histories.replace_object(OBJECT, &objects::to_bytes(&memory)).await?;
        Ok(())
    }

    /// What the vendor says has ended; nothing where the plan does not tell it.
    async fn delisted(&self, now: Timestamp) -> Result<Vec<Company>, UseCaseError> {
        let since = calendar::new_york_date(now).saturating_sub(LOOK_BACK_DAYS.days());
        match self.vendor.delisted(since, now).await {
            Ok(ended) => Ok(ended),
            Err(crate::ports::VendorError::NotInPlan(..)) => Ok(vec![]),
            Err(error) => Err(error.into()),
        }
    }

    async fn apply(&self, known: &[Company], change: Change, now: Timestamp) -> Result<(), UseCaseError> {
        for rename in &change.renames {
            let on = self.continue_as(&rename.from, &rename.to, rename.on, now).await?;
            info!(from = %rename.from, to = %rename.to, %on, "a stock has another symbol");
        }
        for (symbol, on) in &change.ends {
            let on = self.end(symbol, ActionKind::Delisting { value: None }, *on, now).await?;
            info!(%symbol, %on, "a stock is no longer listed");
        }
        let changed: Vec<Company> = change.companies.into_iter().filter(|company| !known.contains(company)).collect();
        if !changed.is_empty() {
            self.market.companies().put_companies(&changed).await?;
        }
        Ok(())
    }

    /// Gives the new symbol the history of the old one, and the old one its end.
    async fn continue_as(&self, from: &Symbol, to: &Symbol, on: Option<Date>, now: Timestamp) -> Result<Date, UseCaseError> {
        let (old, _) = self.stored(from).await?;
        self.change_history(to, |history| {
            let actions: Vec<_> = old.actions.iter().filter(|action| !is_end(&action.kind)).cloned().collect();
            // The new symbol's own bars are what it traded at; before its first one goes what was known under the old symbol.
            let first = history.bars.first().map(|record| record.bar.date);
            let bars = old.bars.iter().filter(|record| first.is_none_or(|first| record.bar.date < first));
            history.bars.splice(0..0, bars.copied().collect::<Vec<_>>());
            history.merge(&[], &actions);
        })
        .await?;
        self.end(from, ActionKind::SymbolChange { to: to.clone() }, on, now).await
    }

    /// Adds what ends a history, on the day that was told, else after its last bar.
    async fn end(&self, symbol: &Symbol, kind: ActionKind, on: Option<Date>, now: Timestamp) -> Result<Date, UseCaseError> {
        let (history, _) = self.stored(symbol).await?;
        let after_last = history.known_at(now).last_bar().map(|bar| bar.date.next().date());
        let ex_date = TradingDate::on_or_after(on.or(after_last).unwrap_or(calendar::new_york_date(now))).date();
        let source = self.vendor.source();
        self.change_history(symbol, |history| {
            if !history.actions.iter().any(|action| action.kind == kind) {
                history.merge(&[], &[CorporateAction { ex_date, kind: kind.clone(), source, known_at: now }]);
            }
        })
        .await?;
        Ok(ex_date)
    }

    async fn change_history(&self, symbol: &Symbol, change: impl Fn(&mut PriceHistory)) -> Result<(), UseCaseError> {
        for _ in 0..WRITE_TRIES {
            let (before, version) = self.stored(symbol).await?;
            let mut history = before.clone();
            change(&mut history);
            if history == before {
                return Ok(());
            }
            match self.histories.write(&history, version.as_ref()).await {
                Ok(_) => return Ok(()),
                Err(HistoryError::Conflict(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(UseCaseError::Busy)
    }
}

fn is_end(kind: &ActionKind) -> bool {
    matches!(kind, ActionKind::SymbolChange { .. } | ActionKind::Delisting { .. })
}
