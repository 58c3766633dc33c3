//! `export-features`: price files in, one Parquet of features and labels out.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Parser;
use domain::Date;
use training::{bars, examples, membership::Membership, table};

/// Writes one Parquet row for every member stock and session: date, symbol, the model's features, the label and the realised
/// results of both trades.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Daily bars, `symbol,date,open,high,low,close,adj_close,volume`, adjusted for splits and spin-offs, plain or gzipped; several continue each other.
    #[arg(long, required = true)]
    bars: Vec<PathBuf>,
    /// Index membership lists, `asof,…,symbol,name,sector,…`, plain or gzipped.
    #[arg(long)]
    members: PathBuf,
    /// The Parquet to write.
    #[arg(long)]
    out: PathBuf,
    /// Last session that may be read. Later bars are refused, not skipped: what comes after judges the model.
    #[arg(long, default_value = "2021-12-31")]
    through: Date,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let membership = Membership::read(&arguments.members).with_context(|| format!("reading {}", arguments.members.display()))?;
    let stocks = bars::read_all(&arguments.bars)?;
    if let Some((symbol, series)) =
        stocks.iter().find(|(_, series)| series.dates().last().is_some_and(|last| last.date() > arguments.through))
    {
        bail!("{symbol} has bars after {}: the last is {}", arguments.through, series.dates()[series.len() - 1]);
    }
    eprintln!("{} stocks, {} bars", stocks.len(), stocks.values().map(analysis::Series::len).sum::<usize>());

    let market = examples::market(&stocks, &membership);
    eprintln!("market of {} sessions", market.sessions().len());
    let sources = table::sources(arguments.bars.iter().chain([&arguments.members]))?;
    let data_through = stocks.values().filter_map(|series| series.dates().last().copied()).max().context("there are no bars")?;
    let mut table = table::Writer::create(&arguments.out, &sources, data_through)?;
    for (symbol, series) in &stocks {
        table.add(&examples::of_stock(symbol, series, &market, &membership))?;
    }
    let rows = table.finish()?;
    eprintln!("{rows} examples in {}", arguments.out.display());
    Ok(())
}
