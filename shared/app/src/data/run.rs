//! The record of an ingestion run and of its batches.
//!
//! A run is planned as batches, each with a record of its own, so that copies of the program can work on different batches and none
//! needs more room than a table's item has. What a run as a whole has done is the sum of its batches.

use std::collections::{BTreeMap, BTreeSet};

use domain::{Date, Symbol, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::gate::Reason;

/// No text of an error is kept longer than this: a batch's record must fit an item, whatever a vendor answers.
const ERROR_LENGTH: usize = 300;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    pub id: String,
    pub kind: RunKind,
    pub state: RunState,
    /// Market time; also the instant as of which everything of this run is known, however often it is interrupted.
    pub started_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    /// Where histories begin, where the run was told.
    pub first: Option<Date>,
    /// How many batches it was planned as; `None` until it is planned.
    pub batches: Option<usize>,
    pub symbols_total: usize,
    pub symbols_done: usize,
    pub symbols_failed: usize,
    pub bars_added: usize,
    pub actions_added: usize,
    pub bars_quarantined: usize,
    pub vendor_calls: u64,
    /// Those of them that were made before there were batches.
    pub planning_calls: u64,
    /// What went wrong, by symbol. One bad symbol never stops a run. Kept in the batches' records.
    #[serde(skip)]
    pub failures: BTreeMap<Symbol, String>,
    /// How long what is left will take, by the rate so far; `None` when nothing is left or nothing is known.
    #[serde(skip)]
    pub remaining_seconds: Option<u64>,
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
    /// A vendor's quota is used up: the next run does the rest.
    Paused,
    Succeeded,
    /// Some symbols failed; the others are stored.
    Partial,
    Failed,
}

/// A slice of a run's symbols and how far it has come. Safe to do again at any time: what is done is not asked for twice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Batch {
    pub run: String,
    /// From zero.
    pub number: usize,
    pub symbols: Vec<Symbol>,
    /// Where histories begin, else where the stored ones end.
    pub first: Option<Date>,
    /// Those of the symbols that are compared with the second vendor.
    pub sample: BTreeSet<Symbol>,
    pub state: BatchState,
    pub done: BTreeMap<Symbol, Added>,
    /// Announced before it is written: a process that dies in between does not know whether it was.
    pub writing: BTreeMap<Symbol, Added>,
    pub failures: BTreeMap<Symbol, String>,
    /// Those of the failed that no vendor knows: mistyped, most likely, and not tried again by later runs.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub unknown: BTreeSet<Symbol>,
    pub vendor_calls: u64,
    /// Time spent working, for estimates.
    pub worked_ms: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BatchState {
    Waiting,
    Running,
    /// A vendor's quota is used up.
    Paused,
    Done,
}

/// What a run changed of one stock.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Added {
    #[serde(default, skip_serializing_if = "is_zero")]
    pub bars: usize,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub actions: usize,
    /// Bars held back by the gate, by reason.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub quarantined: BTreeMap<Reason, usize>,
    /// The oldest date of which something else was known before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restated_from: Option<Date>,
    /// Sessions that no vendor has a bar of, although the stock was listed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub absent: Vec<Date>,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde's signature
fn is_zero(count: &usize) -> bool {
    *count == 0
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
            first: None,
            batches: None,
            symbols_total: symbols,
            symbols_done: 0,
            symbols_failed: 0,
            bars_added: 0,
            actions_added: 0,
            bars_quarantined: 0,
            vendor_calls: 0,
            planning_calls: 0,
            failures: BTreeMap::new(),
            remaining_seconds: None,
        }
    }

    /// A run over chosen stocks, in ascending order. Several may begin at one market instant, so that the id also tells what was asked
    /// for: asked for again it is the same.
    pub(super) fn over(symbols: &[Symbol], first: Option<Date>, started_at: Timestamp) -> Self {
        let run = Self { first, ..Self::start(RunKind::Stocks, started_at, symbols.len()) };
        let names: Vec<&str> = symbols.iter().map(Symbol::as_str).collect();
        let asked = Sha256::digest(format!("{first:?} {}", names.join(" ")));
        Self { id: format!("{}-{}", run.id, hex::encode(&asked[..4])), ..run }
    }

    pub fn is_over(&self) -> bool {
        matches!(self.state, RunState::Succeeded | RunState::Partial | RunState::Failed)
    }

    /// Done or failed symbols as a fraction of all, 0 to 1.
    pub fn progress(&self) -> f64 {
        if self.symbols_total == 0 {
            return if self.is_over() { 1.0 } else { 0.0 };
        }
        ((self.symbols_done + self.symbols_failed) as f64 / self.symbols_total as f64).min(1.0)
    }

    /// Sums up what the batches have done so far.
    pub(super) fn tally(&mut self, batches: &[Batch]) {
        if self.kind == RunKind::StockList || batches.is_empty() {
            return;
        }
        let added = || batches.iter().flat_map(|batch| batch.done.values());
        self.symbols_total = batches.iter().map(|batch| batch.symbols.len()).sum();
        self.symbols_done = batches.iter().map(|batch| batch.done.len()).sum();
        self.symbols_failed = batches.iter().map(|batch| batch.failures.len()).sum();
        self.bars_added = added().map(|added| added.bars).sum();
        self.actions_added = added().map(|added| added.actions).sum();
        self.bars_quarantined = added().flat_map(|added| added.quarantined.values()).sum();
        self.vendor_calls = self.planning_calls + batches.iter().map(|batch| batch.vendor_calls).sum::<u64>();
        self.failures = batches.iter().flat_map(|batch| batch.failures.clone()).collect();
        self.remaining_seconds = if self.is_over() { None } else { remaining_seconds(batches) };
    }

    pub(super) fn finish(&mut self, at: Timestamp) {
        self.finished_at = Some(at);
        self.remaining_seconds = None;
        self.state = match (self.symbols_failed, self.symbols_done) {
            (0, _) => RunState::Succeeded,
            (_, 0) => RunState::Failed,
            _ => RunState::Partial,
        };
    }
}

/// What is left, at the rate of what is done, shared by the batches that are at work.
fn remaining_seconds(batches: &[Batch]) -> Option<u64> {
    let handled: u64 = batches.iter().map(|batch| batch.handled() as u64).sum();
    let left: u64 = batches.iter().map(|batch| (batch.symbols.len() - batch.handled()) as u64).sum();
    let worked: u64 = batches.iter().map(|batch| batch.worked_ms).sum();
    let at_work = batches.iter().filter(|batch| batch.state == BatchState::Running).count().max(1) as u64;
    (handled > 0 && left > 0).then(|| (worked * left / handled / at_work).div_ceil(1000))
}

impl Batch {
    pub(super) fn new(run: &Run, number: usize, symbols: Vec<Symbol>, first: Option<Date>, sample: BTreeSet<Symbol>) -> Self {
        Self {
            run: run.id.clone(),
            number,
            symbols,
            first,
            sample,
            state: BatchState::Waiting,
            done: BTreeMap::new(),
            writing: BTreeMap::new(),
            failures: BTreeMap::new(),
            unknown: BTreeSet::new(),
            vendor_calls: 0,
            worked_ms: 0,
        }
    }

    /// Symbols that are done or have failed.
    fn handled(&self) -> usize {
        self.done.len() + self.failures.len()
    }

    pub(super) fn left(&self) -> Vec<Symbol> {
        let is_left = |symbol: &&Symbol| !self.done.contains_key(*symbol) && !self.failures.contains_key(*symbol);
        self.symbols.iter().filter(is_left).cloned().collect()
    }

    pub(super) fn fail(&mut self, symbol: Symbol, error: impl std::fmt::Display) {
        self.failures.insert(symbol, error.to_string().chars().take(ERROR_LENGTH).collect());
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
            Self::Paused => "paused",
            Self::Succeeded => "succeeded",
            Self::Partial => "partial",
            Self::Failed => "failed",
        }
    }
}
