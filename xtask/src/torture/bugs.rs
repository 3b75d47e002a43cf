//! Whether the checker bites: each mistake that can be planted is planted, and has to be found.

use std::path::Path;

use anyhow::ensure;

use super::{
    kills::{self, Round},
    server::Words,
};

/// With how many seeds a mistake is looked for before it counts as missed.
const SEEDS: u64 = 4;

/// How many kills a folder suffers while a mistake is looked for.
const KILLS: u64 = 40;

/// Only a power cut shows it: a killed process leaves what it wrote in the system's memory.
const NEEDS_A_POWER_CUT: &str = "sync_skipped";

/// How a mistake was found.
struct Caught {
    bug: String,
    seed: u64,
    kills: u64,
    check: &'static str,
}

/// Answers how many were found; with `only`, of these.
pub(super) async fn run(
    binary: &Path,
    library: &Path,
    words: &Words,
    only: &[String],
    seed: u64,
    clients: u64,
) -> anyhow::Result<usize> {
    let mut caught = 0;
    let mut missed = Vec::new();
    for bug in words.bugs.iter().filter(|bug| only.is_empty() || only.contains(bug)) {
        match catch(binary, library, words, bug, seed, clients).await? {
            Some(Caught { bug, seed, kills, check }) => {
                caught += 1;
                println!("{bug}: found by \"{check}\" with seed {seed} within {kills} kills");
            }
            None => {
                println!("{bug}: MISSED");
                missed.push(bug.as_str());
            }
        }
    }
    ensure!(missed.is_empty(), "these mistakes were not found: {}", missed.join(", "));
    Ok(caught)
}

async fn catch(
    binary: &Path,
    library: &Path,
    words: &Words,
    bug: &str,
    seed: u64,
    clients: u64,
) -> anyhow::Result<Option<Caught>> {
    for seed in seed..seed + SEEDS {
        let power = (bug == NEEDS_A_POWER_CUT).then(|| library.to_owned());
        let round = Round { seed, kills: KILLS, clients, bug: Some(bug.to_owned()), power };
        let outcome = kills::run(binary, words, &round).await?;
        if let Some(found) = outcome.found.first() {
            return Ok(Some(Caught { bug: bug.to_owned(), seed, kills: outcome.kills, check: found.check }));
        }
    }
    Ok(None)
}
