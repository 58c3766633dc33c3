//! What a data directory gets before it can serve: prices, the market's means, signals.

use adapters::market_data::bundled::Bundled;
use app::{jobs::schedule, ports::HistoryStore};
use domain::{Timestamp, calendar};

use crate::{clock::ReplayClock, system::System, terminal};

/// Signals of this many sessions before the replay begins are made on the first start, so that there is something to judge the
/// model by from the first minute on.
const SESSIONS_OF_SIGNALS: usize = 40;

/// Loads whatever is missing. Safe to repeat: what a crash interrupted is done again.
pub async fn load(system: &System, clock: &ReplayClock, bundled: &Bundled) -> anyhow::Result<()> {
    let now = clock.now();
    if system.objects.symbols().await?.len() < bundled.histories().len() {
        load_prices(system, bundled).await?;
    }
    // Means and newest bars as of the clock, which may not be where the last process had them.
    if is_stale(system, now).await?
        && let Err(error) = system.services.data.republish(now).await
    {
        tracing::warn!(%error, "the market's means are not up to date");
    }
    // Without a model, or with a damaged history, the rest serves; health says what is wrong.
    if let Err(error) = generate_signals(system, now).await {
        tracing::warn!(%error, "no signals");
    }
    Ok(())
}

/// All bundled bars at once, also those after the replay's beginning: each knows when it became known, and nothing is read
/// past the clock.
async fn load_prices(system: &System, bundled: &Bundled) -> anyhow::Result<()> {
    let bar = terminal::progress("Loading prices", bundled.histories().len());
    for history in bundled.histories() {
        let version = system.objects.read(&history.symbol).await?.map(|(_, version)| version);
        system.objects.write(history, version.as_ref()).await?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(())
}

async fn is_stale(system: &System, now: Timestamp) -> anyhow::Result<bool> {
    let snapshot = system.services.stocks.market().snapshot().await?;
    let newest = calendar::last_closed_session(now);
    let known = if schedule::ingestion_of(newest) <= now { newest } else { newest.previous() };
    Ok(snapshot.latest_date() != Some(known))
}

async fn generate_signals(system: &System, now: Timestamp) -> anyhow::Result<()> {
    let signals = &system.services.signals;
    let newest = calendar::last_closed_session(now);
    let mut dates: Vec<_> = std::iter::successors(Some(newest), |date| Some(date.previous())).take(SESSIONS_OF_SIGNALS).collect();
    dates.retain(|date| schedule::ingestion_of(*date) <= now);
    if signals.exist_on(dates[0].date()).await? {
        return Ok(());
    }
    let bar = terminal::progress("Computing features and signals", dates.len());
    for date in dates.iter().rev() {
        let then = schedule::ingestion_of(*date);
        signals.generate(then).await?;
        signals.evaluate(then).await?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(())
}
