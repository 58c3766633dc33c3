//! Health, metrics and the documentation: what needs no caller, and so no keys.

use std::sync::Arc;

use api::{
    health::{Model, Prices, Tables},
    identity::Authenticator,
    metrics::MarketGauges,
    routes::system::SystemState,
};
use app::auth::{AuthError, Principal};
use async_trait::async_trait;
use axum::Router;
use domain::Timestamp;
use runtime::pointer::StoredCards;

use super::{Shared, trading, uncounted_edge};
use crate::{Place, SettingsError, keys::Keys, place::market};

pub fn system(place: &dyn Place, _: &Keys, shared: &Shared) -> Result<Router, SettingsError> {
    let (market, (signals, desk)) = (market(place)?, trading(place, shared.keeper.tally())?);
    let state = SystemState {
        version: env!("CARGO_PKG_VERSION"),
        checks: vec![
            Arc::new(Tables(market.companies().clone())),
            Arc::new(Prices::new(market.clone())),
            Arc::new(Model(Arc::new(StoredCards(place.objects()?)))),
        ],
        metrics: vec![shared.keeper.clone(), Arc::new(MarketGauges::new(market, signals, desk))],
    };
    let edge = uncounted_edge(place, Arc::new(Nobody), shared);
    let features = place.settings().features;
    Ok(api::compose([], Some(api::system(state, move || api::openapi(false, features))), edge))
}

/// No route here minds who calls.
struct Nobody;

#[async_trait]
impl Authenticator for Nobody {
    async fn authenticate(&self, _: &str, _: Timestamp) -> Result<Principal, AuthError> {
        Err(AuthError::ForgedToken)
    }
}
