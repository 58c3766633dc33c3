//! Serving the system: one router over all groups, until Ctrl-C.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context;
use api::{
    Edge,
    cursor::CursorSealer,
    metrics::MarketGauges,
    middleware::{self, RouteLimits},
    routes::{
        self,
        account::AccountState,
        admin::AdminState,
        data::{DataSettings, DataState, InProcess},
        portfolio::PortfolioState,
        signals::SignalsState,
        system::SystemState,
    },
};
use app::{auth::Bucket, charts::Charts};
use axum::Router;
use domain::{Timestamp, trading::TradingRules};
use runtime::pointer::StoredCards;
use tokio::net::TcpListener;

use crate::{
    cli::Serve,
    connections::{Connections, serve},
    health,
    system::{Clocks, System},
    terminal,
};

/// Starts the system and serves it until it is told to stop.
pub fn run(options: &Serve, rules: TradingRules) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        // First of all: an occupied port must not cost the time of a first start.
        let listener = bind(options).await?;
        let address = listener.local_addr()?;
        println!("StockGPT {}", env!("CARGO_PKG_VERSION"));
        let system = System::start_with(options, rules).await?;
        announce(&system, options, address).await;
        system.run_clock();
        serve_until_stopped(listener, &system).await;
        Ok(())
    })
}

/// Answers until the process is told to stop; what it has counted is written down meanwhile and at the end.
pub async fn serve_until_stopped(listener: TcpListener, system: &System) {
    let counting = tokio::spawn(system.keeper.clone().keep());
    serve(listener, router(system), Connections::default(), stop_signal()).await;
    counting.abort();
    if let Err(error) = system.keeper.release(Timestamp::now()).await {
        tracing::warn!(%error, "the last seconds' counts are lost");
    }
}

async fn bind(options: &Serve) -> anyhow::Result<TcpListener> {
    let address = SocketAddr::new(options.host, options.port);
    TcpListener::bind(address).await.with_context(|| format!("cannot serve on {address}; choose another port with --port"))
}

/// The whole API of a system. This process owns its data directory, so that it is all copies there are: what it counts is exact.
pub fn router(system: &System) -> Router {
    compose(system, system.limits.clone())
}

/// As [`router`] without limits of rate: for measuring.
pub fn unlimited_router(system: &System) -> Router {
    compose(system, RouteLimits::all(Bucket::new(u32::MAX, Duration::from_nanos(1))))
}

fn compose(system: &System, limits: RouteLimits) -> Router {
    let services = &system.services;
    let clock = system.clock.edge();
    let groups = [
        routes::auth::router(services.auth.clone()),
        routes::account::router(AccountState { accounts: services.accounts.clone(), cursors: CursorSealer::new(&system.cursor_key) }),
        routes::admin::router(AdminState { auth: services.auth.clone(), cursors: CursorSealer::new(&system.cursor_key) }),
        routes::stocks::router(services.stocks.clone()),
        routes::signals::router(SignalsState {
            signals: services.signals.clone(),
            desk: services.desk.clone(),
            auth: services.auth.clone(),
            cards: Arc::new(StoredCards(system.objects.clone())),
        }),
        routes::portfolio::router(PortfolioState { desk: services.desk.clone(), cursors: CursorSealer::new(&system.cursor_key) }),
        routes::charts::router(Charts::new(services.stocks.clone(), services.signals.clone(), services.desk.clone())),
        routes::data::router(DataState {
            data: services.data.clone(),
            stocks: services.stocks.clone(),
            background: Arc::new(InProcess(services.data.clone())),
            settings: DataSettings {
                polygon_api_configured: std::env::var_os("POLYGON_API_KEY").is_some(),
                tiingo_api_configured: std::env::var_os("TIINGO_API_KEY").is_some(),
            },
        }),
        routes::clock::router(system.clock.market()),
    ];
    let gauges = MarketGauges::new(services.stocks.market().clone(), services.signals.clone(), services.desk.clone());
    let system_state = SystemState {
        version: env!("CARGO_PKG_VERSION"),
        checks: health::checks(system),
        metrics: vec![system.keeper.clone(), Arc::new(gauges)],
    };
    let features = system.features;
    let edge = Edge {
        tally: system.keeper.tally().clone(),
        cors_origins: system.cors_origins.clone(),
        limiter: Arc::new(middleware::InProcess::new(limits)),
        features,
        ..Edge::new(services.auth.clone(), clock)
    };
    api::compose(groups, Some(api::system(system_state, move || api::openapi(true, features))), edge)
}

async fn announce(system: &System, options: &Serve, address: SocketAddr) {
    let url = format!("http://{address}");
    let model = system.models.check().await.unwrap_or_else(|error| format!("none: {error}"));
    let reading = system.clock.market().read().await;
    let pace = match (&system.clock, options.speed) {
        (Clocks::Live(_), _) => "the real time".to_owned(),
        (Clocks::Replay(_), 0.0) => "a replay that stands still; POST /api/v1/clock/advance moves it".to_owned(),
        (Clocks::Replay(_), speed) => format!("a replay of real history, a trading day in about {:.0} seconds", 60.0 / speed),
    };
    println!("  data       {}", options.data_dir.display());
    println!("  model      {model}");
    println!("  clock      {} ({pace})", terminal::new_york(reading.now));
    println!();
    println!("  Serving    {url}/docs");
    println!();
    println!("  Sign in    1. POST {url}/api/v1/auth/request-otp?email=you@example.com");
    println!("             2. the code appears here and in {}", options.data_dir.join("outbox").display());
    println!("             3. POST {url}/api/v1/auth/login?email=you@example.com&otp=CODE");
    println!("             4. put the access_token behind \"Authorize\" in /docs");
    println!("  Admin      {} may also move the clock and manage data", options.admin);
    println!();
}

/// Ctrl-C or a polite kill.
async fn stop_signal() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).expect("signals can be waited for");
        tokio::select! {
            _ = interrupt => {}
            _ = terminate.recv() => {}
        }
    }
    #[cfg(not(unix))]
    let _ = interrupt.await;
    println!("  Stopped; everything is kept.");
}
