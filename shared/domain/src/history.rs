//! A stock's stored past: bars as traded and corporate actions, each with its source and the instant it became known.
//!
//! Adjusted prices are never stored. They are computed on reading from what was known, as of a date, so that no
//! value can contain a split or dividend that was still to come.

use jiff::{Timestamp, civil::Date};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{ActionKind, Bar, CorporateAction, Symbol};

/// Who said so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The real data that ships with the program.
    Bundled,
    Polygon,
    Tiingo,
}

impl Source {
    pub fn name(self) -> &'static str {
        match self {
            Self::Bundled => "bundled",
            Self::Polygon => "polygon",
            Self::Tiingo => "tiingo",
        }
    }
}

/// A bar, who reported it, and since when this system has known it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BarRecord {
    #[serde(flatten)]
    pub bar: Bar,
    pub source: Source,
    pub known_at: Timestamp,
}

/// Everything stored of one stock. `bars` are sorted by date, then by `known_at`: a restatement follows what it
/// restates. `actions` are sorted by ex-date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceHistory {
    pub symbol: Symbol,
    pub bars: Vec<BarRecord>,
    pub actions: Vec<CorporateAction>,
}

/// What to multiply a day's raw prices and volume by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Adjustment {
    /// For open, high, low and close: splits and spin-offs.
    pub price: Decimal,
    /// For the total-return close: splits, spin-offs and reinvested dividends.
    pub total_return: Decimal,
    /// For the volume: splits.
    pub volume: Decimal,
}

impl PriceHistory {
    pub fn new(symbol: Symbol) -> Self {
        Self { symbol, bars: Vec::new(), actions: Vec::new() }
    }

    /// The history as someone saw it at `instant`: later bars, later restatements and later announcements removed, and of
    /// each date's versions the newest kept.
    pub fn known_at(&self, instant: Timestamp) -> Self {
        let mut bars: Vec<BarRecord> = Vec::with_capacity(self.bars.len());
        for record in self.bars.iter().filter(|record| record.known_at <= instant) {
            match bars.last_mut() {
                Some(last) if last.bar.date == record.bar.date => *last = *record,
                _ => bars.push(*record),
            }
        }
        let actions = self.actions.iter().filter(|action| action.known_at <= instant).cloned().collect();
        Self { symbol: self.symbol.clone(), bars, actions }
    }

    pub fn last_bar(&self) -> Option<&Bar> {
        self.bars.last().map(|record| &record.bar)
    }

    /// The bar of `date`, the newest version.
    pub fn bar_on(&self, date: Date) -> Option<&BarRecord> {
        let end = self.bars.partition_point(|record| record.bar.date.date() <= date);
        self.bars[..end].last().filter(|record| record.bar.date.date() == date)
    }

    /// Adds bars and actions, keeping order; what is already there to the letter is not added again.
    /// A different bar of a known date is a restatement and is kept beside the old one.
    /// Returns how many bars and actions were added.
    pub fn merge(&mut self, bars: &[BarRecord], actions: &[CorporateAction]) -> (usize, usize) {
        let (bars_before, actions_before) = (self.bars.len(), self.actions.len());
        for record in bars {
            if self.bar_on(record.bar.date.date()).is_none_or(|known| known.bar != record.bar) {
                let at = self.bars.partition_point(|known| (known.bar.date, known.known_at) <= (record.bar.date, record.known_at));
                self.bars.insert(at, *record);
            }
        }
        for action in actions {
            if !self.actions.iter().any(|known| known.ex_date == action.ex_date && known.kind == action.kind) {
                let at = self.actions.partition_point(|known| known.ex_date <= action.ex_date);
                self.actions.insert(at, action.clone());
            }
        }
        (self.bars.len() - bars_before, self.actions.len() - actions_before)
    }

    /// One adjustment a bar, on the basis of `as_of`: events with a later ex-date do not count.
    ///
    /// A dividend's factor is CRSP's: `1 − dividend / previous close`.
    pub fn adjustments(&self, as_of: Date) -> Vec<Adjustment> {
        let mut adjustments = vec![Adjustment { price: Decimal::ONE, total_return: Decimal::ONE, volume: Decimal::ONE }; self.bars.len()];
        let mut current = Adjustment { price: Decimal::ONE, total_return: Decimal::ONE, volume: Decimal::ONE };
        let mut events = self.actions.iter().rev().skip_while(|action| action.ex_date > as_of).peekable();
        for (index, record) in self.bars.iter().enumerate().rev() {
            // All events of one ex-date share the close before it, on the ex-date's own share basis.
            while let Some(action) = events.next_if(|action| action.ex_date > record.bar.date.date()) {
                let same_day_ratio: Decimal =
                    self.actions.iter().filter(|other| other.ex_date == action.ex_date).map(|other| other.kind.price_ratio()).product();
                let close_before = record.bar.close.decimal() / same_day_ratio;
                match action.kind {
                    ActionKind::Split { .. } | ActionKind::SpinOff { .. } => {
                        current.price /= action.kind.price_ratio();
                        current.total_return /= action.kind.price_ratio();
                        current.volume *= action.kind.share_ratio();
                    }
                    // A dividend of the whole price or more is a data fault that must not turn prices negative.
                    ActionKind::Dividend { amount, .. } if amount < close_before => {
                        current.total_return *= Decimal::ONE - amount / close_before;
                    }
                    ActionKind::Dividend { .. } => {}
                }
            }
            adjustments[index] = current;
        }
        adjustments
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Price, TradingDate};
    use jiff::civil::date;

    fn record(day: Date, close: &str, known_at: Timestamp) -> BarRecord {
        let price: Price = close.parse().unwrap();
        let bar = Bar { date: TradingDate::new(day).unwrap(), open: price, high: price, low: price, close: price, volume: 100 };
        BarRecord { bar, source: Source::Bundled, known_at }
    }

    fn action(ex_date: Date, kind: ActionKind) -> CorporateAction {
        CorporateAction { ex_date, kind, source: Source::Bundled, known_at: Timestamp::UNIX_EPOCH }
    }

    fn history() -> PriceHistory {
        let mut history = PriceHistory::new("AAPL".parse().unwrap());
        history.merge(
            &[
                record(date(2020, 8, 28), "500", Timestamp::UNIX_EPOCH),
                record(date(2020, 8, 31), "129", Timestamp::UNIX_EPOCH),
                record(date(2020, 9, 1), "134", Timestamp::UNIX_EPOCH),
            ],
            &[
                action(date(2020, 9, 1), ActionKind::Dividend { amount: Decimal::new(129, 2), pay_date: None }),
                action(date(2020, 8, 31), ActionKind::Split { ratio: Decimal::from(4) }),
            ],
        );
        history
    }

    #[test]
    fn splits_and_dividends_adjust_only_what_came_before_them() {
        let adjustments = history().adjustments(date(2020, 9, 1));
        let quarter = Decimal::new(25, 2);
        assert_eq!(adjustments.iter().map(|a| a.price).collect::<Vec<_>>(), [quarter, Decimal::ONE, Decimal::ONE]);
        assert_eq!(adjustments.iter().map(|a| a.volume).collect::<Vec<_>>(), [Decimal::from(4), Decimal::ONE, Decimal::ONE]);
        assert_eq!(
            adjustments.iter().map(|a| a.total_return).collect::<Vec<_>>(),
            [quarter * Decimal::new(99, 2), Decimal::new(99, 2), Decimal::ONE]
        );
    }

    #[test]
    fn an_event_still_to_come_does_not_count() {
        assert!(history().adjustments(date(2020, 8, 28)).iter().all(|a| a.price == Decimal::ONE && a.total_return == Decimal::ONE));
    }

    #[test]
    fn a_restatement_is_kept_beside_what_it_restates_and_known_from_its_own_instant() {
        let mut history = history();
        let later = Timestamp::from_second(1_600_000_000).unwrap();
        let restated = record(date(2020, 8, 31), "129.5", later);
        assert_eq!(history.merge(&[restated, restated], &[]), (1, 0));
        assert_eq!(history.bars.len(), 4);
        assert_eq!(history.known_at(Timestamp::UNIX_EPOCH).bars[1].bar.close.to_string(), "129");
        assert_eq!(history.known_at(later).bars[1].bar.close.to_string(), "129.5");
        assert_eq!(history.known_at(later).bars.len(), 3);
    }
}
