//! A row of figures: contestants that do the same thing, in turn.

use std::{future::Future, pin::Pin};

use super::{
    Plan,
    cell::Cell,
    load::{self, Job, Kind},
    server::Server,
    streams,
    system::Meter,
};

/// What is compared.
pub(super) struct Row {
    pub(super) title: &'static str,
    /// What is counted.
    pub(super) unit: Unit,
    pub(super) callers: &'static [usize],
    /// The limit first, then the product, then peers.
    pub(super) contestants: Vec<Contestant>,
    /// Who is not here to be measured, and how to have them.
    pub(super) absent: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Operations,
    Frames,
    /// Answers that go on for the whole measurement.
    Streams,
}

type Starting = Pin<Box<dyn Future<Output = anyhow::Result<(Server, Kind)>>>>;

/// Somebody who can do it.
pub(super) struct Contestant {
    pub(super) name: &'static str,
    /// In how many rounds it takes its turn: all of them, or the first few.
    pub(super) rounds: usize,
    /// Starts it on a fresh data folder, and says how it is asked.
    pub(super) start: Box<dyn Fn() -> Starting>,
}

/// The cells of one concurrency: for each round one of each contestant that takes its turn in it.
pub(super) struct Result {
    pub(super) callers: usize,
    pub(super) rounds: Vec<Vec<Option<Cell>>>,
}

impl Result {
    /// For each round that a contestant is in, its cell and the limit's.
    pub(super) fn cells(&self, place: usize) -> impl Iterator<Item = (&Cell, &Cell)> {
        self.rounds.iter().filter_map(move |cells| cells[place].as_ref().zip(cells[0].as_ref()))
    }
}

/// Measures a row. In each round the contestants take their turns in another order.
pub(super) async fn run(row: &Row, plan: &Plan) -> anyhow::Result<Vec<Result>> {
    let mut results: Vec<Result> = row.callers.iter().map(|&callers| Result { callers, rounds: Vec::new() }).collect();
    for round in 0..plan.rounds {
        for result in &mut results {
            let mut cells: Vec<Option<Cell>> = row.contestants.iter().map(|_| None).collect();
            for turn in 0..row.contestants.len() {
                let place = (turn + round) % row.contestants.len();
                let contestant = &row.contestants[place];
                if round < contestant.rounds {
                    cells[place] = Some(measure(contestant, result.callers, plan).await?);
                }
            }
            result.rounds.push(cells);
        }
    }
    Ok(results)
}

async fn measure(contestant: &Contestant, callers: usize, plan: &Plan) -> anyhow::Result<Cell> {
    let (server, kind) = (contestant.start)().await?;
    if let Kind::Stream(stream) = &kind {
        let (seen, used) = streams::run(&server, stream, callers, plan).await?;
        return Ok(Cell { seconds: used.lasted.as_secs_f64(), seen, used });
    }
    let job = |duration| Job { address: server.address, kind: kind.clone(), callers, duration };
    load::run(&job(plan.warm_up)).await?;
    let meter = Meter::start(server.process_id(), server.folder());
    let seen = load::run(&job(plan.duration)).await?;
    Ok(Cell { seconds: plan.duration.as_secs_f64(), seen, used: meter.stop() })
}
