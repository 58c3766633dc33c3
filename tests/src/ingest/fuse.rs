//! A fuse in every port: at the n-th step nothing goes on any more, as when a process dies there.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use app::{
    data::{Batch, QuarantinedBar, Run},
    ports::{
        HistoryError, HistoryStore, MarketData, MarketStore, Quote, StoreError, VendorActions, VendorError, VendorHistory, VendorSession,
        Version,
    },
};
use async_trait::async_trait;
use domain::{Company, Date, PriceHistory, Source, Symbol, Timestamp, TradingDate};
use tokio::sync::Notify;

/// Counts steps, two for each call of a port: before it and after it.
#[derive(Default)]
pub(crate) struct Fuse {
    steps: AtomicUsize,
    blows_at: usize,
    blown: Notify,
}

impl Fuse {
    pub(crate) fn at(step: usize) -> Arc<Self> {
        Arc::new(Self { blows_at: step, ..Self::default() })
    }

    pub(crate) fn steps(&self) -> usize {
        self.steps.load(Ordering::Relaxed)
    }

    /// The result, or `None` when the fuse blew before: the work was dropped where it stood.
    pub(crate) async fn run<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.blown.notified() => None,
            result = work => Some(result),
        }
    }

    async fn pass(&self) {
        if self.steps.fetch_add(1, Ordering::Relaxed) + 1 >= self.blows_at && self.blows_at > 0 {
            self.blown.notify_one();
            std::future::pending::<()>().await;
        }
    }
}

/// A port behind the fuse.
pub(crate) struct Fused<P: ?Sized>(pub(crate) Arc<P>, pub(crate) Arc<Fuse>);

macro_rules! fused {
    ($self:ident, $call:expr) => {{
        $self.1.pass().await;
        let result = $call.await;
        $self.1.pass().await;
        result
    }};
}

#[async_trait]
impl HistoryStore for Fused<dyn HistoryStore> {
    async fn read(&self, symbol: &Symbol) -> Result<Option<(Arc<PriceHistory>, Version)>, HistoryError> {
        fused!(self, self.0.read(symbol))
    }

    async fn write(&self, history: &PriceHistory, expected: Option<&Version>) -> Result<Version, HistoryError> {
        fused!(self, self.0.write(history, expected))
    }

    async fn symbols(&self) -> Result<Vec<Symbol>, HistoryError> {
        fused!(self, self.0.symbols())
    }

    async fn read_object(&self, name: &str) -> Result<Option<(Vec<u8>, Version)>, HistoryError> {
        fused!(self, self.0.read_object(name))
    }

    async fn write_object(&self, name: &str, bytes: &[u8], expected: Option<&Version>) -> Result<Version, HistoryError> {
        fused!(self, self.0.write_object(name, bytes, expected))
    }

    async fn replace_object(&self, name: &str, bytes: &[u8]) -> Result<Version, HistoryError> {
        fused!(self, self.0.replace_object(name, bytes))
    }
}

#[async_trait]
impl MarketStore for Fused<dyn MarketStore> {
    async fn companies(&self) -> Result<Arc<Vec<Company>>, StoreError> {
        fused!(self, self.0.companies())
    }

    async fn company(&self, symbol: &Symbol) -> Result<Option<Company>, StoreError> {
        fused!(self, self.0.company(symbol))
    }

    async fn put_companies(&self, companies: &[Company]) -> Result<(), StoreError> {
        fused!(self, self.0.put_companies(companies))
    }

    async fn put_quarantined(&self, bar: &QuarantinedBar) -> Result<(), StoreError> {
        fused!(self, self.0.put_quarantined(bar))
    }

    async fn quarantined(&self, id: &str) -> Result<Option<QuarantinedBar>, StoreError> {
        fused!(self, self.0.quarantined(id))
    }

    async fn quarantine(&self) -> Result<Vec<QuarantinedBar>, StoreError> {
        fused!(self, self.0.quarantine())
    }

    async fn put_batch(&self, batch: &Batch) -> Result<(), StoreError> {
        fused!(self, self.0.put_batch(batch))
    }

    async fn batches(&self, run: &str) -> Result<Vec<Batch>, StoreError> {
        fused!(self, self.0.batches(run))
    }

    async fn put_run(&self, run: &Run) -> Result<(), StoreError> {
        fused!(self, self.0.put_run(run))
    }

    async fn run(&self, id: &str) -> Result<Option<Run>, StoreError> {
        fused!(self, self.0.run(id))
    }

    async fn runs(&self, limit: usize) -> Result<Vec<Run>, StoreError> {
        fused!(self, self.0.runs(limit))
    }
}

#[async_trait]
impl MarketData for Fused<dyn MarketData> {
    fn source(&self) -> Source {
        self.0.source()
    }

    async fn companies(&self, now: Timestamp) -> Result<Vec<Company>, VendorError> {
        fused!(self, self.0.companies(now))
    }

    async fn company(&self, symbol: &Symbol, now: Timestamp) -> Result<Company, VendorError> {
        fused!(self, self.0.company(symbol, now))
    }

    async fn delisted(&self, since: Date, now: Timestamp) -> Result<Vec<Company>, VendorError> {
        fused!(self, self.0.delisted(since, now))
    }

    async fn history(&self, symbol: &Symbol, first: Date, last: Date, now: Timestamp) -> Result<VendorHistory, VendorError> {
        fused!(self, self.0.history(symbol, first, last, now))
    }

    async fn session(&self, date: TradingDate, now: Timestamp) -> Result<VendorSession, VendorError> {
        fused!(self, self.0.session(date, now))
    }

    fn calls(&self) -> u64 {
        self.0.calls()
    }

    async fn quotes(&self, symbols: &[Symbol], now: Timestamp) -> Result<Vec<Quote>, VendorError> {
        fused!(self, self.0.quotes(symbols, now))
    }

    async fn actions(&self, symbols: &[Symbol], first: Date, last: Date, now: Timestamp) -> Result<VendorActions, VendorError> {
        fused!(self, self.0.actions(symbols, first, last, now))
    }
}
