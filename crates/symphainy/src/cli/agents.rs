//! What can be said about agents' definitions: writing one, checking some, listing all.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::HouseArguments;

const AGENT_EXAMPLES: &str = "\
Examples:
  symphainy agent new claims                    a liaison for the realm claims, in the agents' folder
  symphainy agent new pricing --kind specialist
  symphainy agent check                         all definitions of the agents' folder
  symphainy agent check claims.toml --json      one, wherever it lies
  symphainy agent list                          who is there, by which model, from which file
  symphainy agent schema > agent.schema.json    for an editor that completes and checks

A definition with a mistake ends check with 78, a file that cannot be read with 65.";

#[derive(Args, Debug)]
#[command(after_help = AGENT_EXAMPLES)]
pub struct AgentArguments {
    #[command(subcommand)]
    pub verb: AgentVerb,
}

#[derive(Debug, Subcommand)]
pub enum AgentVerb {
    /// Write a definition to begin with into the agents' folder
    New(AgentNew),
    /// Say what is wrong in definitions, where, and what to do
    Check(AgentCheck),
    /// List all agents that the configuration gives
    List {
        #[command(flatten)]
        house: HouseArguments,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the JSON Schema of a definition
    Schema,
}

#[derive(Args, Debug)]
pub struct AgentNew {
    /// What it is called: claims, or as a whole liaison.claims
    pub name: String,
    /// What it is for, where the name does not say it [default: liaison]
    #[arg(long, value_name = "KIND")]
    pub kind: Option<NewKind>,
    #[command(flatten)]
    pub house: HouseArguments,
}

/// The kinds that there may be several of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum NewKind {
    /// The voice of one realm
    Liaison,
    /// Called by other agents, never chosen by routing
    Specialist,
}

#[derive(Args, Debug)]
pub struct AgentCheck {
    /// The definitions [default: all of the agents' folder]
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    #[command(flatten)]
    pub house: HouseArguments,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
