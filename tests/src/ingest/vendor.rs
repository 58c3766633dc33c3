//! A vendor that says what a test tells it to, as of any instant, and can be made to fail.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use app::ports::{MarketData, Quote, RejectedRow, VendorActions, VendorError, VendorHistory, VendorSession};
use async_trait::async_trait;
use domain::{BarRecord, Company, CorporateAction, Date, PriceHistory, Source, Symbol, Timestamp, TradingDate};

const NAME: &str = "the test's vendor";

/// Tells of each session the newest version that it had by then: a bar's `known_at` is the instant from which on it says so.
#[derive(Default)]
pub(crate) struct Vendor {
    pub(crate) source: Option<Source>,
    pub(crate) histories: BTreeMap<Symbol, PriceHistory>,
    pub(crate) companies: Vec<Company>,
    pub(crate) delisted: Vec<Company>,
    /// Whether it answers for whole sessions.
    pub(crate) has_sessions: bool,
    pub(crate) rejected: Vec<RejectedRow>,
    /// What it answers instead, by symbol.
    pub(crate) faults: Mutex<BTreeMap<Symbol, VendorError>>,
    /// After so many requests the quota is used up; zero is never.
    pub(crate) quota: AtomicU64,
    pub(super) calls: AtomicU64,
}

impl Vendor {
    pub(crate) fn of(histories: impl IntoIterator<Item = PriceHistory>) -> Self {
        Self { histories: histories.into_iter().map(|history| (history.symbol.clone(), history)).collect(), ..Self::default() }
    }

    pub(crate) fn history_mut(&mut self, symbol: &str) -> &mut PriceHistory {
        self.histories.get_mut(&symbol.parse::<Symbol>().unwrap()).unwrap()
    }

    pub(crate) fn fail(&self, symbol: &str, error: Option<VendorError>) {
        let symbol: Symbol = symbol.parse().unwrap();
        let mut faults = self.faults.lock().unwrap();
        match error {
            Some(error) => drop(faults.insert(symbol, error)),
            None => drop(faults.remove(&symbol)),
        }
    }

    pub(crate) fn unavailable() -> VendorError {
        VendorError::Unavailable(NAME, "it does not answer".into())
    }

    fn ask(&self) -> Result<(), VendorError> {
        let (calls, quota) = (self.calls.fetch_add(1, Ordering::Relaxed) + 1, self.quota.load(Ordering::Relaxed));
        if quota > 0 && calls > quota {
            return Err(VendorError::QuotaExhausted { vendor: NAME, detail: "no more today".into(), retry_after_seconds: None });
        }
        Ok(())
    }

    fn told(&self, history: &PriceHistory, now: Timestamp) -> Vec<BarRecord> {
        let source = self.source.unwrap_or(Source::Polygon);
        let dated = |record: BarRecord| BarRecord { source, known_at: record.known_at.min(evening(record.bar.date)), ..record };
        history.known_at(now).bars.into_iter().map(dated).collect()
    }
}

/// When everybody knows a session's bar.
pub(crate) fn evening(date: TradingDate) -> Timestamp {
    app::jobs::schedule::ingestion_of(date)
}

#[async_trait]
impl MarketData for Vendor {
    fn source(&self) -> Source {
        self.source.unwrap_or(Source::Polygon)
    }

    async fn companies(&self, _: Timestamp) -> Result<Vec<Company>, VendorError> {
        self.ask()?;
        Ok(self.companies.clone())
    }

    async fn company(&self, symbol: &Symbol, _: Timestamp) -> Result<Company, VendorError> {
        Err(VendorError::UnknownSymbol(NAME, symbol.clone()))
    }

    async fn delisted(&self, _: Date, _: Timestamp) -> Result<Vec<Company>, VendorError> {
        Ok(self.delisted.clone())
    }

    async fn history(&self, symbol: &Symbol, first: Date, last: Date, now: Timestamp) -> Result<VendorHistory, VendorError> {
        self.ask()?;
        if let Some(fault) = self.faults.lock().unwrap().get(symbol) {
            return Err(fault.clone());
        }
        let history = self.histories.get(symbol).ok_or_else(|| VendorError::UnknownSymbol(NAME, symbol.clone()))?;
        let is_asked = |date: Date| first <= date && date <= last;
        let bars = self.told(history, now).into_iter().filter(|record| is_asked(record.bar.date.date())).collect();
        let actions = history.known_at(now).actions.into_iter().filter(|action| is_asked(action.ex_date)).collect();
        let rejected = self.rejected.iter().filter(|row| row.symbol.as_ref() == Some(symbol)).cloned().collect();
        Ok(VendorHistory { bars, actions, rejected })
    }

    async fn session(&self, date: TradingDate, now: Timestamp) -> Result<VendorSession, VendorError> {
        if !self.has_sessions {
            return Err(VendorError::NotInPlan(NAME, "whole sessions".into()));
        }
        self.ask()?;
        let faults = self.faults.lock().unwrap().clone();
        let told = self.histories.values().filter(|history| !faults.contains_key(&history.symbol));
        let bars = told.filter_map(|history| {
            let record = self.told(history, now).into_iter().find(|record| record.bar.date == date)?;
            Some((history.symbol.clone(), record))
        });
        Ok(VendorSession { bars: bars.collect(), rejected: self.rejected.clone() })
    }

    fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    async fn quotes(&self, _: &[Symbol], _: Timestamp) -> Result<Vec<Quote>, VendorError> {
        Ok(vec![])
    }

    async fn actions(&self, symbols: &[Symbol], first: Date, last: Date, now: Timestamp) -> Result<VendorActions, VendorError> {
        self.ask()?;
        let of = |symbol: &Symbol| -> Vec<(Symbol, CorporateAction)> {
            let actions = self.histories.get(symbol).map(|history| history.known_at(now).actions).unwrap_or_default();
            actions
                .into_iter()
                .filter(|action| first <= action.ex_date && action.ex_date <= last)
                .map(|action| (symbol.clone(), action))
                .collect()
        };
        Ok(VendorActions { actions: symbols.iter().flat_map(of).collect(), rejected: vec![] })
    }
}
