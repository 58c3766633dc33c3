//! What becomes of signals when a vendor corrects the bars that they were made of.
//!
//! What users saw is not rewritten: a signal that can still be acted on is withdrawn, and the next session brings one made of the corrected
//! bars. Outcomes are measurements, and measured again. Fills stay: they happened at the prices that were known.

use std::collections::BTreeMap;

use analysis::LIFE_SESSIONS;
use domain::{Date, Symbol, Timestamp, TradingDate, calendar, signal::Signal};

use super::{Signals, evaluate::outcome, performance};
use crate::UseCaseError;

/// No outcome older than about a year is measured again.
const LOOK_BACK: usize = 250;

/// What a correction changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Restated {
    pub withdrawn: usize,
    pub judged_again: usize,
}

impl Signals {
    /// Withdraws the active signals of the restated stocks and judges the evaluated ones again, each from the oldest date concerned on. Safe
    /// to repeat.
    pub async fn restate(&self, restated: &BTreeMap<Symbol, Date>, now: Timestamp) -> Result<Restated, UseCaseError> {
        let mut done = Restated::default();
        let Some(oldest) = restated.values().min() else { return Ok(done) };
        // A signal looks ahead for its whole life.
        let first = (0..LIFE_SESSIONS).fold(TradingDate::on_or_before(*oldest), |date, _| date.previous());
        let newest = calendar::last_closed_session(now);
        let days = std::iter::successors(Some(newest), |date| Some(date.previous())).take(LOOK_BACK).take_while(|date| *date >= first);
        for date in days {
            let day = self.restate_day(date, restated, now).await?;
            done.withdrawn += day.withdrawn;
            done.judged_again += day.judged_again;
        }
        Ok(done)
    }

    async fn restate_day(&self, date: TradingDate, restated: &BTreeMap<Symbol, Date>, now: Timestamp) -> Result<Restated, UseCaseError> {
        let mut signals = self.store.days(&[date.date()]).await?;
        let mut day = Restated::default();
        for signal in &mut signals {
            let Some(from) = restated.get(&signal.symbol) else { continue };
            if signal.outcome.is_some() {
                let history = self.market.history(&signal.symbol, now).await?;
                let again = outcome(signal, &history);
                if again.is_some() && again != signal.outcome {
                    signal.outcome = again;
                    day.judged_again += 1;
                }
            } else if is_active(signal, now) && date.date() >= *from {
                signal.cancelled_at = Some(now);
                day.withdrawn += 1;
            }
        }
        if day.judged_again > 0 {
            self.store.put_performance(&performance::of_day(date.date(), &signals)).await?;
        }
        if day != Restated::default() {
            self.store.update_day(date.date(), &signals).await?;
        }
        Ok(day)
    }
}

fn is_active(signal: &Signal, now: Timestamp) -> bool {
    signal.cancelled_at.is_none() && now < signal.valid_until
}
