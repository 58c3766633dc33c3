//! Portfolios, their ledgers and the views that the ledger feeds.

use async_trait::async_trait;
use domain::{
    Date, UserId,
    order::{Order, OrderId, OrderRequest},
    signal::SignalId,
    trading::{Changes, Entry, Event, Portfolio, Position, Trade, Valuation},
};
use serde::{Deserialize, Serialize};

use super::StoreError;

/// Everything that one use case changes, stored as a whole or not at all.
#[derive(Debug, Clone)]
pub struct Commit {
    /// How many entries the stored ledger must have for this to follow.
    pub after_entries: u64,
    pub portfolio: Portfolio,
    pub entries: Vec<Entry>,
    pub changes: Changes,
    /// Remembers a client's idempotency key with the answer that it got.
    pub receipt: Option<Receipt>,
    /// Decisions on signals, with the orders that follow from them.
    pub decisions: Vec<Decision>,
}

/// The first answer to a request with an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    pub key: String,
    /// Hash of the request: the same key with another request is an error.
    pub fingerprint: String,
    /// The use case's result, as JSON.
    pub result: String,
}

/// What a client's own name for an order stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientOrder {
    pub order: OrderId,
    /// What was asked for, before any split changed it.
    pub request: OrderRequest,
    pub replaces: Option<OrderId>,
}

impl Commit {
    /// The client's names that this commit takes for ever, with the orders they stand for.
    pub fn client_orders(&self) -> impl Iterator<Item = (&str, ClientOrder)> {
        self.entries.iter().filter_map(|entry| {
            let (Event::OrderAccepted { order } | Event::OrderReplaced { order, .. }) = &entry.event else { return None };
            let named = ClientOrder { order: order.id.clone(), request: order.request.clone(), replaces: order.replaces.clone() };
            Some((order.request.client_order_id.as_deref()?, named))
        })
    }
}

/// What was decided on a signal, by the user or for the user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    pub signal: SignalId,
    pub kind: DecisionKind,
    pub notes: Option<String>,
    pub order: Option<OrderId>,
    /// Whether the automation decided it, not the user.
    #[serde(default)]
    pub auto: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DecisionKind {
    Accept,
    Reject,
    Ignore,
}

/// All reads are of the owner's own items: nobody else's can be named.
#[async_trait]
pub trait PortfolioStore: Send + Sync {
    async fn load(&self, owner: &UserId) -> Result<Option<Portfolio>, StoreError>;

    /// [`StoreError::Conflict`] when the ledger has grown meanwhile, the receipt's key or a client's name for an order is taken: load
    /// and decide again. A portfolio is opened only for an owner who is there and not about to leave.
    async fn commit(&self, commit: &Commit) -> Result<(), StoreError>;

    /// Owners of portfolios that the market can still change ([`Portfolio::is_active`]).
    async fn active_owners(&self) -> Result<Vec<UserId>, StoreError>;

    /// Owners of the other portfolios that have sold something: what becomes known late may still be theirs.
    async fn dormant_owners(&self) -> Result<Vec<UserId>, StoreError>;

    async fn receipt(&self, owner: &UserId, key: &str) -> Result<Option<Receipt>, StoreError>;

    async fn order(&self, owner: &UserId, id: &OrderId) -> Result<Option<Order>, StoreError>;

    /// What the client's own name for an order stands for.
    async fn client_order(&self, owner: &UserId, client_order_id: &str) -> Result<Option<ClientOrder>, StoreError>;

    /// All orders, newest first, at most `limit`, before the order `before`.
    async fn orders(&self, owner: &UserId, before: Option<&OrderId>, limit: usize) -> Result<Vec<Order>, StoreError>;

    /// Executed trades, newest first, at most `limit`, with a ledger sequence below `before`.
    async fn trades(&self, owner: &UserId, before: Option<u64>, limit: usize) -> Result<Vec<Trade>, StoreError>;

    /// Closed positions, the last closed first.
    async fn closed_positions(&self, owner: &UserId) -> Result<Vec<Position>, StoreError>;

    /// Valuations at the close from `first` on, oldest first.
    async fn valuations(&self, owner: &UserId, first: Option<Date>) -> Result<Vec<Valuation>, StoreError>;

    /// Ledger entries with a sequence above `after`, oldest first, at most `limit`.
    async fn entries(&self, owner: &UserId, after: u64, limit: usize) -> Result<Vec<Entry>, StoreError>;

    async fn decision(&self, owner: &UserId, signal: &SignalId) -> Result<Option<Decision>, StoreError>;

    /// Decisions on signals dated `first` or later.
    async fn decisions(&self, owner: &UserId, first: Date) -> Result<Vec<Decision>, StoreError>;

    /// Deletes everything of the owner. Safe to repeat; a commit that is under way finds its state gone and fails.
    async fn forget(&self, owner: &UserId) -> Result<(), StoreError>;

    /// Records a decision that trades nothing; [`StoreError::Conflict`] where the owner's account is closing or gone.
    async fn decide(&self, owner: &UserId, decision: &Decision) -> Result<(), StoreError>;
}
