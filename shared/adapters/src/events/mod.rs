//! Events between functions: how they are written down, and the bus that carries them.

pub mod bus;
pub mod detail;

pub use bus::EventBridge;
pub use detail::{Detail, DetailError};
