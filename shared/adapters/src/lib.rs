pub mod history;
pub mod mail;
pub mod market_data;
pub mod store;
