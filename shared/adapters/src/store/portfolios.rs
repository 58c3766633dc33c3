//! Portfolios and their ledgers in the portfolios table. Everything of one owner is one partition.
//!
//! | `pk` | `sk` | what |
//! |---|---|---|
//! | `USER#<id>` | `STATE` | the portfolio as folded so far; `entries` is what writers compare |
//! | `USER#<id>` | `ENTRIES#<last sequence>` | the ledger entries of one commit |
//! | `USER#<id>` | `ORDER#<id>` | the newest state of an order |
//! | `USER#<id>` | `CLIENT#<client order id>` | the order that the client's own name stands for; makes the name unique |
//! | `USER#<id>` | `TRADE#<sequence>` | an executed trade |
//! | `USER#<id>` | `CLOSED#<instant>#<id>` | a closed position |
//! | `USER#<id>` | `VALUE#<date>` | the valuation at a close |
//! | `USER#<id>` | `SIGNAL#<signal>` | the user's decision on a signal; the id begins with its date |
//! | `USER#<id>` | `RECEIPT#<key>` | the first answer to an idempotency key; ends by `expires_at` |
//!
//! `STATE` items of portfolios that the market can still change have the kind `ACTIVE`, by which the revaluation finds them; those
//! of other portfolios that have sold something are `DORMANT`, and are looked at when something becomes known late.

use std::{sync::Arc, time::Duration};

use app::ports::{ClientOrder, Commit, Decision, PortfolioStore, Receipt, StoreError};
use async_trait::async_trait;
use domain::{
    Date, UserId,
    order::{Order, OrderId},
    signal::SignalId,
    trading::{Entry, Portfolio, Position, Trade, Valuation},
};
use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;

use super::{
    Condition, Item, Key, Query, Store, Table, TransactError, Transaction,
    identity::{standing::is_staying, users::user_key},
    kept::Kept,
};

/// How long a client may retry with the same key and get the first answer.
const RECEIPT_LIFE: SignedDuration = SignedDuration::from_hours(7 * 24);
/// A transaction takes 100 items, some of which are not views.
const MOST_VIEWS: usize = 90;
/// Items that are read to be deleted.
const FORGOTTEN_AT_ONCE: u32 = 250;
/// How long a write that was abandoned half-way, and came to its end all the same, can go unnoticed.
const KEPT: Duration = Duration::from_secs(10);
/// Owners whose items are remembered: some kilobytes each.
const MOST_KEPT: usize = 500;

#[derive(Clone, Debug)]
pub struct PortfolioTable {
    store: Store,
    table: Table,
    /// Where it is said whether an owner is there.
    identity: Table,
    kept: Option<Arc<KeptPortfolios>>,
}

impl PortfolioTable {
    pub fn new(store: &Store) -> Self {
        Self { table: store.portfolios(), identity: store.identity(), store: store.clone(), kept: None }
    }

    /// Remembers what it reads most. Only where this process alone writes the table: nobody would tell it of other writers.
    #[must_use]
    pub fn alone(self) -> Self {
        Self { kept: Some(Arc::default()), ..self }
    }

    async fn read<T: DeserializeOwned>(&self, owner: &UserId, sk: impl Into<String>) -> Result<Option<T>, StoreError> {
        self.table.get(&key(owner, sk)).await?.map(|item| item.get_doc()).transpose()
    }

    async fn owners(&self, kind: &str) -> Result<Vec<UserId>, StoreError> {
        let items = self.table.query(&Query::kind(kind)).await?;
        items.iter().map(|item| Ok(UserId(item.get_text("gsi_sk")?.to_owned()))).collect()
    }

    /// Items of a kind that are named by their dates, from `first` on, oldest first.
    async fn from<T: DeserializeOwned>(&self, owner: &UserId, kind: &str, first: Option<Date>) -> Result<Vec<T>, StoreError> {
        let first = first.map_or_else(|| format!("{kind}#"), |date| format!("{kind}#{date}"));
        let query = Query::partition(format!("USER#{owner}")).between(first, format!("{kind}#~"));
        self.table.query(&query).await?.iter().map(Item::get_doc).collect()
    }

    async fn newest<T: DeserializeOwned>(&self, query: Query, limit: usize) -> Result<Vec<T>, StoreError> {
        let page = self.table.query_page(&query.newest_first(), u32::try_from(limit).unwrap_or(u32::MAX)).await?;
        page.items.iter().map(Item::get_doc).collect()
    }

    /// Orders, trades, closed positions and valuations: what entries say, once more, by key.
    fn views(commit: &Commit) -> Vec<Item> {
        let owner = &commit.portfolio.owner;
        let changes = &commit.changes;
        let orders = changes.orders.values().map(|order| Item::new(key(owner, format!("ORDER#{}", order.id))).doc(order));
        let trades = changes.trades.iter().map(|trade| Item::new(key(owner, sequence_key("TRADE", trade.sequence))).doc(trade));
        let closed = changes.closed_positions.iter().map(|position| {
            let at = position.closed_at.map(super::item::instant_text).unwrap_or_default();
            Item::new(key(owner, format!("CLOSED#{at}#{}", position.id))).doc(position)
        });
        let values = changes.valuations.iter().map(|value| Item::new(key(owner, format!("VALUE#{}", value.date))).doc(value));
        orders.chain(trades).chain(closed).chain(values).collect()
    }

    fn decision_item(owner: &UserId, decision: &Decision) -> Item {
        Item::new(key(owner, format!("SIGNAL#{}", decision.signal))).doc(decision)
    }

    /// On the condition that the owner is there, and not about to leave: what is written after everything was deleted would stay.
    fn for_owner(&self, transaction: Transaction, owner: &UserId) -> Transaction {
        transaction.check("owner", &self.identity, &user_key(owner), is_staying())
    }

    /// The state, on the condition that the ledger has not grown since it was loaded.
    fn put_state(&self, transaction: Transaction, commit: &Commit) -> Transaction {
        let portfolio = &commit.portfolio;
        let mut state = Item::new(key(&portfolio.owner, "STATE")).number("entries", portfolio.entries).doc(portfolio);
        if portfolio.is_active() {
            state = state.kind("ACTIVE", portfolio.owner.to_string());
        } else if !portfolio.last_sold.is_empty() {
            state = state.kind("DORMANT", portfolio.owner.to_string());
        }
        if commit.after_entries == 0 {
            self.for_owner(transaction, &portfolio.owner).put_new("state", &self.table, state)
        } else {
            let unchanged = Condition::equal("entries", super::expression::Value::number(commit.after_entries));
            transaction.put_when("state", &self.table, state, unchanged)
        }
    }
}

/// What the only process that writes the table has read of each owner.
#[derive(Debug)]
struct KeptPortfolios {
    states: Kept<UserId, Portfolio>,
    valuations: Kept<UserId, Vec<Valuation>>,
    /// With the date from which on they are all there.
    decisions: Kept<UserId, (Date, Arc<Vec<Decision>>)>,
}

impl Default for KeptPortfolios {
    fn default() -> Self {
        Self { states: Kept::new(KEPT, MOST_KEPT), valuations: Kept::new(KEPT, MOST_KEPT), decisions: Kept::new(KEPT, MOST_KEPT) }
    }
}

impl KeptPortfolios {
    /// To be held while something of the owner is being written.
    fn changing(&self, owner: &UserId) -> impl Sized {
        (self.states.changing(owner.clone()), self.valuations.changing(owner.clone()), self.decisions.changing(owner.clone()))
    }
}

fn key(owner: &UserId, sk: impl Into<String>) -> Key {
    Key::new(format!("USER#{owner}"), sk)
}

fn sequence_key(kind: &str, sequence: u64) -> String {
    format!("{kind}#{sequence:012}")
}

fn of(owner: &UserId, prefix: &str) -> Query {
    Query::partition(format!("USER#{owner}")).prefix(prefix)
}

#[async_trait]
impl PortfolioStore for PortfolioTable {
    async fn load(&self, owner: &UserId) -> Result<Option<Portfolio>, StoreError> {
        let read = self.read(owner, "STATE");
        match &self.kept {
            Some(kept) => kept.states.get_or(owner, read).await,
            None => read.await,
        }
    }

    async fn commit(&self, commit: &Commit) -> Result<(), StoreError> {
        let owner = &commit.portfolio.owner;
        let _changing = self.kept.as_ref().map(|kept| kept.changing(owner));
        let views = Self::views(commit);
        if views.len() > MOST_VIEWS {
            return Err(StoreError::Refused(format!("a commit of {} items; at most {MOST_VIEWS} fit in one transaction", views.len())));
        }
        let mut transaction = self.put_state(self.store.transaction(), commit);
        if let Some(last) = commit.entries.last() {
            let entries = Item::new(key(owner, sequence_key("ENTRIES", last.sequence))).doc(&commit.entries);
            transaction = transaction.put_new("entries", &self.table, entries);
        }
        for (name, order) in commit.client_orders() {
            let item = Item::new(key(owner, format!("CLIENT#{name}"))).doc(&order);
            transaction = transaction.put_new("client order id", &self.table, item);
        }
        for view in views {
            transaction = transaction.put("view", &self.table, view);
        }
        if let Some(receipt) = &commit.receipt {
            let ends = Timestamp::now() + RECEIPT_LIFE;
            let item = Item::new(key(owner, format!("RECEIPT#{}", receipt.key))).doc(receipt).expires_at(ends);
            transaction = transaction.put_new("receipt", &self.table, item);
        }
        for decision in &commit.decisions {
            transaction = transaction.put("decision", &self.table, Self::decision_item(owner, decision));
        }
        transaction.commit().await.map_err(|error| match error {
            TransactError::Refused(_) => StoreError::Conflict(format!("the portfolio of {owner}")),
            TransactError::Store(error) => error,
        })
    }

    async fn active_owners(&self) -> Result<Vec<UserId>, StoreError> {
        self.owners("ACTIVE").await
    }

    async fn dormant_owners(&self) -> Result<Vec<UserId>, StoreError> {
        self.owners("DORMANT").await
    }

    async fn receipt(&self, owner: &UserId, key: &str) -> Result<Option<Receipt>, StoreError> {
        self.read(owner, format!("RECEIPT#{key}")).await
    }

    async fn order(&self, owner: &UserId, id: &OrderId) -> Result<Option<Order>, StoreError> {
        self.read(owner, format!("ORDER#{id}")).await
    }

    async fn client_order(&self, owner: &UserId, client_order_id: &str) -> Result<Option<ClientOrder>, StoreError> {
        self.read(owner, format!("CLIENT#{client_order_id}")).await
    }

    async fn orders(&self, owner: &UserId, before: Option<&OrderId>, limit: usize) -> Result<Vec<Order>, StoreError> {
        match before {
            None => self.newest(of(owner, "ORDER#"), limit).await,
            Some(before) => {
                let older: Vec<Order> =
                    self.newest(Query::partition(format!("USER#{owner}")).between("ORDER#", format!("ORDER#{before}")), limit + 1).await?;
                Ok(older.into_iter().filter(|order| order.id != *before).take(limit).collect())
            }
        }
    }

    async fn trades(&self, owner: &UserId, before: Option<u64>, limit: usize) -> Result<Vec<Trade>, StoreError> {
        let last = before.map_or(u64::MAX, |before| before.saturating_sub(1)).min(999_999_999_999);
        let query = Query::partition(format!("USER#{owner}")).between(sequence_key("TRADE", 0), sequence_key("TRADE", last));
        self.newest(query, limit).await
    }

    async fn closed_positions(&self, owner: &UserId) -> Result<Vec<Position>, StoreError> {
        self.table.query(&of(owner, "CLOSED#").newest_first()).await?.iter().map(Item::get_doc).collect()
    }

    async fn valuations(&self, owner: &UserId, first: Option<Date>) -> Result<Vec<Valuation>, StoreError> {
        let Some(kept) = &self.kept else { return self.from(owner, "VALUE", first).await };
        let read = async { self.from(owner, "VALUE", None).await.map(Some) };
        let all = kept.valuations.get_or(owner, read).await?.unwrap_or_default();
        Ok(all.into_iter().filter(|valuation| first.is_none_or(|first| valuation.date >= first)).collect())
    }

    async fn entries(&self, owner: &UserId, after: u64, limit: usize) -> Result<Vec<Entry>, StoreError> {
        // Each item is named after its last entry, so that the first one at or after the cursor holds the next entry.
        let mut query = Query::partition(format!("USER#{owner}")).between(sequence_key("ENTRIES", after + 1), "ENTRIES#~");
        let mut entries = Vec::with_capacity(limit.min(1_000));
        while entries.len() < limit {
            let page = self.table.query_page(&query, 100).await?;
            for item in &page.items {
                let commit: Vec<Entry> = item.get_doc()?;
                entries.extend(commit.into_iter().filter(|entry| entry.sequence > after));
            }
            match page.next {
                Some(next) => query = query.after(Some(&next)),
                None => break,
            }
        }
        entries.truncate(limit);
        Ok(entries)
    }

    async fn decision(&self, owner: &UserId, signal: &SignalId) -> Result<Option<Decision>, StoreError> {
        self.read(owner, format!("SIGNAL#{signal}")).await
    }

    async fn decisions(&self, owner: &UserId, first: Date) -> Result<Vec<Decision>, StoreError> {
        let read = self.from(owner, "SIGNAL", Some(first));
        let Some(kept) = &self.kept else { return read.await };
        let (since, decisions) = match kept.decisions.get(owner) {
            Ok(known) if known.0 <= first => known,
            Ok(_) => return read.await,
            Err(ticket) => {
                let decisions: Arc<Vec<Decision>> = Arc::new(read.await?);
                kept.decisions.put(ticket, owner.clone(), (first, decisions.clone()));
                (first, decisions)
            }
        };
        let is_wanted = |decision: &&Decision| since == first || decision.signal.date.date() >= first;
        Ok(decisions.iter().filter(is_wanted).cloned().collect())
    }

    async fn forget(&self, owner: &UserId) -> Result<(), StoreError> {
        let _changing = self.kept.as_ref().map(|kept| kept.changing(owner));
        // The state first: every commit depends on it, and none can follow.
        self.table.delete(&key(owner, "STATE")).await?;
        loop {
            let page = self.table.query_page(&Query::partition(format!("USER#{owner}")), FORGOTTEN_AT_ONCE).await?;
            let keys: Vec<Key> = page.items.iter().map(|item| item.key().clone()).collect();
            self.table.batch_delete(&keys).await?;
            if page.next.is_none() {
                return Ok(());
            }
        }
    }

    async fn decide(&self, owner: &UserId, decision: &Decision) -> Result<(), StoreError> {
        let _changing = self.kept.as_ref().map(|kept| kept.changing(owner));
        let transaction = self.for_owner(self.store.transaction(), owner);
        Ok(transaction.put("decision", &self.table, Self::decision_item(owner, decision)).commit().await?)
    }
}
