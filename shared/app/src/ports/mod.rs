//! What the use cases need from outside, one module a port. Adapters implement them; this crate names no vendor and no cloud.

pub mod events;
pub mod formats;
pub mod history;
pub mod identity;
pub mod mail;
pub mod market;
pub mod market_data;
pub mod portfolios;
pub mod quota;
pub mod scorer;
pub mod signals;
pub mod store;
pub mod tallies;

pub use events::{Event, Events, EventsError, Occasion};
pub use formats::check_format;
pub use history::{HistoryError, HistoryStore, Version};
pub use identity::{AuditPage, CodeRecord, CodeTry, Failures, IdentityStore, Session, Standing, StandingError, UserChange, UserPage};
pub use mail::{Mail, MailError, Mailer};
pub use market::MarketStore;
pub use market_data::{MarketData, Quote, RejectedRow, RowFault, VendorActions, VendorError, VendorHistory, VendorSession};
pub use portfolios::{ClientOrder, Commit, Decision, DecisionKind, PortfolioStore, Receipt};
pub use quota::Quota;
pub use scorer::{ModelCard, ModelCards, ModelError, Models, Scorer};
pub use signals::SignalStore;
pub use store::StoreError;
pub use tallies::{TallySlot, TallyStore};
