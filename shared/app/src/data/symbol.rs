//! One stock's step of a run: what is asked for, from whom, and what of it is kept.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use domain::{BarRecord, CorporateAction, Date, PriceHistory, Symbol, Timestamp, ToSpan, TradingDate, calendar};
use tracing::warn;

use super::{
    Data,
    gate::{self, Fault},
    prefetched::Prefetched,
    quarantine::{QuarantineState, QuarantinedBar},
    run::Added,
};
use crate::{
    UseCaseError,
    ports::{HistoryError, VendorError, VendorHistory, Version},
};

/// How often a write that lost a race is tried again.
const WRITE_TRIES: usize = 5;
/// Where a history begins for which nothing else is asked.
pub(super) const FIRST_DATE: Date = Date::constant(1986, 1, 1);
/// Bars that were fetched before are asked for again, since vendors restate their newest days.
const OVERLAP_SESSIONS: usize = 3;
/// Gaps in a history are looked for among the newest sessions only; what no vendor had for so long will not come.
pub(super) const GAP_SESSIONS: usize = 30;

/// How many days back the smallest plan tells of: two years, less a week for ways of counting.
const SMALL_PLAN_DAYS: i64 = 2 * 365 - 7;

/// What a run knows when it comes to a stock.
pub(super) struct Setting<'a> {
    pub(super) now: Timestamp,
    pub(super) first: Option<Date>,
    pub(super) prefetched: &'a Prefetched,
    pub(super) sample: &'a BTreeSet<Symbol>,
    pub(super) absent: &'a BTreeMap<Symbol, BTreeSet<Date>>,
    pub(super) quarantine: &'a BTreeMap<String, QuarantinedBar>,
}

/// Why a stock's step did not come to its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum StepError {
    /// No vendor answers any more today: the others need not be tried.
    #[error(transparent)]
    Quota(VendorError),
    /// No vendor has ever heard of it.
    #[error(transparent)]
    Unknown(VendorError),
    #[error(transparent)]
    Failed(#[from] UseCaseError),
}

impl From<VendorError> for StepError {
    fn from(error: VendorError) -> Self {
        match error {
            VendorError::QuotaExhausted { .. } => Self::Quota(error),
            VendorError::UnknownSymbol(..) => Self::Unknown(error),
            other => Self::Failed(other.into()),
        }
    }
}

impl From<HistoryError> for StepError {
    fn from(error: HistoryError) -> Self {
        Self::Failed(error.into())
    }
}

/// A stock's history as it shall be written.
pub(super) struct Prepared {
    history: PriceHistory,
    version: Option<Version>,
    pub(super) is_changed: bool,
    held: Vec<QuarantinedBar>,
    released: Vec<QuarantinedBar>,
    pub(super) added: Added,
}

impl Data {
    /// Everything but the writing.
    pub(super) async fn prepare(&self, symbol: &Symbol, setting: &Setting<'_>) -> Result<Prepared, StepError> {
        let (mut history, version) = self.stored(symbol).await?;
        let newest = known_before(&history, setting.now);
        let (told, absent) = self.fetch(symbol, &history, newest, setting).await?;
        let VendorHistory { mut bars, mut actions, rejected } = told;
        date_bars(&mut bars, &history, setting.now);
        history.date_knowledge(&mut actions, setting.now);

        let known = known_actions(&history, &actions, setting.now);
        let (bars, faults) = self.believe(symbol, bars, &known, &history, setting).await?;
        let mut held: Vec<QuarantinedBar> =
            faults.into_iter().map(|(record, fault)| QuarantinedBar::new(symbol, record, fault, setting.now)).collect();
        held.extend(rejected.iter().map(|row| QuarantinedBar::of_row(row, Some(symbol), setting.now)));
        let (bars, released) = decided(symbol, bars, &mut held, setting);

        // What becomes visible with this run, also where the store had it before its time came (a replay).
        let fresh = bars.iter().filter(|record| newest.is_none_or(|date| record.bar.date > date)).count();
        let restated_from = bars.iter().find(|record| is_restatement(record, &history, setting.now)).map(|record| record.bar.date.date());
        let (bars_added, actions_added) = history.merge(&bars, &actions);
        let mut quarantined = BTreeMap::new();
        for bar in held.iter().filter(|bar| setting.quarantine.get(&bar.id).is_none_or(|known| known.quarantined_at == setting.now)) {
            *quarantined.entry(bar.reason).or_insert(0) += 1;
        }
        let added = Added { bars: bars_added.max(fresh), actions: actions_added, quarantined, restated_from, absent };
        Ok(Prepared { is_changed: bars_added + actions_added > 0, history, version, held, released, added })
    }

    /// Writes what was prepared, preparing it again when somebody else wrote first.
    pub(super) async fn write(&self, mut prepared: Prepared, setting: &Setting<'_>) -> Result<Added, StepError> {
        let symbol = prepared.history.symbol.clone();
        for _ in 0..WRITE_TRIES {
            for bar in prepared.held.iter().chain(&prepared.released) {
                self.hold(bar).await?;
            }
            if !prepared.is_changed {
                return Ok(prepared.added);
            }
            match self.histories.write(&prepared.history, prepared.version.as_ref()).await {
                Ok(_) => return Ok(prepared.added),
                Err(HistoryError::Conflict(_)) => prepared = self.prepare(&symbol, setting).await?,
                Err(error) => return Err(error.into()),
            }
        }
        Err(UseCaseError::Busy.into())
    }

    /// What the vendors tell of the stock, and the sessions that none of them has a bar of.
    async fn fetch(
        &self,
        symbol: &Symbol,
        history: &PriceHistory,
        newest: Option<TradingDate>,
        setting: &Setting<'_>,
    ) -> Result<(VendorHistory, Vec<Date>), StepError> {
        let nothing = BTreeSet::new();
        let absent = setting.absent.get(symbol).unwrap_or(&nothing);
        let closed = calendar::last_closed_session(setting.now);
        let missing = gaps(history, closed, absent);
        let shared = setting.first.is_none() && newest.is_some() && setting.prefetched.covers(missing.iter().copied());
        let mut told = if shared {
            setting.prefetched.of(symbol)
        } else {
            let oldest_gap = missing.first().map(|date| date.date());
            let overlap = newest.map(|date| overlapped(date).date());
            let from = setting.first.or(overlap.map(|date| oldest_gap.map_or(date, |gap| gap.min(date)))).unwrap_or(FIRST_DATE);
            self.history_from_any(symbol, from, calendar::new_york_date(setting.now), setting.now).await?
        };
        let has = |told: &VendorHistory, date: TradingDate| told.bars.iter().any(|record| record.bar.date == date);
        let lacking: Vec<TradingDate> = lacking(history, &told, &missing, closed).into_iter().filter(|date| !has(&told, *date)).collect();
        // A stock that is known to skip sessions is not looked for elsewhere whenever it does.
        if absent.is_empty() && !lacking.is_empty() {
            self.fill(symbol, &lacking, &mut told, setting.now).await;
        }
        // The newest session may come later; an older one that nobody has was not traded.
        let mut gone: Vec<Date> = lacking.into_iter().filter(|date| *date < closed && !has(&told, *date)).map(TradingDate::date).collect();
        Ok((told, gone.split_off(gone.len().saturating_sub(GAP_SESSIONS))))
    }

    /// From the first vendor; from the second when the first fails; from the first again, as far back as small plans reach, when only the
    /// plan was in the way.
    async fn history_from_any(&self, symbol: &Symbol, from: Date, until: Date, now: Timestamp) -> Result<VendorHistory, StepError> {
        let error = match self.vendor.history(symbol, from, until, now).await {
            Ok(told) => return Ok(told),
            Err(error) => error,
        };
        let other = match &self.second {
            Some(second) => second.history(symbol, from, until, now).await,
            None => Err(error.clone()),
        };
        let reach = until.saturating_sub(SMALL_PLAN_DAYS.days());
        match (error, other) {
            (_, Ok(told)) => Ok(told),
            (VendorError::NotInPlan(..), Err(_)) if from < reach => Ok(self.vendor.history(symbol, reach, until, now).await?),
            (error, Err(other)) if self.second.is_none() || matches!(other, VendorError::QuotaExhausted { .. }) => Err(error.into()),
            (error @ VendorError::QuotaExhausted { .. }, Err(other)) => {
                warn!(%symbol, error = %other, "the second vendor does not help");
                Err(error.into())
            }
            (error @ VendorError::UnknownSymbol(..), Err(VendorError::UnknownSymbol(..))) => Err(error.into()),
            (error, Err(other)) => Err(UseCaseError::Unavailable(format!("{error}; {other}")).into()),
        }
    }

    /// Adds the second vendor's bars of sessions that the first does not tell. Nothing depends on it today: a failure is only logged.
    async fn fill(&self, symbol: &Symbol, lacking: &[TradingDate], told: &mut VendorHistory, now: Timestamp) {
        let (Some(second), Some(first), Some(last)) = (&self.second, lacking.first(), lacking.last()) else { return };
        match second.history(symbol, first.date(), last.date(), now).await {
            Ok(other) => {
                told.bars.extend(other.bars.into_iter().filter(|record| lacking.contains(&record.bar.date)));
                told.bars.sort_by_key(|record| record.bar.date);
            }
            Err(error) => warn!(%symbol, %error, "gaps are not filled"),
        }
    }

    /// Sends bars through the gate. What needs a second vendor's word is put to him, and so is the newest bar of a sampled stock.
    async fn believe(
        &self,
        symbol: &Symbol,
        bars: Vec<BarRecord>,
        actions: &[CorporateAction],
        history: &PriceHistory,
        setting: &Setting<'_>,
    ) -> Result<(Vec<BarRecord>, Vec<(BarRecord, Fault)>), StepError> {
        let (passed, held) = gate::sift(bars.clone(), actions, history, &BTreeSet::new());
        let newest = calendar::last_closed_session(setting.now);
        let sampled = setting.sample.contains(symbol).then_some(newest);
        let doubtful = held.iter().filter(|(_, fault)| fault.reason.yields_to_agreement()).map(|(record, _)| record.bar.date);
        let asked: BTreeSet<TradingDate> = doubtful.chain(sampled).collect();
        let (Some(second), Some(first), Some(last)) = (&self.second, asked.first(), asked.last()) else { return Ok((passed, held)) };
        let other = match second.history(symbol, first.date(), last.date(), setting.now).await {
            Ok(other) => other.bars,
            Err(error) => {
                warn!(%symbol, %error, "the second vendor is not there to compare with");
                return Ok((passed, held));
            }
        };
        let counterpart = |record: &BarRecord| {
            let of_session = other.iter().find(|other| other.bar.date == record.bar.date);
            of_session.filter(|other| other.source != record.source && asked.contains(&other.bar.date)).map(|other| other.bar)
        };
        let vouched = bars.iter().filter(|record| counterpart(record).is_some_and(|other| gate::agree(&record.bar, &other)));
        let vouched: BTreeSet<TradingDate> = vouched.map(|record| record.bar.date).collect();
        let (passed, mut held) = gate::sift(bars, actions, history, &vouched);
        let (denied, passed): (Vec<_>, Vec<_>) = passed.into_iter().partition(|record| {
            let is_sampled = Some(record.bar.date) == sampled;
            is_sampled && counterpart(record).is_some_and(|other| !gate::agree(&record.bar, &other))
        });
        held.extend(denied.into_iter().filter_map(|record| {
            let fault = gate::disagreement(&record.bar, &counterpart(&record)?)?;
            Some((record, fault))
        }));
        Ok((passed, held))
    }

    pub(super) async fn stored(&self, symbol: &Symbol) -> Result<(PriceHistory, Option<Version>), UseCaseError> {
        let stored = self.histories.read(symbol).await?;
        Ok(match stored {
            Some((history, version)) => (Arc::unwrap_or_clone(history), Some(version)),
            None => (PriceHistory::new(symbol.clone()), None),
        })
    }
}

/// Applies what was decided about these very bars before: a discarded one stays out although no rule minds it, a released one is in although
/// a rule does, and one that waited for an explanation is released when it has come.
fn decided(
    symbol: &Symbol,
    passed: Vec<BarRecord>,
    held: &mut Vec<QuarantinedBar>,
    setting: &Setting<'_>,
) -> (Vec<BarRecord>, Vec<QuarantinedBar>) {
    let state = |id: &str| setting.quarantine.get(id);
    let (mut bars, mut released) = (Vec::with_capacity(passed.len()), vec![]);
    for record in passed {
        match state(&QuarantinedBar::id_of(symbol, &record.bar)) {
            Some(known) if known.state == QuarantineState::Discarded => {}
            Some(known) if known.state == QuarantineState::Held && !known.reason.yields_to_agreement() => {}
            Some(known) if known.state == QuarantineState::Held => {
                released.push(QuarantinedBar { state: QuarantineState::Released, ..known.clone() });
                bars.push(BarRecord { known_at: setting.now, ..record });
            }
            _ => bars.push(record),
        }
    }
    held.retain(|bar| {
        let is_released = state(&bar.id).is_some_and(|known| known.state == QuarantineState::Released);
        if is_released {
            bars.extend(bar.record.map(|record| BarRecord { known_at: setting.now, ..record }));
        }
        !is_released
    });
    bars.sort_by_key(|record| record.bar.date);
    (bars, released)
}

/// The newest session that was known before this run.
fn known_before(history: &PriceHistory, now: Timestamp) -> Option<TradingDate> {
    history.bars.iter().filter(|record| record.known_at < now).map(|record| record.bar.date).max()
}

/// Dates what the vendors tell: a bar that contradicts the stored one, and one of a session that was followed without it, is known from
/// `now` on. History before the first stored bar keeps the instant at which everybody knew it.
fn date_bars(bars: &mut [BarRecord], stored: &PriceHistory, now: Timestamp) {
    let first = stored.bars.first().map(|record| record.bar.date);
    for record in bars {
        match stored.bar_on(record.bar.date.date()) {
            Some(known) if known.bar != record.bar => record.known_at = now,
            None if first.is_some_and(|first| record.bar.date > first) => record.known_at = record.known_at.max(now),
            _ => {}
        }
    }
}

/// Whether something else was known of the session before `now`. A run that was interrupted finds its own restatement stored.
fn is_restatement(record: &BarRecord, stored: &PriceHistory, now: Timestamp) -> bool {
    let Some(known) = stored.bar_on(record.bar.date.date()) else { return false };
    let versions = stored.bars.iter().filter(|other| other.bar.date == record.bar.date).count();
    known.bar != record.bar || (known.known_at == now && versions > 1)
}

/// Sessions without a bar among the newest, from the first stored bar on; after the last one all.
fn gaps(history: &PriceHistory, closed: TradingDate, absent: &BTreeSet<Date>) -> Vec<TradingDate> {
    let (Some(first), Some(last)) = (history.bars.first(), history.bars.last()) else { return vec![] };
    let earliest = (0..GAP_SESSIONS).fold(closed, |date, _| date.previous()).min(last.bar.date).max(first.bar.date);
    let is_missing = |date: &TradingDate| history.bar_on(date.date()).is_none() && !absent.contains(&date.date());
    calendar::sessions(earliest.date(), closed.date()).filter(is_missing).collect()
}

/// Sessions that should have been told: the gaps, and those between the first bar that was told and the newest session.
fn lacking(history: &PriceHistory, told: &VendorHistory, missing: &[TradingDate], closed: TradingDate) -> Vec<TradingDate> {
    let Some(first) = told.bars.first().filter(|_| history.bars.is_empty()) else { return missing.to_vec() };
    let dates: BTreeSet<TradingDate> = told.bars.iter().map(|record| record.bar.date).collect();
    calendar::sessions(first.bar.date.date(), closed.date()).filter(|date| !dates.contains(date)).collect()
}

fn overlapped(date: TradingDate) -> TradingDate {
    (0..OVERLAP_SESSIONS).fold(date, |date, _| date.previous())
}

/// What explains a jump: what was known and what has just been told.
fn known_actions(history: &PriceHistory, told: &[CorporateAction], now: Timestamp) -> Vec<CorporateAction> {
    let mut all = PriceHistory { bars: vec![], ..history.clone() };
    all.merge(&[], told);
    all.known_at(now).actions
}
