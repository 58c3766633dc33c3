//! The services of AWS.

use std::{
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use adapters::{
    aws::SdkConfig,
    secrets::{SecretError, SecretStore},
    store::{Store, TableNames},
};
use app::ports::{Events, HistoryStore, Mailer, MarketData};
use async_trait::async_trait;

use super::{Place, Reach, VendorKeyError, Vendors, feed::Feed};
use crate::{Settings, SettingsError};

/// How long a secret is kept: a rotation is noticed within this time by every copy.
const SECRET_LIFE: Duration = Duration::from_mins(5);

/// One client a service, made when it is first used; all share their connections' configuration.
pub struct Aws {
    pub(super) settings: Settings,
    pub(super) config: SdkConfig,
    reach: Reach,
    store: OnceLock<Store>,
    objects: OnceLock<Arc<dyn HistoryStore>>,
    secrets: OnceLock<SecretStore>,
}

impl Aws {
    pub async fn from_environment(reach: Reach) -> Result<Self, SettingsError> {
        Ok(Self::new(Settings::from_environment()?, adapters::aws::config().await, reach))
    }

    fn new(settings: Settings, config: SdkConfig, reach: Reach) -> Self {
        Self { settings, config, reach, store: OnceLock::new(), objects: OnceLock::new(), secrets: OnceLock::new() }
    }
}

#[async_trait]
impl Place for Aws {
    fn settings(&self) -> &Settings {
        &self.settings
    }

    fn store(&self) -> Result<Store, SettingsError> {
        let names = TableNames::with_prefix(self.settings.table_prefix()?);
        Ok(self.store.get_or_init(|| Store::new(&self.config, names)).clone())
    }

    fn objects(&self) -> Result<Arc<dyn HistoryStore>, SettingsError> {
        if let Some(objects) = self.objects.get() {
            return Ok(objects.clone());
        }
        let objects = (self.reach.objects)(self)?;
        Ok(self.objects.get_or_init(|| objects).clone())
    }

    fn events(&self) -> Result<Arc<dyn Events>, SettingsError> {
        (self.reach.events)(self)
    }

    fn mailer(&self) -> Result<Arc<dyn Mailer>, SettingsError> {
        (self.reach.mailer)(self)
    }

    async fn secret(&self, id: &str) -> Result<Arc<str>, SecretError> {
        self.secrets.get_or_init(|| SecretStore::new(&self.config, SECRET_LIFE)).text(id, Instant::now()).await
    }

    async fn vendors(&self) -> Result<Vendors, VendorKeyError> {
        (self.reach.vendors)(self).await
    }

    fn quotes(&self) -> Arc<dyn MarketData> {
        Arc::new(Feed::new(Box::new(Self::new(self.settings.clone(), self.config.clone(), self.reach))))
    }
}
