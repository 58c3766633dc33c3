//! Fetching bars and corporate actions and merging them into what is stored.
//!
//! Every step is safe to repeat: merging adds only what is not there yet, and a conditional write that loses a race merges again.

use analysis::{MarketContext, Series, market::Member};
use domain::{BarRecord, Company, CorporateAction, Date, PriceHistory, Symbol, Timestamp, ToSpan, TradingDate, calendar};
use futures::{StreamExt, stream};
use tracing::{info, warn};

use super::{
    Data,
    run::{Run, RunKind},
};
use crate::{
    UseCaseError,
    market::{MarketSnapshot, StockSnapshot},
    ports::{HistoryError, VendorHistory, Version},
};

/// How many symbols are fetched side by side.
const FETCHES_AT_ONCE: usize = 8;
/// How often a write that lost a race is tried again.
const WRITE_TRIES: usize = 5;
/// Where a history begins for which nothing else is asked.
const FIRST_DATE: Date = Date::constant(2000, 1, 1);
/// Bars that were fetched before are asked for again, since vendors restate their newest days.
const OVERLAP_SESSIONS: usize = 3;

/// Told after each symbol: how many are done, of how many.
pub type Progress<'a> = &'a (dyn Fn(usize, usize) + Sync);

/// What one symbol's step changed.
struct Ingested {
    history: PriceHistory,
    bars: usize,
    actions: usize,
}

impl Data {
    /// The daily run over all active symbols: from each one's newest session on.
    pub async fn ingest_daily(&self, now: Timestamp, progress: Progress<'_>) -> Result<Run, UseCaseError> {
        self.ingest_all(RunKind::Scheduled, None, now, progress).await
    }

    /// Everything there is of every company; how a place without any data begins.
    pub async fn ingest_everything(&self, now: Timestamp, progress: Progress<'_>) -> Result<Run, UseCaseError> {
        self.ingest_all(RunKind::Scheduled, Some(FIRST_DATE), now, progress).await
    }

    async fn ingest_all(&self, kind: RunKind, first: Option<Date>, now: Timestamp, progress: Progress<'_>) -> Result<Run, UseCaseError> {
        let companies = self.market.companies().companies().await?;
        let symbols: Vec<Symbol> = companies.iter().filter(|company| company.is_active).map(|company| company.symbol.clone()).collect();
        self.ingest(kind, &symbols, first, now, progress).await
    }

    /// The chosen symbols, `days_back` calendar days back. Unknown ones are looked up with the vendor by fetching them.
    pub async fn ingest_stocks(
        &self,
        symbols: &[Symbol],
        days_back: u32,
        now: Timestamp,
        progress: Progress<'_>,
    ) -> Result<Run, UseCaseError> {
        let first = calendar::new_york_date(now).saturating_sub(i64::from(days_back).days());
        self.ingest(RunKind::Stocks, symbols, Some(first), now, progress).await
    }

    /// Brings the list of companies up to date. A company that the vendor lists no longer keeps its history and becomes inactive.
    pub async fn ingest_companies(&self, now: Timestamp) -> Result<Run, UseCaseError> {
        let listed = self.vendor.companies(now).await?;
        let mut run = Run::start(RunKind::StockList, now, listed.len());
        let known = self.market.companies().companies().await?;
        let vanished = known.iter().filter(|company| company.is_active && !listed.iter().any(|other| other.symbol == company.symbol));
        let delisted = vanished.map(|company| Company { is_active: false, ..company.clone() });
        let changed: Vec<Company> = listed.iter().filter(|company| !known.contains(company)).cloned().chain(delisted).collect();
        if !changed.is_empty() {
            self.market.companies().put_companies(&changed).await?;
        }
        (run.symbols_done, run.vendor_calls) = (listed.len(), 1);
        run.finish(now);
        self.market.companies().put_run(&run).await?;
        Ok(run)
    }

    async fn ingest(
        &self,
        kind: RunKind,
        symbols: &[Symbol],
        first: Option<Date>,
        now: Timestamp,
        progress: Progress<'_>,
    ) -> Result<Run, UseCaseError> {
        let mut run = Run::start(kind, now, symbols.len());
        self.market.companies().put_run(&run).await?;

        let step = |symbol: Symbol| async move {
            let outcome = self.ingest_symbol(&symbol, first, now).await;
            (symbol, outcome)
        };
        let mut steps = stream::iter(symbols.iter().cloned().map(step).collect::<Vec<_>>()).buffer_unordered(FETCHES_AT_ONCE);
        let mut histories = Vec::with_capacity(symbols.len());
        while let Some((symbol, step)) = steps.next().await {
            run.vendor_calls += 1;
            match step {
                Ok(ingested) => {
                    run.symbols_done += 1;
                    run.bars_added += ingested.bars;
                    run.actions_added += ingested.actions;
                    histories.push(ingested.history);
                }
                Err(error) => {
                    warn!(%symbol, %error, "not ingested");
                    run.failures.insert(symbol, error.to_string());
                }
            }
            progress(run.symbols_done + run.failures.len(), symbols.len());
        }
        drop(steps);
        self.publish(histories, now).await?;

        run.finish(now);
        self.market.companies().put_run(&run).await?;
        info!(run = run.id, bars = run.bars_added, failures = run.failures.len(), "ingestion finished");
        Ok(run)
    }

    async fn ingest_symbol(&self, symbol: &Symbol, first: Option<Date>, now: Timestamp) -> Result<Ingested, UseCaseError> {
        let today = calendar::new_york_date(now);
        for _ in 0..WRITE_TRIES {
            let (mut history, version) = self.stored(symbol).await?;
            let newest = known_before(&history, now);
            let from = first.or(newest.map(|date| overlapped(date).date())).unwrap_or(FIRST_DATE);
            let VendorHistory { mut bars, mut actions, rejected } = self.vendor.history(symbol, from, today, now).await?;
            for row in &rejected {
                warn!(%symbol, fault = %row.fault, row = row.row, "a vendor's row was rejected");
            }
            stamp_restatements(&mut bars, &history, now);
            history.date_knowledge(&mut actions, now);
            let bars = self.gate(bars, &known_actions(&history, &actions, now), &history, now).await?;
            // What becomes visible with this run, also where the store had it before its time came (a replay).
            let fresh = bars.iter().filter(|record| newest.is_none_or(|date| record.bar.date > date)).count();
            let (bars_added, actions_added) = history.merge(&bars, &actions);
            if bars_added + actions_added == 0 {
                return Ok(Ingested { history, bars: fresh, actions: 0 });
            }
            match self.histories.write(&history, version.as_ref()).await {
                Ok(_) => return Ok(Ingested { history, bars: bars_added.max(fresh), actions: actions_added }),
                Err(HistoryError::Conflict(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(UseCaseError::Busy)
    }

    pub(super) async fn stored(&self, symbol: &Symbol) -> Result<(PriceHistory, Option<Version>), UseCaseError> {
        let stored = self.histories.read(symbol).await?;
        Ok(stored.map_or_else(|| (PriceHistory::new(symbol.clone()), None), |(history, version)| (history, Some(version))))
    }

    /// Computes anew what is derived from all histories, as known at `now`. `fresh` saves reading again what was just written.
    async fn publish(&self, fresh: Vec<PriceHistory>, now: Timestamp) -> Result<(), UseCaseError> {
        let companies = self.market.companies().companies().await?;
        let mut histories: Vec<PriceHistory> = fresh.into_iter().map(|history| history.known_at(now)).collect();
        let missing: Vec<Symbol> = companies
            .iter()
            .map(|company| company.symbol.clone())
            .filter(|symbol| !histories.iter().any(|history| history.symbol == *symbol))
            .collect();
        histories.extend(self.market.histories(&missing, now).await?);
        // Sums of floats depend on their order, and fetches end in any.
        histories.sort_by(|a, b| a.symbol.cmp(&b.symbol));

        let stocks = histories.iter().filter_map(|history| Some((history.symbol.clone(), StockSnapshot::of(history)?))).collect();
        let as_of = calendar::new_york_date(now);
        let series: Vec<(Series, Option<domain::Sector>)> = histories
            .iter()
            .map(|history| {
                let sector = companies.iter().find(|company| company.symbol == history.symbol).and_then(|company| company.sector);
                (Series::new(history, as_of), sector)
            })
            .collect();
        let members: Vec<Member<'_>> = series.iter().map(|(series, sector)| Member::always(series, *sector)).collect();
        self.market.publish(&MarketSnapshot { stocks }, &MarketContext::new(&members)).await
    }

    /// Makes the derived objects those of `now`, without asking the vendor for anything.
    pub async fn republish(&self, now: Timestamp) -> Result<(), UseCaseError> {
        self.publish(vec![], now).await
    }
}

/// The newest session that was known before this run.
fn known_before(history: &PriceHistory, now: Timestamp) -> Option<TradingDate> {
    history.bars.iter().filter(|record| record.known_at < now).map(|record| record.bar.date).max()
}

/// A bar that contradicts the stored one is known from now on, not from when its session ended.
fn stamp_restatements(bars: &mut [BarRecord], stored: &PriceHistory, now: Timestamp) {
    for record in bars {
        if stored.bar_on(record.bar.date.date()).is_some_and(|known| known.bar != record.bar) {
            record.known_at = now;
        }
    }
}

/// What explains a jump: what was known and what has just been told, each event once.
fn known_actions(history: &PriceHistory, told: &[CorporateAction], now: Timestamp) -> Vec<CorporateAction> {
    let mut all = PriceHistory { bars: vec![], ..history.clone() };
    all.merge(&[], told);
    all.known_at(now).actions
}

fn overlapped(date: TradingDate) -> TradingDate {
    (0..OVERLAP_SESSIONS).fold(date, |date, _| date.previous())
}
