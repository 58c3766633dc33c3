//! What the health of one machine consists of.

use std::sync::Arc;

use api::{
    health::{Prices, Tables},
    routes::system::{Depth, Health, HealthCheck},
};
use async_trait::async_trait;
use domain::Timestamp;
use models::StoredModels;

use crate::system::System;

pub fn checks(system: &System) -> Vec<Arc<dyn HealthCheck>> {
    let market = system.services.stocks.market();
    vec![Arc::new(Tables(market.companies().clone())), Arc::new(Prices::new(market.clone())), Arc::new(Model(system.models.clone()))]
}

/// Whether the model in force can be loaded.
struct Model(Arc<StoredModels>);

#[async_trait]
impl HealthCheck for Model {
    fn name(&self) -> &'static str {
        "model"
    }

    async fn check(&self, _: Timestamp, _: Depth) -> (Health, String) {
        match self.0.check().await {
            Ok(version) => (Health::Healthy, version),
            Err(error) => (Health::Degraded, error.to_string()),
        }
    }
}
