//! `cargo xtask bench`: the least programs that keep the promises, the product, and the peers that are installed, in turn and in
//! one run, so that the ratio of a round counts and not what the machine can do today.

mod cell;
mod contest;
mod limit;
mod load;
mod once;
mod peers;
mod report;
mod rows;
pub(crate) mod server;
mod streams;
pub(crate) mod system;

use std::{path::PathBuf, time::Duration};

pub(crate) use limit::serve as serve_limit;

/// How a bench runs.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// How often each cell is measured.
    pub(crate) rounds: usize,
    pub(crate) warm_up: Duration,
    pub(crate) duration: Duration,
    /// Only the rows whose names contain this.
    pub(crate) only: Option<String>,
    /// A build of the example `bench_server`; where there is none, one is made.
    pub(crate) binary: Option<PathBuf>,
    /// Whether docs/performance.md gets the figures.
    pub(crate) write: bool,
}

pub(crate) async fn run(plan: Plan) -> anyhow::Result<()> {
    // It is started in folders of its own.
    let given = plan.binary.as_ref().map(std::path::absolute).transpose()?;
    let product = given.map_or_else(server::bench_binary, Ok)?;
    system::raise_open_files();
    let mut report = report::Report::begin(&plan);
    for row in rows::all(&product) {
        if plan.only.as_ref().is_some_and(|only| !row.title.contains(only)) {
            continue;
        }
        let results = contest::run(&row, &plan).await?;
        report.add(&row, &results);
    }
    for title in once::ALL {
        if plan.only.as_ref().is_none_or(|only| title.contains(only)) {
            report.add_facts(title, &once::measure(title, &product).await?);
        }
    }
    if plan.write { report.write() } else { Ok(()) }
}
