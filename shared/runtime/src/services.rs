//! The use cases over a set of ports.

use std::sync::Arc;

use app::{
    account::Accounts,
    auth::{Auth, AuthPolicy, Secrets},
    data::Data,
    digest::Digest,
    jobs::Jobs,
    market::Market,
    portfolio::Desk,
    ports::{HistoryStore, IdentityStore, Mailer, MarketData, MarketStore, Models, PortfolioStore, SignalStore},
    signals::Signals,
    stocks::Stocks,
};
use domain::trading::TradingRules;

/// Everything from outside that the use cases reach.
#[derive(Clone)]
pub struct Ports {
    pub identity: Arc<dyn IdentityStore>,
    pub mailer: Arc<dyn Mailer>,
    pub companies: Arc<dyn MarketStore>,
    pub signals: Arc<dyn SignalStore>,
    pub portfolios: Arc<dyn PortfolioStore>,
    pub histories: Arc<dyn HistoryStore>,
    pub vendor: Arc<dyn MarketData>,
    /// Another vendor, who fills gaps and is asked for a second opinion.
    pub second_vendor: Option<Arc<dyn MarketData>>,
    /// Prices of the running session; absent where only end-of-day bars are wanted.
    pub quotes: Option<Arc<dyn MarketData>>,
    pub models: Arc<dyn Models>,
}

/// All use cases. Cheap to clone.
#[derive(Clone)]
pub struct Services {
    pub auth: Arc<Auth>,
    pub accounts: Accounts,
    pub stocks: Stocks,
    pub signals: Signals,
    pub desk: Desk,
    pub data: Data,
    pub jobs: Jobs,
}

impl Services {
    pub fn new(ports: Ports, policy: AuthPolicy, secrets: &Secrets, rules: TradingRules) -> Self {
        let market = Market::new(ports.histories.clone(), ports.companies, ports.quotes);
        let auth = Arc::new(Auth::new(ports.identity, ports.mailer.clone(), policy, secrets));
        let signals = Signals::new(market.clone(), ports.signals, ports.portfolios.clone(), Some(ports.models));
        let accounts = Accounts::new(auth.clone(), ports.portfolios.clone());
        let desk = Desk::new(market.clone(), signals.clone(), ports.portfolios, rules);
        let data = Data::new(market.clone(), ports.histories, ports.vendor);
        let data = match ports.second_vendor {
            Some(second) => data.with_second(second),
            None => data,
        };
        let digest = Digest::new(market.clone(), desk.clone(), ports.mailer);
        let jobs = Jobs { data: data.clone(), signals: signals.clone(), desk: desk.clone(), auth: auth.clone(), digest };
        Self { auth, accounts, stocks: Stocks::new(market), signals, desk, data, jobs }
    }
}
