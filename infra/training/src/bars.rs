//! Daily bars from CSV files.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use analysis::series::{Series, SeriesRow};
use anyhow::Context;
use domain::{Date, TradingDate};
use flate2::read::MultiGzDecoder;
use serde::Deserialize;

#[derive(Deserialize)]
struct Row {
    symbol: String,
    date: Date,
    open: f64,
    high: f64,
    low: f64,
    close: f64,
    adj_close: f64,
    volume: f64,
}

/// A file, unpacked when it is gzipped.
pub fn open(path: &Path) -> io::Result<Box<dyn Read>> {
    let mut reader = BufReader::with_capacity(1 << 16, File::open(path)?);
    Ok(if reader.fill_buf()?.starts_with(&[0x1f, 0x8b]) { Box::new(MultiGzDecoder::new(reader)) } else { Box::new(reader) })
}

/// All stocks of all files, by symbol.
///
/// The bars are taken as the series serving would build: prices adjusted for splits and spin-offs, volume as the file has it (the
/// vendor also scales it by spin-offs, which a 20-session volume ratio feels for 20 sessions by a few percent), and the
/// dividend-adjusted close as the total return.
pub fn read_all(paths: &[PathBuf]) -> anyhow::Result<BTreeMap<String, Series>> {
    let mut rows: BTreeMap<String, BTreeMap<Date, SeriesRow>> = BTreeMap::new();
    for path in paths {
        let mut reader = csv::Reader::from_reader(open(path).with_context(|| format!("opening {}", path.display()))?);
        for (line, row) in reader.deserialize::<Row>().enumerate() {
            let row = row.with_context(|| format!("{}, record {}", path.display(), line + 1))?;
            let date = TradingDate::new(row.date).with_context(|| format!("{} in {}", row.symbol, path.display()))?;
            let bar = SeriesRow {
                date,
                open: row.open,
                high: row.high,
                low: row.low,
                close: row.close,
                volume: row.volume,
                total_return: row.adj_close,
            };
            if let Some(stock) = rows.get_mut(&row.symbol) {
                stock.insert(row.date, bar);
            } else {
                rows.insert(row.symbol, BTreeMap::from([(row.date, bar)]));
            }
        }
    }
    rows.into_iter()
        .map(|(symbol, rows)| {
            let series = Series::from_rows(rows.into_values()).with_context(|| format!("bars of {symbol}"))?;
            Ok((symbol, series))
        })
        .collect()
}
