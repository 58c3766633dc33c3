//! Bars and events out of the files in `tests/data`, and of the bundled data.

use std::{collections::BTreeMap, io::Read, sync::LazyLock};

use adapters::market_data::bundled::Bundled;
use domain::{ActionKind, Bar, BarRecord, CorporateAction, Date, Decimal, Price, PriceHistory, Source, Symbol, Timestamp, TradingDate};
use flate2::read::GzDecoder;

use super::vendor::evening;

pub(crate) static BUNDLED: LazyLock<Bundled> = LazyLock::new(Bundled::new);

/// The lines of a compressed table, by column.
pub(crate) fn table(compressed: &[u8]) -> Vec<BTreeMap<String, String>> {
    let mut text = String::new();
    GzDecoder::new(compressed).read_to_string(&mut text).unwrap();
    let mut lines = text.lines();
    let columns: Vec<&str> = lines.next().unwrap().split(',').collect();
    let row = |line: &str| columns.iter().map(ToString::to_string).zip(line.split(',').map(ToOwned::to_owned)).collect();
    lines.map(row).collect()
}

/// A bar of a row; vendors' floats are rounded to the four decimal places of a price. `None` on a day that is no session.
pub(crate) fn bar(row: &BTreeMap<String, String>, suffix: &str) -> Option<Bar> {
    let date = TradingDate::new(row["date"].parse().unwrap()).ok()?;
    let price = |name: &str| Price::round(row[&format!("{name}{suffix}")].parse::<Decimal>().unwrap()).unwrap();
    let volume = row[&format!("volume{suffix}")].parse::<Decimal>().unwrap();
    Some(Bar {
        date,
        open: price("open"),
        high: price("high"),
        low: price("low"),
        close: price("close"),
        volume: volume.try_into().unwrap(),
    })
}

pub(crate) fn record(bar: Bar) -> BarRecord {
    BarRecord { bar, source: Source::Polygon, known_at: evening(bar.date) }
}

/// Histories by symbol of a table of bars.
pub(crate) fn histories(compressed: &[u8]) -> BTreeMap<Symbol, PriceHistory> {
    let mut histories: BTreeMap<Symbol, PriceHistory> = BTreeMap::new();
    for row in table(compressed) {
        let symbol: Symbol = row["symbol"].parse().unwrap();
        let history = histories.entry(symbol.clone()).or_insert_with(|| PriceHistory::new(symbol));
        history.bars.extend(bar(&row, "").map(record));
    }
    histories
}

pub(crate) fn action(ex_date: Date, kind: ActionKind) -> CorporateAction {
    let known_at = domain::calendar::new_york_instant(ex_date, jiff::civil::Time::midnight());
    CorporateAction { ex_date, kind, source: Source::Polygon, known_at }
}

/// A bundled stock with only the sessions up to `last`.
pub(crate) fn bundled(symbol: &str, last: Date) -> PriceHistory {
    let mut history = BUNDLED.history_of(&symbol.parse().unwrap()).unwrap().clone();
    history.bars.retain(|record| record.bar.date.date() <= last);
    history.actions.retain(|action| action.ex_date <= last);
    history
}

pub(crate) fn evening_of(date: Date) -> Timestamp {
    evening(TradingDate::new(date).unwrap())
}
