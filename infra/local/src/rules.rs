//! The trading rules from a file, and back into one.

use std::{fs, path::Path};

use anyhow::Context;
use domain::trading::TradingRules;

/// The rules of `file`; without one, the defaults.
pub fn load(file: Option<&Path>) -> anyhow::Result<TradingRules> {
    let Some(file) = file else { return Ok(TradingRules::default()) };
    let read = || Ok::<_, anyhow::Error>(runtime::rules::parse(&fs::read_to_string(file)?)?);
    read().with_context(|| format!("the trading rules in {} cannot be used", file.display()))
}

/// Prints `rules` as a file that [`load`] reads.
pub fn print(rules: &TradingRules) -> anyhow::Result<()> {
    println!("# The trading rules in force. infra/trading.example.toml says what each of them means.\n");
    print!("{}", toml::to_string(rules)?);
    Ok(())
}
