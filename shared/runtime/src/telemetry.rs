//! Logs: JSON lines for machines, short lines for people.

use std::{env, io};

pub use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::{Layer, filter::Targets, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// Where it is said what is logged: the first that is set counts.
const VARIABLES: [&str; 2] = ["RUST_LOG", "LOG_LEVEL"];

/// Parts that warn of what is meant to happen: to the embedded database, a condition that does not hold is a bad request. What they say
/// counts from an error on, unless a variable asks for more.
const QUIET: [&str; 1] = ["dynoxide"];

/// How logs are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    Json,
    Text,
}

/// Starts logging to stderr. `RUST_LOG` or `LOG_LEVEL` set what is logged, such as `info` or `warn,app=debug`; without them
/// `default` does. Does nothing when logging runs already.
pub fn start(format: LogFormat, default: LevelFilter) {
    let filter = filter(VARIABLES.iter().find_map(|name| env::var(name).ok()).as_deref(), default);
    let layer = match format {
        LogFormat::Json => fmt::layer().json().flatten_event(true).with_writer(io::stderr).with_filter(filter).boxed(),
        LogFormat::Text => fmt::layer().compact().with_target(false).with_writer(io::stderr).with_filter(filter).boxed(),
    };
    // A second start, as in tests that share a process, keeps the first.
    let _ = tracing_subscriber::registry().with(layer).try_init();
}

/// Nobody is locked out by a mistake in a variable: what cannot be understood counts as not said.
fn filter(said: Option<&str>, default: LevelFilter) -> Targets {
    let said = said.map(str::trim).filter(|said| !said.is_empty());
    said.and_then(|said| said.to_ascii_lowercase().parse().ok()).unwrap_or_else(|| {
        let quiet = QUIET.map(|part| (part, default.min(LevelFilter::ERROR)));
        Targets::new().with_targets(quiet).with_default(default)
    })
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn the_embedded_database_does_not_warn_of_conditions_unless_it_is_asked_to() {
        for (said, default, warns, reports) in [
            (None, LevelFilter::WARN, false, true),
            (None, LevelFilter::INFO, false, true),
            (None, LevelFilter::OFF, false, false),
            (Some("warn"), LevelFilter::WARN, true, true),
        ] {
            let filter = filter(said, default);
            let found = [Level::WARN, Level::ERROR].map(|level| filter.would_enable("dynoxide::server", &level));
            assert_eq!(found, [warns, reports], "{said:?} {default}");
        }
    }

    #[test]
    fn what_is_logged_can_be_said_in_a_word_or_for_each_part() {
        for (said, app_debug, other_info, other_warn) in [
            (None, false, true, true),
            (Some(""), false, true, true),
            (Some("WARN"), false, false, true),
            (Some("warn,app=debug"), true, false, true),
            (Some("off"), false, false, false),
            (Some("app=loud"), false, true, true),
        ] {
            let filter = filter(said, LevelFilter::INFO);
            let found = (
                filter.would_enable("app::jobs", &Level::DEBUG),
                filter.would_enable("hyper", &Level::INFO),
                filter.would_enable("hyper", &Level::WARN),
            );
            assert_eq!(found, (app_debug, other_info, other_warn), "{said:?}");
        }
    }
}
