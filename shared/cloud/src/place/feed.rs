//! Quotes of the running session, for the one function that shows them.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use app::ports::{MarketData, Quote, VendorActions, VendorError, VendorHistory, VendorSession};
use async_trait::async_trait;
use domain::{Company, Date, Source, Symbol, Timestamp, TradingDate};

use super::{Elsewhere, Place};

/// How long a vendor's client is kept: a changed key is noticed within this time.
const LIFE: Duration = Duration::from_mins(5);

/// The first vendor that has a key, looked up when quotes are first wanted. It is asked for quotes and for nothing else.
pub(super) struct Feed {
    place: Box<dyn Place>,
    elsewhere: Elsewhere,
    vendor: Mutex<Option<(Instant, Arc<dyn MarketData>)>>,
}

impl Feed {
    pub(super) fn new(place: Box<dyn Place>) -> Self {
        let source = if place.settings().polygon.secret.is_some() { Source::Polygon } else { Source::Tiingo };
        Self { place, elsewhere: Elsewhere(source), vendor: Mutex::default() }
    }

    async fn vendor(&self) -> Result<Arc<dyn MarketData>, VendorError> {
        if let Some((at, vendor)) = self.vendor.lock().unwrap_or_else(PoisonError::into_inner).as_ref()
            && at.elapsed() < LIFE
        {
            return Ok(vendor.clone());
        }
        let vendors = self.place.vendors().await.map_err(|error| VendorError::Unavailable("the vendor", error.to_string()))?;
        *self.vendor.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), vendors.first.clone()));
        Ok(vendors.first)
    }
}

#[async_trait]
impl MarketData for Feed {
    fn source(&self) -> Source {
        self.elsewhere.source()
    }

    async fn quotes(&self, symbols: &[Symbol], now: Timestamp) -> Result<Vec<Quote>, VendorError> {
        self.vendor().await?.quotes(symbols, now).await
    }

    async fn companies(&self, now: Timestamp) -> Result<Vec<Company>, VendorError> {
        self.elsewhere.companies(now).await
    }

    async fn history(&self, symbol: &Symbol, first: Date, last: Date, now: Timestamp) -> Result<VendorHistory, VendorError> {
        self.elsewhere.history(symbol, first, last, now).await
    }

    async fn company(&self, symbol: &Symbol, now: Timestamp) -> Result<Company, VendorError> {
        self.elsewhere.company(symbol, now).await
    }

    async fn delisted(&self, since: Date, now: Timestamp) -> Result<Vec<Company>, VendorError> {
        self.elsewhere.delisted(since, now).await
    }

    async fn session(&self, date: TradingDate, now: Timestamp) -> Result<VendorSession, VendorError> {
        self.elsewhere.session(date, now).await
    }

    fn calls(&self) -> u64 {
        0
    }

    async fn actions(&self, symbols: &[Symbol], first: Date, last: Date, now: Timestamp) -> Result<VendorActions, VendorError> {
        self.elsewhere.actions(symbols, first, last, now).await
    }
}
