//! Logs: one line an event, on standard error; pretty where a person reads along, JSON for programs.

use std::io::IsTerminal;

use clap::ValueEnum;
use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// What is told where nobody says otherwise: our own news, and what goes wrong in libraries.
const DEFAULT_FILTER: &str = "warn,symphainy=info,experience=info,runtime=info,agents=info,realms=info,\
                              public_works=info,security_guard=info";

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// Pretty on a terminal, else JSON
    #[default]
    Auto,
    Pretty,
    Json,
}

/// Begins to log. `RUST_LOG` chooses what is told.
pub(crate) fn start(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(DEFAULT_FILTER));
    let terminal = std::io::stderr().is_terminal();
    let registry = tracing_subscriber::registry().with(filter);
    let json = match format {
        LogFormat::Auto => !terminal,
        LogFormat::Pretty => false,
        LogFormat::Json => true,
    };
    if json {
        registry.with(fmt::layer().json().flatten_event(true).with_writer(std::io::stderr)).init();
    } else {
        registry.with(fmt::layer().compact().with_target(false).with_ansi(terminal).with_writer(std::io::stderr)).init();
    }
}
