//! The vendor of market data.

use std::sync::Arc;

use adapters::{
    market_data::{Pace, Plan, polygon::Polygon, tiingo::Tiingo},
    secrets::SecretError,
    store::QuotaTable,
};
use app::{
    data::Data,
    market::Market,
    ports::{HistoryStore, MarketData, Quota, Quote, VendorActions, VendorError, VendorHistory, VendorSession},
};
use async_trait::async_trait;
use domain::{Company, Date, Source, Symbol, Timestamp, TradingDate};
use serde::Deserialize;

use super::Place;
use crate::{SettingsError, settings::VendorSettings};

/// Why no vendor can be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VendorKeyError {
    #[error("no vendor has a key: put {{\"api_key\": …}} into the secret of POLYGON_SECRET_ID or TIINGO_SECRET_ID")]
    NotConfigured,
    /// The text is not repeated: it may hold a key.
    #[error("the secret {0} is not {{\"api_key\": …}}")]
    Malformed(String),
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error(transparent)]
    Vendor(#[from] VendorError),
}

/// Where market data come from.
pub struct Vendors {
    pub first: Arc<dyn MarketData>,
    /// Fills gaps of the first, and is compared with it.
    pub second: Option<Arc<dyn MarketData>>,
}

impl Vendors {
    /// The use cases of data over these vendors.
    pub fn data(self, market: &Market, objects: &Arc<dyn HistoryStore>) -> Data {
        let data = Data::new(market.clone(), objects.clone(), self.first);
        match self.second {
            Some(second) => data.with_second(second),
            None => data,
        }
    }
}

/// Polygon before Tiingo, where both have a key; each within its plan, which all functions count in one table. Without a plan the
/// smaller one: too slow costs time, too fast costs the quota.
pub(super) async fn from_secrets(place: &dyn Place) -> Result<Vendors, VendorKeyError> {
    let settings = place.settings();
    let quota: Arc<dyn Quota> = Arc::new(QuotaTable::new(&place.store()?));
    let mut vendors: Vec<Arc<dyn MarketData>> = Vec::new();
    if let Some(key) = key(place, &settings.polygon).await? {
        let polygon = Polygon::new(&key, settings.polygon.base_url.as_deref().unwrap_or(Polygon::BASE_URL))?;
        let plan = settings.polygon.plan.unwrap_or(Plan::POLYGON_BASIC);
        vendors.push(Arc::new(polygon.paced(Pace::new(quota.clone(), plan))));
    }
    if let Some(key) = key(place, &settings.tiingo).await? {
        let tiingo = Tiingo::new(&key, settings.tiingo.base_url.as_deref().unwrap_or(Tiingo::BASE_URL))?;
        let plan = settings.tiingo.plan.unwrap_or(Plan::TIINGO_FREE);
        vendors.push(Arc::new(tiingo.paced(Pace::new(quota, plan))));
    }
    let mut vendors = vendors.into_iter();
    let first = vendors.next().ok_or(VendorKeyError::NotConfigured)?;
    Ok(Vendors { first, second: vendors.next() })
}

/// `None` where the vendor is not configured: no secret, none with a text yet, or one with an empty key.
async fn key(place: &dyn Place, vendor: &VendorSettings) -> Result<Option<String>, VendorKeyError> {
    let Some(id) = &vendor.secret else { return Ok(None) };
    match place.secret(id).await {
        Ok(text) => key_in(&text).ok_or_else(|| VendorKeyError::Malformed(id.clone())),
        Err(SecretError::Missing(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// `None`: not understood; `Some(None)`: no key.
#[expect(clippy::option_option, reason = "a secret without a key is in order, one that cannot be read is not")]
fn key_in(text: &str) -> Option<Option<String>> {
    #[derive(Deserialize)]
    struct Key {
        #[serde(default)]
        api_key: String,
    }
    if text.trim().is_empty() {
        return Some(None);
    }
    let Key { api_key } = serde_json::from_str(text).ok()?;
    Some(Some(api_key.trim().to_owned()).filter(|key| !key.is_empty()))
}

/// The vendor as functions see it that never ask: they have no key, so that nobody who takes one over has.
pub struct Elsewhere(pub Source);

impl Elsewhere {
    fn refusal() -> VendorError {
        VendorError::Unavailable("the vendor", "this function has no key to it; ingestion runs in another".into())
    }
}

#[async_trait]
impl MarketData for Elsewhere {
    fn source(&self) -> Source {
        self.0
    }

    async fn companies(&self, _: Timestamp) -> Result<Vec<Company>, VendorError> {
        Err(Self::refusal())
    }

    async fn history(&self, _: &Symbol, _: Date, _: Date, _: Timestamp) -> Result<VendorHistory, VendorError> {
        Err(Self::refusal())
    }

    async fn company(&self, _: &Symbol, _: Timestamp) -> Result<Company, VendorError> {
        Err(Self::refusal())
    }

    async fn delisted(&self, _: Date, _: Timestamp) -> Result<Vec<Company>, VendorError> {
        Err(Self::refusal())
    }

    async fn session(&self, _: TradingDate, _: Timestamp) -> Result<VendorSession, VendorError> {
        Err(Self::refusal())
    }

    fn calls(&self) -> u64 {
        0
    }

    async fn quotes(&self, _: &[Symbol], _: Timestamp) -> Result<Vec<Quote>, VendorError> {
        Err(Self::refusal())
    }

    async fn actions(&self, _: &[Symbol], _: Date, _: Date, _: Timestamp) -> Result<VendorActions, VendorError> {
        Err(Self::refusal())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_without_a_key_is_in_order_and_anything_else_is_not() {
        for (text, expected) in [
            (r#"{"api_key":"k1"}"#, Some(Some("k1"))),
            (r#"{"api_key":" k1 ","note":"mine"}"#, Some(Some("k1"))),
            (r#"{"api_key":""}"#, Some(None)),
            ("{}", Some(None)),
            (" ", Some(None)),
            ("k1", None),
            (r#"{"api_key":7}"#, None),
        ] {
            assert_eq!(key_in(text), expected.map(|key| key.map(str::to_owned)), "{text}");
        }
    }
}
