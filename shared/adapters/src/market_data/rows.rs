//! Rows of an answer, good and bad: what the vendors' clients share between reading a row and handing it on.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    ops::RangeInclusive,
};

use app::ports::{RejectedRow, RowFault};
use domain::{Bar, BarRecord, Date, Price, Source, Symbol, Timestamp, TradingDate};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::{bar_known_at, client::excerpt, number::Exact};

/// Why a row is no bar or action, and of which day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rejection {
    pub(super) day: Option<Date>,
    pub(super) fault: RowFault,
}

impl Rejection {
    pub(super) fn of(day: Date, fault: RowFault) -> Self {
        Self { day: Some(day), fault }
    }

    pub(super) fn number(day: impl Into<Option<Date>>, field: &'static str, value: &impl ToString) -> Self {
        Self { day: day.into(), fault: RowFault::BadNumber { field, value: value.to_string() } }
    }

    pub(super) fn named(self, symbol: Option<&Symbol>, row: &str) -> RejectedRow {
        RejectedRow { symbol: symbol.cloned(), day: self.day, fault: self.fault, row: excerpt(row.as_bytes()) }
    }
}

pub(super) fn read<T: DeserializeOwned>(row: &RawValue) -> Result<T, Rejection> {
    serde_json::from_str(row.get()).map_err(|error| Rejection { day: None, fault: RowFault::Unreadable(error.to_string()) })
}

/// A price above zero, with at most the decimal places that are stored.
fn price(exact: Exact, field: &'static str, day: Date) -> Result<Price, Rejection> {
    Price::round(exact.0).map_err(|_| Rejection::number(day, field, &exact.0))
}

/// The bar of a session from its open, high, low and close, known from the evening of its day on, at the latest from `now`.
pub(super) fn bar(source: Source, day: Date, prices: [Exact; 4], volume: Exact, now: Timestamp) -> Result<BarRecord, Rejection> {
    let date = TradingDate::new(day).map_err(|_| Rejection::of(day, RowFault::NotASession(day)))?;
    let [open, high, low, close] = prices;
    let bar = Bar {
        date,
        open: price(open, "open", day)?,
        high: price(high, "high", day)?,
        low: price(low, "low", day)?,
        close: price(close, "close", day)?,
        volume: volume.shares().ok_or_else(|| Rejection::number(day, "volume", &volume.0))?,
    };
    Ok(BarRecord { bar, source, known_at: bar_known_at(date).min(now) })
}

/// Bars by stock and day, whatever order and however often they come in.
#[derive(Debug, Default)]
pub(super) struct Bars {
    /// `None` where two rows contradicted each other.
    found: BTreeMap<(Symbol, Date), Option<BarRecord>>,
    rejected: Vec<RejectedRow>,
}

impl Bars {
    /// `row` is what the vendor wrote, for people.
    pub(super) fn add(&mut self, symbol: &Symbol, days: &RangeInclusive<Date>, bar: Result<BarRecord, Rejection>, row: &str) {
        let in_range = bar.and_then(|record| {
            let day = record.bar.date.date();
            if days.contains(&day) { Ok(record) } else { Err(Rejection::of(day, RowFault::OutOfRange(day))) }
        });
        match in_range {
            Ok(record) => self.insert(symbol, record, row),
            Err(rejection) => self.reject(rejection.named(Some(symbol), row)),
        }
    }

    pub(super) fn reject(&mut self, row: RejectedRow) {
        self.rejected.push(row);
    }

    fn insert(&mut self, symbol: &Symbol, record: BarRecord, row: &str) {
        let day = record.bar.date.date();
        let contradiction = || Rejection::of(day, RowFault::Contradiction(day));
        match self.found.entry((symbol.clone(), day)) {
            Entry::Vacant(place) => {
                place.insert(Some(record));
            }
            Entry::Occupied(place) if place.get().is_some_and(|other| other.bar == record.bar) => {}
            Entry::Occupied(mut place) => {
                if let Some(other) = place.insert(None) {
                    self.rejected.push(contradiction().named(Some(symbol), &text_of(&other.bar)));
                }
                self.rejected.push(contradiction().named(Some(symbol), row));
            }
        }
    }

    /// Sorted by symbol, then by date; what was rejected in the order in which it came.
    pub(super) fn finish(self) -> (Vec<(Symbol, BarRecord)>, Vec<RejectedRow>) {
        let bars = self.found.into_iter().filter_map(|((symbol, _), record)| Some((symbol, record?)));
        (bars.collect(), self.rejected)
    }
}

fn text_of(bar: &Bar) -> String {
    serde_json::to_string(bar).expect("a bar serialises")
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_day_has_one_bar_or_none() {
        let record = |day: i8, close: &str| {
            let price = |text: &str| text.parse().unwrap();
            let date = TradingDate::new(date(2022, 1, day)).unwrap();
            let bar = Bar { date, open: price("10"), high: price("12"), low: price("9"), close: price(close), volume: 1 };
            BarRecord { bar, source: Source::Polygon, known_at: Timestamp::UNIX_EPOCH }
        };
        let [a, b] = ["A", "B"].map(|text| text.parse::<Symbol>().unwrap());
        let days = date(2022, 1, 3)..=date(2022, 1, 6);
        let mut bars = Bars::default();
        for (symbol, day, close) in
            [(&b, 3, "10"), (&a, 5, "10"), (&a, 3, "10"), (&a, 3, "10"), (&a, 4, "10"), (&a, 4, "11"), (&a, 4, "10"), (&a, 7, "10")]
        {
            bars.add(symbol, &days, Ok(record(day, close)), "row");
        }
        bars.add(&a, &days, Err(Rejection::of(date(2022, 1, 8), RowFault::NotASession(date(2022, 1, 8)))), "a\nrow");
        let (bars, rejected) = bars.finish();
        let found: Vec<_> = bars.iter().map(|(symbol, record)| (symbol.as_str(), record.bar.date.to_string())).collect();
        assert_eq!(found, [("A", "2022-01-03".into()), ("A", "2022-01-05".into()), ("B", "2022-01-03".into())]);
        let rejected: Vec<_> = rejected.iter().map(|row| (row.fault.to_string(), row.row.as_str())).collect();
        let contradiction = "there are two different rows of 2022-01-04";
        assert_eq!(
            rejected,
            [
                (contradiction.into(), r#"{"date":"2022-01-04","open":"10","high":"12","low":"9","close":"10","volume":1}"#),
                (contradiction.into(), "row"),
                (contradiction.into(), "row"),
                ("2022-01-07 was not asked for".into(), "row"),
                ("2022-01-08 is no session".into(), "a row"),
            ]
        );
    }
}
