//! `cargo run`: the whole system on this machine.

use clap::Parser;
use runtime::telemetry::{LevelFilter, LogFormat};
use stockgpt::{
    cli::{self, Cli, Command},
    keys, replay, rules, serve,
};

/// What many threads have freed goes back to the system rather than lie about in each of them: its settings are in `.cargo/config.toml`.
#[cfg(unix)]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> std::process::ExitCode {
    let cli = Cli::parse();
    // People are told of what goes wrong; machines also of every request.
    match cli.serve.log_format {
        cli::LogFormat::Text => runtime::telemetry::start(LogFormat::Text, LevelFilter::WARN),
        cli::LogFormat::Json => runtime::telemetry::start(LogFormat::Json, LevelFilter::INFO),
    }
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
