//! Signals: what the model proposes, why, and what became of it.

mod board;
pub(crate) mod evaluate;
pub(crate) mod generate;
pub mod performance;
mod restate;
mod words;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use analysis::MODEL_FEATURES;
use domain::{
    Date, Symbol, Timestamp, TradingDate, UserId, calendar,
    signal::{Explanation, Signal, SignalAction, SignalId, SignalStatus},
};

use board::{key, see};

pub use board::{Board, SeenSignal, SignalFilter};
pub use generate::Generated;
pub use performance::{PerformanceSummary, summarize};
pub use restate::Restated;

use crate::{
    UseCaseError,
    market::Market,
    ports::{Models, PortfolioStore, SignalStore},
};

/// Without a date, lists reach back this many sessions: every signal that can still be acted on, and then some.
pub const LISTED_SESSIONS: usize = 30;

/// The use cases of signals.
#[derive(Clone)]
pub struct Signals {
    market: Market,
    store: Arc<dyn SignalStore>,
    /// Knows which signals a user has acted on.
    portfolios: Arc<dyn PortfolioStore>,
    models: Option<Arc<dyn Models>>,
    /// The newest day whose signals are complete, as this process last saw them.
    newest: Arc<Mutex<Option<Day>>>,
}

/// All signals of one session.
type Day = (TradingDate, Arc<Vec<Signal>>);

/// A signal with everything that explains it.
#[derive(Debug, Clone, PartialEq)]
pub struct ExplainedSignal {
    pub seen: SeenSignal,
    pub explanation: Explanation,
}

impl Signals {
    /// `models` is needed where signals are generated, and only there.
    pub fn new(market: Market, store: Arc<dyn SignalStore>, portfolios: Arc<dyn PortfolioStore>, models: Option<Arc<dyn Models>>) -> Self {
        Self { market, store, portfolios, models, newest: Arc::default() }
    }

    /// What `user` is shown of the signals of `date`, or of the last [`LISTED_SESSIONS`].
    pub async fn board(&self, user: &UserId, date: Option<Date>, now: Timestamp) -> Result<Board, UseCaseError> {
        let dates = date.map_or_else(|| recent_dates(now), |date| vec![date]);
        let oldest = dates.iter().min().copied().unwrap_or_default();
        let (days, decisions) = futures::try_join!(self.store.glance(&dates), self.portfolios.decisions(user, oldest))?;
        Ok(Board { days, decisions, now })
    }

    /// The signals of one stock on `dates`, in their order, as far as they were made by `now`.
    pub async fn of_stock(&self, symbol: &Symbol, dates: &[Date], now: Timestamp) -> Result<Vec<Signal>, UseCaseError> {
        let mut signals = self.store.days(dates).await?;
        signals.retain(|signal| signal.symbol == *symbol && signal.generated_at <= now);
        Ok(signals)
    }

    /// How many signals can be acted on, by action, and the newest session that has any signals. One that is older than a signal's
    /// life is not looked for.
    pub async fn standing(&self, now: Timestamp) -> Result<(BTreeMap<SignalAction, usize>, Option<Date>), UseCaseError> {
        let mut counts = BTreeMap::from(SignalAction::ALL.map(|action| (action, 0)));
        let dates: Vec<Date> = recent_dates(now).into_iter().take(analysis::LIFE_SESSIONS + 1).collect();
        let days = self.store.glance(&dates).await?;
        let signals = || days.iter().flat_map(|day| day.iter()).filter(|signal| signal.generated_at <= now);
        for signal in signals().filter(|signal| signal.status(now) == SignalStatus::Active) {
            *counts.entry(signal.action).or_default() += 1;
        }
        Ok((counts, signals().map(|signal| signal.date.date()).max()))
    }

    /// Whether any signal of `date` is stored.
    pub async fn exist_on(&self, date: Date) -> Result<bool, UseCaseError> {
        Ok(!self.store.days(&[date]).await?.is_empty())
    }

    pub async fn find(&self, id: &SignalId) -> Result<Signal, UseCaseError> {
        let day = self.store.days(&[id.date.date()]).await?;
        day.into_iter()
            .find(|signal| signal.symbol == id.symbol && signal.model == id.model)
            .ok_or_else(|| UseCaseError::NotFound(format!("signal {id}")))
    }

    pub async fn explain(&self, user: &UserId, id: &SignalId, now: Timestamp) -> Result<ExplainedSignal, UseCaseError> {
        let (signal, explanation, decision) =
            futures::try_join!(self.find(id), async { self.store.explanation(id).await.map_err(UseCaseError::from) }, async {
                self.portfolios.decision(user, id).await.map_err(UseCaseError::from)
            })?;
        let explanation = explanation.ok_or_else(|| UseCaseError::NotFound(format!("explanation of signal {id}")))?;
        let decided = decision.iter().map(|decision| (key(id), decision)).collect();
        Ok(ExplainedSignal { seen: see(&signal, &decided, now), explanation })
    }

    /// Computed from what really happened to all signals that have ended.
    pub async fn performance(&self, now: Timestamp) -> Result<PerformanceSummary, UseCaseError> {
        let recent = recent_dates(now);
        let (days, signals) = futures::try_join!(self.store.performance(), self.store.glance(&recent))?;
        let signals = || signals.iter().flat_map(|day| day.iter());
        let active = signals().filter(|signal| signal.status(now) == SignalStatus::Active).count();
        let unevaluated = signals().filter(|signal| signal.outcome.is_none()).count();
        Ok(summarize(&days, active, unevaluated))
    }

    /// Names of the model's features, in its order.
    pub fn feature_names() -> &'static [&'static str] {
        MODEL_FEATURES
    }
}

/// The newest sessions that can have signals at `now`, newest first.
fn recent_dates(now: Timestamp) -> Vec<Date> {
    let newest = calendar::last_closed_session(now);
    std::iter::successors(Some(newest), |date| Some(TradingDate::previous(*date))).take(LISTED_SESSIONS).map(TradingDate::date).collect()
}
