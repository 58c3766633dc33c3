//! Scoring all stocks as one batch and turning probabilities into signals.

use std::sync::{Arc, PoisonError};

use analysis::{
    FeatureRow, FeatureTable, LIFE_SESSIONS, MODEL_FEATURE_COUNT, MODEL_FEATURES, MarketContext, ModelManifest, STOP_ATR, Series,
    TARGET_ATR,
    labels::Class,
    model::{Action, Decision as ModelDecision, EdgeLevel},
};
use domain::{
    Company, Decimal, Price, PriceHistory, Timestamp, TradingDate, calendar,
    signal::{Explanation, Level, Probabilities, Signal, SignalAction},
};
use rust_decimal::prelude::FromPrimitive;
use tracing::info;

use super::{Signals, words};
use crate::{
    UseCaseError,
    ports::{ModelError, Scorer},
};

/// What a run of the job did.
#[derive(Debug, Clone, PartialEq)]
pub struct Generated {
    pub date: TradingDate,
    /// All signals of the date, by symbol.
    pub signals: Arc<Vec<Signal>>,
    /// They were there already.
    pub is_repeat: bool,
}

/// One stock, ready to score.
struct Candidate {
    company: Company,
    close: Price,
    features: FeatureRow,
    row: [f32; MODEL_FEATURE_COUNT],
}

/// What a signal is made of besides the model's probabilities.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setting<'a> {
    pub(crate) company: &'a Company,
    pub(crate) date: TradingDate,
    /// As traded.
    pub(crate) close: Price,
    /// Average true range in dollars, on the share basis of `close`; `NaN` while it warms up.
    pub(crate) atr: f64,
    /// Annualised volatility in percent.
    pub(crate) volatility: Option<f64>,
    pub(crate) generated_at: Timestamp,
}

impl Signals {
    /// Signals of the last closed session for every active stock that has its bar, once per model and date.
    pub async fn generate(&self, now: Timestamp) -> Result<Generated, UseCaseError> {
        let date = calendar::last_closed_session(now);
        let model = self.models.as_ref().ok_or(ModelError::Missing)?.current().await?;
        let version = &model.manifest().version;
        let existing = self.existing(date).await?;
        if !existing.is_empty() && self.stocks_of(date).await? <= existing.iter().filter(|signal| signal.model == *version).count() {
            self.remember(date, &existing);
            return Ok(Generated { date, signals: existing, is_repeat: true });
        }
        let candidates = self.candidates(date, now).await?;
        if candidates.is_empty() {
            return Ok(Generated { date, signals: existing, is_repeat: true });
        }

        let signals = sign(&candidates, model.as_ref(), date, now)?;
        self.store.put_day(date.date(), &signals).await?;
        self.cancel_predecessors(date, now).await?;
        info!(%date, signals = signals.len(), "signals generated");
        let signals = Arc::new(signals.into_iter().map(|(signal, _)| signal).collect());
        self.remember(date, &signals);
        Ok(Generated { date, signals, is_repeat: false })
    }

    /// The signals of `date`, from memory where this process has generated or seen them all: a repetition is asked for every hour.
    async fn existing(&self, date: TradingDate) -> Result<Arc<Vec<Signal>>, UseCaseError> {
        let newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match newest {
            Some((known, signals)) if known == date => Ok(signals),
            _ => Ok(Arc::new(self.store.days(&[date.date()]).await?)),
        }
    }

    fn remember(&self, date: TradingDate, signals: &Arc<Vec<Signal>>) {
        *self.newest.lock().unwrap_or_else(PoisonError::into_inner) = Some((date, signals.clone()));
    }

    /// How many stocks have the bar of `date` as their newest.
    async fn stocks_of(&self, date: TradingDate) -> Result<usize, UseCaseError> {
        Ok(self.market.snapshot().await?.stocks.values().filter(|stock| stock.date == date).count())
    }

    /// Active stocks whose newest known bar is that of `date`.
    async fn candidates(&self, date: TradingDate, now: Timestamp) -> Result<Vec<Candidate>, UseCaseError> {
        let (companies, context) =
            futures::try_join!(async { self.market.companies().companies().await.map_err(UseCaseError::from) }, self.market.context())?;
        let active: Vec<&Company> = companies.iter().filter(|company| company.is_active).collect();
        let symbols: Vec<_> = active.iter().map(|company| company.symbol.clone()).collect();
        let mut ready = vec![];
        self.market
            .for_each_history(&symbols, now, |history| {
                let company = active.binary_search_by(|company| company.symbol.cmp(&history.symbol)).ok().map(|at| active[at]);
                ready.extend(company.and_then(|company| candidate(company, &history, &context, date)));
            })
            .await?;
        Ok(ready)
    }

    /// The signals of the session before give way to those of `date`.
    async fn cancel_predecessors(&self, date: TradingDate, now: Timestamp) -> Result<(), UseCaseError> {
        let before = date.previous().date();
        let mut replaced = self.store.days(&[before]).await?;
        if replaced.iter().all(|signal| signal.cancelled_at.is_some()) {
            return Ok(());
        }
        for signal in &mut replaced {
            signal.cancelled_at.get_or_insert(now);
        }
        Ok(self.store.update_day(before, &replaced).await?)
    }
}

fn candidate(company: &Company, history: &PriceHistory, context: &MarketContext, date: TradingDate) -> Option<Candidate> {
    let last = *history.last_bar().filter(|bar| bar.date == date)?;
    let table = FeatureTable::compute(&Series::new(history, date.date()), context, company.sector);
    Some(Candidate { company: company.clone(), close: last.close, features: table.last_row()?, row: table.model_row(table.len() - 1) })
}

/// Scores the candidates in one batch.
fn sign(candidates: &[Candidate], model: &dyn Scorer, date: TradingDate, now: Timestamp) -> Result<Vec<(Signal, Explanation)>, ModelError> {
    let rows: Vec<_> = candidates.iter().map(|candidate| candidate.row).collect();
    let scores = model.score(&rows)?;
    candidates.iter().zip(scores).map(|(candidate, raw)| signal(candidate, raw, model, date, now)).collect()
}

fn signal(
    candidate: &Candidate,
    raw: [f32; 3],
    model: &dyn Scorer,
    date: TradingDate,
    now: Timestamp,
) -> Result<(Signal, Explanation), ModelError> {
    let setting = Setting {
        company: &candidate.company,
        date,
        close: candidate.close,
        atr: candidate.features.atr_14.unwrap_or(f64::NAN),
        volatility: candidate.features.volatility_20d,
        generated_at: now,
    };
    let (mut signal, decision) = propose(&setting, raw, model.manifest());
    let mut contributions: Vec<(String, f64)> =
        MODEL_FEATURES.iter().map(|name| (*name).to_owned()).zip(model.contributions(&candidate.row, class_of(signal.action))?).collect();
    contributions.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
    signal.rationale = words::rationale(signal.action, &decision, &contributions);
    let technical_analysis = words::technical_analysis(&candidate.features, candidate.close);
    Ok((signal, Explanation { symbol: candidate.company.symbol.clone(), contributions, technical_analysis }))
}

/// The signal that the model's probabilities make, still without words, and the decision behind it.
pub(crate) fn propose(setting: &Setting<'_>, raw: [f32; 3], manifest: &ModelManifest) -> (Signal, ModelDecision) {
    let [sell, hold, buy] = manifest.calibrate(raw);
    let price = f64::try_from(setting.close.decimal()).unwrap_or(f64::NAN);
    let decision = manifest.decide([sell, hold, buy], setting.atr, price, manifest.cost_bps);
    let action = match decision.action {
        Action::Buy => SignalAction::Buy,
        Action::Sell => SignalAction::Sell,
        Action::Hold => SignalAction::Hold,
    };
    let (target_price, stop_loss) = levels(action, setting.close, setting.atr);
    let signal = Signal {
        symbol: setting.company.symbol.clone(),
        date: setting.date,
        model: manifest.version.clone(),
        company: setting.company.name.clone(),
        sector: setting.company.sector,
        action,
        confidence: decision.confidence,
        model_confidence: f64::from(raw[class_of(action).index()]),
        confidence_level: band(&decision),
        probabilities: Probabilities { buy, hold, sell },
        entry_price: setting.close,
        target_price,
        stop_loss,
        expected_return: decision.expected_return,
        risk_level: risk_level(setting.volatility),
        volatility: setting.volatility.map(|percent| percent / 100.0),
        rationale: String::new(),
        generated_at: setting.generated_at,
        valid_until: setting.date.plus_sessions(LIFE_SESSIONS).close(),
        cancelled_at: None,
        outcome: None,
    };
    (signal, decision)
}

fn class_of(action: SignalAction) -> Class {
    match action {
        SignalAction::Buy => Class::Buy,
        SignalAction::Sell => Class::Sell,
        SignalAction::Hold => Class::Hold,
    }
}

/// Target and stop of the proposed trade: twice and once the average true range away.
fn levels(action: SignalAction, close: Price, atr: f64) -> (Option<Price>, Option<Price>) {
    let at = |distance: f64| Price::round(close.decimal() + Decimal::from_f64(distance)?).ok();
    match action {
        SignalAction::Buy => (at(TARGET_ATR * atr), at(-STOP_ATR * atr)),
        SignalAction::Sell => (at(-TARGET_ATR * atr), at(STOP_ATR * atr)),
        SignalAction::Hold => (None, None),
    }
}

fn band(decision: &ModelDecision) -> Level {
    match decision.level {
        EdgeLevel::Low => Level::Low,
        EdgeLevel::Medium => Level::Medium,
        EdgeLevel::High => Level::High,
    }
}

/// By annualised volatility in percent: large US stocks lie around 25; without one the risk is unknown and counts as high.
fn risk_level(volatility: Option<f64>) -> Level {
    match volatility {
        Some(percent) if percent < 20.0 => Level::Low,
        Some(percent) if percent < 40.0 => Level::Medium,
        _ => Level::High,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::schedule;
    use domain::signal::SignalStatus;

    fn manifest() -> ModelManifest {
        serde_json::from_slice(include_bytes!("../../../../infra/model/manifest.json")).unwrap()
    }

    fn signal(date: &str) -> Signal {
        let company: Company = serde_json::from_str(
            r#"{"symbol": "KO", "name": "Coca-Cola", "sector": null, "industry": null, "market_cap": null, "currency": "USD",
                "exchange": "XNYS", "country": "US", "listed_on": null, "delisted_on": null, "is_active": true}"#,
        )
        .unwrap();
        let date: TradingDate = date.parse().unwrap();
        let setting = Setting {
            company: &company,
            date,
            close: "60".parse().unwrap(),
            atr: 1.0,
            volatility: None,
            generated_at: schedule::ingestion_of(date),
        };
        propose(&setting, [0.2, 0.3, 0.5], &manifest()).0
    }

    #[test]
    fn a_signal_lives_ten_sessions_of_the_exchanges_calendar() {
        for (date, ends, why) in [
            ("2022-01-03", "2022-01-18T21:00:00Z", "Martin Luther King Jr. Day is none"),
            ("2022-11-10", "2022-11-25T18:00:00Z", "Thanksgiving is none, and the day after ends at one"),
            ("2022-03-01", "2022-03-15T20:00:00Z", "summer time begins"),
            ("2022-10-28", "2022-11-11T21:00:00Z", "summer time ends"),
            ("2024-12-26", "2025-01-13T21:00:00Z", "a day of mourning and New Year are none"),
        ] {
            let signal = signal(date);
            let ends: Timestamp = ends.parse().unwrap();
            assert_eq!(signal.valid_until, ends, "{date}: {why}");
            let just_before = ends - jiff::SignedDuration::from_nanos(1);
            assert_eq!((signal.status(just_before), signal.status(ends)), (SignalStatus::Active, SignalStatus::Expired), "{date}");
            let replaced = Signal { cancelled_at: Some(just_before), ..signal };
            assert_eq!(replaced.status(ends), SignalStatus::Cancelled, "{date}");
        }
    }
}
