//! From a price history to the bytes of a Parquet file.

use std::sync::{Arc, LazyLock};

use domain::{ActionKind, BarRecord, CorporateAction, Date, Decimal, PriceHistory, Symbol};
use parquet::{
    basic::Compression,
    data_type::{ByteArray, ByteArrayType, DataType, Int32Type, Int64Type},
    errors::ParquetError,
    file::{
        metadata::KeyValue,
        properties::{EnabledStatistics, WriterProperties, WriterPropertiesPtr},
        writer::{SerializedFileWriter, SerializedRowGroupWriter},
    },
};

use super::{
    NotStorable, is_ordered,
    schema::{
        AMOUNT_PLACES, BAR, DELISTING, DIVIDEND, FORMAT_VERSION, FORMAT_VERSION_KEY, RATIO_PLACES, SCHEMA, SPIN_OFF, SPLIT, SYMBOL_CHANGE,
        SYMBOL_KEY, epoch_day, scaled,
    },
    seal::seal,
};

static PROPERTIES: LazyLock<WriterPropertiesPtr> = LazyLock::new(|| {
    let text = ["record", "source"];
    let builder = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_created_by("stockgpt".into())
        .set_statistics_enabled(EnabledStatistics::None)
        .set_column_statistics_enabled("date".into(), EnabledStatistics::Chunk)
        .set_offset_index_disabled(true)
        .set_dictionary_enabled(false);
    Arc::new(text.into_iter().fold(builder, |builder, name| builder.set_column_dictionary_enabled(name.into(), true)).build())
});

/// The file's bytes. Instants are kept to the microsecond, ratios to nine decimal places, dividends to six.
pub fn encode(history: &PriceHistory) -> Result<Vec<u8>, NotStorable> {
    if !is_ordered(history) {
        return Err(NotStorable::Unordered);
    }
    let columns = Columns::of(history)?;
    let mut bytes = write(history, &columns).expect("a Vec takes every byte, and the columns are as long as each other");
    seal(&mut bytes);
    Ok(bytes)
}

fn write(history: &PriceHistory, columns: &Columns) -> Result<Vec<u8>, ParquetError> {
    let mut file = SerializedFileWriter::new(Vec::with_capacity(64 * 1024), SCHEMA.clone(), PROPERTIES.clone())?;
    let mut group = file.next_row_group()?;
    columns.write(&mut group)?;
    group.close()?;
    file.append_key_value_metadata(KeyValue::new(SYMBOL_KEY.into(), history.symbol.to_string()));
    file.append_key_value_metadata(KeyValue::new(FORMAT_VERSION_KEY.into(), FORMAT_VERSION.to_owned()));
    file.into_inner()
}

/// The values of each column, in the order of the schema.
#[derive(Default)]
struct Columns {
    record: Vec<ByteArray>,
    date: Vec<i32>,
    open: Nullable<i64>,
    high: Nullable<i64>,
    low: Nullable<i64>,
    close: Nullable<i64>,
    volume: Nullable<i64>,
    ratio: Nullable<i64>,
    amount: Nullable<i64>,
    pay_date: Nullable<i32>,
    new_symbol: Nullable<ByteArray>,
    source: Vec<ByteArray>,
    known_at: Vec<i64>,
}

impl Columns {
    fn of(history: &PriceHistory) -> Result<Self, NotStorable> {
        let mut columns = Self::default();
        let mut actions = history.actions.iter().peekable();
        for record in &history.bars {
            while let Some(action) = actions.next_if(|action| action.ex_date <= record.bar.date.date()) {
                columns.push_action(action)?;
            }
            columns.push_bar(record)?;
        }
        actions.try_for_each(|action| columns.push_action(action))?;
        Ok(columns)
    }

    fn push_bar(&mut self, record: &BarRecord) -> Result<(), NotStorable> {
        let bar = &record.bar;
        let volume = i64::try_from(bar.volume).map_err(|_| NotStorable::OutOfRange {
            field: "volume",
            date: bar.date.date(),
            value: bar.volume.to_string(),
        })?;
        self.push_common(BAR, bar.date.date(), record.source.name(), record.known_at);
        self.open.push(Some(bar.open.units()));
        self.high.push(Some(bar.high.units()));
        self.low.push(Some(bar.low.units()));
        self.close.push(Some(bar.close.units()));
        self.volume.push(Some(volume));
        self.ratio.push(None);
        self.amount.push(None);
        self.pay_date.push(None);
        self.new_symbol.push(None);
        Ok(())
    }

    fn push_action(&mut self, action: &CorporateAction) -> Result<(), NotStorable> {
        let date = action.ex_date;
        let fitting =
            |field, value, places| scaled(value, places).ok_or_else(|| NotStorable::OutOfRange { field, date, value: value.to_string() });
        let ratio_of = |ratio: Decimal| fitting("ratio", ratio, RATIO_PLACES);
        let amount_of = |amount: Decimal| fitting("amount", amount, AMOUNT_PLACES);
        let (mut ratio, mut amount, mut pay_date, mut new_symbol) = (None, None, None, None);
        let name = match &action.kind {
            ActionKind::Split { ratio: shares } => {
                ratio = Some(ratio_of(*shares)?);
                SPLIT
            }
            ActionKind::SpinOff { ratio: factor } => {
                ratio = Some(ratio_of(*factor)?);
                SPIN_OFF
            }
            ActionKind::Dividend { amount: cash, pay_date: paid } => {
                (amount, pay_date) = (Some(amount_of(*cash)?), *paid);
                DIVIDEND
            }
            ActionKind::SymbolChange { to } => {
                new_symbol = Some(to);
                SYMBOL_CHANGE
            }
            ActionKind::Delisting { value } => {
                // Nothing at all may be left, which is no amount that a dividend could have.
                amount = value.map(|value| if value.is_zero() { Ok(0) } else { amount_of(value) }).transpose()?;
                DELISTING
            }
        };
        self.push_common(name, date, action.source.name(), action.known_at);
        for prices in [&mut self.open, &mut self.high, &mut self.low, &mut self.close, &mut self.volume] {
            prices.push(None);
        }
        self.ratio.push(ratio);
        self.amount.push(amount);
        self.pay_date.push(pay_date.map(epoch_day));
        self.new_symbol.push(new_symbol.map(Symbol::as_str).map(ByteArray::from));
        Ok(())
    }

    fn push_common(&mut self, record: &'static str, date: Date, source: &'static str, known_at: domain::Timestamp) {
        self.record.push(text(record));
        self.date.push(epoch_day(date));
        self.source.push(text(source));
        self.known_at.push(known_at.as_microsecond());
    }

    fn write(&self, group: &mut SerializedRowGroupWriter<'_, Vec<u8>>) -> Result<(), ParquetError> {
        write_column::<ByteArrayType>(group, &self.record, None)?;
        write_column::<Int32Type>(group, &self.date, None)?;
        for column in [&self.open, &self.high, &self.low, &self.close, &self.volume, &self.ratio, &self.amount] {
            write_column::<Int64Type>(group, &column.values, Some(&column.levels))?;
        }
        write_column::<Int32Type>(group, &self.pay_date.values, Some(&self.pay_date.levels))?;
        write_column::<ByteArrayType>(group, &self.new_symbol.values, Some(&self.new_symbol.levels))?;
        write_column::<ByteArrayType>(group, &self.source, None)?;
        write_column::<Int64Type>(group, &self.known_at, None)
    }
}

/// Present values, and for each row whether there is one (Parquet's definition level).
struct Nullable<T> {
    values: Vec<T>,
    levels: Vec<i16>,
}

impl<T> Default for Nullable<T> {
    fn default() -> Self {
        Self { values: Vec::new(), levels: Vec::new() }
    }
}

impl<T> Nullable<T> {
    fn push(&mut self, value: Option<T>) {
        self.levels.push(i16::from(value.is_some()));
        self.values.extend(value);
    }
}

fn text(name: &'static str) -> ByteArray {
    bytes::Bytes::from_static(name.as_bytes()).into()
}

fn write_column<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
    values: &[T::T],
    levels: Option<&[i16]>,
) -> Result<(), ParquetError> {
    let mut column = group.next_column()?.ok_or_else(|| ParquetError::General("more columns than the schema has".into()))?;
    column.typed::<T>().write_batch(values, levels, None)?;
    column.close()
}
