//! Events that change what a share is or pays, separate from its prices.

use jiff::{Timestamp, civil::Date};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::Source;

/// One event of one stock, effective before the open of its ex-date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CorporateAction {
    /// First session on which the stock trades without what the event gives.
    pub ex_date: Date,
    #[serde(flatten)]
    pub kind: ActionKind,
    pub source: Source,
    /// When this system could first have known of it.
    pub known_at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ActionKind {
    /// `ratio` shares for each old one: 4 for a 4:1 split, 0.125 for a 1:8 reverse split.
    Split { ratio: Decimal },
    /// Part of the company was given away: the price fell by the factor `1 / ratio` with the number of shares unchanged.
    SpinOff { ratio: Decimal },
    /// Cash in dollars for each share held at the open of the ex-date, as declared (never adjusted).
    /// `pay_date` is not known for all history; the cash then counts on the ex-date.
    Dividend { amount: Decimal, pay_date: Option<Date> },
}

impl ActionKind {
    /// By how much an earlier price must be divided to be comparable with a later one.
    pub fn price_ratio(self) -> Decimal {
        match self {
            Self::Split { ratio } | Self::SpinOff { ratio } => ratio,
            Self::Dividend { .. } => Decimal::ONE,
        }
    }

    /// By how much an earlier number of shares must be multiplied to be comparable with a later one.
    pub fn share_ratio(self) -> Decimal {
        match self {
            Self::Split { ratio } => ratio,
            Self::SpinOff { .. } | Self::Dividend { .. } => Decimal::ONE,
        }
    }
}
