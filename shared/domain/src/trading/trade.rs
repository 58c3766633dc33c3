//! An executed trade as the statement lists it: a fill and what it realised.

use serde::{Deserialize, Serialize};

use crate::{Money, trading::fill::Fill};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trade {
    /// The ledger entry that recorded it.
    pub sequence: u64,
    pub position_id: String,
    pub signal_id: Option<String>,
    pub fill: Fill,
    /// Profit or loss that a sale realised, all costs included; `None` for a purchase.
    pub realized_pnl: Option<Money>,
}
