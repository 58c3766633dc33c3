pub mod aws;
#[cfg(feature = "cloud")]
pub mod events;
pub mod history;
pub mod mail;
pub mod market_data;
#[cfg(feature = "cloud")]
pub mod secrets;
pub mod store;
#[cfg(test)]
mod testing;
