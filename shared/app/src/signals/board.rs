//! What one user is shown of the signals of some days.

use std::{collections::BTreeMap, sync::Arc};

use domain::{
    Sector, Symbol, Timestamp, TradingDate,
    signal::{Signal, SignalAction, SignalId, SignalStatus},
};

use crate::ports::{Decision, DecisionKind};

/// Signals of some days as one user sees them at an instant.
#[derive(Debug, Clone)]
pub struct Board {
    pub(super) days: Vec<Arc<Vec<Signal>>>,
    pub(super) decisions: Vec<Decision>,
    pub(super) now: Timestamp,
}

/// Which signals are wanted; an empty filter means all.
#[derive(Debug, Clone, Default)]
pub struct SignalFilter {
    pub symbol: Option<Symbol>,
    pub action: Option<SignalAction>,
    pub confidence_min: Option<f64>,
    pub confidence_max: Option<f64>,
    pub sector: Option<Sector>,
    pub status: Option<SignalStatus>,
}

/// A signal as one user sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct SeenSignal {
    pub signal: Signal,
    pub status: SignalStatus,
    pub decision: Option<Decision>,
}

impl Board {
    /// The days, in their order: the same copies again as long as nothing is known to have changed.
    pub fn days(&self) -> &[Arc<Vec<Signal>>] {
        &self.days
    }

    /// Whether the user is shown what everybody is: nothing here has been decided.
    pub fn is_undecided(&self) -> bool {
        self.decisions.is_empty()
    }

    /// As long as days and decisions stay, what is shown now is shown at every instant until this one.
    pub fn unchanged_until(&self) -> Timestamp {
        let signals = self.days.iter().flat_map(|day| day.iter());
        let changes = signals.flat_map(|signal| [Some(signal.generated_at), Some(signal.valid_until), signal.cancelled_at]);
        changes.flatten().filter(|change| *change > self.now).min().unwrap_or(Timestamp::MAX)
    }

    /// The matching signals, day by day and by falling confidence within one; and how many match in all.
    pub fn page(&self, filter: &SignalFilter, skip: usize, limit: usize) -> (Vec<SeenSignal>, usize) {
        let decided: Decided<'_> = self.decisions.iter().map(|decision| (key(&decision.signal), decision)).collect();
        let (mut page, mut total) = (Vec::with_capacity(limit.min(100)), 0);
        for day in &self.days {
            let known = day.iter().filter(|signal| signal.generated_at <= self.now);
            let mut matching: Vec<&Signal> = known.filter(|signal| filter.matches(signal, &decided, self.now)).collect();
            let (before, wanted) = (skip.saturating_sub(total), limit - page.len());
            total += matching.len();
            if before < matching.len() && wanted > 0 {
                matching.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
                page.extend(matching.into_iter().skip(before).take(wanted).map(|signal| see(signal, &decided, self.now)));
            }
        }
        (page, total)
    }
}

/// A user's decisions by the parts of the signals' ids.
type Decided<'a> = BTreeMap<(TradingDate, &'a Symbol, &'a str), &'a Decision>;

pub(super) fn key(id: &SignalId) -> (TradingDate, &Symbol, &str) {
    (id.date, &id.symbol, &id.model)
}

fn decision<'a>(signal: &'a Signal, decided: &Decided<'a>) -> Option<&'a Decision> {
    decided.get(&(signal.date, &signal.symbol, signal.model.as_str())).copied()
}

fn status(signal: &Signal, decision: Option<&Decision>, now: Timestamp) -> SignalStatus {
    let is_accepted = decision.is_some_and(|decision| decision.kind == DecisionKind::Accept);
    if is_accepted { SignalStatus::Executed } else { signal.status(now) }
}

pub(super) fn see<'a>(signal: &'a Signal, decided: &Decided<'a>, now: Timestamp) -> SeenSignal {
    let decision = decision(signal, decided);
    SeenSignal { status: status(signal, decision, now), signal: signal.clone(), decision: decision.cloned() }
}

impl SignalFilter {
    fn matches<'a>(&self, signal: &'a Signal, decided: &Decided<'a>, now: Timestamp) -> bool {
        self.symbol.as_ref().is_none_or(|symbol| signal.symbol == *symbol)
            && self.action.is_none_or(|action| signal.action == action)
            && self.confidence_min.is_none_or(|least| signal.confidence >= least)
            && self.confidence_max.is_none_or(|most| signal.confidence <= most)
            && self.sector.is_none_or(|sector| signal.sector == Some(sector))
            && self.status.is_none_or(|wanted| status(signal, decision(signal, decided), now) == wanted)
    }
}
