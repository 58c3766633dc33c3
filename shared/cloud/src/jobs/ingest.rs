//! Prices: what the vendor has that the store has not.

use std::sync::Arc;

use app::{
    data::{IngestJob, RunState},
    jobs::JobKind,
    market::Market,
    ports::{Event, Events, HistoryStore, Occasion},
};
use async_trait::async_trait;

use super::{Cause, Job, JobError};
use crate::{Place, SettingsError, metrics, place::market};

pub struct Ingest {
    place: Arc<dyn Place>,
    market: Market,
    objects: Arc<dyn HistoryStore>,
    events: Arc<dyn Events>,
}

impl Ingest {
    pub fn new(place: Arc<dyn Place>) -> Result<Self, SettingsError> {
        let (market, objects, events) = (market(place.as_ref())?, place.objects()?, place.events()?);
        Ok(Self { place, market, objects, events })
    }
}

#[async_trait]
impl Job for Ingest {
    const KIND: JobKind = JobKind::Ingest;

    fn place(&self) -> &dyn Place {
        self.place.as_ref()
    }

    async fn run(&self, cause: Cause, occasion: &Occasion) -> Result<String, JobError> {
        let (job, is_asked_for) = match cause {
            Cause::Timer | Cause::Operator => (IngestJob::Scheduled, false),
            Cause::Event(Event::IngestRequested { job, .. }) => (job, true),
            Cause::Event(event) => return Err(JobError::Misdirected { job: Self::KIND.name(), event: event.name() }),
        };
        // A key may have been put in or changed since the last run.
        let data = self.place.vendors().await?.data(&self.market, &self.objects);
        let run = job.run(&data, occasion.now).await?;
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
