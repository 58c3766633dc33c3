//! Bringing market data in, and telling how that went.
//!
//! | module | what |
//! |---|---|
//! | `plan` | a wish becomes a recorded run of batches; its end |
//! | `batch` | doing a batch, safely again |
//! | `symbol` | one stock's step: ask, judge, merge |
//! | `prefetched` | whole sessions in one answer |
//! | `gate`, `quarantine` | what is not believed, and what becomes of it |
//! | `listing` | new listings, other names, ends |
//! | `publish` | what is computed from all histories |
//! | `run`, `status` | how it went, how fresh the data is |

mod batch;
pub mod gate;
mod job;
mod listing;
mod plan;
mod prefetched;
mod publish;
mod quarantine;
pub mod run;
mod status;
mod symbol;

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use domain::{Date, Symbol};
use futures::{
    FutureExt,
    future::{BoxFuture, try_join_all},
};

pub use batch::Progress;
pub use gate::Reason;
pub use job::IngestJob;
pub use plan::SAMPLE;
pub use quarantine::{QuarantineState, QuarantinedBar, quarantine_counts};
pub use run::{Batch, BatchState, Run, RunKind, RunState};
pub use status::{Age, DataStatus};

use prefetched::Prefetched;

use crate::{
    UseCaseError,
    market::Market,
    ports::{HistoryStore, MarketData},
};

/// The use cases of data management.
#[derive(Clone)]
pub struct Data {
    market: Market,
    histories: Arc<dyn HistoryStore>,
    vendor: Arc<dyn MarketData>,
    /// Fills gaps of the first, vouches for what it alone would not be believed, and is compared with it.
    second: Option<Arc<dyn MarketData>>,
    /// Whole sessions of the run that is on, so that each batch need not read them.
    prefetched: Arc<futures::lock::Mutex<Option<Arc<Prefetched>>>>,
    /// Vendor calls that stand in some record.
    counted: Arc<AtomicU64>,
    /// Asked before each chunk; what is left then waits for whoever goes on with the run.
    is_time_up: Arc<dyn Fn() -> bool + Send + Sync>,
}

impl Data {
    pub fn new(market: Market, histories: Arc<dyn HistoryStore>, vendor: Arc<dyn MarketData>) -> Self {
        let counted = Arc::new(AtomicU64::new(vendor.calls()));
        Self { market, histories, vendor, second: None, prefetched: Arc::default(), counted, is_time_up: Arc::new(|| false) }
    }

    /// With another vendor beside the first.
    #[must_use]
    pub fn with_second(self, second: Arc<dyn MarketData>) -> Self {
        let counted = Arc::new(AtomicU64::new(self.vendor.calls() + second.calls()));
        Self { second: Some(second), counted, ..self }
    }

    /// For a place that ends the process at some time: runs stop between two chunks once `is_time_up`, still [`RunState::Running`].
    #[must_use]
    pub fn until(self, is_time_up: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self { is_time_up: Arc::new(is_time_up), ..self }
    }

    /// A run with all that its batches have done so far.
    pub async fn run(&self, id: &str) -> Result<Run, UseCaseError> {
        let found = self.market.companies().run(id).await?;
        let run = found.ok_or_else(|| UseCaseError::NotFound(format!("run {id}")))?;
        self.tallied(run).await
    }

    /// Records that a run is about to begin, so that it can be asked for before it does.
    pub async fn announce(&self, run: &Run) -> Result<(), UseCaseError> {
        Ok(self.market.companies().put_run(run).await?)
    }

    /// The newest runs, newest first.
    pub async fn runs(&self, limit: usize) -> Result<Vec<Run>, UseCaseError> {
        let runs = self.market.companies().runs(limit).await?;
        let tallies: Vec<BoxFuture<'_, _>> = runs.into_iter().map(|run| self.tallied(run).boxed()).collect();
        try_join_all(tallies).await
    }

    async fn tallied(&self, mut run: Run) -> Result<Run, UseCaseError> {
        let needs_batches = run.batches.is_some() && (!run.is_over() || run.symbols_failed > 0);
        if needs_batches {
            run.tally(&self.market.companies().batches(&run.id).await?);
        }
        Ok(run)
    }

    /// Which stocks have other bars than before since the last daily run, each with the oldest date concerned.
    pub async fn restatements(&self, run: &Run) -> Result<BTreeMap<Symbol, Date>, UseCaseError> {
        let runs = self.market.companies().runs(plan::LOOK_BACK).await?;
        let earlier = runs.iter().filter(|other| other.id < run.id).take_while(|other| other.kind != RunKind::Scheduled);
        let mut restated: BTreeMap<Symbol, Date> = BTreeMap::new();
        for id in std::iter::once(&run.id).chain(earlier.map(|other| &other.id)) {
            for (symbol, added) in self.market.companies().batches(id).await?.into_iter().flat_map(|batch| batch.done) {
                if let Some(date) = added.restated_from {
                    restated.entry(symbol).and_modify(|oldest| *oldest = date.min(*oldest)).or_insert(date);
                }
            }
        }
        Ok(restated)
    }

    /// Vendor calls since this was last asked: each is counted in exactly one record, whichever batch is the next to write its own.
    fn uncounted_calls(&self) -> u64 {
        let calls = self.vendor.calls() + self.second.as_ref().map_or(0, |second| second.calls());
        calls.saturating_sub(self.counted.swap(calls, Ordering::Relaxed))
    }
}
