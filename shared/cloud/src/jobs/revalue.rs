//! Portfolios: fills, exits, corporate actions, valuations; then orders for those who let signals be taken for them,
//! and the evening's mail.

use std::{sync::Arc, time::Instant};

use adapters::store::{IdentityTable, SignalTable};
use api::metrics::Keeper;
use app::{
    auth::subscribers,
    digest::Digest,
    jobs::{JobKind, steps},
    market::Market,
    portfolio::Desk,
    ports::{Event, Occasion, SignalStore},
};
use async_trait::async_trait;

use super::{Cause, Job, JobError, keeper};
use crate::{Place, SettingsError, groups::trading, metrics, place::market};

pub(super) struct Revalue {
    place: Arc<dyn Place>,
    keeper: Keeper,
    market: Market,
    desk: Desk,
    identity: IdentityTable,
    signals: SignalTable,
    digest: Digest,
}

impl Revalue {
    pub(super) fn new(place: Arc<dyn Place>) -> Result<Self, SettingsError> {
        let keeper = keeper(place.as_ref())?;
        let (market, (_, desk)) = (market(place.as_ref())?, trading(place.as_ref(), keeper.tally())?);
        let store = place.store()?;
        let digest = Digest::new(market.clone(), desk.clone(), place.mailer()?);
        Ok(Self { place, keeper, market, desk, identity: IdentityTable::new(&store), signals: SignalTable::new(&store), digest })
    }
}

#[async_trait]
impl Job for Revalue {
    fn kind(&self) -> JobKind {
        JobKind::Revalue
    }

    fn place(&self) -> &dyn Place {
        self.place.as_ref()
    }

    fn keeper(&self) -> &Keeper {
        &self.keeper
    }

    async fn run(&self, cause: Cause, occasion: &Occasion, _: Instant) -> Result<String, JobError> {
        let date = match cause {
            Cause::Timer | Cause::Operator => None,
            Cause::Event(Event::SignalsGenerated { date, .. }) => Some(date),
            Cause::Event(event) => return Err(JobError::Misdirected { job: self.kind().name(), event: event.name() }),
        };
        metrics::newest_bar_age(&self.place.settings().stage, self.market.snapshot().await?.latest_date(), occasion.now);
        let Some(date) = date else { return Ok(steps::revalue(&self.desk, occasion.now).await?) };
        // Something came in that prices may not show, and orders are decided on what portfolios are after it.
        self.desk.look_again();
        let portfolios = steps::revalue(&self.desk, occasion.now).await?;
        let subscribers = subscribers(&self.identity).await?;
        let signals = self.signals.days(&[date.date()]).await?;
        let orders = steps::auto_trade(&self.desk, &subscribers, date, &signals, occasion.now).await;
        let mails = steps::digest(&self.digest, &subscribers, date, &signals, occasion.now, occasion.now).await;
        Ok(format!("{portfolios}{orders}{mails}"))
    }
}
