//! The only binary, as a library for its own tests: it reads the configuration, makes one of everything, joins the rooms and
//! speaks to people in a terminal. It decides nothing about intents, agents or who may do what.

pub mod cli;
pub mod config;
pub mod servers;
pub mod wiring;

mod lifecycle;

mod client;
mod commands;

mod agent_files;
mod archive_file;
mod banner;
mod clock;
mod environment;
mod exit;
mod housekeeping;
mod logs;
mod output;
mod paint;
mod policy;
mod progress;

use std::{ffi::OsString, io::IsTerminal, process::ExitCode, time::Duration};

use clap::Parser;

pub use clock::SystemClock;
pub use exit::{Complaint, Exit};

use cli::{Cli, Command};
use paint::Paint;
use wiring::Extras;

/// What tasks that hang may still take after the command has ended.
const LAST_PATIENCE: Duration = Duration::from_millis(500);

/// Does what the command line says, and answers the exit code (see [`Exit`]).
pub fn main() -> ExitCode {
    main_with(Extras::default())
}

/// The same for a program that brings intents and models of its own; `serve` has them beside ours.
pub fn main_with(extras: Extras) -> ExitCode {
    match run(std::env::args_os(), extras) {
        Ok(exit) => exit.into(),
        Err(complaint) => {
            let paint = Paint::of(&std::io::stderr());
            eprintln!("{} {}", paint.bad("symphainy:"), complaint.sentence);
            complaint.exit.into()
        }
    }
}

fn run(arguments: impl IntoIterator<Item = OsString>, extras: Extras) -> Result<Exit, Complaint> {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Nobody is left to be told when the terminal is gone.
            let _ = error.print();
            return Ok(if error.use_stderr() { Exit::Usage } else { Exit::Success });
        }
    };
    security_guard::install_crypto_provider();
    let executor = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Complaint::new(Exit::Internal, format!("The executor cannot be started ({error}).")))?;
    let outcome = executor.block_on(obey(cli, extras));
    executor.shutdown_timeout(LAST_PATIENCE);
    outcome
}

async fn obey(cli: Cli, extras: Extras) -> Result<Exit, Complaint> {
    match cli.command() {
        Command::Serve(arguments) => commands::serve(arguments, extras).await,
        Command::Chat(arguments) => commands::chat(arguments).await,
        Command::Call(arguments) => commands::call(arguments).await,
        Command::User(arguments) => commands::user(arguments).await,
        Command::Keys(arguments) => commands::keys(arguments).await,
        Command::Audit(arguments) => commands::audit(arguments).await,
        Command::Policy(arguments) => commands::policy(arguments).await,
        Command::Agent(arguments) => commands::agent(arguments),
        Command::Doctor(arguments) => commands::doctor(arguments).await,
        Command::Replay(arguments) => commands::replay(arguments).await,
        Command::Archive(arguments) => commands::archive(arguments).await,
        Command::Fork(arguments) => commands::fork(arguments).await,
        Command::Backup(arguments) => commands::backup(arguments).await,
        Command::Restore(arguments) => commands::restore(arguments).await,
        Command::Migrate(arguments) => commands::migrate(arguments).await,
    }
}

/// Whether a person sits at both ends.
fn is_interactive() -> bool {
    std::io::stdin().is_terminal() && std::io::stdout().is_terminal()
}
