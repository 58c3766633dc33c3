//! From the bytes of a Parquet file to a price history.

use bytes::Bytes;
use domain::{ActionKind, Bar, BarRecord, CorporateAction, Date, Decimal, Price, PriceHistory, Source, Symbol, Timestamp, TradingDate};
use parquet::{
    data_type::{ByteArray, ByteArrayType, Int32Type, Int64Type},
    file::{
        metadata::{FileMetaData, ParquetMetaData},
        reader::FileReader,
        serialized_reader::SerializedFileReader,
    },
};

use super::{
    Damage, Rows, is_ordered,
    schema::{
        AMOUNT_PLACES, BAR, DELISTING, DIVIDEND, FORMAT_VERSION, FORMAT_VERSION_KEY, RATIO_PLACES, SCHEMA, SPIN_OFF, SPLIT, SYMBOL_CHANGE,
        SYMBOL_KEY, from_epoch_day, from_micros, place,
    },
    seal::verify,
};

/// The history in a file that [`fn@super::encode`] made. Anything else is [`Damage`].
pub fn decode(bytes: Bytes) -> Result<PriceHistory, Damage> {
    verify(&bytes)?;
    let file = SerializedFileReader::new(bytes)?;
    let mut history = PriceHistory::new(check_metadata(file.metadata())?);
    for group in 0..file.num_row_groups() {
        read_group(&Rows::open(&file, group)?, &mut history)?;
    }
    if is_ordered(&history) { Ok(history) } else { Err(Damage("its rows are not in order".into())) }
}

fn check_metadata(metadata: &ParquetMetaData) -> Result<Symbol, Damage> {
    let file = metadata.file_metadata();
    if file.schema() != SCHEMA.as_ref() {
        return Err(Damage("its columns are not those of a price history".into()));
    }
    match entry(file, FORMAT_VERSION_KEY)? {
        FORMAT_VERSION => {}
        other => {
            return Err(Damage(format!("its format version is `{other}`, expected `{FORMAT_VERSION}`")));
        }
    }
    named(entry(file, SYMBOL_KEY)?)
}

fn named(symbol: &str) -> Result<Symbol, Damage> {
    symbol.parse().map_err(|error: domain::symbol::SymbolError| Damage(error.to_string()))
}

fn entry<'a>(file: &'a FileMetaData, key: &str) -> Result<&'a str, Damage> {
    file.key_value_metadata()
        .and_then(|entries| entries.iter().find(|entry| entry.key == key))
        .and_then(|entry| entry.value.as_deref())
        .ok_or_else(|| Damage(format!("its metadata lack `{key}`")))
}

fn read_group(rows: &Rows<'_>, history: &mut PriceHistory) -> Result<(), Damage> {
    let record = rows.required::<ByteArrayType>(place::RECORD)?;
    let date = rows.required::<Int32Type>(place::DATE)?;
    let open = rows.optional::<Int64Type>(place::OPEN)?;
    let high = rows.optional::<Int64Type>(place::HIGH)?;
    let low = rows.optional::<Int64Type>(place::LOW)?;
    let close = rows.optional::<Int64Type>(place::CLOSE)?;
    let volume = rows.optional::<Int64Type>(place::VOLUME)?;
    let ratio = rows.optional::<Int64Type>(place::RATIO)?;
    let amount = rows.optional::<Int64Type>(place::AMOUNT)?;
    let pay_date = rows.optional::<Int32Type>(place::PAY_DATE)?;
    let new_symbol = rows.optional::<ByteArrayType>(place::NEW_SYMBOL)?;
    let source = rows.required::<ByteArrayType>(place::SOURCE)?;
    let known_at = rows.required::<Int64Type>(place::KNOWN_AT)?;

    history.bars.reserve(rows.count());
    for row in 0..rows.count() {
        let day = calendar_date(date[row])?;
        let source = source_named(&source[row])?;
        let known_at = instant(known_at[row])?;
        let kind = match text(&record[row])? {
            BAR => {
                let bar = Bar {
                    date: TradingDate::new(day).map_err(|error| Damage(error.to_string()))?,
                    open: price(open[row], "open", day)?,
                    high: price(high[row], "high", day)?,
                    low: price(low[row], "low", day)?,
                    close: price(close[row], "close", day)?,
                    volume: u64::try_from(present(volume[row], "volume", day)?)
                        .map_err(|_| Damage(format!("the volume of {day} is negative")))?,
                };
                history.bars.push(BarRecord { bar, source, known_at });
                continue;
            }
            SPLIT => ActionKind::Split { ratio: decimal(ratio[row], RATIO_PLACES, "ratio", day)? },
            SPIN_OFF => ActionKind::SpinOff { ratio: decimal(ratio[row], RATIO_PLACES, "ratio", day)? },
            DIVIDEND => ActionKind::Dividend {
                amount: decimal(amount[row], AMOUNT_PLACES, "amount", day)?,
                pay_date: pay_date[row].map(calendar_date).transpose()?,
            },
            SYMBOL_CHANGE => ActionKind::SymbolChange { to: named(text(present(new_symbol[row].as_ref(), "new symbol", day)?)?)? },
            DELISTING => ActionKind::Delisting { value: amount[row].map(|units| final_value(units, day)).transpose()? },
            other => {
                return Err(Damage(format!("a record of {day} is of the unknown kind `{other}`")));
            }
        };
        history.actions.push(CorporateAction { ex_date: day, kind, source, known_at });
    }
    Ok(())
}

fn present<T>(value: Option<T>, field: &str, day: Date) -> Result<T, Damage> {
    value.ok_or_else(|| Damage(format!("the {field} of {day} is missing")))
}

fn price(units: Option<i64>, field: &str, day: Date) -> Result<Price, Damage> {
    Price::from_units(present(units, field, day)?).map_err(|error| Damage(format!("the {field} of {day}: {error}")))
}

fn decimal(units: Option<i64>, places: u32, field: &str, day: Date) -> Result<Decimal, Damage> {
    match Decimal::new(present(units, field, day)?, places).normalize() {
        value if value > Decimal::ZERO => Ok(value),
        value => Err(Damage(format!("the {field} of {day} is {value}"))),
    }
}

fn final_value(units: i64, day: Date) -> Result<Decimal, Damage> {
    match Decimal::new(units, AMOUNT_PLACES).normalize() {
        value if value < Decimal::ZERO => Err(Damage(format!("the amount of {day} is {value}"))),
        value => Ok(value),
    }
}

fn calendar_date(day: i32) -> Result<Date, Damage> {
    from_epoch_day(day).ok_or_else(|| Damage(format!("{day} days after 1970-01-01 is no date")))
}

fn instant(micros: i64) -> Result<Timestamp, Damage> {
    from_micros(micros).ok_or_else(|| Damage(format!("{micros} microseconds after 1970 is no instant")))
}

fn text(bytes: &ByteArray) -> Result<&str, Damage> {
    bytes.as_utf8().map_err(Damage::from)
}

fn source_named(bytes: &ByteArray) -> Result<Source, Damage> {
    let name = text(bytes)?;
    [Source::Bundled, Source::Polygon, Source::Tiingo]
        .into_iter()
        .find(|source| source.name() == name)
        .ok_or_else(|| Damage(format!("`{name}` is no known source")))
}
