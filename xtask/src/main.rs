//! The project's tools, for what cargo cannot do: `cargo xtask bench`, `idle`, `guard`, `asvs`, `explore`, `torture`, `client-types`.

mod asvs;
mod bench;
mod client_types;
mod explore;
mod guard;
mod idle;
mod machine;
mod torture;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use anyhow::Context;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The project's tools, for what cargo cannot do.")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Measure the product beside the least programs that keep the same promises
    Bench {
        /// How often each figure is measured
        #[arg(long, default_value_t = 5)]
        rounds: usize,
        /// How long each measurement takes, after a quarter of it as warm-up
        #[arg(long, default_value_t = 4)]
        seconds: u64,
        /// Only the rows whose names contain this
        #[arg(long, value_name = "TEXT")]
        only: Option<String>,
        /// Measure this build of the example `bench_server` instead of one that is made first
        #[arg(long)]
        binary: Option<PathBuf>,
        /// Put the figures into docs/performance.md
        #[arg(long)]
        write: bool,
    },
    /// Measure memory at idle and the time from start to ready
    Idle,
    /// Measure what the Security Guard promises in figures
    Guard {
        #[arg(value_enum)]
        figure: guard::Figure,
        /// Rounds, tries or sockets, for a shorter run than the promise asks for
        #[arg(long)]
        size: Option<usize>,
        /// Measure this build instead of a release build that is made first
        #[arg(long)]
        binary: Option<PathBuf>,
    },
    /// Explore the API with cases that Schemathesis makes of its OpenAPI document
    Explore(explore::Exploration),
    /// Print the table of OWASP ASVS requirements that tests show
    Asvs {
        /// Put it into docs/security.md
        #[arg(long)]
        write: bool,
    },
    /// Kill the product again and again under load, and look for what it had acknowledged
    Torture(torture::Plan),
    /// Make the types of the TypeScript client from the OpenAPI document
    ClientTypes,
    /// The limit program of the bench
    #[command(hide = true)]
    Limit {
        #[arg(long)]
        listen: SocketAddr,
        #[arg(long)]
        data_dir: PathBuf,
        #[arg(long)]
        frames: usize,
    },
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match Arguments::parse().task {
        Task::Bench { rounds, seconds, only, binary, write } => {
            let duration = Duration::from_secs(seconds);
            bench::run(bench::Plan { rounds, warm_up: duration / 4, duration, only, binary, write }).await
        }
        Task::Idle => idle::run().await,
        Task::Guard { figure, size, binary } => guard::run(figure, size, binary).await,
        Task::Explore(plan) => explore::run(plan).await,
        Task::Asvs { write } => asvs::run(write),
        Task::Torture(plan) => torture::run(plan).await,
        Task::ClientTypes => write_client_types(),
        Task::Limit { listen, data_dir, frames } => bench::serve_limit(listen, &data_dir, frames).await,
    }
}

/// Writes the types of the TypeScript client, in the folder that the command is run in: the root.
fn write_client_types() -> anyhow::Result<()> {
    let document = std::fs::read_to_string(client_types::DOCUMENT)
        .with_context(|| format!("{} cannot be read; run this in the root", client_types::DOCUMENT))?;
    std::fs::write(client_types::TYPES, client_types::declarations(&serde_json::from_str(&document)?))?;
    println!("{} is new.", client_types::TYPES);
    Ok(())
}
