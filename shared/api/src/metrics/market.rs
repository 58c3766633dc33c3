//! What the tables and objects say of the whole, whichever copy is asked: how old prices are, signals, portfolios.

use std::collections::BTreeMap;

use app::{
    UseCaseError,
    data::{QuarantineState, Reason},
    market::Market,
    portfolio::Desk,
    signals::Signals,
};
use async_trait::async_trait;
use domain::{Timestamp, calendar};
use tokio::sync::Mutex;

use super::{Family, Kind, MetricsSource};

/// Gauges of the data. One that cannot be read is missing; the others are told.
pub struct MarketGauges {
    market: Market,
    signals: Signals,
    desk: Desk,
    /// The market's minute at which signals were last counted, and what that gave.
    counted: Mutex<Option<(i64, Vec<Family>)>>,
}

impl MarketGauges {
    pub fn new(market: Market, signals: Signals, desk: Desk) -> Self {
        Self { market, signals, desk, counted: Mutex::default() }
    }

    async fn of_prices(&self, now: Timestamp) -> Result<Vec<Family>, UseCaseError> {
        let snapshot = self.market.snapshot().await?;
        let stocks = Family::new("stocks_with_prices", "Stocks that have any bar.", Kind::Gauge).with(&[], snapshot.stocks.len() as f64);
        let Some(newest) = snapshot.latest_date() else { return Ok(vec![stocks]) };
        let lag = calendar::close_instant(newest.date()).duration_until(now).as_secs_f64();
        let sessions = calendar::sessions(newest.date(), calendar::last_closed_session(now).date()).count().saturating_sub(1);
        Ok(vec![
            stocks,
            Family::new("ingestion_lag_seconds", "Market time since the close of the newest bar.", Kind::Gauge).with(&[], lag),
            Family::new(
                "ingestion_lag_sessions",
                "Sessions that have closed since the newest bar; an evening's ingestion is one behind until it has run.",
                Kind::Gauge,
            )
            .with(&[], sessions as f64),
        ])
    }

    async fn of_quarantine(&self) -> Result<Vec<Family>, UseCaseError> {
        let mut bars = Family::new("quarantined_bars", "Bars that the quality gate held back, by reason and decision.", Kind::Gauge);
        // None held is said too: a sum over nothing would be no number.
        let mut counts = BTreeMap::from(Reason::ALL.map(|reason| ((reason, QuarantineState::Held), 0)));
        for (reason, state, count) in app::data::quarantine_counts(&self.market).await? {
            counts.insert((reason, state), count);
        }
        for ((reason, state), count) in counts {
            bars.push("", &[("reason", reason.name()), ("state", state.name())], count as f64);
        }
        Ok(vec![bars])
    }

    /// Counting takes reading the signals of some days, which in a large market are many: the same minute has the same answer.
    async fn of_signals(&self, now: Timestamp) -> Result<Vec<Family>, UseCaseError> {
        let minute = now.as_second().div_euclid(60);
        let mut counted = self.counted.lock().await;
        if let Some((then, families)) = counted.as_ref()
            && *then == minute
        {
            return Ok(families.clone());
        }
        let families = self.count_signals(now).await?;
        *counted = Some((minute, families.clone()));
        Ok(families)
    }

    async fn count_signals(&self, now: Timestamp) -> Result<Vec<Family>, UseCaseError> {
        let mut active = Family::new("signals_active", "Signals that can be acted on, by action.", Kind::Gauge);
        let (by_action, newest) = self.signals.standing(now).await?;
        for (action, count) in by_action {
            active.push("", &[("action", action.name())], count as f64);
        }
        let mut families = vec![active];
        if let Some(date) = newest {
            let age = calendar::close_instant(date).duration_until(now).as_secs_f64();
            families.push(
                Family::new("signals_age_seconds", "Market time since the close that the newest signals were made after.", Kind::Gauge)
                    .with(&[], age),
            );
        }
        Ok(families)
    }

    async fn of_portfolios(&self) -> Result<Vec<Family>, UseCaseError> {
        let active = self.desk.activity().await?;
        Ok(vec![Family::new("portfolios_active", "Portfolios with positions or open orders.", Kind::Gauge).with(&[], active as f64)])
    }
}

#[async_trait]
impl MetricsSource for MarketGauges {
    async fn families(&self, now: Timestamp, _: Timestamp) -> Result<Vec<Family>, UseCaseError> {
        let all = futures::join!(self.of_prices(now), self.of_quarantine(), self.of_signals(now), self.of_portfolios());
        let mut families = Vec::new();
        for part in [all.0, all.1, all.2, all.3] {
            match part {
                Ok(part) => families.extend(part.into_iter().filter(|family| !family.samples.is_empty())),
                Err(error) => tracing::warn!(%error, "a part of the metrics cannot be read"),
            }
        }
        Ok(families)
    }
}
