//! Health, metrics and the documentation: what needs no caller, and so no keys.

use std::sync::Arc;

use api::{
    identity::Authenticator,
    metrics::{Family, Kind, MetricsSource},
    routes::system::{Health, HealthCheck, SystemState},
};
use app::{
    auth::{AuthError, Principal},
    market::Market,
    ports::{HistoryStore, MarketStore},
    signals::Signals,
};
use async_trait::async_trait;
use axum::Router;
use domain::{Timestamp, calendar};

use super::{Shared, edge, trading};
use crate::{Place, SettingsError, keys::Keys, place::market};

/// Bars older than this many sessions mean that ingestion has stopped.
const OLDEST_BARS: usize = 3;

pub fn system(place: &dyn Place, _: &Keys, shared: &Shared) -> Result<Router, SettingsError> {
    let (market, objects, signals) = (market(place)?, place.objects()?, trading(place)?.0);
    let state = SystemState {
        version: env!("CARGO_PKG_VERSION"),
        checks: vec![Arc::new(Database(market.companies().clone())), Arc::new(Prices(market.clone())), Arc::new(Model(objects))],
        metrics: vec![shared.metrics.clone(), Arc::new(Stored { market, signals })],
    };
    Ok(api::compose([], Some(api::system(state, &api::openapi(false))), edge(place, Arc::new(Nobody), shared)))
}

/// No route here minds who calls.
struct Nobody;

#[async_trait]
impl Authenticator for Nobody {
    async fn authenticate(&self, _: &str, _: Timestamp) -> Result<Principal, AuthError> {
        Err(AuthError::ForgedToken)
    }
}

struct Database(Arc<dyn MarketStore>);

#[async_trait]
impl HealthCheck for Database {
    fn name(&self) -> &'static str {
        "database"
    }

    async fn check(&self, _: Timestamp) -> (Health, String) {
        match self.0.companies().await {
            Ok(companies) => (Health::Healthy, format!("answers; {} companies", companies.len())),
            Err(error) => (Health::Unhealthy, error.to_string()),
        }
    }
}

struct Prices(Market);

#[async_trait]
impl HealthCheck for Prices {
    fn name(&self) -> &'static str {
        "prices"
    }

    async fn check(&self, now: Timestamp) -> (Health, String) {
        let oldest = (0..OLDEST_BARS).fold(calendar::last_closed_session(now), |date, _| date.previous());
        match self.0.snapshot().await.map(|snapshot| snapshot.latest_date()) {
            Ok(Some(date)) if date >= oldest => (Health::Healthy, format!("the newest bars are of {date}")),
            Ok(Some(date)) => (Health::Degraded, format!("the newest bars are of {date}; ingestion is behind")),
            Ok(None) => (Health::Degraded, "there are no bars yet".into()),
            Err(error) => (Health::Degraded, error.to_string()),
        }
    }
}

/// Whether the model in force is made for this program. Its trees are not loaded: nothing is scored here.
struct Model(Arc<dyn HistoryStore>);

#[async_trait]
impl HealthCheck for Model {
    fn name(&self) -> &'static str {
        "model"
    }

    async fn check(&self, _: Timestamp) -> (Health, String) {
        match runtime::pointer::manifest(self.0.as_ref()).await {
            Ok(manifest) => (Health::Healthy, manifest.version),
            Err(error) => (Health::Degraded, error.to_string()),
        }
    }
}

/// What the tables and objects say of the whole, whichever copy is asked.
struct Stored {
    market: Market,
    signals: Signals,
}

#[async_trait]
impl MetricsSource for Stored {
    async fn families(&self) -> Vec<Family> {
        let now = Timestamp::now();
        let mut families = Vec::new();
        if let Ok(snapshot) = self.market.snapshot().await {
            families
                .push(Family::new("stocks_with_prices", "Stocks that have any bar.", Kind::Gauge).with(&[], snapshot.stocks.len() as f64));
            if let Some(date) = snapshot.latest_date() {
                let lag = calendar::close_instant(date.date()).duration_until(now).as_secs_f64();
                families.push(
                    Family::new("ingestion_lag_seconds", "Market time since the close of the newest bar.", Kind::Gauge).with(&[], lag),
                );
            }
        }
        if let Ok(counts) = self.signals.active_by_action(now).await {
            let mut signals = Family::new("signals_active", "Signals that can be acted on, by action.", Kind::Gauge);
            for (action, count) in counts {
                signals.push("", &[("action", action.name())], count as f64);
            }
            families.push(signals);
        }
        families
    }
}
