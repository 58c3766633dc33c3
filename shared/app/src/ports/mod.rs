//! What the use cases need from outside, one module a port. Adapters implement them; this crate names no vendor and no cloud.

pub mod history;
pub mod market_data;

pub use history::{HistoryError, HistoryStore, Version};
pub use market_data::{MarketData, Quote, VendorError, VendorHistory};
