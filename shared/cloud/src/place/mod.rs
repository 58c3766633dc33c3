//! Where functions run: what they are composed of.

mod aws;
mod feed;
mod reach;
mod vendor;

use std::sync::Arc;

use adapters::{secrets::SecretError, store::Store};
use app::{
    market::Market,
    ports::{Events, HistoryStore, Mailer, MarketData},
};
use async_trait::async_trait;

use crate::{Settings, SettingsError};

pub use aws::Aws;
pub use reach::Reach;
pub use vendor::{Elsewhere, VendorKeyError, Vendors};

/// What functions can ask for. Things are made when they are first asked for.
#[async_trait]
pub trait Place: Send + Sync {
    fn settings(&self) -> &Settings;

    fn store(&self) -> Result<Store, SettingsError>;

    fn objects(&self) -> Result<Arc<dyn HistoryStore>, SettingsError>;

    fn events(&self) -> Result<Arc<dyn Events>, SettingsError>;

    fn mailer(&self) -> Result<Arc<dyn Mailer>, SettingsError>;

    /// The current text of a secret.
    async fn secret(&self, id: &str) -> Result<Arc<str>, SecretError>;

    /// The vendors whose keys are there at the moment.
    async fn vendors(&self) -> Result<Vendors, VendorKeyError>;

    /// Prices of the running session.
    fn quotes(&self) -> Arc<dyn MarketData>;
}

/// End-of-day prices: there is no feed of the running session.
pub(crate) fn market(place: &dyn Place) -> Result<Market, SettingsError> {
    let companies = Arc::new(adapters::store::MarketTable::new(&place.store()?));
    Ok(Market::new(place.objects()?, companies, None))
}

/// As [`market`], with fresh quotes where they are switched on. Only for looking: what trades here goes by closes.
pub(crate) fn shown_market(place: &dyn Place) -> Result<Market, SettingsError> {
    let companies = Arc::new(adapters::store::MarketTable::new(&place.store()?));
    let quotes = place.settings().features.real_time_data.then(|| place.quotes());
    Ok(Market::new(place.objects()?, companies, quotes))
}
