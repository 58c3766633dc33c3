//! Prices: what the vendor has that the store has not.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use api::metrics::Keeper;
use app::{
    data::{IngestJob, Run, RunState},
    jobs::JobKind,
    market::Market,
    ports::{Event, Events, HistoryStore, Occasion},
};
use async_trait::async_trait;

use super::{Cause, Job, JobError, keeper};
use crate::{Place, SettingsError, metrics, place::market};

pub(super) struct Ingest {
    place: Arc<dyn Place>,
    keeper: Keeper,
    market: Market,
    objects: Arc<dyn HistoryStore>,
    events: Arc<dyn Events>,
}

impl Ingest {
    pub(super) fn new(place: Arc<dyn Place>) -> Result<Self, SettingsError> {
        let (market, objects, events) = (market(place.as_ref())?, place.objects()?, place.events()?);
        Ok(Self { keeper: keeper(place.as_ref())?, place, market, objects, events })
    }
}

/// Left for the chunk that is under way at the deadline, the publication of what all chunks brought, and the message to the successor.
const LAST_STEPS: Duration = Duration::from_mins(2);

#[async_trait]
impl Job for Ingest {
    fn kind(&self) -> JobKind {
        JobKind::Ingest
    }

    fn place(&self) -> &dyn Place {
        self.place.as_ref()
    }

    fn keeper(&self) -> &Keeper {
        &self.keeper
    }

    async fn run(&self, cause: Cause, occasion: &Occasion, end: Instant) -> Result<String, JobError> {
        let (job, is_asked_for) = match cause {
            Cause::Timer | Cause::Operator => (IngestJob::Scheduled, false),
            Cause::Event(Event::IngestRequested { job, .. }) => (job, true),
            Cause::Event(event) => return Err(JobError::Misdirected { job: self.kind().name(), event: event.name() }),
        };
        // A key may have been put in or changed since the last run.
        let data = self.place.vendors().await?.data(&self.market, &self.objects);
        let handled = AtomicUsize::new(0);
        let count = |_, _| {
            handled.fetch_add(1, Ordering::Relaxed);
        };
        let data = data.until(move || Instant::now() + LAST_STEPS >= end);
        let run = job.run(&data, occasion.now, &count).await?;
        let handled = handled.into_inner();
        if run.state == RunState::Running {
            return self.hand_over(run, job, handled, occasion).await;
        }
        metrics::newest_bar_age(&self.place.settings().stage, self.market.snapshot().await?.latest_date(), occasion.now);

        let outcome = format!("{} bars of {} symbols ({})", run.bars_added, run.symbols_done, run.state.name());
        // Nothing at all came: the vendor is out of order, and may be back soon. Who asked for certain stocks reads it in the run.
        if run.state == RunState::Failed && !is_asked_for {
            return Err(JobError::Fruitless(outcome));
        }
        if job != IngestJob::StockList {
            let restated = data.restatements(&run).await?;
            self.events.publish(&[Event::PricesIngested { run_id: run.id, restated }], occasion).await?;
        }
        Ok(outcome)
    }
}

impl Ingest {
    /// Long runs take several invocations: the next one goes on where this one stopped, as of the same market time.
    async fn hand_over(&self, run: Run, job: IngestJob, handled: usize, occasion: &Occasion) -> Result<String, JobError> {
        let outcome = format!("{handled} symbols handled in time, {} of {} done", run.symbols_done, run.symbols_total);
        // A successor that gets no further either would have one as well, and so for ever.
        if handled == 0 {
            return Err(JobError::Fruitless(outcome));
        }
        self.events.publish(&[Event::IngestRequested { run_id: run.id, job }], occasion).await?;
        Ok(format!("{outcome}; the rest follows"))
    }
}
