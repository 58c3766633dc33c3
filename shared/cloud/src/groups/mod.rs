//! The groups of routes, each composed of no more than it needs.

mod background;
mod first_admin;
mod system;

use std::{sync::Arc, time::Duration};

use adapters::store::{IdentityTable, PortfolioTable, SignalTable};
use api::{
    Edge,
    clock::WallClock,
    identity::Authenticator,
    metrics::{CountedPortfolios, Keeper, Tally},
    middleware::InStore,
    routes::{
        self,
        account::AccountState,
        admin::AdminState,
        data::{DataSettings, DataState},
        portfolio::PortfolioState,
        signals::SignalsState,
    },
};
use app::{
    account::Accounts,
    auth::{Auth, AuthPolicy, SignUp},
    charts::Charts,
    data::Data,
    portfolio::Desk,
    ports::{Mail, MailError, Mailer},
    signals::Signals,
    stocks::Stocks,
};
use async_trait::async_trait;
use axum::Router;
use domain::{Source, Timestamp};
use runtime::pointer::StoredCards;

use self::{background::ByEvent, first_admin::FirstAdmin};
use crate::{
    Place, SettingsError,
    keys::Keys,
    place::{Elsewhere, market, shown_market},
};

pub use self::system::system;

/// The mail service nearly always takes less to accept a mail.
const REQUEST_FLOOR: Duration = Duration::from_secs(1);

/// A group's router over a place.
pub type Compose = fn(&dyn Place, &Keys, &Shared) -> Result<Router, SettingsError>;

/// What outlives a router that is composed anew, as after a rotation of keys.
#[derive(Clone)]
pub struct Shared {
    pub keeper: Arc<Keeper>,
}

/// Signing in, sessions, the user's own settings; the only group that sends mail.
pub fn auth(place: &dyn Place, keys: &Keys, shared: &Shared) -> Result<Router, SettingsError> {
    let auth = authority(place, keys, place.mailer()?)?;
    let admin = AdminState { auth: auth.clone(), cursors: keys.cursors.clone() };
    let routers = [routes::auth::router(auth.clone()), routes::admin::router(admin)];
    let router = api::compose(routers, None, edge(place, auth.clone(), shared)?);
    Ok(match &place.settings().admin {
        Some(admin) => FirstAdmin::new(auth, admin.clone()).before(router),
        None => router,
    })
}

pub fn stocks(place: &dyn Place, keys: &Keys, shared: &Shared) -> Result<Router, SettingsError> {
    let auth = authority(place, keys, Arc::new(NoMail))?;
    Ok(api::compose([routes::stocks::router(Stocks::new(shown_market(place)?))], None, edge(place, auth, shared)?))
}

pub fn signals(place: &dyn Place, keys: &Keys, shared: &Shared) -> Result<Router, SettingsError> {
    let auth = authority(place, keys, Arc::new(NoMail))?;
    let (signals, desk) = trading(place, shared.keeper.tally())?;
    let cards = Arc::new(StoredCards(place.objects()?));
    let state = SignalsState { signals, desk, auth: auth.clone(), cards };
    Ok(api::compose([routes::signals::router(state)], None, edge(place, auth, shared)?))
}

/// Also a user's whole account, to export or to delete: nearly all of it is here, and `auth` cannot read it.
pub fn portfolio(place: &dyn Place, keys: &Keys, shared: &Shared) -> Result<Router, SettingsError> {
    let auth = authority(place, keys, Arc::new(NoMail))?;
    let (signals, desk) = trading(place, shared.keeper.tally())?;
    // A stock's chart has the caller's trades in it, which only this function may read.
    let charts = Charts::new(Stocks::new(market(place)?), signals, desk.clone());
    let portfolios = Arc::new(PortfolioTable::new(&place.store()?));
    let account = AccountState { accounts: Accounts::new(auth.clone(), portfolios), cursors: keys.cursors.clone() };
    let state = PortfolioState { desk, cursors: keys.cursors.clone() };
    let routers = [routes::portfolio::router(state), routes::charts::router(charts), routes::account::router(account)];
    Ok(api::compose(routers, None, edge(place, auth, shared)?))
}

/// Asks for ingestions, and tells of them; they run in a function of their own, which has the vendors' keys.
pub fn data(place: &dyn Place, keys: &Keys, shared: &Shared) -> Result<Router, SettingsError> {
    let auth = authority(place, keys, Arc::new(NoMail))?;
    let (market, settings) = (market(place)?, place.settings());
    let has_polygon = settings.polygon.secret.is_some();
    let vendor = Elsewhere(if has_polygon { Source::Polygon } else { Source::Tiingo });
    let state = DataState {
        data: Data::new(market.clone(), place.objects()?, Arc::new(vendor)),
        stocks: Stocks::new(market),
        background: Arc::new(ByEvent(place.events()?)),
        settings: DataSettings { polygon_api_configured: has_polygon, tiingo_api_configured: settings.tiingo.secret.is_some() },
    };
    Ok(api::compose([routes::data::router(state)], None, edge(place, auth, shared)?))
}

/// Signals to look at and portfolios to act with. Nothing is scored here: that is a job's.
pub(crate) fn trading(place: &dyn Place, tally: &Arc<Tally>) -> Result<(Signals, Desk), SettingsError> {
    let (store, market) = (place.store()?, market(place)?);
    let portfolios = Arc::new(CountedPortfolios::new(Arc::new(PortfolioTable::new(&store)), tally.clone()));
    let signals = Signals::new(market.clone(), Arc::new(SignalTable::new(&store)), portfolios.clone(), None);
    let desk = Desk::new(market, signals.clone(), portfolios, place.settings().rules.clone());
    Ok((signals, desk))
}

/// Sessions are looked up for each request: a logout in one copy must hold in all of them.
fn authority(place: &dyn Place, keys: &Keys, mailer: Arc<dyn Mailer>) -> Result<Arc<Auth>, SettingsError> {
    let identity = Arc::new(IdentityTable::new(&place.store()?));
    let policy = AuthPolicy {
        sign_up: place.settings().sign_up.clone().unwrap_or(SignUp::Open),
        request_floor: REQUEST_FLOOR,
        limits: place.settings().limits.sign_in.clone(),
        ..AuthPolicy::default()
    };
    Ok(Arc::new(Auth::new(identity, mailer, policy, &keys.secrets)))
}

/// Requests are counted in the store: an attacker could choose the copy.
fn edge(place: &dyn Place, authenticator: Arc<dyn Authenticator>, shared: &Shared) -> Result<Edge, SettingsError> {
    let limits = place.settings().limits.routes.clone();
    let limiter = InStore::new(limits, Arc::new(IdentityTable::new(&place.store()?)));
    Ok(Edge { limiter: Arc::new(limiter), ..uncounted_edge(place, authenticator, shared) })
}

/// For routes that nobody's requests are counted on.
fn uncounted_edge(place: &dyn Place, authenticator: Arc<dyn Authenticator>, shared: &Shared) -> Edge {
    Edge {
        tally: shared.keeper.tally().clone(),
        features: place.settings().features,
        cors_origins: place.settings().origins.clone(),
        ..Edge::new(authenticator, Arc::new(WallClock))
    }
}

/// The mailer of functions that send none.
struct NoMail;

#[async_trait]
impl Mailer for NoMail {
    async fn send(&self, _: &Mail, _: Timestamp) -> Result<(), MailError> {
        Err(MailError::NotSetUp("this function sends no mail".into()))
    }
}
