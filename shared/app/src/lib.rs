//! The use cases, and the ports through which they reach the outside world.

pub mod account;
pub mod auth;
pub mod charts;
pub mod data;
pub mod digest;
mod error;
pub mod jobs;
pub mod market;
mod objects;
pub mod portfolio;
pub mod ports;
pub mod replay;
pub mod signals;
pub mod stocks;

pub use error::UseCaseError;
