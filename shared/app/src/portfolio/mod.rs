//! A user's paper portfolio: orders, positions, the ledger and the numbers that follow from it.
//!
//! Every change goes through `Desk::change`: load, decide on a copy, commit on the condition that nobody else did meanwhile.

mod allocation;
pub(crate) mod automation;
pub(crate) mod change;
pub(crate) mod decisions;
mod glance;
mod ledger;
mod orders;
pub(crate) mod performance;
mod positions;
pub(crate) mod revalue;
mod summary;

use std::sync::Arc;

use domain::{
    Symbol, Timestamp, UserId,
    trading::{MarketView, Portfolio, TradingRules},
};

pub use allocation::{Allocation, Slice};
pub use automation::{AutoTrading, Terms};
pub use change::Idempotency;
pub use decisions::{Acceptance, Appetite, DecisionRequest};
pub use ledger::{TradeFilter, Until, Verification};
pub use orders::{OrderFilter, Placed, Preview};
pub use performance::{Performance, PerformancePoint, Period};
pub use positions::{LevelsRequest, PositionFilter, PositionView};
pub use revalue::Revaluation;
pub use summary::Summary;

use crate::{UseCaseError, market::Market, ports::PortfolioStore, signals::Signals};

/// The use cases of trading.
#[derive(Clone)]
pub struct Desk {
    market: Market,
    signals: Signals,
    store: Arc<dyn PortfolioStore>,
    rules: Arc<TradingRules>,
    glances: Arc<glance::Glances>,
}

impl Desk {
    pub fn new(market: Market, signals: Signals, store: Arc<dyn PortfolioStore>, rules: TradingRules) -> Self {
        Self { market, signals, store, rules: Arc::new(rules), glances: Arc::default() }
    }

    pub fn rules(&self) -> &TradingRules {
        &self.rules
    }

    /// How many portfolios have positions or open orders.
    pub async fn activity(&self) -> Result<usize, UseCaseError> {
        Ok(self.store.active_owners().await?.len())
    }

    /// The portfolio as stored; a user who never traded has none yet.
    async fn stored(&self, user: &UserId) -> Result<Option<Portfolio>, UseCaseError> {
        Ok(self.store.load(user).await?)
    }

    /// The portfolio, opened with its initial cash if it is not there yet.
    async fn portfolio(&self, user: &UserId, now: Timestamp) -> Result<Portfolio, UseCaseError> {
        match self.stored(user).await? {
            Some(portfolio) => Ok(portfolio),
            None => self.open(user, now).await,
        }
    }

    /// The portfolio and the newest price of everything in it.
    async fn valued(&self, user: &UserId, now: Timestamp) -> Result<(Portfolio, MarketView), UseCaseError> {
        let portfolio = self.portfolio(user, now).await?;
        let symbols: Vec<Symbol> = portfolio.symbols().into_iter().collect();
        let view = self.market.view(&symbols, now).await?;
        Ok((portfolio, view))
    }

    /// Prices of everything that a decision about `symbol` looks at.
    async fn view_for(&self, portfolio: &Portfolio, symbol: &Symbol, now: Timestamp) -> Result<MarketView, UseCaseError> {
        let mut symbols = portfolio.symbols();
        symbols.insert(symbol.clone());
        self.market.view(&symbols.into_iter().collect::<Vec<_>>(), now).await
    }
}
