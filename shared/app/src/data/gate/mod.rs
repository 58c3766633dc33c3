//! The gate before the store: what cannot be right, or needs somebody's word before it is believed.
//!
//! One rule a file. A rule looks at a bar, the bars before it and the actions that are known, and says what it finds suspicious. The
//! thresholds were set on two vendors' bars of the S&P 500 from 2000 to 2021 and on the whole US market of a quarter of 2023 and 2024:
//! real crashes, take-overs and thinly traded stocks pass, spin-offs that a vendor forgot do not (`tests/src/gate.rs`).

mod background;
mod contradiction;
mod jump;
mod silent_move;
mod stale_repeat;
mod vendors;
mod volume_spike;

use std::{collections::BTreeSet, fmt};

use domain::{Bar, BarRecord, CorporateAction, PriceHistory, TradingDate};
use serde::{Deserialize, Serialize};

pub use background::Background;
pub use vendors::{agree, disagreement};

/// Why a bar was kept out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The open, high, low and close contradict each other.
    Contradiction,
    /// The price moved although no share was traded.
    SilentMove,
    /// The volume is far beyond any before and the price did not notice.
    VolumeSpike,
    /// The bar repeats the one before to the last share.
    StaleRepeat,
    /// The close jumped, and neither an event, nor the volume, nor the second vendor explains it.
    UnexplainedJump,
    /// The two vendors' bars differ by more than their ways of counting explain.
    VendorsDisagree,
    /// The vendor sent a row that no bar can be made of: not a session, not positive, not a number.
    Unreadable,
}

impl Reason {
    pub const ALL: [Self; 7] = [
        Self::Contradiction,
        Self::SilentMove,
        Self::VolumeSpike,
        Self::StaleRepeat,
        Self::UnexplainedJump,
        Self::VendorsDisagree,
        Self::Unreadable,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Contradiction => "contradiction",
            Self::SilentMove => "silent_move",
            Self::VolumeSpike => "volume_spike",
            Self::StaleRepeat => "stale_repeat",
            Self::UnexplainedJump => "unexplained_jump",
            Self::VendorsDisagree => "vendors_disagree",
            Self::Unreadable => "unreadable",
        }
    }

    /// Whether the same bar from another vendor, who counts for himself, is enough to believe it.
    pub(super) fn yields_to_agreement(self) -> bool {
        matches!(self, Self::UnexplainedJump | Self::VolumeSpike | Self::StaleRepeat)
    }
}

/// What a rule found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub reason: Reason,
    /// For people: the numbers that led to it.
    pub detail: String,
}

impl Fault {
    fn new(reason: Reason, detail: impl fmt::Display) -> Self {
        Self { reason, detail: detail.to_string() }
    }
}

/// The first rule that a bar breaks, from what shows by itself to what needs the most comparison.
pub fn inspect(bar: &Bar, background: &Background<'_>) -> Option<Fault> {
    let rules = [contradiction::find, silent_move::find, stale_repeat::find, jump::find, volume_spike::find];
    rules.iter().find_map(|rule| rule(bar, background))
}

/// What the gate says of bars of one stock, in the order of their dates: each judged beside what was stored before and what passed.
/// For the sessions in `vouched` another vendor tells the same, which is enough for some rules.
pub fn sift(
    bars: Vec<BarRecord>,
    actions: &[CorporateAction],
    stored: &PriceHistory,
    vouched: &BTreeSet<TradingDate>,
) -> (Vec<BarRecord>, Vec<(BarRecord, Fault)>) {
    let (mut passed, mut held) = (Vec::with_capacity(bars.len()), Vec::new());
    let mut background = Background::before(stored, bars.first().map(|record| record.bar.date), actions);
    for record in bars {
        background.advance(stored, record.bar.date);
        let is_vouched = vouched.contains(&record.bar.date);
        match inspect(&record.bar, &background).filter(|fault| !(is_vouched && fault.reason.yields_to_agreement())) {
            None => {
                background.push(record.bar);
                passed.push(record);
            }
            Some(fault) => held.push((record, fault)),
        }
    }
    (passed, held)
}
