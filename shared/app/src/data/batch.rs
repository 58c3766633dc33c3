//! Doing a batch: chunk by chunk fetched, announced, written.
//!
//! What a chunk will change is recorded before it is written. A process that dies in between leaves the announcement; whoever does the
//! batch again finds either the old history, and changes it, or the changed one, and believes the announcement. So the records of an
//! interrupted run are those of an uninterrupted one.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

use domain::Symbol;
use futures::{
    FutureExt,
    future::{BoxFuture, join_all},
};
use tracing::warn;

use super::{
    Data,
    publish::ABSENT,
    run::{Batch, BatchState, Run},
    symbol::{Prepared, Setting, StepError},
};
use crate::{UseCaseError, objects};

/// How many stocks of a batch are asked for side by side, and how many histories it holds in memory.
const CHUNK: usize = 8;

/// Told after each symbol: how many are done, of how many.
pub type Progress<'a> = &'a (dyn Fn(usize, usize) + Sync);

impl Data {
    /// Does what is left of one batch, and tells `each` after every stock. Safe to repeat, also while another copy does the same.
    pub async fn run_batch(&self, run: &Run, number: usize, each: &(dyn Fn() + Sync)) -> Result<Batch, UseCaseError> {
        let batches = self.market.companies().batches(&run.id).await?;
        let found = batches.into_iter().find(|batch| batch.number == number);
        let mut batch = found.ok_or_else(|| UseCaseError::NotFound(format!("batch {number} of run {}", run.id)))?;
        let (prefetched, absent, quarantine) =
            futures::try_join!(self.prefetched(run), self.absent(), async { Ok(self.market.companies().quarantine().await?) })?;
        let quarantine = quarantine.into_iter().map(|bar| (bar.id.clone(), bar)).collect();
        let sample = batch.sample.clone();
        let setting = Setting {
            now: run.started_at,
            first: batch.first,
            prefetched: &prefetched,
            sample: &sample,
            absent: &absent,
            quarantine: &quarantine,
        };

        batch.state = BatchState::Running;
        for chunk in batch.left().chunks(CHUNK) {
            if (self.is_time_up)() {
                return self.record(batch).await;
            }
            let began = Instant::now();
            let is_exhausted = self.run_chunk(chunk, &mut batch, &setting).await?;
            batch.worked_ms += u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
            for _ in chunk {
                each();
            }
            if is_exhausted {
                batch.state = BatchState::Paused;
                return self.record(batch).await;
            }
        }
        batch.state = BatchState::Done;
        self.record(batch).await
    }

    /// Whether a vendor's quota is used up, so that the next chunk need not be tried.
    async fn run_chunk(&self, chunk: &[Symbol], batch: &mut Batch, setting: &Setting<'_>) -> Result<bool, UseCaseError> {
        let announced = std::mem::take(&mut batch.writing);
        let steps: Vec<BoxFuture<'_, _>> = chunk.iter().map(|symbol| self.prepare(symbol, setting).boxed()).collect();
        let prepared = join_all(steps).await;
        let mut writes: Vec<Prepared> = Vec::with_capacity(chunk.len());
        let mut is_exhausted = false;
        for (symbol, step) in chunk.iter().zip(prepared) {
            match step {
                Ok(mut prepared) => {
                    // Nothing left to change where a change was announced: it was written before the interruption.
                    if let Some(before) = announced.get(symbol).filter(|_| !prepared.is_changed) {
                        prepared.added = before.clone();
                    }
                    batch.writing.insert(symbol.clone(), prepared.added.clone());
                    writes.push(prepared);
                }
                Err(StepError::Quota(error)) => {
                    warn!(%symbol, %error, "the batch pauses");
                    is_exhausted = true;
                }
                Err(StepError::Unknown(error)) => {
                    warn!(%symbol, %error, "not ingested");
                    batch.unknown.insert(symbol.clone());
                    batch.fail(symbol.clone(), error);
                }
                Err(StepError::Failed(error)) => {
                    warn!(%symbol, %error, "not ingested");
                    batch.fail(symbol.clone(), error);
                }
            }
        }
        *batch = self.record(batch.clone()).await?;
        let symbols: Vec<Symbol> = batch.writing.keys().cloned().collect();
        let steps: Vec<BoxFuture<'_, _>> = writes.into_iter().map(|prepared| self.write(prepared, setting).boxed()).collect();
        let written = join_all(steps).await;
        for (symbol, step) in symbols.into_iter().zip(written) {
            match step {
                Ok(added) => drop(batch.done.insert(symbol, added)),
                Err(StepError::Quota(_)) => is_exhausted = true,
                Err(error @ (StepError::Unknown(_) | StepError::Failed(_))) => {
                    warn!(%symbol, %error, "not stored");
                    batch.fail(symbol, error);
                }
            }
        }
        batch.writing.clear();
        Ok(is_exhausted)
    }

    async fn record(&self, mut batch: Batch) -> Result<Batch, UseCaseError> {
        batch.vendor_calls += self.uncounted_calls();
        self.market.companies().put_batch(&batch).await?;
        Ok(batch)
    }

    /// Sessions of which no vendor had a bar, by stock, for the newest sessions.
    pub(super) async fn absent(&self) -> Result<BTreeMap<Symbol, BTreeSet<domain::Date>>, UseCaseError> {
        let stored = self.histories.read_object(ABSENT).await?;
        // Without it, a few sessions are asked for again.
        Ok(stored.and_then(|(bytes, _)| objects::parse(ABSENT, &bytes).ok()).unwrap_or_default())
    }
}
