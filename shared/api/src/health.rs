//! Checks that every place makes alike: tables and prices.

use std::{convert::Infallible, sync::Arc, time::Duration};

use app::{
    market::Market,
    ports::{MarketStore, ModelCards},
};
use async_trait::async_trait;
use domain::{Symbol, Timestamp, calendar};
use futures::{StreamExt as _, stream};

use crate::{
    recent::Recent,
    routes::system::{Depth, Health, HealthCheck},
};

/// Bars older than this many sessions mean that ingestion has stopped.
const OLDEST_BARS: usize = 3;
/// Reading every history costs seconds, and anybody may ask: whoever asks within this time gets the last answer.
const DEEP_LIFE: Duration = Duration::from_mins(1);
const READS_AT_ONCE: usize = 16;

/// Whether the tables answer: one small read that nothing remembers.
pub struct Tables(pub Arc<dyn MarketStore>);

#[async_trait]
impl HealthCheck for Tables {
    fn name(&self) -> &'static str {
        "database"
    }

    async fn check(&self, _: Timestamp, _: Depth) -> (Health, String) {
        match self.0.runs(1).await {
            Ok(_) => (Health::Healthy, "answers".into()),
            Err(error) => (Health::Unhealthy, error.to_string()),
        }
    }
}

/// How old the newest bars are; deep: also whether every history can be read.
pub struct Prices {
    market: Market,
    deep: Recent<Histories>,
}

/// What reading all of them found.
#[derive(Debug, Clone)]
enum Histories {
    Read(usize),
    Damaged(Symbol, String),
    Unknown(String),
}

impl Prices {
    pub fn new(market: Market) -> Self {
        Self { market, deep: Recent::new(DEEP_LIFE) }
    }

    async fn histories(&self, now: Timestamp) -> Histories {
        let Ok(found) = self.deep.get_or(async { Ok::<_, Infallible>(self.read_all(now).await) }).await;
        found
    }

    async fn read_all(&self, now: Timestamp) -> Histories {
        let companies = match self.market.companies().companies().await {
            Ok(companies) => companies,
            Err(error) => return Histories::Unknown(error.to_string()),
        };
        let symbols: Vec<Symbol> = companies.iter().map(|company| company.symbol.clone()).collect();
        let reads: Vec<_> = symbols.into_iter().map(|symbol| async move { (self.market.history(&symbol, now).await, symbol) }).collect();
        let mut reads = stream::iter(reads).buffered(READS_AT_ONCE);
        while let Some((read, symbol)) = reads.next().await {
            if let Err(error) = read {
                return Histories::Damaged(symbol, error.to_string());
            }
        }
        Histories::Read(companies.len())
    }
}

#[async_trait]
impl HealthCheck for Prices {
    fn name(&self) -> &'static str {
        "prices"
    }

    async fn check(&self, now: Timestamp, depth: Depth) -> (Health, String) {
        let oldest = (0..OLDEST_BARS).fold(calendar::last_closed_session(now), |date, _| date.previous());
        let (health, detail) = match self.market.snapshot().await.map(|snapshot| snapshot.latest_date()) {
            Ok(Some(date)) if date >= oldest => (Health::Healthy, format!("the newest bars are of {date}")),
            Ok(Some(date)) => (Health::Degraded, format!("the newest bars are of {date}; ingestion is behind")),
            Ok(None) => (Health::Degraded, "there are no bars yet".into()),
            Err(error) => (Health::Degraded, error.to_string()),
        };
        if depth == Depth::Plain {
            return (health, detail);
        }
        match self.histories(now).await {
            Histories::Read(number) => (health, format!("{detail}; all of {number} histories can be read")),
            Histories::Damaged(symbol, reason) => (Health::Degraded, format!("{symbol}: {reason}")),
            Histories::Unknown(reason) => (Health::Degraded, reason),
        }
    }
}

/// Whether the model in force is made for this program. Its trees are not loaded here.
pub struct Model(pub Arc<dyn ModelCards>);

#[async_trait]
impl HealthCheck for Model {
    fn name(&self) -> &'static str {
        "model"
    }

    async fn check(&self, _: Timestamp, _: Depth) -> (Health, String) {
        match self.0.current_card().await {
            Ok(card) => (Health::Healthy, card.manifest.version),
            Err(error) => (Health::Degraded, error.to_string()),
        }
    }
}
