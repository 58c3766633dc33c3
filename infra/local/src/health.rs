//! What the health of one machine consists of.

use std::sync::Arc;

use adapters::store::Store;
use api::routes::system::{Health, HealthCheck};
use app::{data::Data, ports::HistoryStore, stocks::Stocks};
use async_trait::async_trait;
use domain::{Symbol, Timestamp, calendar};
use models::StoredModels;

use crate::system::System;

/// Bars older than this many sessions mean that ingestion has stopped.
const OLDEST_BARS: usize = 3;

pub fn checks(system: &System) -> Vec<Arc<dyn HealthCheck>> {
    vec![
        Arc::new(Database(system.store.clone())),
        Arc::new(Prices { data: system.services.data.clone(), stocks: system.services.stocks.clone(), objects: system.objects.clone() }),
        Arc::new(Model(system.models.clone())),
    ]
}

struct Database(Store);

#[async_trait]
impl HealthCheck for Database {
    fn name(&self) -> &'static str {
        "database"
    }

    async fn check(&self, _: Timestamp) -> (Health, String) {
        match self.0.ping().await {
            Ok(()) => (Health::Healthy, "answers".into()),
            Err(error) => (Health::Unhealthy, error.to_string()),
        }
    }
}

struct Prices {
    data: Data,
    stocks: Stocks,
    objects: Arc<dyn HistoryStore>,
}

impl Prices {
    /// Every history in turn: the first that cannot be read.
    async fn damaged(&self) -> Option<(Symbol, String)> {
        let companies = self.stocks.all().await.ok()?;
        for company in companies.iter() {
            if let Err(error) = self.objects.read(&company.symbol).await {
                return Some((company.symbol.clone(), error.to_string()));
            }
        }
        None
    }
}

#[async_trait]
impl HealthCheck for Prices {
    fn name(&self) -> &'static str {
        "prices"
    }

    async fn check(&self, now: Timestamp) -> (Health, String) {
        if let Some((_, reason)) = self.damaged().await {
            return (Health::Degraded, reason);
        }
        let oldest = (0..OLDEST_BARS).fold(calendar::last_closed_session(now), |date, _| date.previous());
        match self.data.status(now).await.map(|status| status.latest_bar_date) {
            Ok(Some(date)) if date >= oldest.date() => (Health::Healthy, format!("the newest bars are of {date}")),
            Ok(Some(date)) => (Health::Degraded, format!("the newest bars are of {date}; ingestion is behind")),
            Ok(None) => (Health::Degraded, "there are no bars yet".into()),
            Err(error) => (Health::Degraded, error.to_string()),
        }
    }
}

struct Model(Arc<StoredModels>);

#[async_trait]
impl HealthCheck for Model {
    fn name(&self) -> &'static str {
        "model"
    }

    async fn check(&self, _: Timestamp) -> (Health, String) {
        match self.0.check().await {
            Ok(version) => (Health::Healthy, version),
            Err(error) => (Health::Degraded, error.to_string()),
        }
    }
}
