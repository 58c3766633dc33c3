//! The ingestion of a whole market and of a large backfill, with tables and files as on one machine: `cargo bench -p tests --bench ingestion`.
//!
//! The vendor is inside the process and tells the bundled histories under made-up symbols, so that what is measured is the product and not a
//! network. Without `--bench` (`cargo test --benches`) the same is done with few symbols.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use adapters::{
    history::directory::Directory,
    market_data::bundled::Bundled,
    store::{MarketTable, Store, TableNames, tables::create_missing},
};
use app::{
    data::{Data, Run, RunState},
    jobs::schedule::ingestion_of,
    market::Market,
    ports::{MarketData, MarketStore, Quote, VendorActions, VendorError, VendorHistory, VendorSession},
};
use async_trait::async_trait;
use domain::{BarRecord, Company, CorporateAction, Date, PriceHistory, Source, Symbol, Timestamp, TradingDate};
use stockgpt::embedded_store::{EmbeddedStore, Location};

/// What one machine may use for it.
const MOST_MEGABYTES: u64 = 512;
const NAME: &str = "the benchmark's vendor";

/// The bundled histories, longer by what goes before them, each told under many symbols.
struct Vendor {
    histories: Vec<PriceHistory>,
    symbols: Vec<Symbol>,
    calls: AtomicU64,
}

impl Vendor {
    fn of(count: usize, sessions: usize) -> Self {
        let histories = Bundled::new().histories().iter().map(|history| lengthened(history, sessions)).collect();
        Self { histories, symbols: (0..count).map(made_up).collect(), calls: AtomicU64::new(0) }
    }

    fn history_of(&self, symbol: &Symbol) -> Result<&PriceHistory, VendorError> {
        let number = self.symbols.binary_search(symbol).map_err(|_| VendorError::UnknownSymbol(NAME, symbol.clone()))?;
        Ok(&self.histories[number % self.histories.len()])
    }

    fn actions_of(&self, symbol: &Symbol, first: Date, last: Date, now: Timestamp) -> Result<Vec<CorporateAction>, VendorError> {
        let is_told = |action: &&CorporateAction| action.known_at <= now && first <= action.ex_date && action.ex_date <= last;
        Ok(self.history_of(symbol)?.actions.iter().filter(is_told).cloned().collect())
    }

    fn sessions(&self) -> impl DoubleEndedIterator<Item = TradingDate> + '_ {
        self.histories[0].bars.iter().map(|record| record.bar.date)
    }
}

/// `ZAAA`, `ZAAB`, …
fn made_up(number: usize) -> Symbol {
    let letter = |place: usize| char::from(b'A' + u8::try_from(number / 26_usize.pow(place.try_into().unwrap()) % 26).unwrap());
    ['Z', letter(2), letter(1), letter(0)].iter().collect::<String>().parse().unwrap()
}

/// With as many sessions as asked for: what goes before mirrors what follows, so that no price jumps.
fn lengthened(history: &PriceHistory, sessions: usize) -> PriceHistory {
    let mut day = history.bars[0].bar.date;
    let mut before: Vec<BarRecord> = vec![];
    // Without the first itself: two equal bars in a row would be held for a stale one.
    for record in history.bars.iter().skip(1).take(sessions.saturating_sub(history.bars.len())) {
        day = day.previous();
        let bar = domain::Bar { date: day, ..record.bar };
        before.push(BarRecord { bar, known_at: ingestion_of(day), ..*record });
    }
    before.reverse();
    PriceHistory { bars: before.into_iter().chain(history.bars.iter().copied()).collect(), ..history.clone() }
}

#[async_trait]
impl MarketData for Vendor {
    fn source(&self) -> Source {
        Source::Polygon
    }

    async fn companies(&self, _: Timestamp) -> Result<Vec<Company>, VendorError> {
        Err(VendorError::NotInPlan(NAME, "companies".into()))
    }

    async fn company(&self, symbol: &Symbol, _: Timestamp) -> Result<Company, VendorError> {
        Err(VendorError::UnknownSymbol(NAME, symbol.clone()))
    }

    async fn delisted(&self, _: Date, _: Timestamp) -> Result<Vec<Company>, VendorError> {
        Ok(vec![])
    }

    async fn history(&self, symbol: &Symbol, first: Date, last: Date, now: Timestamp) -> Result<VendorHistory, VendorError> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let is_told = |record: &&BarRecord| record.known_at <= now && (first..=last).contains(&record.bar.date.date());
        let bars = self.history_of(symbol)?.bars.iter().filter(is_told).map(|record| BarRecord { source: Source::Polygon, ..*record });
        Ok(VendorHistory { bars: bars.collect(), actions: self.actions_of(symbol, first, last, now)?, rejected: vec![] })
    }

    async fn session(&self, date: TradingDate, now: Timestamp) -> Result<VendorSession, VendorError> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let of = |symbol: &Symbol| {
            let record = self.history_of(symbol).ok()?.bar_on(date.date()).filter(|record| record.known_at <= now)?;
            Some((symbol.clone(), BarRecord { source: Source::Polygon, ..*record }))
        };
        Ok(VendorSession { bars: self.symbols.iter().filter_map(of).collect(), rejected: vec![] })
    }

    fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    async fn quotes(&self, _: &[Symbol], _: Timestamp) -> Result<Vec<Quote>, VendorError> {
        Ok(vec![])
    }

    async fn actions(&self, symbols: &[Symbol], first: Date, last: Date, now: Timestamp) -> Result<VendorActions, VendorError> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let mut told = VendorActions::default();
        for symbol in symbols {
            told.actions.extend(self.actions_of(symbol, first, last, now)?.into_iter().map(|action| (symbol.clone(), action)));
        }
        Ok(told)
    }
}

/// Tables and files as on one machine.
struct Place {
    data: Data,
    _directory: tempfile::TempDir,
    _tables: EmbeddedStore,
}

impl Place {
    async fn of(vendor: Arc<Vendor>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let tables = EmbeddedStore::start(Location::File(&directory.path().join("tables.sqlite"))).unwrap();
        let store = Store::local(tables.endpoint(), TableNames::with_prefix("bench"));
        create_missing(&store).await.unwrap();
        let companies = Arc::new(MarketTable::new(&store));
        companies.put_companies(&vendor.symbols.iter().map(company).collect::<Vec<_>>()).await.unwrap();
        let objects = Arc::new(Directory::open(directory.path()).unwrap());
        let data = Data::new(Market::new(objects.clone(), companies, None), objects, vendor);
        Self { data, _directory: directory, _tables: tables }
    }
}

fn company(symbol: &Symbol) -> Company {
    Company::named(symbol.clone(), symbol.to_string())
}

/// Runs, and prints what it took.
async fn measured(name: &str, work: impl Future<Output = Result<Run, app::UseCaseError>>) -> Run {
    // From here on the highest memory is counted anew.
    let _ = fs::write("/proc/self/clear_refs", "5");
    let began = Instant::now();
    let run = work.await.unwrap();
    let seconds = began.elapsed().as_secs_f64();
    let megabytes = peak_megabytes();
    println!(
        "{name}: {seconds:.2} s, {:.0} symbols/s, {} bars, {} vendor calls, {megabytes} MB at the most",
        run.symbols_done as f64 / seconds,
        run.bars_added,
        run.vendor_calls
    );
    assert_eq!((run.state, run.symbols_failed, run.bars_quarantined), (RunState::Succeeded, 0, 0), "{:?}", run.failures.first_key_value());
    assert!(megabytes < MOST_MEGABYTES, "{megabytes} MB are more than {MOST_MEGABYTES}");
    run
}

/// The highest resident memory since it was last reset; zero where the system does not tell.
fn peak_megabytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or_default() / 1024
}

/// 500 symbols, eight years: 2,016 sessions.
async fn backfill(count: usize) {
    let vendor = Arc::new(Vendor::of(count, 2016));
    let last = vendor.sessions().next_back().unwrap();
    let place = Place::of(vendor.clone()).await;
    let run = measured(
        &format!("backfill of {count} symbols, eight years"),
        place.data.ingest_stocks(&vendor.symbols, 3000, ingestion_of(last), &|_, _| {}),
    )
    .await;
    assert_eq!(run.bars_added, count * 2016);
}

/// One evening of every listed stock, and before it what fills an empty place.
async fn whole_market(count: usize) {
    let vendor = Arc::new(Vendor::of(count, 0));
    let last = vendor.sessions().next_back().unwrap();
    let place = Place::of(vendor.clone()).await;
    let before = ingestion_of(last.previous());
    measured(&format!("first run of {count} symbols, six years"), place.data.ingest_everything(before, &|_, _| {})).await;
    let daily = place.data.ingest_daily(ingestion_of(last), &|_, _| {});
    let run = measured(&format!("daily run of {count} symbols"), daily).await;
    assert_eq!((run.bars_added, run.vendor_calls), (count, 3), "the day before again, the day, the events");
}

fn main() {
    let is_bench = std::env::args().any(|argument| argument == "--bench");
    let (stocks, market) = if is_bench { (500, 6500) } else { (12, 65) };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        backfill(stocks).await;
        whole_market(market).await;
    });
}
