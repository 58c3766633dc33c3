//! The record of an ingestion run.

use std::collections::BTreeMap;

use domain::{Symbol, Timestamp};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    pub id: String,
    pub kind: RunKind,
    pub state: RunState,
    /// Market time.
    pub started_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    pub symbols_total: usize,
    pub symbols_done: usize,
    /// What went wrong, by symbol. One bad symbol never stops a run.
    pub failures: BTreeMap<Symbol, String>,
    pub bars_added: usize,
    pub actions_added: usize,
    pub vendor_calls: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunKind {
    /// All active symbols, after the close.
    Scheduled,
    /// Chosen symbols, some days back.
    Stocks,
    /// The list of companies.
    StockList,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    Running,
    Succeeded,
    /// Some symbols failed; the others are stored.
    Partial,
    Failed,
}

impl Run {
    pub fn start(kind: RunKind, started_at: Timestamp, symbols: usize) -> Self {
        Self {
            // Sortable by time, and the same for a job that is started again at the same market time.
            id: format!("run-{}-{}", started_at.as_millisecond(), kind.name()),
            kind,
            state: RunState::Running,
            started_at,
            finished_at: None,
            symbols_total: symbols,
            symbols_done: 0,
            failures: BTreeMap::new(),
            bars_added: 0,
            actions_added: 0,
            vendor_calls: 0,
        }
    }

    pub(super) fn finish(&mut self, at: Timestamp) {
        self.finished_at = Some(at);
        self.state = match (self.failures.len(), self.symbols_done) {
            (0, _) => RunState::Succeeded,
            (_, 0) => RunState::Failed,
            _ => RunState::Partial,
        };
    }
}

impl RunKind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Stocks => "stocks",
            Self::StockList => "stock-list",
        }
    }
}

impl RunState {
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Partial => "partial",
            Self::Failed => "failed",
        }
    }
}
