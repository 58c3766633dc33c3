//! From the wish to a recorded plan, from the plan to its end.
//!
//! On one machine [`Data::ingest_daily`] and its sisters do all of it. In parts: [`Data::plan`] once, [`Data::run_batch`] for every batch
//! in any order and on any copy of the program, [`Data::finish`] after each of them; the last one finishes the run.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicUsize, Ordering},
};

use domain::{Date, Symbol, Timestamp, ToSpan, TradingDate, calendar};
use futures::{FutureExt, StreamExt, future::BoxFuture, stream};
use sha2::{Digest, Sha256};
use tracing::{info, warn};

use super::{
    Data,
    batch::Progress,
    run::{Batch, BatchState, Run, RunKind, RunState},
};
use crate::UseCaseError;

/// Stocks of a batch: a minute's work for a small function, and a record of some tens of kilobytes.
const BATCH: usize = 100;
/// How many batches one machine does side by side.
const BATCHES_AT_ONCE: usize = 3;
/// Stocks whose newest bar is compared with the second vendor's each day: with the symbols of a month's sessions it stays within the
/// smallest plan's 500 different ones.
pub const SAMPLE: usize = 20;
/// How many of the newest runs are looked at for work that was left.
pub(super) const LOOK_BACK: usize = 20;

impl Data {
    /// The daily run over all active symbols: from each one's newest session on. First comes what earlier runs left undone.
    pub async fn ingest_daily(&self, now: Timestamp, progress: Progress<'_>) -> Result<Run, UseCaseError> {
        self.finish_earlier(now).await?;
        self.keep_listing(now).await;
        let symbols = self.active_symbols().await?;
        self.ingest(RunKind::Scheduled, symbols, None, now, progress).await
    }

    /// Everything there is of every company; how a place without any data begins.
    pub async fn ingest_everything(&self, now: Timestamp, progress: Progress<'_>) -> Result<Run, UseCaseError> {
        let symbols = self.active_symbols().await?;
        self.ingest(RunKind::Scheduled, symbols, Some(super::symbol::FIRST_DATE), now, progress).await
    }

    /// The chosen symbols, `days_back` calendar days back. Unknown ones are looked up with the vendor by fetching them.
    pub async fn ingest_stocks(
        &self,
        symbols: &[Symbol],
        days_back: u32,
        now: Timestamp,
        progress: Progress<'_>,
    ) -> Result<Run, UseCaseError> {
        self.ingest(RunKind::Stocks, symbols.to_vec(), Some(first(days_back, now)), now, progress).await
    }

    async fn active_symbols(&self) -> Result<Vec<Symbol>, UseCaseError> {
        let companies = self.market.companies().companies().await?;
        Ok(companies.iter().filter(|company| company.is_active).map(|company| company.symbol.clone()).collect())
    }

    async fn ingest(
        &self,
        kind: RunKind,
        symbols: Vec<Symbol>,
        first: Option<Date>,
        now: Timestamp,
        progress: Progress<'_>,
    ) -> Result<Run, UseCaseError> {
        let (run, batches) = self.plan(kind, symbols, first, now).await?;
        self.complete(&run, &batches, now, progress).await
    }

    /// Records a run with its batches. A run of the same id that was begun before keeps its plan, and what it has done.
    pub async fn plan(
        &self,
        kind: RunKind,
        symbols: Vec<Symbol>,
        first: Option<Date>,
        now: Timestamp,
    ) -> Result<(Run, Vec<Batch>), UseCaseError> {
        let symbols = ascending(symbols);
        let mut run = match kind {
            RunKind::Stocks => Run::over(&symbols, first, now),
            RunKind::Scheduled | RunKind::StockList => Run { first, ..Run::start(kind, now, symbols.len()) },
        };
        if let Some(begun) = self.begun(&run, &symbols).await? {
            return Ok(begun);
        }
        self.market.companies().put_run(&run).await?;
        if first.is_none() {
            self.prefetch(&run, &symbols).await?;
        }
        let mut batches = self.batches(&run, &symbols);
        batches.extend(self.second_tries(&run, batches.len()).await?);
        for batch in &batches {
            self.market.companies().put_batch(batch).await?;
        }
        run.planning_calls += self.uncounted_calls();
        run.vendor_calls = run.planning_calls;
        run.symbols_total = batches.iter().map(|batch| batch.symbols.len()).sum();
        // From here on the plan stands.
        run.batches = Some(batches.len());
        self.market.companies().put_run(&run).await?;
        Ok((run, batches))
    }

    /// The plan that stands for the run's kind and instant: of a run that was interrupted, and of a daily run also when it is over. A process
    /// that dies after the last step cannot know that it was the last, and the job is run again: what is done stays counted, what failed
    /// is tried once more.
    async fn begun(&self, run: &Run, symbols: &[Symbol]) -> Result<Option<(Run, Vec<Batch>)>, UseCaseError> {
        let begun = self.market.companies().run(&run.id).await?.filter(|begun| begun.batches.is_some());
        let Some(mut begun) = begun else { return Ok(None) };
        let mut batches = self.market.companies().batches(&begun.id).await?;
        if begun.is_over() {
            let planned: BTreeSet<&Symbol> = batches.iter().flat_map(|batch| &batch.symbols).collect();
            let is_the_same = begun.first == run.first && symbols.iter().all(|symbol| planned.contains(symbol));
            if run.kind != RunKind::Scheduled || !is_the_same {
                return Ok(None);
            }
            let failed: Vec<&mut Batch> = batches.iter_mut().filter(|batch| !batch.failures.is_empty()).collect();
            if !failed.is_empty() {
                begun.state = RunState::Running;
                self.market.companies().put_run(&begun).await?;
            }
            for batch in failed {
                batch.failures.clear();
                batch.unknown.clear();
                batch.state = BatchState::Waiting;
                self.market.companies().put_batch(batch).await?;
            }
        }
        Ok(Some((begun, batches)))
    }

    fn batches(&self, run: &Run, symbols: &[Symbol]) -> Vec<Batch> {
        let is_compared = self.second.is_some() && run.kind == RunKind::Scheduled && run.first.is_none();
        let sample = if is_compared { sample(symbols, calendar::last_closed_session(run.started_at)) } else { BTreeSet::new() };
        let of = |(number, slice): (usize, &[Symbol])| {
            let sampled = slice.iter().filter(|symbol| sample.contains(*symbol)).cloned().collect();
            Batch::new(run, number, slice.to_vec(), run.first, sampled)
        };
        symbols.chunks(BATCH).enumerate().map(of).collect()
    }

    /// What failed in a run over chosen stocks since the last daily run is tried once more, from where it should have begun; but not what
    /// no vendor knows.
    async fn second_tries(&self, run: &Run, mut number: usize) -> Result<Vec<Batch>, UseCaseError> {
        if run.kind != RunKind::Scheduled || run.first.is_some() {
            return Ok(vec![]);
        }
        let mut batches = vec![];
        let earlier = self.market.companies().runs(LOOK_BACK).await?;
        let since = earlier.into_iter().filter(|other| other.id != run.id).take_while(|other| other.kind != RunKind::Scheduled);
        for other in since.filter(|other| other.kind == RunKind::Stocks && other.symbols_failed > 0) {
            for failed in self.market.companies().batches(&other.id).await? {
                let again: Vec<Symbol> = failed.failures.into_keys().filter(|symbol| !failed.unknown.contains(symbol)).collect();
                if !again.is_empty() {
                    batches.push(Batch::new(run, number, again, other.first, BTreeSet::new()));
                    number += 1;
                }
            }
        }
        Ok(batches)
    }

    /// Brings runs to their end that were interrupted or paused: over chosen stocks by doing what is left, as of their own instant. What a
    /// daily run left undone is part of the next one, so that it is only closed.
    async fn finish_earlier(&self, now: Timestamp) -> Result<(), UseCaseError> {
        for run in self.market.companies().runs(LOOK_BACK).await?.into_iter().filter(|run| !run.is_over() && run.started_at < now) {
            match (run.kind, run.batches) {
                (RunKind::Stocks, Some(_)) => {
                    let batches = self.market.companies().batches(&run.id).await?;
                    if let Err(error) = self.complete(&run, &batches, now, &|_, _| {}).await {
                        warn!(run = run.id, %error, "an earlier run cannot be finished");
                    }
                }
                _ => self.close(run, now).await?,
            }
        }
        Ok(())
    }

    async fn close(&self, mut run: Run, now: Timestamp) -> Result<(), UseCaseError> {
        let batches = self.market.companies().batches(&run.id).await?;
        run.tally(&batches);
        run.finished_at = Some(now);
        run.state = if run.symbols_done > 0 { RunState::Partial } else { RunState::Failed };
        Ok(self.market.companies().put_run(&run).await?)
    }

    /// Does every batch that is not done, and finishes the run.
    async fn complete(&self, run: &Run, batches: &[Batch], now: Timestamp, progress: Progress<'_>) -> Result<Run, UseCaseError> {
        let total: usize = batches.iter().map(|batch| batch.symbols.len()).sum();
        let done = AtomicUsize::new(total - batches.iter().map(|batch| batch.left().len()).sum::<usize>());
        let each = || progress(done.fetch_add(1, Ordering::Relaxed) + 1, total);
        let open = batches.iter().filter(|batch| batch.state != BatchState::Done).map(|batch| batch.number);
        let steps: Vec<BoxFuture<'_, _>> = open.map(|number| self.run_batch(run, number, &each).boxed()).collect();
        let mut steps = stream::iter(steps).buffer_unordered(BATCHES_AT_ONCE);
        while let Some(step) = steps.next().await {
            step?;
        }
        drop(steps);
        self.finish(&run.id, now).await
    }

    /// Publishes what all batches brought and closes the run; gives the run as it is while some are still to be done.
    pub async fn finish(&self, id: &str, now: Timestamp) -> Result<Run, UseCaseError> {
        let mut run = self.run(id).await?;
        let batches = self.market.companies().batches(id).await?;
        if run.is_over() || batches.iter().any(|batch| matches!(batch.state, BatchState::Waiting | BatchState::Running)) {
            return Ok(run);
        }
        self.publish(now).await?;
        self.keep_absences(&batches, now).await?;
        run.tally(&batches);
        if batches.iter().any(|batch| batch.state == BatchState::Paused) {
            run.state = RunState::Paused;
        } else {
            run.finish(now);
        }
        self.market.companies().put_run(&run).await?;
        info!(run = run.id, bars = run.bars_added, failures = run.symbols_failed, state = run.state.name(), "ingestion finished");
        Ok(run)
    }
}

/// Each symbol once, in its order: the same wish is the same run.
pub(super) fn ascending(mut symbols: Vec<Symbol>) -> Vec<Symbol> {
    symbols.sort_unstable();
    symbols.dedup();
    symbols
}

/// Where histories begin that reach `days_back` calendar days back.
pub(super) fn first(days_back: u32, now: Timestamp) -> Date {
    calendar::new_york_date(now).saturating_sub(i64::from(days_back).days())
}

/// The stocks that are compared with the second vendor on `date`: those with the smallest hashes of date and symbol, so that every copy of
/// the program chooses the same, no one can foresee which, and all have their turn.
fn sample(symbols: &[Symbol], date: TradingDate) -> BTreeSet<Symbol> {
    let mut ranked: Vec<([u8; 8], &Symbol)> = symbols
        .iter()
        .map(|symbol| {
            let hash = Sha256::digest(format!("{date} {symbol}"));
            (hash[..8].try_into().expect("eight bytes"), symbol)
        })
        .collect();
    ranked.sort_unstable();
    ranked.into_iter().take(SAMPLE).map(|(_, symbol)| symbol.clone()).collect()
}
