//! `cargo run`: the whole system on this machine.

use clap::Parser;
use runtime::telemetry::{LevelFilter, LogFormat};
use stockgpt::{
    cli::{Cli, Command},
    keys, replay, rules, serve,
};

fn main() -> std::process::ExitCode {
    let cli = Cli::parse();
    runtime::telemetry::start(LogFormat::Text, LevelFilter::WARN);
    match run(&cli) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            // One line, with its causes: a person reads it.
            eprintln!("stockgpt: {error:#}");
            std::process::ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> anyhow::Result<()> {
    let rules = rules::load(cli.rules.as_deref())?;
    match &cli.command {
        Some(Command::Replay(options)) => replay::run(options, &rules),
        Some(Command::Keys(options)) => keys::run(options),
        Some(Command::Rules) => rules::print(&rules),
        None => serve::run(&cli.serve, rules),
    }
}
