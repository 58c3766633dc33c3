//! `stockgpt replay`: all signals of a period taken automatically, judged against holding everything.

pub mod chart;
pub mod report;

use std::time::Instant;

use adapters::market_data::bundled::Bundled;
use anyhow::{Context, ensure};
use app::{
    portfolio::Terms,
    replay::{Replay, Replayed},
};
use domain::{Date, TradingDate, trading::TradingRules};

use crate::{cli, system};

/// Runs the replay, prints the table and writes the chart.
pub fn run(options: &cli::Replay, rules: &TradingRules) -> anyhow::Result<()> {
    let started = Instant::now();
    let replayed = over(options.from, options.to, rules)?;
    let report = report::Report::of(&replayed);
    print!("{report}");
    chart::write(&options.chart, &report).with_context(|| format!("the chart cannot be written to {}", options.chart.display()))?;
    println!("Chart: {}. Took {:.1} s.", options.chart.display(), started.elapsed().as_secs_f64());
    Ok(())
}

/// The sessions from `from` to `to`, as far as the bundled data has them, traded by the shipped model under the rules in force.
pub fn over(from: Date, to: Date, rules: &TradingRules) -> anyhow::Result<Replayed> {
    ensure!(from <= to, "--from {from} comes after --to {to}");
    let bundled = Bundled::new();
    let (first, last) =
        (TradingDate::on_or_after(from).max(bundled.first_date().next()), TradingDate::on_or_before(to).min(bundled.last_date()));
    ensure!(first <= last, "the bundled data has no session between {from} and {to}");
    let scorer = models::load(system::ONNX, system::MANIFEST)?;
    let replay = Replay {
        histories: bundled.histories(),
        companies: bundled.all_companies(),
        scorer: &*scorer,
        rules,
        terms: Terms::default(),
        from: first,
        to: last,
    };
    Ok(replay.run()?)
}
