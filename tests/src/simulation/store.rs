//! Portfolios in memory with the conditions of the real table, and the wrapper by which calls of any such store go wrong.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use app::ports::{ClientOrder, Commit, Decision, PortfolioStore, Receipt, StoreError};
use async_trait::async_trait;
use domain::{
    Date, UserId,
    order::{Order, OrderId},
    signal::SignalId,
    trading::{Entry, Portfolio, Position, Trade, Valuation},
};

use super::faults::{Call, Faults};

/// As many views as fit in one transaction of the real table.
const MOST_VIEWS: usize = 90;

/// Everything of one owner.
#[derive(Clone, Default)]
struct Partition {
    state: Option<Portfolio>,
    entries: Vec<Arc<Entry>>,
    orders: BTreeMap<OrderId, Order>,
    trades: BTreeMap<u64, Trade>,
    closed: Vec<Position>,
    valuations: BTreeMap<Date, Valuation>,
    receipts: BTreeMap<String, Receipt>,
    client_orders: BTreeMap<String, ClientOrder>,
    decisions: BTreeMap<SignalId, Decision>,
}

#[derive(Default)]
pub(crate) struct Memory {
    owners: Mutex<BTreeMap<UserId, Partition>>,
}

impl Memory {
    /// Another store with the same content.
    pub(crate) fn copy(&self) -> Self {
        Self { owners: Mutex::new(self.owners().clone()) }
    }

    fn owners(&self) -> MutexGuard<'_, BTreeMap<UserId, Partition>> {
        self.owners.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn owners_of(&self, wanted: impl Fn(&Portfolio) -> bool) -> Vec<UserId> {
        let owners = self.owners();
        owners.iter().filter(|(_, own)| own.state.as_ref().is_some_and(&wanted)).map(|(owner, _)| owner.clone()).collect()
    }

    fn read<T>(&self, owner: &UserId, pick: impl FnOnce(&Partition) -> T) -> T {
        match self.owners().get(owner) {
            Some(own) => pick(own),
            None => pick(&Partition::default()),
        }
    }
}

#[async_trait]
impl PortfolioStore for Memory {
    async fn load(&self, owner: &UserId) -> Result<Option<Portfolio>, StoreError> {
        Ok(self.read(owner, |own| own.state.clone()))
    }

    async fn commit(&self, commit: &Commit) -> Result<(), StoreError> {
        let Commit { after_entries, portfolio, entries, changes, receipt, decisions } = commit;
        let views = changes.orders.len() + changes.trades.len() + changes.closed_positions.len() + changes.valuations.len();
        if views > MOST_VIEWS {
            return Err(StoreError::Refused(format!("a commit of {views} views")));
        }
        let mut owners = self.owners();
        let own = owners.entry(portfolio.owner.clone()).or_default();
        let is_next = own.state.as_ref().map_or(0, |state| state.entries) == *after_entries;
        let is_answered = receipt.as_ref().is_some_and(|receipt| own.receipts.contains_key(&receipt.key));
        let is_named = commit.client_orders().any(|(name, _)| own.client_orders.contains_key(name));
        if !is_next || is_answered || is_named {
            return Err(StoreError::Conflict(format!("the portfolio of {}", portfolio.owner)));
        }
        own.state = Some(portfolio.clone());
        own.entries.extend(entries.iter().cloned().map(Arc::new));
        own.orders.extend(changes.orders.clone());
        own.trades.extend(changes.trades.iter().map(|trade| (trade.sequence, trade.clone())));
        own.closed.extend(changes.closed_positions.iter().cloned());
        own.valuations.extend(changes.valuations.iter().map(|valuation| (valuation.date, *valuation)));
        own.receipts.extend(receipt.iter().map(|receipt| (receipt.key.clone(), receipt.clone())));
        own.client_orders.extend(commit.client_orders().map(|(name, order)| (name.to_owned(), order)));
        own.decisions.extend(decisions.iter().map(|decision| (decision.signal.clone(), decision.clone())));
        Ok(())
    }

    async fn active_owners(&self) -> Result<Vec<UserId>, StoreError> {
        Ok(self.owners_of(Portfolio::is_active))
    }

    async fn dormant_owners(&self) -> Result<Vec<UserId>, StoreError> {
        Ok(self.owners_of(|portfolio| !portfolio.is_active() && !portfolio.last_sold.is_empty()))
    }

    async fn receipt(&self, owner: &UserId, key: &str) -> Result<Option<Receipt>, StoreError> {
        Ok(self.read(owner, |own| own.receipts.get(key).cloned()))
    }

    async fn order(&self, owner: &UserId, id: &OrderId) -> Result<Option<Order>, StoreError> {
        Ok(self.read(owner, |own| own.orders.get(id).cloned()))
    }

    async fn client_order(&self, owner: &UserId, client_order_id: &str) -> Result<Option<ClientOrder>, StoreError> {
        Ok(self.read(owner, |own| own.client_orders.get(client_order_id).cloned()))
    }

    async fn orders(&self, owner: &UserId, before: Option<&OrderId>, limit: usize) -> Result<Vec<Order>, StoreError> {
        Ok(self.read(owner, |own| {
            own.orders.values().rev().filter(|order| before.is_none_or(|before| order.id < *before)).take(limit).cloned().collect()
        }))
    }

    async fn trades(&self, owner: &UserId, before: Option<u64>, limit: usize) -> Result<Vec<Trade>, StoreError> {
        Ok(self
            .read(owner, |own| own.trades.range(..before.unwrap_or(u64::MAX)).rev().take(limit).map(|(_, trade)| trade.clone()).collect()))
    }

    async fn closed_positions(&self, owner: &UserId) -> Result<Vec<Position>, StoreError> {
        Ok(self.read(owner, |own| own.closed.iter().rev().cloned().collect()))
    }

    async fn valuations(&self, owner: &UserId, first: Option<Date>) -> Result<Vec<Valuation>, StoreError> {
        Ok(self.read(owner, |own| own.valuations.range(first.unwrap_or(Date::MIN)..).map(|(_, valuation)| *valuation).collect()))
    }

    async fn entries(&self, owner: &UserId, after: u64, limit: usize) -> Result<Vec<Entry>, StoreError> {
        let skip = usize::try_from(after).unwrap_or(usize::MAX);
        Ok(self.read(owner, |own| own.entries.iter().skip(skip).take(limit).map(|entry| Entry::clone(entry)).collect()))
    }

    async fn decision(&self, owner: &UserId, signal: &SignalId) -> Result<Option<Decision>, StoreError> {
        Ok(self.read(owner, |own| own.decisions.get(signal).cloned()))
    }

    async fn decisions(&self, owner: &UserId, first: Date) -> Result<Vec<Decision>, StoreError> {
        Ok(self.read(owner, |own| own.decisions.values().filter(|decision| decision.signal.date.date() >= first).cloned().collect()))
    }

    async fn forget(&self, owner: &UserId) -> Result<(), StoreError> {
        self.owners().remove(owner);
        Ok(())
    }

    async fn decide(&self, owner: &UserId, decision: &Decision) -> Result<(), StoreError> {
        self.owners().entry(owner.clone()).or_default().decisions.insert(decision.signal.clone(), decision.clone());
        Ok(())
    }
}

/// A store whose calls can go wrong.
pub(crate) struct Unreliable {
    pub(crate) store: Arc<dyn PortfolioStore>,
    pub(crate) faults: Arc<Faults>,
}

#[async_trait]
impl PortfolioStore for Unreliable {
    async fn load(&self, owner: &UserId) -> Result<Option<Portfolio>, StoreError> {
        self.faults.call(Call::Read, self.store.load(owner)).await
    }

    async fn commit(&self, commit: &Commit) -> Result<(), StoreError> {
        self.faults.call(Call::ConditionalWrite, self.store.commit(commit)).await
    }

    async fn active_owners(&self) -> Result<Vec<UserId>, StoreError> {
        self.faults.call(Call::Read, self.store.active_owners()).await
    }

    async fn dormant_owners(&self) -> Result<Vec<UserId>, StoreError> {
        self.faults.call(Call::Read, self.store.dormant_owners()).await
    }

    async fn receipt(&self, owner: &UserId, key: &str) -> Result<Option<Receipt>, StoreError> {
        self.faults.call(Call::Read, self.store.receipt(owner, key)).await
    }

    async fn order(&self, owner: &UserId, id: &OrderId) -> Result<Option<Order>, StoreError> {
        self.faults.call(Call::Read, self.store.order(owner, id)).await
    }

    async fn client_order(&self, owner: &UserId, client_order_id: &str) -> Result<Option<ClientOrder>, StoreError> {
        self.faults.call(Call::Read, self.store.client_order(owner, client_order_id)).await
    }

    async fn orders(&self, owner: &UserId, before: Option<&OrderId>, limit: usize) -> Result<Vec<Order>, StoreError> {
        self.faults.call(Call::Read, self.store.orders(owner, before, limit)).await
    }

    async fn trades(&self, owner: &UserId, before: Option<u64>, limit: usize) -> Result<Vec<Trade>, StoreError> {
        self.faults.call(Call::Read, self.store.trades(owner, before, limit)).await
    }

    async fn closed_positions(&self, owner: &UserId) -> Result<Vec<Position>, StoreError> {
        self.faults.call(Call::Read, self.store.closed_positions(owner)).await
    }

    async fn valuations(&self, owner: &UserId, first: Option<Date>) -> Result<Vec<Valuation>, StoreError> {
        self.faults.call(Call::Read, self.store.valuations(owner, first)).await
    }

    async fn entries(&self, owner: &UserId, after: u64, limit: usize) -> Result<Vec<Entry>, StoreError> {
        self.faults.call(Call::Read, self.store.entries(owner, after, limit)).await
    }

    async fn decision(&self, owner: &UserId, signal: &SignalId) -> Result<Option<Decision>, StoreError> {
        self.faults.call(Call::Read, self.store.decision(owner, signal)).await
    }

    async fn decisions(&self, owner: &UserId, first: Date) -> Result<Vec<Decision>, StoreError> {
        self.faults.call(Call::Read, self.store.decisions(owner, first)).await
    }

    async fn forget(&self, owner: &UserId) -> Result<(), StoreError> {
        self.faults.call(Call::Write, self.store.forget(owner)).await
    }

    async fn decide(&self, owner: &UserId, decision: &Decision) -> Result<(), StoreError> {
        self.faults.call(Call::Write, self.store.decide(owner, decision)).await
    }
}
