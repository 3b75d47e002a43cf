//! `symphainy serve`: one process that is both planes.

use std::{
    io::{IsTerminal, Write},
    net::SocketAddr,
    process::ExitCode,
};

use clap::Args;
use owo_colors::OwoColorize;

use super::{ConfigArguments, block_on, start_logs};
use crate::{config::Settings, exit::Failure, lifecycle, logs::LogFormat};

#[derive(Args, Clone, Debug)]
pub(super) struct ServeArguments {
    /// Where to listen [default: 127.0.0.1:8000]; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    #[command(flatten)]
    config: ConfigArguments,
    /// Open the doors that the front end of today needs (tokens in the query, session ids as credentials)
    #[arg(long)]
    legacy_client: bool,
    /// How log lines look
    #[arg(long, value_enum, default_value_t)]
    log: LogFormat,
}

pub(super) fn run(arguments: &ServeArguments) -> Result<ExitCode, Failure> {
    let settings = arguments.config.settings(arguments.listen, arguments.legacy_client)?;
    start_logs(arguments.log);
    block_on(lifecycle::serve(&settings, |address| print_screen(&settings, address)))
}

/// The one screen: where it listens, where the data lies, which model answers, what to try next.
fn print_screen(settings: &Settings, address: SocketAddr) {
    let colours = std::io::stdout().is_terminal();
    let title = format!("Symphainy {}", env!("CARGO_PKG_VERSION"));
    let title = if colours { title.bold().to_string() } else { title };
    let data_dir = std::path::absolute(&settings.server.data_dir).unwrap_or_else(|_| settings.server.data_dir.clone());
    let url = format!("http://{address}");
    let mut screen = format!(
        "{title}\n\n\
         \x20 listening   {url}\n\
         \x20 data        {data}\n\
         \x20 model       builtin (no key, no network)\n\
         \x20 API         {url}/docs\n\n\
         Try next, in another terminal:\n\
         \x20 symphainy chat --server {url}\n\
         \x20 curl {url}/api/auth/register -H 'content-type: application/json' \\\n\
         \x20   -d '{{\"name\":\"Ada\",\"email\":\"ada@example.com\",\"password\":\"a long pass phrase\"}}'\n",
        data = data_dir.display(),
    );
    if settings.experience.legacy_client {
        screen.push_str("\nlegacy_client is on: tokens in the query and session ids as credentials are accepted.\n");
    }
    if !address.ip().is_loopback() {
        screen.push_str("\nThis address can be reached from other machines: put TLS in front of it.\n");
    }
    // Nobody may be reading; the server serves all the same.
    let _ = std::io::stdout().write_all(screen.as_bytes());
    let _ = std::io::stdout().flush();
}
