//! `stockgpt replay`: all signals of a period taken automatically, judged against holding everything.

pub mod chart;
pub mod report;

use std::time::Instant;

use adapters::market_data::bundled::Bundled;
use anyhow::{Context, ensure};
use app::replay;
use domain::{TradingDate, trading::TradingRules};

use crate::{cli, system};

/// Runs the replay, prints the table and writes the chart.
pub fn run(options: &cli::Replay, rules: &TradingRules) -> anyhow::Result<()> {
    ensure!(options.from <= options.to, "--from {} comes after --to {}", options.from, options.to);
    let started = Instant::now();
    let bundled = Bundled::new();
    let from = TradingDate::on_or_after(options.from).max(bundled.first_date().next());
    let to = TradingDate::on_or_before(options.to).min(bundled.last_date());
    ensure!(from <= to, "the bundled data has no session between {} and {}", options.from, options.to);
    let scorer = runtime::models::load(system::ONNX, system::MANIFEST)?;

    let replay = replay::Replay { histories: bundled.histories(), companies: bundled.all_companies(), scorer: &*scorer, rules, from, to };
    let replayed = replay.run()?;

    let report = report::Report::of(&replayed);
    print!("{report}");
    chart::write(&options.chart, &report).with_context(|| format!("the chart cannot be written to {}", options.chart.display()))?;
    println!("Chart: {}. Took {:.1} s.", options.chart.display(), started.elapsed().as_secs_f64());
    Ok(())
}
