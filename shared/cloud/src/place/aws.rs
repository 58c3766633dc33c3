//! The services of AWS.

use std::{
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use adapters::{
    aws::SdkConfig,
    events::EventBridge,
    history::s3::Bucket,
    mail::ses::Ses,
    secrets::{SecretError, SecretStore},
    store::{Store, TableNames},
};
use app::ports::{Events, HistoryStore, Mailer};
use async_trait::async_trait;

use super::{Place, VendorKeyError, Vendors, vendor};
use crate::{Settings, SettingsError};

/// How long a secret is kept: a rotation is noticed within this time by every copy.
const SECRET_LIFE: Duration = Duration::from_mins(5);

/// One client a service, made when it is first used; all share their connections' configuration.
pub struct Aws {
    settings: Settings,
    config: SdkConfig,
    store: OnceLock<Store>,
    objects: OnceLock<Arc<dyn HistoryStore>>,
    secrets: OnceLock<SecretStore>,
}

impl Aws {
    pub async fn from_environment() -> Result<Self, SettingsError> {
        let settings = Settings::from_environment()?;
        let config = adapters::aws::config().await;
        Ok(Self { settings, config, store: OnceLock::new(), objects: OnceLock::new(), secrets: OnceLock::new() })
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
        let bucket = self.settings.bucket()?;
        Ok(self.objects.get_or_init(|| Arc::new(Bucket::new(&self.config, bucket, self.settings.path_style))).clone())
    }

    fn events(&self) -> Result<Arc<dyn Events>, SettingsError> {
        Ok(Arc::new(EventBridge::new(&self.config, self.settings.event_bus()?, &self.settings.stage)))
    }

    fn mailer(&self) -> Result<Arc<dyn Mailer>, SettingsError> {
        let configuration = self.settings.mail_configuration.as_deref();
        Ok(Arc::new(Ses::new(&self.config, self.settings.mail_sender()?, configuration)))
    }

    async fn secret(&self, id: &str) -> Result<Arc<str>, SecretError> {
        self.secrets.get_or_init(|| SecretStore::new(&self.config, SECRET_LIFE)).text(id, Instant::now()).await
    }

    async fn vendors(&self) -> Result<Vendors, VendorKeyError> {
        vendor::from_secrets(self).await
    }
}
