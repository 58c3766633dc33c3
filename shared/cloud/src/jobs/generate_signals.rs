//! Signals of the last session, once its prices are there.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use adapters::store::{PortfolioTable, SignalTable};
use api::metrics::Keeper;
use app::{
    jobs::{JobKind, steps},
    ports::{Event, Events, HistoryStore, Models, Occasion},
    signals::Signals,
};
use async_trait::async_trait;

use super::{Cause, Job, JobError, keeper};
use crate::{Place, SettingsError, place::market};

/// The source of models of a place's objects.
pub type NewModels = fn(Arc<dyn HistoryStore>) -> Arc<dyn Models>;

pub(super) struct GenerateSignals {
    place: Arc<dyn Place>,
    keeper: Keeper,
    signals: Signals,
    events: Arc<dyn Events>,
}

impl GenerateSignals {
    pub(super) fn new(place: Arc<dyn Place>, models: NewModels) -> Result<Self, SettingsError> {
        let (store, objects, events) = (place.store()?, place.objects()?, place.events()?);
        // Which signals users have acted on is asked for only where they are shown.
        let portfolios = Arc::new(PortfolioTable::new(&store));
        let signals = Signals::new(market(place.as_ref())?, Arc::new(SignalTable::new(&store)), portfolios, Some(models(objects)));
        Ok(Self { keeper: keeper(place.as_ref())?, place, signals, events })
    }
}

#[async_trait]
impl Job for GenerateSignals {
    fn kind(&self) -> JobKind {
        JobKind::GenerateSignals
    }

    fn place(&self) -> &dyn Place {
        self.place.as_ref()
    }

    fn keeper(&self) -> &Keeper {
        &self.keeper
    }

    async fn run(&self, cause: Cause, occasion: &Occasion, _: Instant) -> Result<String, JobError> {
        let restated = match cause {
            Cause::Timer | Cause::Operator => BTreeMap::new(),
            Cause::Event(Event::PricesIngested { restated, .. }) => restated,
            Cause::Event(event) => return Err(JobError::Misdirected { job: self.kind().name(), event: event.name() }),
        };
        let restated = steps::restate(&self.signals, &restated, occasion.now).await?;
        let made = steps::generate_signals(&self.signals, occasion.now).await?;
        // Also where the signals were there before: portfolios wait for prices as well, and what took the signals may have been
        // interrupted.
        let event = Event::SignalsGenerated { date: made.generated.date, signals: made.generated.signals.len() };
        self.events.publish(&[event], occasion).await?;
        Ok(format!("{made}{restated}"))
    }
}
