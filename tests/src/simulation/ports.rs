//! The simulated market behind the ports by which the use cases see it. Every call can go wrong.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use app::{
    data::{Batch, QuarantinedBar, Run},
    market::MarketSnapshot,
    ports::{
        HistoryError, HistoryStore, MarketData, MarketStore, Quote, SignalStore, StoreError, VendorActions, VendorError, VendorHistory,
        VendorSession, Version,
    },
    signals::performance::DayPerformance,
};
use async_trait::async_trait;
use domain::{
    Company, Date, PriceHistory, Source, Symbol, Timestamp, TradingDate, calendar,
    signal::{Explanation, Signal, SignalId},
};

use super::{
    faults::{Call, Faults},
    market::{FeedKind, Market, evening_of},
};

/// All ports but that of the portfolios, over one market.
pub(crate) struct Outside {
    pub(crate) market: Arc<Market>,
    pub(crate) faults: Arc<Faults>,
    now: Mutex<Timestamp>,
    /// The newest bars as the evening of each session left them.
    snapshots: Mutex<BTreeMap<Date, Vec<u8>>>,
}

const NO_WRITES: &str = "the simulation ingests nothing through the use cases";

impl Outside {
    pub(crate) fn new(market: Arc<Market>, faults: Arc<Faults>, now: Timestamp) -> Self {
        Self { market, faults, now: Mutex::new(now), snapshots: Mutex::default() }
    }

    pub(crate) fn set_now(&self, now: Timestamp) {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }

    /// The snapshot that the newest ingestion published, and its version.
    fn snapshot(&self) -> (Vec<u8>, Version) {
        let now = *self.now.lock().unwrap_or_else(PoisonError::into_inner);
        let closed = calendar::last_closed_session(now);
        let newest = if evening_of(closed.date()) <= now { closed } else { closed.previous() };
        let make = || {
            let known = self.market.histories.values().map(|history| history.known_at(evening_of(newest.date())));
            let mut snapshot = MarketSnapshot::default();
            known.for_each(|history| snapshot.add(&history, evening_of(newest.date())));
            snapshot.to_bytes()
        };
        let bytes = self.snapshots.lock().unwrap_or_else(PoisonError::into_inner).entry(newest.date()).or_insert_with(make).clone();
        (bytes, Version(newest.to_string()))
    }

    async fn read<T, E: super::faults::PortError>(&self, answer: impl FnOnce() -> T) -> Result<T, E> {
        self.faults.call(Call::Read, async { Ok(answer()) }).await
    }

    fn quote(&self, symbol: &Symbol, now: Timestamp) -> Option<Quote> {
        let bar = *self.market.bar(symbol, calendar::new_york_date(now))?;
        let (open, close) = (bar.date.open(), bar.date.close());
        let (last, last_at) = match self.market.feed {
            _ if now < open => return None,
            _ if now >= close => (bar.close, close),
            FeedKind::Live if now > open => (Market::live_price(&bar, now), now),
            _ => (bar.open, open),
        };
        Some(Quote { symbol: symbol.clone(), date: bar.date, open: Some(bar.open), last, last_at, bar: (now >= close).then_some(bar) })
    }
}

#[async_trait]
impl HistoryStore for Outside {
    async fn read(&self, symbol: &Symbol) -> Result<Option<(Arc<PriceHistory>, Version)>, HistoryError> {
        Self::read(self, || self.market.histories.get(symbol).map(|history| (Arc::new(history.clone()), Version(String::new())))).await
    }

    async fn write(&self, _history: &PriceHistory, _expected: Option<&Version>) -> Result<Version, HistoryError> {
        unreachable!("{NO_WRITES}")
    }

    async fn symbols(&self) -> Result<Vec<Symbol>, HistoryError> {
        Self::read(self, || self.market.symbols()).await
    }

    async fn read_object(&self, name: &str) -> Result<Option<(Vec<u8>, Version)>, HistoryError> {
        let is_snapshot = name == "snapshots/latest.json";
        Self::read(self, || is_snapshot.then(|| self.snapshot())).await
    }

    async fn write_object(&self, _name: &str, _bytes: &[u8], _expected: Option<&Version>) -> Result<Version, HistoryError> {
        unreachable!("{NO_WRITES}")
    }

    async fn replace_object(&self, _name: &str, _bytes: &[u8]) -> Result<Version, HistoryError> {
        unreachable!("{NO_WRITES}")
    }
}

#[async_trait]
impl MarketStore for Outside {
    async fn companies(&self) -> Result<Arc<Vec<Company>>, StoreError> {
        Self::read(self, || self.market.companies.clone()).await
    }

    async fn company(&self, symbol: &Symbol) -> Result<Option<Company>, StoreError> {
        Self::read(self, || self.market.companies.iter().find(|company| company.symbol == *symbol).cloned()).await
    }

    async fn put_companies(&self, _companies: &[Company]) -> Result<(), StoreError> {
        unreachable!("{NO_WRITES}")
    }

    async fn put_quarantined(&self, _bar: &QuarantinedBar) -> Result<(), StoreError> {
        unreachable!("{NO_WRITES}")
    }

    async fn quarantined(&self, _id: &str) -> Result<Option<QuarantinedBar>, StoreError> {
        Ok(None)
    }

    async fn quarantine(&self) -> Result<Vec<QuarantinedBar>, StoreError> {
        Ok(vec![])
    }

    async fn put_batch(&self, _batch: &Batch) -> Result<(), StoreError> {
        unreachable!("{NO_WRITES}")
    }

    async fn batches(&self, _run: &str) -> Result<Vec<Batch>, StoreError> {
        Ok(vec![])
    }

    async fn put_run(&self, _run: &Run) -> Result<(), StoreError> {
        unreachable!("{NO_WRITES}")
    }

    async fn run(&self, _id: &str) -> Result<Option<Run>, StoreError> {
        Ok(None)
    }

    async fn runs(&self, _limit: usize) -> Result<Vec<Run>, StoreError> {
        Ok(vec![])
    }
}

#[async_trait]
impl MarketData for Outside {
    fn source(&self) -> Source {
        Source::Bundled
    }

    async fn companies(&self, _now: Timestamp) -> Result<Vec<Company>, VendorError> {
        Ok(self.market.companies.to_vec())
    }

    async fn company(&self, symbol: &Symbol, _now: Timestamp) -> Result<Company, VendorError> {
        let found = self.market.companies.iter().find(|company| company.symbol == *symbol);
        found.cloned().ok_or_else(|| VendorError::UnknownSymbol("the simulated market", symbol.clone()))
    }

    async fn delisted(&self, _since: Date, _now: Timestamp) -> Result<Vec<Company>, VendorError> {
        Ok(vec![])
    }

    async fn history(&self, _symbol: &Symbol, _first: Date, _last: Date, _now: Timestamp) -> Result<VendorHistory, VendorError> {
        unreachable!("{NO_WRITES}")
    }

    async fn session(&self, _date: TradingDate, _now: Timestamp) -> Result<VendorSession, VendorError> {
        unreachable!("{NO_WRITES}")
    }

    fn calls(&self) -> u64 {
        0
    }

    async fn quotes(&self, symbols: &[Symbol], now: Timestamp) -> Result<Vec<Quote>, VendorError> {
        Self::read(self, || symbols.iter().filter_map(|symbol| self.quote(symbol, now)).collect()).await
    }

    async fn actions(&self, symbols: &[Symbol], first: Date, last: Date, now: Timestamp) -> Result<VendorActions, VendorError> {
        let effective = |symbol: &Symbol| {
            let actions = self.market.actions(symbol).iter();
            let wanted = actions.filter(|action| action.known_at <= now && (first..=last).contains(&action.ex_date));
            wanted.map(|action| (symbol.clone(), action.clone())).collect::<Vec<_>>()
        };
        Self::read(self, || VendorActions { actions: symbols.iter().flat_map(effective).collect(), rejected: vec![] }).await
    }
}

#[async_trait]
impl SignalStore for Outside {
    async fn put_day(&self, _date: Date, _signals: &[(Signal, Explanation)]) -> Result<(), StoreError> {
        unreachable!("{NO_WRITES}")
    }

    async fn update_day(&self, _date: Date, _signals: &[Signal]) -> Result<(), StoreError> {
        unreachable!("{NO_WRITES}")
    }

    async fn days(&self, dates: &[Date]) -> Result<Vec<Signal>, StoreError> {
        Self::read(self, || dates.iter().filter_map(|date| self.market.signals.get(date)).flatten().cloned().collect()).await
    }

    async fn explanation(&self, _id: &SignalId) -> Result<Option<Explanation>, StoreError> {
        Ok(None)
    }

    async fn put_performance(&self, _day: &DayPerformance) -> Result<(), StoreError> {
        unreachable!("{NO_WRITES}")
    }

    async fn performance(&self) -> Result<Vec<DayPerformance>, StoreError> {
        Ok(vec![])
    }
}
