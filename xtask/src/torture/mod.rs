//! `cargo xtask torture`: the real binary is killed again and again under a seeded load, its disk fails and its power is cut, and a
//! checker that knows every acknowledgement looks for what is lost, done twice, out of order, or there without having been asked for.

mod bugs;
mod client;
mod effects;
mod errors;
mod http;
mod kills;
mod known;
mod look;
mod people;
mod power;
mod server;
mod submit;
mod talk;
mod world;

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{bail, ensure};
use clap::{Args, ValueEnum};
use tempfile::TempDir;
use tokio::time::Instant;

use kills::{Outcome, Round};
use server::Words;

/// How many kills one data folder suffers.
const KILLS_OF_A_FOLDER: u64 = 40;

/// What a short torture does, in about a minute, and a long one.
const SHORT: Extent = Extent { kills: 60, power_cuts: 20, stride: 40, simulations: 300 };
const LONG: Extent = Extent { kills: 2_000, power_cuts: 400, stride: 1, simulations: 10_000 };

/// The mistakes that a short torture plants.
const SHORT_BUGS: [&str; 3] = ["acknowledged_early", "step_recorded_late", "sync_skipped"];

/// How much of each part is done.
#[derive(Clone, Copy, Debug)]
struct Extent {
    kills: u64,
    power_cuts: u64,
    /// Of the calls that can fail, every so many does.
    stride: u64,
    simulations: u64,
}

/// What is to be suffered.
#[derive(Clone, Debug, Args)]
pub(crate) struct Plan {
    /// The first seed; the same seed does the same again
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Thousands of kills, each call of the sweep, all mistakes, ten thousand simulations
    #[arg(long)]
    long: bool,
    /// Only this part
    #[arg(long, value_name = "PART")]
    only: Option<Part>,
    /// How many kills, and half as many power cuts
    #[arg(long)]
    kills: Option<u64>,
    /// Of the syncs and writes that can fail, how many one stands for: 1 fails each of them
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    stride: Option<u64>,
    /// How many clients work at the same time
    #[arg(long, default_value_t = 24)]
    clients: u64,
    /// Plant each mistake in turn and see that it is found; the same as `--long --only bugs`
    #[arg(long, conflicts_with_all = ["only", "bug"])]
    bugs: bool,
    /// Plant this mistake only
    #[arg(long, value_name = "NAME", conflicts_with = "only")]
    bug: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Kill the process, at any instant and at named places
    Kills,
    /// The same, and take back what was not synced
    Power,
    /// Fail each sync and each write of a fixed workload
    Errors,
    /// Plant mistakes that have to be found
    Bugs,
    /// The Runtime over a store that tears and forgets, without a process
    Simulation,
}

/// The server, what it can suffer, and what its disk fails by.
struct Tools {
    binary: PathBuf,
    words: Words,
    library: PathBuf,
    _folder: TempDir,
}

impl Plan {
    fn has(&self, part: Part) -> bool {
        if self.bugs || self.bug.is_some() {
            return part == Part::Bugs;
        }
        self.only.is_none_or(|only| only == part)
    }

    fn extent(&self) -> Extent {
        let mut extent = if self.long || self.bugs { LONG } else { SHORT };
        extent.stride = self.stride.unwrap_or(extent.stride);
        match self.kills {
            Some(kills) => Extent { kills, power_cuts: kills.div_ceil(2), ..extent },
            None => extent,
        }
    }

    fn only_bugs(&self) -> Vec<String> {
        match &self.bug {
            Some(bug) => vec![bug.clone()],
            None if self.long || self.bugs => Vec::new(),
            None => SHORT_BUGS.map(str::to_owned).to_vec(),
        }
    }
}

pub(crate) async fn run(plan: Plan) -> anyhow::Result<()> {
    let begun = Instant::now();
    let folder = TempDir::with_prefix("torture-tools-")?;
    let (binary, words) = server::build()?;
    let tools = Tools { binary, words, library: power::build(folder.path())?, _folder: folder };
    let extent = plan.extent();
    if plan.has(Part::Simulation) {
        simulate(extent.simulations, plan.seed)?;
    }
    if plan.has(Part::Kills) {
        report("kills", &kill(&tools, &plan, extent.kills, None).await?);
    }
    if plan.has(Part::Power) {
        report("power cuts", &kill(&tools, &plan, extent.power_cuts, Some(&tools.library)).await?);
    }
    if plan.has(Part::Errors) {
        let swept = errors::sweep(&tools.binary, &tools.library, plan.seed, extent.stride).await?;
        println!(
            "errors: {} runs, in {} of them the process ended and was started again, {} answers that there is no space, \
             {} acknowledgements, {} checks: nothing lost, no wrong answer",
            swept.runs, swept.ended, swept.full, swept.acknowledged, swept.checked
        );
    }
    if plan.has(Part::Bugs) {
        let Tools { binary, library, words, .. } = &tools;
        let caught = bugs::run(binary, library, words, &plan.only_bugs(), plan.seed, plan.clients).await?;
        println!("planted mistakes: {caught} of {caught} found");
    }
    println!("{:.0} s", begun.elapsed().as_secs_f64());
    Ok(())
}

/// As many kills as asked for, in folders of their own, each with the next seed.
async fn kill(tools: &Tools, plan: &Plan, kills: u64, power: Option<&Path>) -> anyhow::Result<Outcome> {
    let mut total = Outcome::default();
    let mut seed = plan.seed;
    while total.kills < kills {
        let round = Round {
            seed,
            kills: KILLS_OF_A_FOLDER.min(kills - total.kills),
            clients: plan.clients,
            bug: None,
            power: power.map(Path::to_owned),
        };
        let lasted = Instant::now();
        let outcome = kills::run(&tools.binary, &tools.words, &round).await?;
        println!(
            "seed {seed}: {} kills, {} acknowledgements, {} executions, {} checks, {:.1} s",
            outcome.kills,
            outcome.acknowledged,
            outcome.executions,
            outcome.checked,
            lasted.elapsed().as_secs_f64()
        );
        for found in &outcome.found {
            println!("  FOUND by \"{}\": {}", found.check, found.said);
        }
        if let Some(kept) = &outcome.kept {
            bail!(
                "seed {seed} found something; --seed {seed} does the same again; the folder is kept: {}",
                kept.display()
            );
        }
        total.add(outcome);
        seed += 1;
    }
    Ok(total)
}

fn report(what: &str, total: &Outcome) {
    let mut points: Vec<_> = total.at_points.iter().collect();
    points.sort();
    println!(
        "{what}: {} ({} at {} named places, {} in a start, {} after a standstill), {} acknowledgements, {} executions, {} checks: \
         nothing lost, nothing twice, nothing out of order, no phantom",
        total.kills,
        total.at_points.values().sum::<u64>(),
        total.at_points.len(),
        total.in_start,
        total.after_standstill,
        total.acknowledged,
        total.executions,
        total.checked
    );
    println!("  at {points:?}");
    if total.taken_back > 0 {
        println!("  {} writes and names were taken back", total.taken_back);
    }
}

/// Runs the simulation, which is a test of the Runtime, with more seeds than the test has.
fn simulate(seeds: u64, first: u64) -> anyhow::Result<()> {
    let mut command = Command::new(env!("CARGO"));
    command.args([
        "test",
        "--quiet",
        "--release",
        "--package",
        "runtime",
        "--test",
        "it",
        "simulation",
        "--",
        "--nocapture",
    ]);
    command.env("SIMULATION_SEEDS", seeds.to_string()).env("SIMULATION_FIRST_SEED", first.to_string());
    ensure!(command.status()?.success(), "the simulation found something");
    Ok(())
}
