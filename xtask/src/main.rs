//! The project's tools, for what cargo cannot do: `cargo xtask bench`, `cargo xtask idle`.

mod bench;
mod idle;
mod machine;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The project's tools, for what cargo cannot do.")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Measure submission and turns beside the least programs that keep the same promise
    Bench {
        /// How often the limit and the product are measured in turn
        #[arg(long, default_value_t = 5)]
        rounds: usize,
        /// How long each measurement takes, after a quarter of it as warm-up
        #[arg(long, default_value_t = 4)]
        seconds: u64,
    },
    /// Measure memory at idle and the time from start to ready
    Idle,
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
        Task::Bench { rounds, seconds } => {
            let duration = Duration::from_secs(seconds);
            bench::run(bench::Plan { rounds, warm_up: duration / 4, duration }).await
        }
        Task::Idle => idle::run().await,
        Task::Limit { listen, data_dir, frames } => bench::serve_limit(listen, &data_dir, frames).await,
    }
}
