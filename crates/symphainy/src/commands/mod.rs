//! What can be asked of the binary, each verb in a file.

mod serve;

use std::{net::SocketAddr, path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};

use crate::{
    config::{self, Flags, Settings},
    exit::{self, Failure},
    logs::{self, LogFormat},
};

/// The agent back end: sign-in, sessions, conversations, and certainty about what the agents did.
#[derive(Parser)]
#[command(name = "symphainy", version, about, after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: serve::ServeArguments,
}

const EXAMPLES: &str = "Examples:
  symphainy                                   serve on 127.0.0.1:8000 with the data in ./data
  symphainy serve --listen 127.0.0.1:9000     serve somewhere else

Every command has --help.";

#[derive(Subcommand)]
enum Command {
    /// Serve people and programs (what happens without a command, too)
    Serve(serve::ServeArguments),
}

/// Where the settings come from.
#[derive(Args, Clone, Debug)]
struct ConfigArguments {
    /// The config file; ./symphainy.toml where it is there
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The folder of the database and the files [default: ./data]
    #[arg(long, value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
}

impl ConfigArguments {
    fn settings(&self, listen: Option<SocketAddr>, legacy_client: bool) -> Result<Settings, Failure> {
        let flags =
            Flags { config: self.config.clone(), listen, data_dir: self.data_dir.clone(), legacy_client };
        config::read(&flags).map_err(|error| Failure::new(exit::CONFIG, error.to_string()))
    }
}

pub(crate) fn run() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version come as errors too, and are none.
            let code = if error.use_stderr() { exit::USAGE } else { 0 };
            let _ = error.print();
            return code.into();
        }
    };
    let outcome = match arguments.command {
        None => serve::run(&arguments.serve),
        Some(Command::Serve(arguments)) => serve::run(&arguments),
    };
    outcome.unwrap_or_else(|failure| {
        eprintln!("symphainy: {failure}");
        failure.into()
    })
}

/// A tokio runtime for a command.
fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(exit::SOFTWARE, format!("the threads cannot be started: {error}")))?;
    runtime.block_on(work)
}

/// Begins to log as a server does.
fn start_logs(format: LogFormat) {
    logs::start(format);
}
