//! How good the signals were: sums a day, added up on reading.

use std::collections::BTreeMap;

use analysis::metrics;
use domain::{
    Date,
    signal::{Signal, SignalAction},
};
use serde::{Deserialize, Serialize};

/// Bins of equal width over 0..1 for the calibration table.
const BINS: usize = 10;

/// Sums over evaluated signals; they add.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    pub signals: u64,
    pub confidence: f64,
    /// Signals whose class came true.
    pub hits: u64,
    /// Those that proposed a trade.
    pub trades: u64,
    pub trade_returns: f64,
    pub winning_trades: u64,
}

/// What became of one date's signals.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DayPerformance {
    pub date: Date,
    pub all: Tally,
    /// Sum of squared errors over the three classes.
    pub brier: f64,
    pub bins: [Tally; BINS],
    pub by_sector: BTreeMap<String, Tally>,
    pub by_confidence: BTreeMap<String, Tally>,
    pub by_model: BTreeMap<String, Tally>,
}

/// Of one group of signals; `None` where there is nothing to divide by.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupPerformance {
    pub signals: u64,
    pub accuracy: Option<f64>,
    pub avg_return: Option<f64>,
    pub win_rate: Option<f64>,
}

/// One bin of the reliability table.
#[derive(Debug, Clone, PartialEq)]
pub struct CalibrationBin {
    pub bin_low: f64,
    pub bin_high: f64,
    pub signals: u64,
    pub mean_confidence: Option<f64>,
    pub hit_rate: Option<f64>,
}

/// Rates and returns as fractions.
#[derive(Debug, Clone, PartialEq)]
pub struct PerformanceSummary {
    pub total_signals: u64,
    pub active_signals: usize,
    pub evaluated_signals: u64,
    pub accuracy: Option<f64>,
    pub avg_return: Option<f64>,
    pub win_rate: Option<f64>,
    /// Of the daily mean returns of the proposed trades, annualised.
    pub sharpe_ratio: Option<f64>,
    /// Of the cumulated daily mean returns, each spread over the life of its trades.
    pub max_drawdown: Option<f64>,
    pub brier_score: Option<f64>,
    pub calibration: Vec<CalibrationBin>,
    pub by_sector: BTreeMap<String, GroupPerformance>,
    pub by_confidence: BTreeMap<String, GroupPerformance>,
    pub by_model: BTreeMap<String, GroupPerformance>,
}

impl Tally {
    fn add(&mut self, other: &Self) {
        self.signals += other.signals;
        self.confidence += other.confidence;
        self.hits += other.hits;
        self.trades += other.trades;
        self.trade_returns += other.trade_returns;
        self.winning_trades += other.winning_trades;
    }

    fn group(&self) -> GroupPerformance {
        GroupPerformance {
            signals: self.signals,
            accuracy: ratio(self.hits as f64, self.signals),
            avg_return: ratio(self.trade_returns, self.trades),
            win_rate: ratio(self.winning_trades as f64, self.trades),
        }
    }
}

fn ratio(sum: f64, count: u64) -> Option<f64> {
    (count > 0).then(|| sum / count as f64)
}

/// Sums over the evaluated ones of one date's signals.
pub(crate) fn of_day(date: Date, signals: &[Signal]) -> DayPerformance {
    let mut day = DayPerformance {
        date,
        all: Tally::default(),
        brier: 0.0,
        bins: [Tally::default(); BINS],
        by_sector: BTreeMap::new(),
        by_confidence: BTreeMap::new(),
        by_model: BTreeMap::new(),
    };
    for signal in signals {
        let Some(outcome) = signal.outcome else { continue };
        let is_trade = signal.action != SignalAction::Hold;
        let one = Tally {
            signals: 1,
            confidence: signal.confidence,
            hits: u64::from(outcome.hit),
            trades: u64::from(is_trade),
            trade_returns: if is_trade { outcome.trade_return } else { 0.0 },
            winning_trades: u64::from(is_trade && outcome.trade_return > 0.0),
        };
        day.all.add(&one);
        day.brier += squared_error(signal, outcome.class);
        day.bins[bin_of(signal.confidence)].add(&one);
        let sector = signal.sector.map_or("Unknown", domain::Sector::name);
        day.by_sector.entry(sector.to_owned()).or_default().add(&one);
        day.by_confidence.entry(signal.confidence_level.name().to_owned()).or_default().add(&one);
        day.by_model.entry(signal.model.clone()).or_default().add(&one);
    }
    day
}

/// Brier's original score of a forecast over several classes (1950): 0 is perfect, 2 is worst.
fn squared_error(signal: &Signal, came_true: SignalAction) -> f64 {
    let error = |probability: f64, class| (probability - f64::from(u8::from(class == came_true))).powi(2);
    let chances = &signal.probabilities;
    error(chances.buy, SignalAction::Buy) + error(chances.hold, SignalAction::Hold) + error(chances.sell, SignalAction::Sell)
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a confidence is 0..1
fn bin_of(confidence: f64) -> usize {
    ((confidence * BINS as f64) as usize).min(BINS - 1)
}

/// Adds up the days. `unevaluated` are recent signals whose life has not ended.
pub fn summarize(days: &[DayPerformance], active: usize, unevaluated: usize) -> PerformanceSummary {
    let mut all = Tally::default();
    let mut bins = [Tally::default(); BINS];
    let mut brier = 0.0;
    for day in days {
        all.add(&day.all);
        brier += day.brier;
        bins.iter_mut().zip(&day.bins).for_each(|(sum, bin)| sum.add(bin));
    }
    let daily: Vec<f64> = days
        .iter()
        .filter_map(|day| ratio(day.all.trade_returns, day.all.trades))
        .map(|mean| mean / analysis::LIFE_SESSIONS as f64)
        .collect();
    let dates = days.iter().filter(|day| day.all.trades > 0).map(|day| day.date);
    let curve: Vec<(Date, f64)> = dates
        .zip(daily.iter().scan(1.0, |value, change| {
            *value *= 1.0 + change;
            Some(*value)
        }))
        .collect();
    let total = all.group();
    PerformanceSummary {
        total_signals: all.signals + unevaluated as u64,
        active_signals: active,
        evaluated_signals: all.signals,
        accuracy: total.accuracy,
        avg_return: total.avg_return,
        win_rate: total.win_rate,
        sharpe_ratio: metrics::sharpe_ratio(&daily, 0.0),
        max_drawdown: metrics::max_drawdown(&curve).map(|drawdown| drawdown.depth),
        brier_score: ratio(brier, all.signals),
        calibration: calibration(&bins),
        by_sector: merge(days, |day| &day.by_sector),
        by_confidence: merge(days, |day| &day.by_confidence),
        by_model: merge(days, |day| &day.by_model),
    }
}

/// Only bins that have signals: an empty bin says nothing.
fn calibration(bins: &[Tally; BINS]) -> Vec<CalibrationBin> {
    let bound = |index: usize| index as f64 / BINS as f64;
    let filled = bins.iter().enumerate().filter(|(_, bin)| bin.signals > 0);
    filled
        .map(|(index, bin)| CalibrationBin {
            bin_low: bound(index),
            bin_high: bound(index + 1),
            signals: bin.signals,
            mean_confidence: ratio(bin.confidence, bin.signals),
            hit_rate: ratio(bin.hits as f64, bin.signals),
        })
        .collect()
}

fn merge(days: &[DayPerformance], group: impl Fn(&DayPerformance) -> &BTreeMap<String, Tally>) -> BTreeMap<String, GroupPerformance> {
    let mut sums: BTreeMap<String, Tally> = BTreeMap::new();
    for (name, tally) in days.iter().flat_map(group) {
        sums.entry(name.clone()).or_default().add(tally);
    }
    sums.into_iter().map(|(name, tally)| (name, tally.group())).collect()
}
