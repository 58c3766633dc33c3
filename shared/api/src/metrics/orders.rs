//! Orders, counted where they are committed.

use std::sync::Arc;

use app::ports::{ClientOrder, Commit, Decision, PortfolioStore, Receipt, StoreError};
use async_trait::async_trait;
use domain::{
    Date, UserId,
    order::{Order, OrderId, OrderState},
    signal::SignalId,
    trading::{Entry, Event, Portfolio, Position, Trade, Valuation},
};

use super::Tally;

/// A store of portfolios that counts into which states orders come.
pub struct CountedPortfolios {
    store: Arc<dyn PortfolioStore>,
    tally: Arc<Tally>,
}

impl CountedPortfolios {
    pub fn new(store: Arc<dyn PortfolioStore>, tally: Arc<Tally>) -> Self {
        Self { store, tally }
    }

    /// What the entries say began or ended, and fills from the orders that they left behind.
    fn count(&self, commit: &Commit) {
        for entry in &commit.entries {
            match &entry.event {
                Event::OrderAccepted { .. } => self.tally.order(OrderState::Accepted.name()),
                Event::OrderReplaced { .. } => {
                    self.tally.order(OrderState::Replaced.name());
                    self.tally.order(OrderState::Accepted.name());
                }
                Event::OrderClosed { state, .. } => self.tally.order(state.name()),
                _ => {}
            }
        }
        let filled = commit.changes.orders.values().filter(|order| matches!(order.state, OrderState::Filled | OrderState::PartiallyFilled));
        filled.for_each(|order| self.tally.order(order.state.name()));
    }
}

#[async_trait]
impl PortfolioStore for CountedPortfolios {
    async fn commit(&self, commit: &Commit) -> Result<(), StoreError> {
        self.store.commit(commit).await?;
        self.count(commit);
        Ok(())
    }

    async fn load(&self, owner: &UserId) -> Result<Option<Portfolio>, StoreError> {
        self.store.load(owner).await
    }

    async fn active_owners(&self) -> Result<Vec<UserId>, StoreError> {
        self.store.active_owners().await
    }

    async fn dormant_owners(&self) -> Result<Vec<UserId>, StoreError> {
        self.store.dormant_owners().await
    }

    async fn receipt(&self, owner: &UserId, key: &str) -> Result<Option<Receipt>, StoreError> {
        self.store.receipt(owner, key).await
    }

    async fn order(&self, owner: &UserId, id: &OrderId) -> Result<Option<Order>, StoreError> {
        self.store.order(owner, id).await
    }

    async fn client_order(&self, owner: &UserId, client_order_id: &str) -> Result<Option<ClientOrder>, StoreError> {
        self.store.client_order(owner, client_order_id).await
    }

    async fn orders(&self, owner: &UserId, before: Option<&OrderId>, limit: usize) -> Result<Vec<Order>, StoreError> {
        self.store.orders(owner, before, limit).await
    }

    async fn trades(&self, owner: &UserId, before: Option<u64>, limit: usize) -> Result<Vec<Trade>, StoreError> {
        self.store.trades(owner, before, limit).await
    }

    async fn closed_positions(&self, owner: &UserId) -> Result<Vec<Position>, StoreError> {
        self.store.closed_positions(owner).await
    }

    async fn valuations(&self, owner: &UserId, first: Option<Date>) -> Result<Vec<Valuation>, StoreError> {
        self.store.valuations(owner, first).await
    }

    async fn entries(&self, owner: &UserId, after: u64, limit: usize) -> Result<Vec<Entry>, StoreError> {
        self.store.entries(owner, after, limit).await
    }

    async fn decision(&self, owner: &UserId, signal: &SignalId) -> Result<Option<Decision>, StoreError> {
        self.store.decision(owner, signal).await
    }

    async fn decisions(&self, owner: &UserId, first: Date) -> Result<Vec<Decision>, StoreError> {
        self.store.decisions(owner, first).await
    }

    async fn decide(&self, owner: &UserId, decision: &Decision) -> Result<(), StoreError> {
        self.store.decide(owner, decision).await
    }

    async fn forget(&self, owner: &UserId) -> Result<(), StoreError> {
        self.store.forget(owner).await
    }
}
