//! One session's prices of one stock, as traded.

use serde::{Deserialize, Serialize};

use crate::{Price, TradingDate};

/// Open, high, low, close in dollars as they traded that day (never adjusted) and the number of shares traded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bar {
    pub date: TradingDate,
    pub open: Price,
    pub high: Price,
    pub low: Price,
    pub close: Price,
    pub volume: u64,
}

/// Why a bar contradicts itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BarError {
    #[error("the high is below the open, the close or the low")]
    HighTooLow,
    #[error("the low is above the open or the close")]
    LowTooHigh,
}

impl Bar {
    /// Whether low ≤ open, close ≤ high.
    pub fn check(&self) -> Result<(), BarError> {
        if self.high < self.open.max(self.close).max(self.low) {
            return Err(BarError::HighTooLow);
        }
        if self.low > self.open.min(self.close) {
            return Err(BarError::LowTooHigh);
        }
        Ok(())
    }
}
