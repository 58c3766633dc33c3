//! A stock's stored past: bars as traded and corporate actions, each with its source and the instant it became known.
//!
//! Adjusted prices are never stored. They are computed on reading from what was known, as of a date, so that no
//! value can contain a split or dividend that was still to come.

use jiff::{Timestamp, civil::Date};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{
    ActionClass, ActionKind, Bar, CorporateAction, Symbol,
    corporate_action::{agrees, statements},
};

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
/// restates. `actions` are sorted by ex-date, then by `known_at`, for the same reason.
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
        Self { symbol: self.symbol.clone(), bars, actions: self.actions_known_at(instant) }
    }

    /// As [`Self::known_at`], but of all bars only the newest.
    pub fn newest_known_at(&self, instant: Timestamp) -> Self {
        // The order of the bars makes the last one known the newest version of the newest date.
        let newest = self.bars.iter().rfind(|record| record.known_at <= instant);
        Self { symbol: self.symbol.clone(), bars: newest.copied().into_iter().collect(), actions: self.actions_known_at(instant) }
    }

    fn actions_known_at(&self, instant: Timestamp) -> Vec<CorporateAction> {
        let is_last_word = |action: &&CorporateAction| self.spoken_last(action, instant) == Some(action.known_at);
        self.actions.iter().filter(|action| action.known_at <= instant).filter(is_last_word).cloned().collect()
    }

    /// When the newest statement by `instant` was made about the ex-date and class of `action`.
    fn spoken_last(&self, action: &CorporateAction, instant: Timestamp) -> Option<Timestamp> {
        let start = self.actions.partition_point(|other| other.ex_date < action.ex_date);
        let same_day = self.actions[start..].iter().take_while(|other| other.ex_date == action.ex_date);
        same_day.filter(|other| other.kind.class() == action.kind.class() && other.known_at <= instant).map(|other| other.known_at).max()
    }

    /// The newest statement about an ex-date and class; empty when nothing was ever said.
    fn statement(&self, ex_date: Date, class: ActionClass) -> Vec<&CorporateAction> {
        let about = || self.actions.iter().filter(|action| action.ex_date == ex_date && action.kind.class() == class);
        let newest = about().map(|action| action.known_at).max();
        about().filter(|action| Some(action.known_at) == newest).collect()
    }

    /// The product of what `of` says of each action with an ex-date after `from` and up to `until`.
    pub fn ratio_between(&self, from: Date, until: Date, of: fn(&ActionKind) -> Decimal) -> Decimal {
        let between = self.actions.iter().filter(|action| action.ex_date > from && action.ex_date <= until);
        between.map(|action| of(&action.kind)).product()
    }

    pub fn last_bar(&self) -> Option<&Bar> {
        self.bars.last().map(|record| &record.bar)
    }

    /// The bar of `date`, the newest version.
    pub fn bar_on(&self, date: Date) -> Option<&BarRecord> {
        let end = self.bars.partition_point(|record| record.bar.date.date() <= date);
        self.bars[..end].last().filter(|record| record.bar.date.date() == date)
    }

    /// Adds bars and actions, keeping order; what says nothing different from what is known is not added again.
    /// A different bar of a known date is a restatement and is kept beside the old one, and so is a statement about corporate
    /// actions (see [`crate::corporate_action`]) that contradicts the newest one, if it is newer: see [`Self::date_knowledge`].
    /// Returns how many bars and actions were added.
    pub fn merge(&mut self, bars: &[BarRecord], actions: &[CorporateAction]) -> (usize, usize) {
        let (bars_before, actions_before) = (self.bars.len(), self.actions.len());
        for record in bars {
            if self.bar_on(record.bar.date.date()).is_none_or(|known| known.bar != record.bar) {
                let at = self.bars.partition_point(|known| (known.bar.date, known.known_at) <= (record.bar.date, record.known_at));
                self.bars.insert(at, *record);
            }
        }
        for ((ex_date, class, known_at), said) in statements(actions) {
            let known = self.statement(ex_date, class);
            let is_newer = known.first().is_none_or(|known| known.known_at < known_at);
            if is_newer && !agrees(kinds(&said), kinds(&known)) {
                let at = self.actions.partition_point(|other| (other.ex_date, other.known_at) <= (ex_date, known_at));
                self.actions.splice(at..at, said.into_iter().cloned());
            }
        }
        (self.bars.len() - bars_before, self.actions.len() - actions_before)
    }

    /// Dates what a vendor tells at `now`: a statement that contradicts the newest one, and one about an ex-date whose session
    /// this history has without it, is knowledge of `now` and no earlier.
    ///
    /// An ex-date before the first bar is history that is being filled in, and keeps the instant that the vendor gave it.
    pub fn date_knowledge(&self, actions: &mut [CorporateAction], now: Timestamp) {
        let has_seen = |ex_date: Date| {
            let (first, last) = (self.bars.first(), self.bars.last());
            first.is_some_and(|first| first.bar.date.date() < ex_date) && last.is_some_and(|last| last.bar.date.date() >= ex_date)
        };
        let told = actions.to_vec();
        let fresh: Vec<(Date, ActionClass)> = statements(&told)
            .into_iter()
            .filter(|((ex_date, class, _), said)| {
                let known = self.statement(*ex_date, *class);
                if known.is_empty() { has_seen(*ex_date) } else { !agrees(kinds(said), kinds(&known)) }
            })
            .map(|((ex_date, class, _), _)| (ex_date, class))
            .collect();
        for action in actions.iter_mut().filter(|action| fresh.contains(&(action.ex_date, action.kind.class()))) {
            action.known_at = now;
        }
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
                    ActionKind::Dividend { .. } | ActionKind::SymbolChange { .. } | ActionKind::Delisting { .. } => {}
                }
            }
            adjustments[index] = current;
        }
        adjustments
    }
}

fn kinds<'a>(actions: &[&'a CorporateAction]) -> impl Iterator<Item = &'a ActionKind> {
    actions.iter().map(|action| &action.kind)
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

    fn said(ex_date: Date, kind: ActionKind, known_at: &str) -> CorporateAction {
        CorporateAction { known_at: known_at.parse().unwrap(), ..action(ex_date, kind) }
    }

    fn dividend(cents: i64, pay_date: Option<Date>) -> ActionKind {
        ActionKind::Dividend { amount: Decimal::new(cents, 2), pay_date }
    }

    type Told = Vec<(&'static str, Vec<ActionKind>)>;

    /// What is said one after the other of one ex-date, how many of it are added, and what counts in the end.
    #[test]
    fn the_newest_statement_about_an_ex_date_counts_as_a_whole() {
        let ex_date = date(2020, 9, 1);
        let (first, second) = ("2020-09-01T04:00:00Z", "2020-09-08T22:00:00Z");
        let paid = Some(date(2020, 9, 10));
        let split = |ratio| ActionKind::Split { ratio: Decimal::from(ratio) };
        let renamed = |to: &str| ActionKind::SymbolChange { to: to.parse().unwrap() };
        let delisted = |value: Option<i64>| ActionKind::Delisting { value: value.map(Decimal::from) };
        let table: Vec<(&str, Told, Vec<usize>, Vec<ActionKind>)> = vec![
            ("said twice is said once", vec![(first, vec![split(4)]), (second, vec![split(4)])], vec![1, 0], vec![split(4)]),
            ("a corrected ratio", vec![(first, vec![split(4)]), (second, vec![split(5)])], vec![1, 1], vec![split(5)]),
            (
                "a corrected amount is no second dividend",
                vec![(first, vec![dividend(82, None)]), (second, vec![dividend(83, None)])],
                vec![1, 1],
                vec![dividend(83, None)],
            ),
            (
                "a regular and a special dividend",
                vec![(first, vec![dividend(82, None), dividend(500, None)]), (second, vec![dividend(500, None), dividend(82, None)])],
                vec![2, 0],
                vec![dividend(82, None), dividend(500, None)],
            ),
            (
                "the special one told later, together with the regular one",
                vec![(first, vec![dividend(82, None)]), (second, vec![dividend(82, None), dividend(500, None)])],
                vec![1, 2],
                vec![dividend(82, None), dividend(500, None)],
            ),
            (
                "a pay date that becomes known",
                vec![(first, vec![dividend(82, None)]), (second, vec![dividend(82, paid)])],
                vec![1, 1],
                vec![dividend(82, paid)],
            ),
            (
                "who does not know the pay date contradicts nobody",
                vec![(first, vec![dividend(82, paid)]), (second, vec![dividend(82, None)])],
                vec![1, 0],
                vec![dividend(82, paid)],
            ),
            ("one row told twice", vec![(first, vec![dividend(82, None), dividend(82, None)])], vec![1], vec![dividend(82, None)]),
            (
                "classes do not replace each other",
                vec![(first, vec![split(4)]), (second, vec![dividend(82, None)])],
                vec![1, 1],
                vec![split(4), dividend(82, None)],
            ),
            ("an older statement does not come back", vec![(second, vec![split(5)]), (first, vec![split(4)])], vec![1, 0], vec![split(5)]),
            (
                "another name and the end",
                vec![(first, vec![renamed("META"), delisted(None)]), (second, vec![renamed("META"), delisted(Some(0))])],
                vec![2, 1],
                vec![renamed("META"), delisted(Some(0))],
            ),
        ];
        for (name, told, added, counts) in table {
            let mut history = PriceHistory::new("AAPL".parse().unwrap());
            let merged: Vec<usize> = told
                .iter()
                .map(|(at, kinds)| history.merge(&[], &kinds.iter().map(|kind| said(ex_date, kind.clone(), at)).collect::<Vec<_>>()).1)
                .collect();
            assert_eq!(merged, added, "{name}");
            let known: Vec<ActionKind> = history.known_at(Timestamp::MAX).actions.into_iter().map(|action| action.kind).collect();
            assert_eq!(known, counts, "{name}");
            let Some((_, as_first_told)) = told.first().filter(|(at, _)| *at == first) else { continue };
            let then = history.known_at(first.parse().unwrap()).actions;
            assert_eq!(then.len(), as_first_told.len().min(added[0]), "{name}: at first only the first statement is known");
        }
    }

    #[test]
    fn what_is_told_after_its_session_is_knowledge_of_the_telling() {
        let now: Timestamp = "2020-09-08T22:00:00Z".parse().unwrap();
        for (name, ex_date, kind, is_fresh) in [
            ("known to the letter", date(2020, 9, 1), dividend(129, None), false),
            ("a contradiction", date(2020, 9, 1), dividend(130, None), true),
            ("a session that was seen without it", date(2020, 8, 31), dividend(82, None), true),
            ("history before the first bar", date(2020, 8, 28), dividend(82, None), false),
            ("a session still to come", date(2020, 9, 2), dividend(82, None), false),
        ] {
            let mut told = [action(ex_date, kind)];
            history().date_knowledge(&mut told, now);
            assert_eq!(told[0].known_at == now, is_fresh, "{name}");
        }
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

    #[test]
    fn the_newest_bar_alone_is_adjusted_as_among_all_others() {
        let mut history = history();
        let (early, late) = (Timestamp::UNIX_EPOCH, Timestamp::from_second(1_600_000_000).unwrap());
        history.merge(&[record(date(2020, 9, 1), "131", late)], &[action(date(2020, 9, 3), dividend(100, None))]);
        let closes = [early, late].map(|instant| {
            let (all, newest) = (history.known_at(instant), history.newest_known_at(instant));
            assert_eq!((newest.bars.last(), newest.bars.len(), &newest.actions), (all.bars.last(), 1, &all.actions));
            for as_of in [date(2020, 9, 1), date(2020, 9, 4)] {
                assert_eq!(newest.adjustments(as_of).last(), all.adjustments(as_of).last(), "{instant} {as_of}");
            }
            newest.bars[0].bar.close.to_string()
        });
        assert_ne!(closes[0], closes[1], "the restatement is the newest when it is known");
        assert!(history.newest_known_at(Timestamp::MIN).bars.is_empty());
    }
}
