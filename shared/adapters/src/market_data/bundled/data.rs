//! Decoding what is compiled into the program. It was checked when it was made and is checked by the tests; a build in
//! which it cannot be decoded must not go anywhere, hence the panics.

use bytes::Bytes;
use domain::{ActionKind, Bar, BarRecord, Company, CorporateAction, Date, Decimal, Price, PriceHistory, Source, Symbol, TradingDate};
use jiff::{ToSpan, civil::date};
use parquet::{
    data_type::{ByteArrayType, Int32Type, Int64Type},
    file::{reader::FileReader, serialized_reader::SerializedFileReader},
};

use crate::{
    history::parquet::{Damage, Rows},
    market_data::{action_known_at, bar_known_at},
};

macro_rules! bundled {
    ($name:literal) => {
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../infra/data/", $name)
    };
}

static COMPANIES: &str = include_str!(bundled!("companies.json"));
static PRICES: &[u8] = include_bytes!(bundled!("prices.parquet"));
static ACTIONS: &str = include_str!(bundled!("actions.csv"));

pub(super) fn companies() -> Vec<Company> {
    serde_json::from_str(COMPANIES).expect("companies.json holds companies")
}

/// Sorted by symbol.
pub(super) fn histories() -> Vec<PriceHistory> {
    let mut histories = bars().expect("prices.parquet holds bars");
    for line in ACTIONS.lines().skip(1) {
        let (symbol, action) = action(line).unwrap_or_else(|| panic!("actions.csv holds actions: {line}"));
        let index = histories.binary_search_by(|history| history.symbol.as_str().cmp(symbol)).expect("every action's stock has bars");
        histories[index].actions.push(action);
    }
    histories
}

/// One row group a symbol, in order: `symbol`, `date`, `open`, `high`, `low`, `close`, `volume`.
fn bars() -> Result<Vec<PriceHistory>, Damage> {
    let file = SerializedFileReader::new(Bytes::from_static(PRICES))?;
    let mut sessions = Sessions::default();
    (0..file.num_row_groups()).map(|group| symbol_bars(&Rows::open(&file, group)?, &mut sessions)).collect()
}

fn symbol_bars(rows: &Rows<'_>, sessions: &mut Sessions) -> Result<PriceHistory, Damage> {
    let symbols = rows.required::<ByteArrayType>(0)?;
    let dates = rows.required::<Int32Type>(1)?;
    let [open, high, low, close, volume] = [2, 3, 4, 5, 6].map(|column| rows.required::<Int64Type>(column));
    let (open, high, low, close, volume) = (open?, high?, low?, close?, volume?);

    let symbol: Symbol = symbols[0].as_utf8()?.parse().map_err(damage)?;
    let mut history = PriceHistory::new(symbol);
    history.bars.reserve_exact(rows.count());
    for row in 0..rows.count() {
        let price = |units: &[i64]| Price::from_units(units[row]).map_err(damage);
        let date = sessions.on(row, dates[row])?;
        let bar = Bar {
            date,
            open: price(&open)?,
            high: price(&high)?,
            low: price(&low)?,
            close: price(&close)?,
            volume: u64::try_from(volume[row]).map_err(damage)?,
        };
        history.bars.push(BarRecord { bar, source: Source::Bundled, known_at: bar_known_at(date) });
    }
    Ok(history)
}

/// Stocks share their sessions: each is looked up in the calendar once.
#[derive(Default)]
struct Sessions(Vec<(i32, TradingDate)>);

impl Sessions {
    fn on(&mut self, row: usize, epoch_day: i32) -> Result<TradingDate, Damage> {
        if let Some((_, session)) = self.0.get(row).filter(|(day, _)| *day == epoch_day) {
            return Ok(*session);
        }
        let day = date(1970, 1, 1).checked_add(epoch_day.days()).map_err(damage)?;
        let session = TradingDate::new(day).map_err(damage)?;
        if row == self.0.len() {
            self.0.push((epoch_day, session));
        }
        Ok(session)
    }
}

/// `symbol,ex_date,kind,value`
fn action(line: &str) -> Option<(&str, CorporateAction)> {
    let mut fields = line.split(',');
    let (symbol, ex_date, kind, value) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    let ex_date: Date = ex_date.parse().ok()?;
    let value: Decimal = value.parse().ok()?;
    let kind = match kind {
        "split" => ActionKind::Split { ratio: value },
        "spin_off" => ActionKind::SpinOff { ratio: value },
        "dividend" => ActionKind::Dividend { amount: value, pay_date: None },
        _ => return None,
    };
    Some((symbol, CorporateAction { ex_date, kind, source: Source::Bundled, known_at: action_known_at(ex_date) }))
}

fn damage(error: impl std::fmt::Display) -> Damage {
    Damage(error.to_string())
}
