//! Logs: one line an event on standard error, for eyes or as JSON. What is said is said elsewhere.

mod json;
mod sink;

use std::io::{self, IsTerminal};

use tracing_subscriber::{Layer, filter::Targets, layer::SubscriberExt, util::SubscriberInitExt};

pub(crate) use sink::Writing;

use json::JsonLines;

use crate::config::{LogConfig, LogFormat};

/// The crates of this house, as their events are named.
const OURS: [&str; 8] =
    ["symphainy", "contract", "security_guard", "runtime", "agents", "realms", "experience", "public_works"];

/// Starts logging, for as long as the answer is kept. A second call in a process changes nothing.
pub(crate) fn start(config: &LogConfig) -> io::Result<Writing> {
    let terminal = io::stderr().is_terminal();
    let writing = Writing::to(io::stderr())?;
    let lines = tracing_subscriber::fmt::layer().with_writer(writing.sink());
    let lines = match (config.format, terminal) {
        (LogFormat::Json, _) | (LogFormat::Auto, false) => lines.fmt_fields(JsonLines).event_format(JsonLines).boxed(),
        (LogFormat::Pretty, _) | (LogFormat::Auto, true) => {
            lines.compact().with_target(false).with_ansi(terminal).boxed()
        }
    };
    // An error means that somebody logs already, which is what was asked for.
    let _ = tracing_subscriber::registry().with(lines.with_filter(filter(config))).try_init();
    Ok(writing)
}

/// Ours at the configured level; of the libraries only warnings.
fn filter(config: &LogConfig) -> Targets {
    let ours = OURS.map(|name| (name, config.level.as_filter()));
    Targets::new().with_default(config.level.of_libraries()).with_targets(ours)
}
