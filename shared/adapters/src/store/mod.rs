//! The tables: `DynamoDB` in the cloud, the same protocol on loopback on one machine.
//!
//! | file | what |
//! |---|---|
//! | [`client`] | how the service is reached |
//! | [`tables`] | the four tables and how they are made where nobody deploys them |
//! | [`item`], [`expression`] | items and conditions, without a name or value ever pasted into an expression |
//! | [`table`], [`query`], [`batch`], [`transaction`] | what is done with items |
//! | `bucket` | token buckets that all copies share |
//! | [`error`] | what can go wrong |
//! | `identity`, … | one port each |
//!
//! Every item has the keys `pk` and `sk`, a format version `v` and, where it ends, `expires_at` in epoch seconds. What is
//! searched, compared or counted is an attribute; the rest of an aggregate is one JSON text in `doc`.

pub mod batch;
mod bucket;
pub mod client;
pub mod error;
pub mod expression;
pub mod identity;
pub mod item;
mod kept;
pub mod market;
mod once;
pub mod portfolios;
pub mod query;
pub mod quota;
pub mod signals;
pub mod table;
pub mod tables;
pub mod tallies;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
pub mod transaction;

pub use client::Store;
pub use expression::{Condition, Update};
pub use identity::IdentityTable;
pub use item::{Item, Key};
pub use market::MarketTable;
pub use portfolios::PortfolioTable;
pub use query::{Page, Query};
pub use quota::QuotaTable;
pub use signals::SignalTable;
pub use table::{Outcome, Table};
pub use tables::TableNames;
pub use tallies::TallyTable;
pub use transaction::{Refusal, TransactError, Transaction};
