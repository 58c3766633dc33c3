//! The whole system on this machine: the same use cases and adapters as in the cloud, over an embedded database and a directory.

use std::{sync::Arc, time::Duration};

use adapters::{
    history::directory::Directory,
    mail::Outbox,
    market_data::bundled::Bundled,
    store::{IdentityTable, MarketTable, PortfolioTable, QuotaTable, SignalTable, Store, TableNames, TallyTable, tables::create_missing},
};
use anyhow::{Context, bail};
use api::{
    FeatureFlags,
    metrics::{CountedPortfolios, Keeper, Tally},
    middleware::RouteLimits,
    routes::clock::MarketClock,
};
use app::{
    auth::AuthPolicy,
    jobs::{JobReport, schedule},
    ports::{HistoryStore, MarketStore},
};
use axum::http::HeaderValue;
use domain::{Date, Timestamp, TradingDate, trading::TradingRules};
use models::StoredModels;
use runtime::{Ports, Services};

use crate::{
    cli::Serve,
    clock::{Listener, LiveClock, ReplayClock, run_live},
    data_dir::DataDir,
    embedded_store::{EmbeddedStore, Location},
    first_start,
    mail::PrintingMailer,
    terminal,
    vendors::{self, Feeds},
};

/// Where a replay begins when nobody says otherwise: everything from here on is out of the model's sample.
const DEFAULT_START: Date = Date::constant(2022, 1, 3);

pub const ONNX: &[u8] = include_bytes!("../../model/model.onnx");
pub const MANIFEST: &[u8] = include_bytes!("../../model/manifest.json");
pub const CARD: &[u8] = include_bytes!("../../model/card.json");

/// A started system; its database stops when it is dropped.
pub struct System {
    pub services: Services,
    pub clock: Clocks,
    pub models: Arc<StoredModels>,
    pub store: Store,
    pub objects: Arc<Directory>,
    /// Seals cursors; a restart makes those that clients still hold invalid.
    pub cursor_key: [u8; 32],
    /// Counts of this copy and, in the store, of all.
    pub keeper: Arc<Keeper>,
    /// Which parts of the API are on.
    pub features: FeatureFlags,
    pub cors_origins: Vec<HeaderValue>,
    /// How often callers may come.
    pub limits: RouteLimits,
    speed: f64,
    tables: Option<EmbeddedStore>,
}

/// One clock, as the edge, the clock routes and the player see it.
#[derive(Clone)]
pub enum Clocks {
    Replay(Arc<ReplayClock>),
    Live(Arc<LiveClock>),
}

impl Clocks {
    pub fn edge(&self) -> Arc<dyn api::clock::Clock> {
        match self {
            Self::Replay(clock) => clock.clone(),
            Self::Live(clock) => clock.clone(),
        }
    }

    pub fn market(&self) -> Arc<dyn MarketClock> {
        match self {
            Self::Replay(clock) => clock.clone(),
            Self::Live(clock) => clock.clone(),
        }
    }
}

impl System {
    /// As [`Self::start_with`], by the default rules.
    pub async fn start(options: &Serve) -> anyhow::Result<Self> {
        Self::start_with(options, TradingRules::default()).await
    }

    /// Opens or makes the data directory, loads what is missing, and gets everything ready to serve.
    pub async fn start_with(options: &Serve, rules: TradingRules) -> anyhow::Result<Self> {
        if options.reset {
            DataDir::remove(&options.data_dir)?;
        }
        let directory = DataDir::open(&options.data_dir)?;
        let tables = EmbeddedStore::start(Location::File(&directory.tables()))?;
        let endpoint = tables.endpoint().to_owned();
        Self::over(options, rules, &directory, &endpoint, Some(tables)).await
    }

    /// Another copy beside a system that runs: over its tables and its files. Its own clock stands where the other's stood. The other
    /// believes that it is alone, and notices what this one writes only after some time.
    pub async fn beside(options: &Serve, tables: &str) -> anyhow::Result<Self> {
        Self::over(options, TradingRules::default(), &DataDir::open(&options.data_dir)?, tables, None).await
    }

    async fn over(
        options: &Serve,
        rules: TradingRules,
        directory: &DataDir,
        endpoint: &str,
        tables: Option<EmbeddedStore>,
    ) -> anyhow::Result<Self> {
        let store = Store::local(endpoint, TableNames::with_prefix("stockgpt"));
        create_missing(&store).await.context("the embedded database refuses its tables")?;
        let objects = Arc::new(Directory::open(directory.objects())?);
        let models = Arc::new(StoredModels::new(objects.clone()));
        if objects.read_object(runtime::pointer::POINTER).await?.is_none() {
            models.install(ONNX, MANIFEST).await?;
            models.put_card(CARD).await?;
        }

        let bundled = Arc::new(Bundled::new());
        let tally = Arc::new(Tally::default());
        let keeper = Arc::new(Keeper::new(tally.clone(), Arc::new(TallyTable::new(&store))));
        let (clock, feeds) = if options.live {
            (Clocks::Live(Arc::new(LiveClock)), vendors::live(&(Arc::new(QuotaTable::new(&store)) as _))?)
        } else {
            let clock = open_clock(directory, options.from, bundled.last_date(), listener(&tally))?;
            (Clocks::Replay(Arc::new(clock)), Feeds { vendor: bundled.clone(), second: None, quotes: Some(bundled.clone()) })
        };
        // The lock on its file tells that no other process has the embedded database open.
        let is_alone = tables.is_some();
        let portfolios = PortfolioTable::new(&store);
        let portfolios = if is_alone { portfolios.alone() } else { portfolios };
        let ports = Ports {
            identity: Arc::new(IdentityTable::new(&store)),
            mailer: Arc::new(PrintingMailer::new(Outbox::open(directory.outbox(), Outbox::local_sender())?)),
            companies: Arc::new(MarketTable::new(&store)),
            signals: Arc::new(if is_alone { SignalTable::alone(&store) } else { SignalTable::new(&store) }),
            portfolios: Arc::new(CountedPortfolios::new(Arc::new(portfolios), tally.clone())),
            histories: objects.clone(),
            vendor: feeds.vendor,
            second_vendor: feeds.second,
            quotes: feeds.quotes,
            models: models.clone(),
        };
        let companies: Arc<dyn MarketStore> = ports.companies.clone();
        let policy = AuthPolicy {
            sign_up: options.sign_up.clone(),
            // One process sees every logout itself, so that open sessions need not be read again for each request.
            session_cache: Duration::from_mins(1),
            // Longer than the outbox takes to write a mail.
            request_floor: Duration::from_millis(50),
            limits: options.rate_limits.sign_in.clone(),
            ..AuthPolicy::default()
        };
        let services = Services::new(ports, policy, &directory.secrets()?, rules);
        services.auth.ensure_admin(&options.admin, Timestamp::now()).await?;

        if companies.companies().await?.is_empty() {
            companies.put_companies(bundled.all_companies()).await?;
        }
        let cursor_key = app::auth::entropy::bytes();
        let system = Self {
            services,
            clock,
            models,
            store,
            objects,
            cursor_key,
            keeper,
            features: options.features.into(),
            cors_origins: options.cors_origins.clone(),
            limits: options.rate_limits.routes.clone(),
            speed: options.speed,
            tables,
        };
        if let Clocks::Replay(clock) = &system.clock {
            clock.attach(system.services.jobs.clone());
            first_start::load(&system, clock, &bundled).await?;
            catch_up(clock, options.from).await?;
        }
        Ok(system)
    }

    /// Where the tables answer that this process serves.
    pub fn tables(&self) -> Option<&str> {
        self.tables.as_ref().map(EmbeddedStore::endpoint)
    }

    /// Lets time pass in the background.
    pub fn run_clock(&self) {
        match &self.clock {
            Clocks::Replay(clock) => {
                tokio::spawn(clock.clone().play(self.speed));
            }
            Clocks::Live(_) => {
                let (jobs, listener) = (self.services.jobs.clone(), listener(self.keeper.tally()));
                tokio::spawn(async move {
                    if let Err(error) = jobs.data.ingest_daily(Timestamp::now(), &terminal::watch("Fetching prices")).await {
                        tracing::error!(%error, "the first ingestion failed");
                    }
                    run_live(jobs, listener).await;
                });
            }
        }
    }
}

fn listener(tally: &Arc<Tally>) -> Listener {
    let tally = tally.clone();
    Box::new(move |report: &JobReport, elapsed| {
        tally.job(report.job, !report.outcome.starts_with("failed"), report.at, elapsed);
        terminal::report(report);
    })
}

/// The clock where the last replay stopped, or at its beginning.
fn open_clock(directory: &DataDir, from: Option<Date>, last: TradingDate, listener: Listener) -> anyhow::Result<ReplayClock> {
    let start = schedule::morning_of(TradingDate::on_or_after(from.unwrap_or(DEFAULT_START)));
    if start > last.close() {
        bail!("--from {}: the bundled data ends on {last}; choose an earlier date", from.unwrap_or(DEFAULT_START));
    }
    let file = directory.clock();
    if let (Some(stopped), Some(from)) = (ReplayClock::stored(&file)?, from)
        && start < stopped
        && domain::calendar::new_york_date(stopped) != from
    {
        bail!(
            "this data directory has been replayed to {stopped} already and time only moves forward; add --reset to start over at {from}"
        );
    }
    ReplayClock::open(file, start, last, listener).context("the clock cannot be read")
}

/// `--from` later than where the last replay stopped moves there, running everything on the way.
async fn catch_up(clock: &ReplayClock, from: Option<Date>) -> anyhow::Result<()> {
    let Some(from) = from else { return Ok(()) };
    let start = schedule::morning_of(TradingDate::on_or_after(from));
    if start > clock.now() {
        clock.advance_to(start).await?;
    }
    Ok(())
}
