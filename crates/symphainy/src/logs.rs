//! Logs: one line an event on standard error, for eyes or as JSON. What is said is said elsewhere.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::config::{LogConfig, LogFormat};

/// The crates of this house, as their events are named.
const OURS: [&str; 8] =
    ["symphainy", "contract", "security_guard", "runtime", "agents", "realms", "experience", "public_works"];

/// Starts logging. A second call in a process changes nothing.
pub(crate) fn start(config: &LogConfig) {
    let terminal = std::io::stderr().is_terminal();
    let builder = tracing_subscriber::fmt().with_env_filter(filter(config)).with_writer(std::io::stderr);
    // An error means that somebody logs already, which is what was asked for.
    let _ = match (config.format, terminal) {
        (LogFormat::Json, _) | (LogFormat::Auto, false) => {
            builder.json().flatten_event(true).with_current_span(true).with_span_list(false).try_init()
        }
        (LogFormat::Pretty, _) | (LogFormat::Auto, true) => {
            builder.compact().with_target(false).with_ansi(terminal).try_init()
        }
    };
}

/// Ours at the configured level; of the libraries only warnings.
fn filter(config: &LogConfig) -> EnvFilter {
    let level = config.level.as_str();
    let ours = OURS.iter().map(|name| format!("{name}={level}"));
    let directives: Vec<String> = std::iter::once(config.level.of_libraries().to_owned()).chain(ours).collect();
    EnvFilter::new(directives.join(","))
}
