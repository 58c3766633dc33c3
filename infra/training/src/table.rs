//! The examples as one Parquet file, with what made them in its metadata.

use std::{fs::File, io, path::Path, path::PathBuf, sync::Arc};

use analysis::{MODEL_FEATURES, features};
use domain::TradingDate;
use parquet::{
    basic::Compression,
    data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, FloatType, Int32Type},
    file::{
        metadata::KeyValue,
        properties::WriterProperties,
        writer::{SerializedFileWriter, SerializedRowGroupWriter},
    },
    schema::parser::parse_message_type,
};
use sha2::{Digest, Sha256};

use crate::examples::Example;

/// Name and SHA-256 of each input file, as `name sha256` lines.
pub fn sources<'a>(paths: impl IntoIterator<Item = &'a PathBuf>) -> io::Result<String> {
    paths
        .into_iter()
        .map(|path| {
            let mut hash = Sha256::new();
            hash.update(std::fs::read(path)?);
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            Ok(format!("{name} {}\n", hex::encode(hash.finalize())))
        })
        .collect()
}

/// Writes a row group a stock.
pub struct Writer {
    file: SerializedFileWriter<File>,
    rows: usize,
}

fn schema() -> String {
    let features = format!("required float {};", MODEL_FEATURES.join(";\nrequired float "));
    format!(
        "message examples {{
            required binary symbol (UTF8);
            required int32 date (DATE);
            required boolean point_in_time;
            required int32 label;
            required double risk;
            required double long_r;
            required double short_r;
            {features}
        }}"
    )
}

impl Writer {
    pub fn create(path: &Path, sources: &str, data_through: TradingDate) -> anyhow::Result<Self> {
        let entry = |key: &str, value: String| KeyValue::new(key.to_owned(), value);
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_key_value_metadata(Some(vec![
                entry("schema_hash", features::schema_hash()),
                entry("features", MODEL_FEATURES.join(",")),
                entry("target_atr", analysis::TARGET_ATR.to_string()),
                entry("stop_atr", analysis::STOP_ATR.to_string()),
                entry("life_sessions", analysis::LIFE_SESSIONS.to_string()),
                entry("sources", sources.to_owned()),
                entry("data_through", data_through.to_string()),
            ]))
            .build();
        let file = SerializedFileWriter::new(File::create(path)?, Arc::new(parse_message_type(&schema())?), Arc::new(properties))?;
        Ok(Self { file, rows: 0 })
    }

    pub fn add(&mut self, examples: &[Example<'_>]) -> anyhow::Result<()> {
        if examples.is_empty() {
            return Ok(());
        }
        self.rows += examples.len();
        let mut group = self.file.next_row_group()?;
        let each = examples.iter();
        column::<ByteArrayType>(&mut group, &each.clone().map(|example| ByteArray::from(example.symbol)).collect::<Vec<_>>())?;
        column::<Int32Type>(&mut group, &each.clone().map(days_since_epoch).collect::<Vec<_>>())?;
        column::<BoolType>(&mut group, &each.clone().map(|example| example.point_in_time).collect::<Vec<_>>())?;
        column::<Int32Type>(&mut group, &each.clone().map(|example| example.label.class as i32).collect::<Vec<_>>())?;
        column::<DoubleType>(&mut group, &each.clone().map(|example| example.risk).collect::<Vec<_>>())?;
        column::<DoubleType>(&mut group, &each.clone().map(|example| example.label.long.r_multiple).collect::<Vec<_>>())?;
        column::<DoubleType>(&mut group, &each.clone().map(|example| example.label.short.r_multiple).collect::<Vec<_>>())?;
        for feature in 0..MODEL_FEATURES.len() {
            column::<FloatType>(&mut group, &each.clone().map(|example| example.features[feature]).collect::<Vec<_>>())?;
        }
        group.close()?;
        Ok(())
    }

    /// Ends the file and returns its number of rows.
    pub fn finish(self) -> anyhow::Result<usize> {
        self.file.close()?;
        Ok(self.rows)
    }
}

fn column<T: DataType>(group: &mut SerializedRowGroupWriter<'_, File>, values: &[T::T]) -> anyhow::Result<()> {
    let mut column = group.next_column()?.expect("the columns are written in the schema's order");
    column.typed::<T>().write_batch(values, None, None)?;
    column.close()?;
    Ok(())
}

fn days_since_epoch(example: &Example<'_>) -> i32 {
    (example.date.date() - jiff::civil::date(1970, 1, 1)).get_days()
}
