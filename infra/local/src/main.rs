//! `cargo run`: the whole system on this machine.

use clap::Parser;
use stockgpt::{
    cli::{Cli, Command},
    replay, serve,
};

fn main() -> std::process::ExitCode {
    let cli = Cli::parse();
    runtime::telemetry::start(runtime::telemetry::LogFormat::Text, "warn");
    let result = match cli.command {
        Some(Command::Replay(options)) => replay::run(&options),
        None => serve::run(&cli.serve),
    };
    match result {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            // One line, with its causes: a person reads it.
            eprintln!("stockgpt: {error:#}");
            std::process::ExitCode::FAILURE
        }
    }
}
