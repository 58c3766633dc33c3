//! The daily clearing of codes, sessions and counters that are over.

use std::{sync::Arc, time::Instant};

use adapters::store::IdentityTable;
use api::metrics::Keeper;
use app::{
    jobs::JobKind,
    ports::{IdentityStore, Occasion},
};
use async_trait::async_trait;

use super::{Cause, Job, JobError, keeper};
use crate::{Place, SettingsError};

pub(super) struct ResetOtps {
    place: Arc<dyn Place>,
    keeper: Keeper,
    identity: IdentityTable,
}

impl ResetOtps {
    pub(super) fn new(place: Arc<dyn Place>) -> Result<Self, SettingsError> {
        let identity = IdentityTable::new(&place.store()?);
        Ok(Self { keeper: keeper(place.as_ref())?, place, identity })
    }
}

#[async_trait]
impl Job for ResetOtps {
    fn kind(&self) -> JobKind {
        JobKind::ResetOtps
    }

    fn place(&self) -> &dyn Place {
        self.place.as_ref()
    }

    fn keeper(&self) -> &Keeper {
        &self.keeper
    }

    async fn run(&self, cause: Cause, occasion: &Occasion, _: Instant) -> Result<String, JobError> {
        if let Cause::Event(event) = cause {
            return Err(JobError::Misdirected { job: self.kind().name(), event: event.name() });
        }
        Ok(format!("{} expired records removed", self.identity.purge_expired(occasion.now).await?))
    }
}
