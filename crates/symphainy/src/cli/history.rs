//! What can be said about what has been: telling it again, and going on from an earlier point of it.

use std::path::PathBuf;

use clap::Args;

use super::{HouseArguments, SignInArguments};

const REPLAY_EXAMPLES: &str = "\
Examples:
  symphainy replay conv-1                              a conversation, from the data folder
  symphainy replay exec_019a… --json                   an execution, with all that it called
  symphainy replay conv-1 --email ada@example.com      through a server, as one of its users
  symphainy replay --routing --config new.toml         who would answer under another configuration

It executes nothing. A data folder is read as it lies there, beside a running server or without one.
--routing ends with 1 where an agent other than the one of then would answer.";

const FORK_EXAMPLES: &str = "\
Examples:
  symphainy fork conv-1 --email ada@example.com            all of it, to go on twice
  symphainy fork conv-1 --at 40 --email ada@example.com    what was said up to the event 40

The new conversation begins with the messages of the old one, which stays as it is. `symphainy replay`
shows the numbers of the events.";

#[derive(Args, Debug)]
#[command(after_help = REPLAY_EXAMPLES)]
pub struct ReplayArguments {
    /// The id of a conversation or of an execution
    #[arg(required_unless_present = "routing")]
    pub id: Option<String>,
    #[command(flatten)]
    pub house: HouseArguments,
    /// Whose conversation it is, where several users have one of this id
    #[arg(long, value_name = "USER")]
    pub user: Option<String>,
    /// Read an archive rather than the data folder
    #[arg(long, value_name = "FILE", conflicts_with_all = ["data_dir", "server", "email", "routing"])]
    pub from: Option<PathBuf>,
    /// Ask a server rather than the data folder
    #[arg(long, value_name = "URL", conflicts_with_all = ["data_dir", "user"])]
    pub server: Option<String>,
    /// Ask a server, signed in with this address
    #[arg(long, value_name = "ADDRESS", conflicts_with_all = ["data_dir", "user"])]
    pub email: Option<String>,
    /// Choose the agents again by the present configuration, and show where another one would answer
    #[arg(long, conflicts_with_all = ["server", "email"])]
    pub routing: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Debug)]
#[command(after_help = FORK_EXAMPLES)]
pub struct ForkArguments {
    /// The conversation to begin from
    pub conversation: String,
    #[command(flatten)]
    pub sign_in: SignInArguments,
    /// The last event that counts; without it all do
    #[arg(long, value_name = "SEQ")]
    pub at: Option<u64>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
