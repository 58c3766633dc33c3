//! The HTTP edge: routes, extractors, problem details, limits, metrics and the documentation.
//!
//! A composition takes the routers of the groups it runs and surrounds them with the edge:
//!
//! ```ignore
//! let groups = [routes::auth::router(auth), routes::stocks::router(stocks)];
//! let app = api::compose(groups, Some(api::system(state, move || api::openapi(false, features))), edge);
//! ```
//!
//! The same routers run behind a gateway, one group a function, and all together on one machine.

mod answers;
pub mod cached;
pub mod clock;
pub mod cursor;
pub mod docs;
pub mod extract;
pub mod features;
pub mod health;
pub mod identity;
pub mod metrics;
pub mod middleware;
pub mod number;
pub mod problem;
mod recent;
mod refusal;
pub mod routes;

use axum::Router;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

pub use features::FeatureFlags;
pub use middleware::Edge;

use crate::routes::system::SystemState;

/// What every route of a group begins with.
pub const BASE_PATH: &str = "/api/v1";

/// The routers of groups under [`BASE_PATH`], with the edge around them and around what [`system`] made.
pub fn compose(groups: impl IntoIterator<Item = OpenApiRouter>, system: Option<Router>, edge: Edge) -> Router {
    let api = groups.into_iter().fold(Router::new(), |api, group| api.merge(Router::from(group)));
    let router = Router::new().nest(BASE_PATH, api).merge(system.unwrap_or_default());
    middleware::surround(router, edge)
}

/// `/health`, `/metrics` and the documentation pages of the given document.
pub fn system(state: SystemState, document: impl FnOnce() -> OpenApi + Send + 'static) -> Router {
    Router::from(routes::system::router(state)).merge(docs::router(document))
}

/// The whole API's `OpenAPI` document, whichever groups run in this process; `with_clock` where the clock can be moved. What is
/// switched off is not in it.
pub fn openapi(with_clock: bool, features: FeatureFlags) -> OpenApi {
    let mut groups = vec![
        routes::auth::routes().into_openapi(),
        routes::account::routes().into_openapi(),
        routes::admin::routes().into_openapi(),
        routes::stocks::routes().into_openapi(),
        routes::signals::routes().into_openapi(),
        routes::portfolio::routes().into_openapi(),
        routes::charts::routes().into_openapi(),
        routes::data::routes().into_openapi(),
    ];
    if with_clock {
        groups.push(routes::clock::routes().into_openapi());
    }
    let nested = groups.into_iter().map(|group| OpenApi::default().nest(BASE_PATH, group));
    let mut document = docs::document(nested.chain([routes::system::routes().into_openapi()]));
    features.restrict(&mut document);
    document
}
