//! What became of signals, once the sessions of their life are over.

use analysis::{
    LIFE_SESSIONS, Series,
    labels::{self, Class, Label},
};
use domain::{
    PriceHistory, Timestamp, TradingDate, calendar,
    signal::{Signal, SignalAction, SignalOutcome},
};

use super::{Signals, performance};
use crate::UseCaseError;

/// How far back unevaluated days are looked for: the life of a signal and a fortnight in case the job did not run.
const LOOK_BACK: usize = LIFE_SESSIONS + 15;

/// The average true range that levels are measured in is that of the feature `atr_14`.
const ATR_SESSIONS: usize = 14;

impl Signals {
    /// Evaluates every day whose signals have all ended and were not evaluated yet. Returns the number of days.
    pub async fn evaluate(&self, now: Timestamp) -> Result<usize, UseCaseError> {
        let last = calendar::last_closed_session(now);
        let days = std::iter::successors(Some(last), |date| Some(date.previous())).skip(LIFE_SESSIONS).take(LOOK_BACK - LIFE_SESSIONS);
        // The oldest first: what is interrupted leaves no gap behind, so that the first complete day found ends the search.
        let mut open = vec![];
        for date in days {
            let signals = self.store.days(&[date.date()]).await?;
            if !signals.is_empty() && signals.iter().all(|signal| signal.outcome.is_some()) {
                break;
            }
            open.push((date, signals));
        }
        let mut evaluated = 0;
        for (date, signals) in open.into_iter().rev().filter(|(_, signals)| !signals.is_empty()) {
            evaluated += usize::from(self.evaluate_day(date, signals, now).await?);
        }
        Ok(evaluated)
    }

    async fn evaluate_day(&self, date: TradingDate, mut signals: Vec<Signal>, now: Timestamp) -> Result<bool, UseCaseError> {
        let symbols: Vec<_> = signals.iter().map(|signal| signal.symbol.clone()).collect();
        let histories = self.market.histories(&symbols, now).await?;
        for (signal, history) in signals.iter_mut().zip(&histories) {
            signal.outcome = signal.outcome.or_else(|| outcome(signal, history));
        }
        if signals.iter().all(|signal| signal.outcome.is_none()) {
            return Ok(false);
        }
        // The summary first: a crash between the two writes repeats both, and the same again.
        self.store.put_performance(&performance::of_day(date.date(), &signals)).await?;
        self.store.update_day(date.date(), &signals).await?;
        Ok(true)
    }
}

/// `None` while the life of the signal has not ended in this history.
pub(super) fn outcome(signal: &Signal, history: &PriceHistory) -> Option<SignalOutcome> {
    let last = history.last_bar()?.date;
    let series = Series::new(history, last.date());
    let index = series.index_of(signal.date.date())?;
    let mut ranges = vec![f64::NAN; series.len()];
    analysis::indicators::atr(&series, ATR_SESSIONS, &mut ranges);
    let label = labels::label(&series, index, ranges[index])?;
    Some(judge(signal.action, &label, &series, index))
}

pub(crate) fn judge(action: SignalAction, label: &Label, series: &Series, index: usize) -> SignalOutcome {
    let class = match label.class {
        Class::Buy => SignalAction::Buy,
        Class::Sell => SignalAction::Sell,
        Class::Hold => SignalAction::Hold,
    };
    let (trade_return, exit) = match action {
        SignalAction::Buy => (label.long.gain, label.long.date),
        SignalAction::Sell => (label.short.gain, label.short.date),
        SignalAction::Hold => {
            let end = (index + LIFE_SESSIONS).min(series.len() - 1);
            (series.close()[end] / series.open()[index + 1] - 1.0, series.dates()[end])
        }
    };
    SignalOutcome { hit: class == action, class, trade_return, exit_date: exit.date() }
}
