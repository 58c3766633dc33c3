//! The command line.

#![allow(clippy::doc_markdown)] // these comments are the program's help

use std::{net::IpAddr, path::PathBuf};

use api::{FeatureFlags, middleware::LimitSettings};
use app::auth::SignUp;
use axum::http::{HeaderValue, Uri, uri::Authority};
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use domain::{Date, Email};

/// Paper trading on real stocks: the whole system in one process.
///
/// Without arguments it replays bundled real market data (60 large US stocks, 2018 to 2024) and serves the API and its
/// documentation on http://127.0.0.1:8000/docs.
#[derive(Debug, Parser)]
#[command(name = "stockgpt", version)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub serve: Serve,
    /// Fees, slippage, limits and what else is a matter of choice about trading (TOML; `stockgpt rules` prints what is in force).
    #[arg(long, global = true, value_name = "FILE", env = "STOCKGPT_RULES")]
    pub rules: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Trades all signals of a period automatically and reports how that went.
    Replay(Replay),
    /// Replaces the key that tokens are signed with, while tokens of the one before stay good: reads the secrets from standard input
    /// and writes them, changed, to standard output.
    Keys(Keys),
    /// Prints the trading rules in force, each with its value, as a file that --rules reads.
    Rules,
}

#[derive(Debug, Clone, Args)]
pub struct Serve {
    /// Port to serve on; 0 takes a free one.
    #[arg(long, default_value_t = 8000, env = "STOCKGPT_PORT")]
    pub port: u16,
    /// Address to serve on. Anything but loopback lets others reach it: put TLS in front.
    #[arg(long, default_value = "127.0.0.1", env = "STOCKGPT_HOST")]
    pub host: IpAddr,
    /// Where everything is kept; made if it is not there.
    #[arg(long, default_value = ".stockgpt", env = "STOCKGPT_DATA_DIR")]
    pub data_dir: PathBuf,
    /// Date on which a replay begins, at 10:00 New York [default: 2022-01-03, or where it was].
    #[arg(long, value_name = "DATE")]
    pub from: Option<Date>,
    /// Trading days a minute. 0 stands still and moves only on request (POST /api/v1/clock/advance).
    #[arg(long, default_value_t = 1.0, value_parser = speed)]
    pub speed: f64,
    /// Runs on the real time with data from POLYGON_API_KEY or TIINGO_API_KEY instead of replaying.
    #[arg(long, conflicts_with_all = ["from", "speed"])]
    pub live: bool,
    /// Forgets everything in the data directory first.
    #[arg(long)]
    pub reset: bool,
    /// The first administrator.
    #[arg(long, default_value = "admin@localhost", value_name = "EMAIL", env = "STOCKGPT_ADMIN")]
    pub admin: Email,
    /// How logs are written to stderr: text for people, json for machines. RUST_LOG says what is logged.
    #[arg(long, default_value = "text", env = "STOCKGPT_LOG_FORMAT")]
    pub log_format: LogFormat,
    /// Who may get an account by signing in: `open`, `closed`, or addresses and domains (example.org,ann@example.com).
    #[arg(long, default_value = "open", value_name = "WHO", env = "STOCKGPT_SIGN_UP")]
    pub sign_up: SignUp,
    /// Web pages that may call from a browser, such as http://localhost:3000; several with commas. None may unless it is named.
    #[arg(long = "cors-origin", value_name = "ORIGIN", value_delimiter = ',', value_parser = origin, env = "STOCKGPT_CORS_ORIGINS")]
    pub cors_origins: Vec<HeaderValue>,
    /// How often callers may come, such as "read=60/s burst 600, codes-per-address=5/10m"; what is not named keeps its default.
    /// Names: sign-in, read, write, data, public (requests); codes-per-address, codes-per-source, logins-per-source (signing in).
    #[arg(long, default_value = "", hide_default_value = true, value_name = "LIMITS", env = "STOCKGPT_RATE_LIMITS")]
    pub rate_limits: LimitSettings,
    #[command(flatten)]
    pub features: Features,
}

/// Parts of the API that can be switched off: what is off answers 404 and is not in the documentation.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Parts that can be switched off")]
pub struct Features {
    /// Fresh quotes beside end-of-day bars.
    #[arg(long, default_value_t = true, action = ArgAction::Set, value_name = "true|false", env = "FEATURE_REAL_TIME_DATA")]
    pub real_time_data: bool,
    /// Charts of stocks and of the portfolio.
    #[arg(long, default_value_t = true, action = ArgAction::Set, value_name = "true|false", env = "FEATURE_ADVANCED_CHARTS")]
    pub advanced_charts: bool,
    /// What the model is, what moved a signal, and whether confidence came true.
    #[arg(long, default_value_t = true, action = ArgAction::Set, value_name = "true|false", env = "FEATURE_MODEL_INSIGHTS")]
    pub model_insights: bool,
}

impl Default for Features {
    fn default() -> Self {
        FeatureFlags::default().into()
    }
}

impl From<FeatureFlags> for Features {
    fn from(FeatureFlags { real_time_data, advanced_charts, model_insights }: FeatureFlags) -> Self {
        Self { real_time_data, advanced_charts, model_insights }
    }
}

impl From<Features> for FeatureFlags {
    fn from(Features { real_time_data, advanced_charts, model_insights }: Features) -> Self {
        Self { real_time_data, advanced_charts, model_insights }
    }
}

/// How logs are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum LogFormat {
    #[default]
    Text,
    Json,
}

#[derive(Debug, Clone, Args)]
pub struct Keys {
    /// First `announce` the next key; when all copies have noticed, `rotate` to it.
    pub step: KeyStep,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum KeyStep {
    Announce,
    Rotate,
}

#[derive(Debug, Clone, Args)]
pub struct Replay {
    /// First session to trade.
    #[arg(long, default_value = "2022-01-03")]
    pub from: Date,
    /// Last session.
    #[arg(long, default_value = "2024-03-08")]
    pub to: Date,
    /// Where the chart is written.
    #[arg(long, default_value = "replay.svg")]
    pub chart: PathBuf,
}

/// An origin as browsers write it (RFC 6454): what is written otherwise would never be equal to theirs.
fn origin(text: &str) -> Result<HeaderValue, String> {
    let url = Uri::try_from(text).ok().filter(|url| matches!(url.scheme_str(), Some("http" | "https")));
    let url = url.ok_or("expected http:// or https:// and a host, such as http://localhost:3000")?;
    let host = url.authority().map(Authority::as_str).unwrap_or_default();
    let origin = format!("{}://{}", url.scheme_str().unwrap_or_default(), host.to_ascii_lowercase());
    let usual_port = if url.scheme_str() == Some("https") { ":443" } else { ":80" };
    if host.contains('@') {
        return Err("an origin names nobody; leave out what stands before the @".into());
    }
    if let Some(without) = origin.strip_suffix(usual_port) {
        return Err(format!("browsers leave out the usual port: say {without}"));
    }
    if origin != text {
        return Err(format!("an origin has no path and no capitals: say {origin}"));
    }
    HeaderValue::from_str(text).map_err(|error| error.to_string())
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if (0.0..=10_000.0).contains(&speed) => Ok(speed),
        _ => Err("expected a number from 0 to 10000".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_what_browsers_write() {
        for (text, expected) in [
            ("http://localhost:3000", Ok("http://localhost:3000")),
            ("https://terminal.example", Ok("https://terminal.example")),
            ("http://[::1]:3000", Ok("http://[::1]:3000")),
            ("*", Err("expected http://")),
            ("localhost:3000", Err("expected http://")),
            ("", Err("expected http://")),
            ("ftp://terminal.example", Err("expected http://")),
            ("https://terminal.example/", Err("say https://terminal.example")),
            ("https://terminal.example/app", Err("say https://terminal.example")),
            ("https://Terminal.example", Err("say https://terminal.example")),
            ("https://terminal.example:443", Err("say https://terminal.example")),
            ("https://ann@terminal.example", Err("names nobody")),
        ] {
            let found = origin(text);
            match expected {
                Ok(origin) => assert_eq!(found.unwrap(), origin),
                Err(part) => assert!(found.as_ref().is_err_and(|error| error.contains(part)), "{text}: {found:?}"),
            }
        }
    }

    #[test]
    fn several_origins_are_separated_by_commas() {
        let cli = Cli::try_parse_from(["stockgpt", "--cors-origin", "http://localhost:3000,https://terminal.example"]).unwrap();
        assert_eq!(cli.serve.cors_origins, ["http://localhost:3000", "https://terminal.example"]);
        let refused = Cli::try_parse_from(["stockgpt", "--cors-origin", "http://localhost:3000,*"]).unwrap_err().to_string();
        assert!(refused.contains("expected http:// or https:// and a host"), "{refused}");
    }
}
